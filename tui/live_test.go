package tui

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/g2g-net/g2g/proto/adminpb"
)

// A node answers the admin API with what a world shows.
type node struct {
	adminpb.UnimplementedAdminServer
	shows  func() *adminpb.Snapshot
	events []*adminpb.Event
	hangs  atomic.Bool // takes calls and answers none
	asked  atomic.Int64
}

func (n *node) Show(ctx context.Context, _ *adminpb.ShowRequest) (*adminpb.Snapshot, error) {
	if n.hangs.Load() {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return n.shows(), nil
}

func (n *node) Watch(r *adminpb.WatchRequest, stream grpc.ServerStreamingServer[adminpb.Snapshot]) error {
	n.asked.Store(r.GetIntervalMs())
	tick := time.NewTicker(time.Duration(max(r.GetIntervalMs(), 1)) * time.Millisecond)
	defer tick.Stop()
	for {
		if !n.hangs.Load() {
			if err := stream.Send(n.shows()); err != nil {
				return err
			}
		}
		select {
		case <-tick.C:
		case <-stream.Context().Done():
			return nil
		}
	}
}

func (n *node) Events(r *adminpb.EventsRequest, stream grpc.ServerStreamingServer[adminpb.Event]) error {
	for _, e := range n.events {
		if err := stream.Send(e); err != nil {
			return err
		}
	}
	if r.GetFollow() {
		<-stream.Context().Done()
	}
	return nil
}

// socket is where a node may listen.
func socket(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "g2g") //nolint:usetesting // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}

// serve lets a node answer at a socket until stop.
func (n *node) serve(t testing.TB, path string) (stop func()) {
	t.Helper()
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	adminpb.RegisterAdminServer(server, n)
	go func() { _ = server.Serve(l) }()
	t.Cleanup(server.Stop)
	return server.Stop
}

func dialSocket(path string) Dial {
	return func(ctx context.Context) (Conn, error) {
		probe, err := (&net.Dialer{}).DialContext(ctx, "unix", path)
		if err != nil {
			return Conn{}, errors.New("no node runs")
		}
		_ = probe.Close()
		c, err := grpc.NewClient("unix:"+path, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			return Conn{}, err
		}
		return Conn{adminpb.NewAdminClient(c), func() { _ = c.Close() }}, nil
	}
}

// Rule 2, with a real connection: the source begins without a node, finds it, loses it, and finds it again by itself.
func TestSourceComesBack(t *testing.T) {
	w := newWorld()
	w.run(start)
	n := &node{shows: func() *adminpb.Snapshot { return w.snapshot(false) }, events: []*adminpb.Event{{Seq: 1, TimeMs: 5}, {Seq: 2, TimeMs: 6}}}
	path := socket(t)
	l := newLive(dialSocket(path), 10*time.Millisecond)
	ctx, cancel := context.WithCancel(t.Context())
	told := make(chan any)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		l.run(ctx, func(msg any) {
			select {
			case told <- msg:
			case <-ctx.Done():
			}
		})
	}()
	events := 0
	next := func(what string, is func(any) bool) {
		t.Helper()
		limit := time.After(30 * time.Second)
		for {
			select {
			case msg := <-told:
				if e, ok := msg.(eventsMsg); ok {
					events += len(e.events)
				}
				if is(msg) {
					return
				}
			case <-limit:
				t.Fatalf("not seen: %s", what)
			}
		}
	}
	lost := func(why string) func(any) bool {
		return func(msg any) bool { m, ok := msg.(lostMsg); return ok && m.why == why }
	}
	picture := func(msg any) bool { _, ok := msg.(pictureMsg); return ok }
	again := func() {
		select {
		case l.again <- struct{}{}:
		default:
		}
	}

	next("the node is not there", lost("no node runs"))
	stop := n.serve(t, path)
	again()
	next("a picture", picture)
	if n.asked.Load() != 10 {
		t.Errorf("the interval asked for is %d ms, want 10", n.asked.Load())
	}
	next("the events", func(any) bool { return events == 2 })
	stop()
	next("the node goes away", func(msg any) bool { _, ok := msg.(lostMsg); return ok })
	stop = n.serve(t, path)
	again()
	next("a picture again", picture)
	next("one more", picture)
	if events != 2 {
		t.Errorf("%d events were told, want 2: those that are known come once", events)
	}
	stop()
	cancel()
	<-ended
}

func TestBackoffIsBounded(t *testing.T) {
	for n, want := range map[int]time.Duration{0: time.Second, 2: time.Second, 3: 2 * time.Second, 6: 15 * time.Second, 1000: 15 * time.Second} {
		if got := backoff(n); got != want {
			t.Errorf("before try %d it waits %s, want %s", n, got, want)
		}
	}
}
