package admin

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/proto/adminpb"
)

const (
	// watchInterval is the least time between two pictures of one watcher, who may ask for a longer one up to an hour.
	watchInterval    = 200 * time.Millisecond
	maxWatchInterval = time.Hour
	// followBatch is how many events a follower takes from the ring at once.
	followBatch = 256
)

// KindGap is the kind of the event that a follower gets in place of those that it was too slow for.
const KindGap gossip.Kind = "gap"

// Watch sends the picture, then a new one whenever the node's turn has moved on. Send waits for a slow reader, and what
// changed meanwhile is in the one picture after it.
func (s *service) Watch(pb *adminpb.WatchRequest, stream grpc.ServerStreamingServer[adminpb.Snapshot]) error {
	past, interval, err := watchRequest(pb)
	if err != nil {
		return err
	}
	ctx := stream.Context()
	for {
		turn := s.node.Turn() // before the picture, which may be newer but never older
		p, err := s.node.Picture(ctx)
		if err != nil {
			return err
		}
		picture := snapshotOf(p)
		if past > 0 && p.Gossip != nil {
			picture.History = s.past.past(past)
			fit(picture)
			past = 0
		}
		if err := stream.Send(picture); err != nil {
			return err
		}
		if going, err := s.nextTurn(ctx, turn, interval); !going {
			return err
		}
	}
}

// nextTurn waits for the interval, and then until the turn is another. It tells whether to go on.
func (s *service) nextTurn(ctx context.Context, turn uint64, interval time.Duration) (bool, error) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			tick.Reset(watchInterval)
			if s.node.Turn() != turn {
				return true, nil
			}
		case <-s.ring.done:
			return false, nil
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
}

// Events sends those kept, and with follow those to come.
func (s *service) Events(pb *adminpb.EventsRequest, stream grpc.ServerStreamingServer[adminpb.Event]) error {
	age, err := eventsRequest(pb)
	if err != nil {
		return err
	}
	if pb.GetFollow() {
		return s.follow(age, stream)
	}
	for _, e := range s.ring.Since(age, time.Now()) {
		if err := stream.Send(eventOf(e)); err != nil {
			return err
		}
	}
	return nil
}

// follow sends every event from the oldest kept on, until the ring is closed and empty. Nothing is queued for a slow
// reader: what the ring dropped before it came is told in one gap.
func (s *service) follow(age time.Duration, stream grpc.ServerStreamingServer[adminpb.Event]) error {
	start := time.Now()
	oldest, latest := s.ring.bounds()
	seq, closing := oldest-1, false
	for {
		events, gone, more := s.ring.next(seq, followBatch)
		if gone > 0 {
			seq += gone
			events = append([]Event{gap(seq, gone)}, events...)
		}
		for _, e := range events {
			seq = e.Seq
			if seq <= latest && !e.younger(age, start) {
				continue
			}
			if err := stream.Send(eventOf(e)); err != nil {
				return err
			}
		}
		switch {
		case len(events) > 0:
			continue
		case closing:
			return nil
		}
		select {
		case <-more:
		case <-s.ring.done:
			closing = true // what came with the end is still to be sent
		case <-stream.Context().Done():
			return stream.Context().Err()
		}
	}
}

// gap stands for n events up to seq.
func gap(seq, n uint64) Event {
	return Event{Seq: seq, Time: time.Now(), Notice: gossip.Notice{
		Kind: KindGap, Severity: gossip.Warning, Detail: fmt.Sprintf("%d events are missing: they came faster than they were read", n),
	}}
}

func eventOf(e Event) *adminpb.Event {
	out := &adminpb.Event{
		Seq: e.Seq, TimeMs: milli(e.Time), Kind: string(e.Kind), Severity: string(e.Severity), Name: utf8Of(e.Name), Detail: e.Detail,
	}
	if !e.Peer.IsZero() {
		out.Peer = e.Peer.String()
	}
	return out
}
