package tui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc/status"

	"github.com/g2g-net/g2g/proto/adminpb"
)

// A Conn is a connection to a node's admin API.
type Conn struct {
	adminpb.AdminClient
	Close func()
}

// A Dial reaches the node, or says why it cannot.
type Dial func(ctx context.Context) (Conn, error)

// What a source tells.
type (
	pictureMsg struct{ s *adminpb.Snapshot }
	eventsMsg  struct{ events []*adminpb.Event }
	// lostMsg: the node is not reached; it is tried again at next.
	lostMsg struct {
		why  string
		try  int
		next time.Time
	}
	endedMsg struct{} // of a recording
)

const (
	// answerTime is how long a node may take over a plain question before it counts as gone.
	answerTime = 3 * time.Second
	// quietTime is how long a node may send no picture before it is asked.
	quietTime = 5 * time.Second
)

// backoff is how long to wait before try number n, from 2 on.
func backoff(n int) time.Duration {
	waits := []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 15 * time.Second}
	return waits[min(max(n-2, 0), len(waits)-1)]
}

// A live source watches a node for as long as it is asked to, whether the node is there or not.
type live struct {
	dial  Dial
	every time.Duration
	again chan struct{} // try now
	seq   uint64        // of the latest event, and its time
	at    int64
}

func newLive(dial Dial, every time.Duration) *live {
	return &live{dial: dial, every: every, again: make(chan struct{}, 1)}
}

// run tells of everything until ctx ends.
func (l *live) run(ctx context.Context, tell func(any)) {
	for try := 2; ; try++ {
		reached, err := l.session(ctx, tell)
		if ctx.Err() != nil {
			return
		}
		if reached {
			try = 2
		}
		wait := backoff(try)
		tell(lostMsg{why: reason(err), try: try, next: time.Now().Add(wait)})
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-l.again:
			timer.Stop()
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

func reason(err error) string {
	switch {
	case err == nil, errors.Is(err, io.EOF):
		return "the node has stopped"
	case errors.Is(err, context.DeadlineExceeded):
		return "the node does not answer"
	}
	if st, ok := status.FromError(err); ok {
		return st.Message()
	}
	return err.Error()
}

// session watches over one connection until it breaks. It says whether the node was reached.
func (l *live) session(ctx context.Context, tell func(any)) (reached bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	conn, err := l.dial(ctx)
	if err != nil {
		return false, err
	}
	defer conn.Close()
	if _, err := ask(ctx, conn); err != nil {
		return false, err
	}
	stream, err := conn.Watch(ctx, &adminpb.WatchRequest{HistoryMs: time.Minute.Milliseconds(), IntervalMs: l.every.Milliseconds()})
	if err != nil {
		return false, err
	}
	pictures, failed := make(chan *adminpb.Snapshot), make(chan error, 2)
	go receive(ctx, stream.Recv, pictures, failed)
	happened := make(chan *adminpb.Event, 256)
	if follow, err := conn.Events(ctx, &adminpb.EventsRequest{Follow: true}); err == nil {
		go receive(ctx, follow.Recv, happened, make(chan error, 1))
	}
	return l.watch(ctx, conn, pictures, happened, failed, tell)
}

// receive hands over what comes from a stream until it ends.
func receive[T any](ctx context.Context, recv func() (T, error), to chan<- T, failed chan<- error) {
	for {
		one, err := recv()
		if err != nil {
			failed <- err
			return
		}
		select {
		case to <- one:
		case <-ctx.Done():
			return
		}
	}
}

func ask(ctx context.Context, conn Conn) (*adminpb.Snapshot, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	s, err := conn.Show(ctx, &adminpb.ShowRequest{})
	if err != nil && ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return s, err
}

// watch tells of pictures, at most one an interval, and asks a node that sends none whether it is still there: one that
// hangs keeps its streams open.
func (l *live) watch(ctx context.Context, conn Conn, pictures <-chan *adminpb.Snapshot, happened <-chan *adminpb.Event,
	failed <-chan error, tell func(any),
) (reached bool, err error) {
	quiet := time.NewTimer(quietTime)
	defer quiet.Stop()
	due := time.NewTimer(0)
	defer due.Stop()
	var waiting *adminpb.Snapshot
	ready := false
	show := func() {
		tell(pictureMsg{waiting})
		waiting, ready, reached = nil, false, true
		due.Reset(l.every * 9 / 10) // the node keeps the interval; this only holds an older one to it
	}
	for {
		select {
		case s := <-pictures:
			if waiting != nil && s.GetHistory() == nil {
				s.History = waiting.GetHistory()
			}
			waiting = s
			quiet.Reset(quietTime)
			if ready {
				show()
			}
		case <-due.C:
			ready = true
			if waiting != nil {
				show()
			}
		case e := <-happened:
			if events := l.fresh(gather(e, happened)); len(events) > 0 {
				tell(eventsMsg{events})
			}
		case <-quiet.C:
			s, err := ask(ctx, conn)
			if err != nil {
				return reached, err
			}
			waiting = s
			show()
			quiet.Reset(quietTime)
		case err := <-failed:
			return reached, err
		case <-ctx.Done():
			return reached, ctx.Err()
		}
	}
}

// gather takes what has come already, so that a thousand events cost one picture.
func gather(first *adminpb.Event, more <-chan *adminpb.Event) []*adminpb.Event {
	events := []*adminpb.Event{first}
	for len(events) < keptEvents {
		select {
		case e := <-more:
			events = append(events, e)
		default:
			return events
		}
	}
	return events
}

// fresh leaves out what was told over an earlier connection. A node that was started again counts from 1.
func (l *live) fresh(events []*adminpb.Event) []*adminpb.Event {
	out := events[:0]
	for _, e := range events {
		if e.GetSeq() <= l.seq && e.GetTimeMs() <= l.at {
			continue
		}
		l.seq, l.at = e.GetSeq(), e.GetTimeMs()
		out = append(out, e)
	}
	return out
}

// longestPause is how long a replay waits between two pictures at most.
const longestPause = 5 * time.Second

// run shows a recording at the pace in which it came.
func (r *Recording) run(ctx context.Context, tell func(any)) {
	r.play(tell, func(pause time.Duration) bool {
		timer := time.NewTimer(pause)
		defer timer.Stop()
		select {
		case <-timer.C:
			return true
		case <-ctx.Done():
			return false
		}
	})
}

// play tells of everything in a recording. Between two pictures it waits, and ends early where that says so.
func (r *Recording) play(tell func(any), wait func(time.Duration) bool) {
	before := int64(0)
	for _, one := range r.told {
		if e, ok := one.(*adminpb.Event); ok {
			tell(eventsMsg{[]*adminpb.Event{e}})
			continue
		}
		s, _ := one.(*adminpb.Snapshot)
		if before != 0 && !wait(min(max(millis(s.GetTimeMs()-before), 0), longestPause)) {
			return
		}
		before = s.GetTimeMs()
		tell(pictureMsg{s})
	}
	tell(endedMsg{})
}

// fetch asks a node once for everything that a screen shows.
func fetch(ctx context.Context, conn Conn) (*adminpb.Snapshot, []*adminpb.Event, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*answerTime)
	defer cancel()
	stream, err := conn.Watch(ctx, &adminpb.WatchRequest{HistoryMs: time.Minute.Milliseconds()})
	if err != nil {
		return nil, nil, err
	}
	s, err := stream.Recv()
	if err != nil {
		return nil, nil, err
	}
	happened, err := conn.Events(ctx, &adminpb.EventsRequest{})
	if err != nil {
		return nil, nil, err
	}
	var events []*adminpb.Event
	for {
		e, err := happened.Recv()
		if errors.Is(err, io.EOF) {
			return s, events, nil
		}
		if err != nil {
			return nil, nil, fmt.Errorf("events: %w", err)
		}
		events = latest(append(events, e))
	}
}

// latest keeps the newest events, with room to grow.
func latest(events []*adminpb.Event) []*adminpb.Event {
	if len(events) < 2*keptEvents {
		return events
	}
	return append([]*adminpb.Event(nil), events[len(events)-keptEvents:]...)
}
