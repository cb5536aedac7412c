package node

import (
	"context"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
)

// load is what programs do all the time: calls of 5 to 500 ms, and streams that are begun anew when they are cut.
type load struct {
	t                     *testing.T
	calls, failed         atomic.Int64
	messages, cuts, dials atomic.Int64
	mu                    sync.Mutex
	latest                time.Duration // of a call, beyond its time at the other end
	done                  chan struct{}
	callers               sync.WaitGroup
}

func (l *load) ended() bool {
	select {
	case <-l.done:
		return true
	default:
		return false
	}
}

// call makes one call after the other, without a deadline, a retry or a pause.
func (l *load) call(from, to string, conn grpc.ClientConnInterface) {
	for !l.ended() {
		takes := 5*time.Millisecond + rand.N(495*time.Millisecond)
		began := time.Now()
		err := shout(conn, takes)
		l.calls.Add(1)
		if err != nil && l.failed.Add(1) <= 10 {
			l.t.Errorf("%s calls %s: %v after %s of %s", from, to, err, time.Since(began), takes)
		}
		l.mu.Lock()
		l.latest = max(l.latest, time.Since(began)-takes)
		l.mu.Unlock()
	}
}

// stream asks and is answered on one stream after the other, of which only a cut one may end.
func (l *load) stream(from, to string, conn grpc.ClientConnInterface) {
	for !l.ended() {
		err := l.converse(conn)
		if l.ended() {
			return
		}
		if l.cuts.Add(1); status.Code(err) != codes.Unavailable {
			l.t.Errorf("the stream from %s to %s: %v", from, to, err)
		}
	}
}

func (l *load) converse(conn grpc.ClientConnInterface) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, echoStream)
	if err != nil {
		return err
	}
	for !l.ended() {
		if err := s.SendMsg(durationpb.New(time.Second)); err != nil {
			return s.RecvMsg(new(durationpb.Duration)) // tells why
		}
		if err := s.RecvMsg(new(durationpb.Duration)); err != nil {
			return err
		}
		l.messages.Add(1)
	}
	return nil
}

// The reason for the project: every node calls a service of every other without a pause, while leaves are rotated every few
// seconds, by schedule and by hand, and connections are renewed all the time. No call fails.
func TestRotationCostsNoCall(t *testing.T) {
	long := 30 * time.Minute
	if slow || testing.Short() {
		long = 2 * time.Minute
	}
	inWorld(t, 5*time.Millisecond, func(w *world) {
		l := &load{t: t, done: make(chan struct{})}
		change := func(a *actor) {
			withEcho(a)
			a.cfg.Leaf.Life = time.Minute // the least: a rotation every 40 s, a connection lives for 10 s
			dial := a.dial
			a.dial = func(ctx context.Context, address string) (net.Conn, error) {
				l.dials.Add(1)
				return dial(ctx, address)
			}
		}
		nodes := []*actor{w.founder(change)}
		for i := 1; i < 6; i++ {
			nodes = append(nodes, w.joinerWith(i, nodes[i-1], change))
		}
		w.allAlive(10*time.Second, nodes, 5)
		for _, a := range nodes {
			for _, b := range nodes {
				if a != b {
					conn := a.program(b.name)
					l.callers.Go(func() { l.call(a.name, b.name, conn) })
					l.callers.Go(func() { l.stream(a.name, b.name, conn) })
				}
			}
		}
		epochs := make(map[uint64]bool)
		began := time.Now()
		for i := 0; time.Since(began) < long; i++ {
			w.pass(time.Second)
			a := nodes[i%len(nodes)]
			if _, err := a.Rotate(context.Background(), false); err != nil {
				t.Error(err)
			}
			if leaf, ok := nodes[(i+1)%len(nodes)].member.Load().registry.Leaf(a.ID()); ok {
				epochs[leaf.Epoch] = true
				if age := time.Now().Unix() - int64(leaf.Epoch); age > 30 {
					t.Errorf("%s still shows a leaf that is %d s old", a.name, age)
				}
			}
		}
		w.allAlive(time.Second, nodes, 5)
		close(l.done)
		l.callers.Wait()
		t.Logf("%d calls, %d failed, at most %s late; %d messages on streams, which were cut %d times; %d connections, %d leaves seen",
			l.calls.Load(), l.failed.Load(), l.latest, l.messages.Load(), l.cuts.Load(), l.dials.Load(), len(epochs))
		minutes := int64(long / time.Minute)
		if l.calls.Load() < 5000*minutes || l.dials.Load() < 300*minutes || l.cuts.Load() < 60*minutes || int64(len(epochs)) < 20*minutes {
			t.Error("too little went on to prove anything")
		}
		haltAll(nodes)
	})
}
