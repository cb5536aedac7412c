package node

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/g2g-net/g2g/node/config"
)

// outcome is what became of one call through a forward.
type outcome struct {
	err error
	by  string // the ID of the peer that answered, or may have seen it; empty for none
}

// stream makes a call each millisecond, and notes what becomes of each.
type stream struct {
	all   sync.WaitGroup
	mu    sync.Mutex
	calls map[string]outcome
}

func (s *stream) run(w *world, conn grpc.ClientConnInterface, n int) {
	if s.calls == nil {
		s.calls = map[string]outcome{}
	}
	for range n {
		s.mu.Lock()
		id := fmt.Sprint("call ", len(s.calls))
		s.calls[id] = outcome{}
		s.mu.Unlock()
		s.all.Go(func() {
			var head, trail metadata.MD
			_, err := ask(context.Background(), conn, say, id, grpc.Header(&head), grpc.Trailer(&trail))
			s.mu.Lock()
			defer s.mu.Unlock()
			s.calls[id] = outcome{err, strings.Join(append(head.Get("g2g-peer-id"), trail.Get("g2g-peer-id")...), " and ")}
		})
		w.pass(time.Millisecond)
	}
}

// check holds the calls to what a forward promises, and returns how many failed.
func (s *stream) check(t *testing.T, lost string, backends map[string]*backend) (failed int) {
	t.Helper()
	s.all.Wait()
	arrived := map[string][]string{}
	for peer, b := range backends {
		for _, id := range b.all() {
			arrived[id] = append(arrived[id], peer)
		}
	}
	unseen := 0
	for id, o := range s.calls {
		switch at := arrived[id]; {
		case len(at) > 1:
			t.Errorf("%s was sent twice: to %v", id, at)
		case o.err == nil && !slices.Equal(at, []string{o.by}):
			t.Errorf("%s was answered by %q and arrived at %v", id, o.by, at)
		case o.err != nil:
			failed++
			if status.Code(o.err) != codes.Unavailable || o.by != lost || len(at) == 1 && at[0] != lost {
				t.Errorf("%s: %v, seen by %q, arrived at %v", id, o.err, o.by, at)
			}
			if len(at) == 0 {
				unseen++
			}
		}
	}
	t.Logf("%d of %d calls failed; %d of these had arrived at the backend, the others were on their way", failed, len(s.calls), failed-unseen)
	return failed
}

// inPair is a program that calls a service which two peers serve.
func inPair(t *testing.T, f func(w *world, conn *grpc.ClientConn, first, second *actor, backends map[string]*backend)) {
	t.Helper()
	inWorld(t, 5*time.Millisecond, func(w *world) {
		b0, b1 := w.backend(), w.backend()
		n0 := w.founder(routing(b0))
		n1 := w.joinerWith(1, n0, routing(b1))
		own := w.joinerWith(2, n0, func(a *actor) { forwarding(a); a.cfg.Order.Rebuild = time.Hour })
		w.until(10*time.Second, "both are in the order", func() bool { return len(own.Serving(backendName)) == 2 })
		w.pass(20 * time.Second) // both are measured, and the order stands
		first, second := n0, n1
		if own.Serving(backendName)[0].ID != n0.ID() {
			first, second = n1, n0
		}
		conn := w.plain(own.Info().Forwards[0])
		f(w, conn, first, second, map[string]*backend{n0.ID().String(): b0, n1.ID().String(): b1})
		_ = conn.Close()
		own.halt()
		for _, a := range []*actor{n0, n1} {
			if a.Node != nil {
				a.halt()
			}
		}
		b0.close()
		b1.close()
	})
}

// The preferred peer dies under 1,000 calls a second. The calls that were on a connection to it fail, and say so; every other is
// answered by the next peer, and none is sent twice.
func TestForwardWhosePreferredPeerDies(t *testing.T) {
	inPair(t, func(w *world, conn *grpc.ClientConn, first, second *actor, backends map[string]*backend) {
		lost := first.ID().String()
		var s stream
		s.run(w, conn, 200)
		killed := make(chan struct{})
		go func() { defer close(killed); first.kill() }()
		s.run(w, conn, 200)
		<-killed
		failed := s.check(t, lost, backends)
		if failed == 0 || failed > 40 { // 5 ms one way and a call each millisecond
			t.Errorf("%d calls failed", failed)
		}
		if n := len(backends[second.ID().String()].all()); n < 150 {
			t.Errorf("the next peer was called %d times", n)
		}
	})
}

// A peer that says goodbye costs no call at all.
func TestForwardWhosePreferredPeerLeaves(t *testing.T) {
	inPair(t, func(w *world, conn *grpc.ClientConn, first, second *actor, backends map[string]*backend) {
		var s stream
		s.run(w, conn, 100)
		halted := make(chan struct{})
		lost := first.ID().String()
		go func() { defer close(halted); first.halt() }()
		s.run(w, conn, 300)
		<-halted
		if failed := s.check(t, lost, backends); failed != 0 {
			t.Errorf("%d calls failed", failed)
		}
		if n := len(backends[second.ID().String()].all()); n < 100 {
			t.Errorf("the next peer was called %d times", n)
		}
	})
}

// When no peer can be reached a call fails, without a word of any that could have seen it.
func TestForwardWhosePeersAreAllAway(t *testing.T) {
	inPair(t, func(w *world, conn *grpc.ClientConn, first, second *actor, backends map[string]*backend) {
		first.kill()
		second.kill()
		var trail metadata.MD
		for range 10 {
			_, err := ask(context.Background(), conn, say, "hello", grpc.Trailer(&trail))
			if status.Code(err) != codes.Unavailable || !strings.HasPrefix(status.Convert(err).Message(), "forward test.Backend: no") {
				t.Error(err)
			}
			if trail.Get("g2g-peer-id") != nil {
				t.Errorf("trailers %v", trail)
			}
			w.pass(100 * time.Millisecond)
		}
	})
}

// A port that is taken ends the start, with the name of the service.
func TestForwardAtAPortThatIsTaken(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		a := w.actor(0)
		local(a)
		l, err := w.net.Host("127.0.0.1").Listen(":0")
		if err != nil {
			t.Fatal(err)
		}
		a.cfg.Forwards = []config.Passage{{Service: "a.B", Address: "127.0.0.1:0"}, {Service: backendName, Address: l.Addr().String()}}
		if err := a.open(); err != nil {
			t.Fatal(err)
		}
		if err := <-a.done; err == nil || !strings.Contains(err.Error(), "run node: listen for forward test.Backend: ") {
			t.Errorf("got %v", err)
		}
		_ = l.Close()
	})
}

// silent is a connection over which nothing comes or goes any more, once it is hushed, and which nobody closes.
type silent struct {
	net.Conn
	hushed *atomic.Bool
	closed context.Context //nolint:containedctx // ended by the own side's close
	close  context.CancelFunc
}

func (s silent) Write(b []byte) (int, error) {
	if s.hushed.Load() {
		return len(b), nil
	}
	return s.Conn.Write(b)
}

func (s silent) Read(b []byte) (int, error) {
	for {
		n, err := s.Conn.Read(b)
		switch {
		case !s.hushed.Load():
			return n, err
		case err != nil: // nor does the other side's close come
			<-s.closed.Done()
			return 0, net.ErrClosed
		}
	}
}

func (s silent) Close() error {
	s.close()
	return s.Conn.Close()
}

// A cable is cut: nobody closes the connection. New calls go elsewhere as soon as that is noticed, and a call without a deadline that was
// on it ends.
func TestForwardOverAConnectionThatFellSilent(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		b0, b1 := w.backend(), w.backend()
		n0 := w.founder(routing(b0))
		n1 := w.joinerWith(1, n0, routing(b1))
		var hushed sync.Map // by the dialled address
		own := w.joinerWith(2, n0, func(a *actor) {
			forwarding(a)
			a.cfg.Order.Rebuild = time.Hour
			dial := a.dial
			a.dial = func(ctx context.Context, address string) (net.Conn, error) {
				on, _ := hushed.LoadOrStore(address, &atomic.Bool{})
				if on.(*atomic.Bool).Load() {
					<-ctx.Done()
					return nil, ctx.Err()
				}
				c, err := dial(ctx, address)
				if err != nil {
					return nil, err
				}
				closed, end := context.WithCancel(context.Background())
				return silent{c, on.(*atomic.Bool), closed, end}, nil
			}
		})
		w.until(10*time.Second, "both are in the order", func() bool { return len(own.Serving(backendName)) == 2 })
		w.pass(20 * time.Second)
		first := own.Serving(backendName)[0]
		conn := w.plain(own.Info().Forwards[0])
		ended := make(chan error, 1)
		go func() {
			_, err := ask(context.Background(), conn, say, "wait")
			ended <- err
		}()
		w.pass(time.Second)
		for _, address := range first.Addresses {
			on, _ := hushed.Load(address)
			on.(*atomic.Bool).Store(true)
		}
		began := time.Now()
		took := w.until(10*time.Second, "a call is answered by the other", func() bool {
			ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
			defer cancel()
			_, err := ask(ctx, conn, say, "hello")
			return err == nil
		})
		select {
		case err := <-ended:
			t.Logf("calls are answered again after %s; the one that was on the connection ended after %s: %v", took, time.Since(began), err)
			if status.Code(err) != codes.Unavailable {
				t.Error(err)
			}
		case <-time.After(time.Minute):
			t.Error("a call on a dead connection has not ended after a minute")
		}
		_ = conn.Close()
		haltAll([]*actor{own, n0, n1})
		b0.close()
		b1.close()
	})
}

// A node that stops lets the calls end that go through it, for a moment; then it cuts them, and stops.
func TestStopOfANodeThatCarriesCalls(t *testing.T) {
	for _, stops := range []string{"the forward's", "the route's"} {
		inPair(t, func(w *world, conn *grpc.ClientConn, first, second *actor, backends map[string]*backend) {
			own := first
			if stops == "the forward's" {
				own = w.joinerWith(3, second, forwarding)
				w.until(10*time.Second, "both are in its order", func() bool { return len(own.Serving(backendName)) == 2 })
				conn = w.plain(own.Info().Forwards[0])
				defer conn.Close()
			}
			short, long := make(chan error, 1), make(chan error, 1)
			for what, ended := range map[string]chan error{"think": short, "wait": long} {
				go func() {
					_, err := ask(context.Background(), conn, say, what)
					ended <- err
				}()
			}
			w.pass(100 * time.Millisecond)
			began := time.Now()
			own.halt()
			t.Logf("%s node stops: %s", stops, time.Since(began))
			if err := <-short; err != nil {
				t.Errorf("%s node: a call that takes 300 ms: %v", stops, err)
			}
			if err := <-long; status.Code(err) != codes.Unavailable && status.Code(err) != codes.Canceled || time.Since(began) > 10*time.Second {
				t.Errorf("%s node: a call that never ends, %s after the stop: %v", stops, time.Since(began), err)
			}
		})
	}
}
