package node

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// fence parts a world: a dial from one side to the other waits until its time is over, as it does where packets are lost, and
// connections that crossed are gone.
type fence struct {
	up    atomic.Bool
	sides map[netip.Addr]int

	mu      sync.Mutex
	crosses []net.Conn // between the sides, as they were dialled
}

// around puts a node behind the fence, before it starts.
func (f *fence) around(a *actor, side int) {
	here := netip.MustParseAddrPort(a.cfg.Gossip.Listen).Addr()
	f.sides[here] = side
	open := a.dial
	a.dial = func(ctx context.Context, address string) (net.Conn, error) {
		there := netip.MustParseAddrPort(address).Addr()
		if f.sides[here] == f.sides[there] {
			return open(ctx, address)
		}
		var conn net.Conn
		var err error
		if !f.up.Load() {
			conn, err = open(ctx, address)
		}
		f.mu.Lock()
		up := f.up.Load()
		if conn != nil && !up {
			f.crosses = append(f.crosses, conn)
		}
		f.mu.Unlock()
		if !up {
			return conn, err
		}
		if conn != nil {
			_ = conn.Close()
		}
		<-ctx.Done()
		return nil, ctx.Err()
	}
}

// raise ends all connections: those within a side come back at once. Handshakes may be under way that no registry knows of yet.
func (f *fence) raise(nodes []*actor) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.up.Store(true)
	for _, a := range nodes {
		a.member.Load().registry.CloseAll()
	}
	for _, c := range f.crosses {
		_ = c.Close()
	}
	f.crosses = nil
}

// fenced makes a network of n nodes, the last behind of them on the other side of the fence.
func fenced(w *world, n, behind int) (*fence, []*actor) {
	f := &fence{sides: map[netip.Addr]int{}}
	nodes := []*actor{w.founder(func(a *actor) { f.around(a, 0) })}
	for i := 1; i < n; i++ {
		side := 0
		if i >= n-behind {
			side = 1
		}
		nodes = append(nodes, w.joinerWith(i, nodes[0], func(a *actor) { f.around(a, side) }))
	}
	w.allAlive(30*time.Second, nodes, n-1)
	return f, nodes
}

// TestCutOffNodeComesBack cuts one of 16 nodes off for ten minutes, and TestHalvesBecomeWhole splits 16 in halves, until each side
// holds the other for dead and has forgotten it: within three seconds of healing all list all again.
func TestCutOffNodeComesBack(t *testing.T) { splitAndHeal(t, 1, shorter(10*time.Minute)) }

// shorter is a time of a network's life that the race detector gets through.
func shorter(d time.Duration) time.Duration {
	if slow {
		return d / 10
	}
	return d
}

func TestHalvesBecomeWhole(t *testing.T) {
	for _, cut := range []time.Duration{5 * time.Second, time.Minute, shorter(15 * time.Minute)} {
		t.Run(cut.String(), func(t *testing.T) { splitAndHeal(t, 8, cut) })
	}
}

func splitAndHeal(t *testing.T, behind int, cut time.Duration) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		f, nodes := fenced(w, 16, behind)
		f.raise(nodes)
		w.pass(cut)
		if cut > 30*time.Second { // long enough for every verdict
			for i, a := range nodes {
				want := 15 - behind
				if i >= 16-behind {
					want = behind - 1
				}
				if got := a.alive(); got != want {
					t.Fatalf("%s lists %d others while the network is split, want %d", a.name, got, want)
				}
			}
		}
		f.up.Store(false)
		t.Logf("whole after %s", w.allAlive(3*time.Second, nodes, 15))
		haltAll(nodes)
	})
}

// TestCutAgainAndAgain splits the same network three times for 40 seconds each, as a bad line does: it is whole within three seconds
// every time, since a peer that falls every 40 seconds is no flapping one.
func TestCutAgainAndAgain(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		f, nodes := fenced(w, 16, 8)
		for range 3 {
			f.raise(nodes)
			w.pass(40 * time.Second)
			f.up.Store(false)
			t.Logf("whole after %s", w.allAlive(3*time.Second, nodes, 15))
		}
		haltAll(nodes)
	})
}
