package node

import (
	"context"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"
)

// fence parts a world: a dial from one side to the other waits until its time is over, as it does where packets are lost, and
// connections that crossed are gone.
type fence struct {
	up    atomic.Bool
	sides map[netip.Addr]int
}

func (f *fence) parts(a, b netip.Addr) bool { return f.up.Load() && f.sides[a] != f.sides[b] }

// around puts a node behind the fence, before it starts.
func (f *fence) around(a *actor, side int) {
	here := netip.MustParseAddrPort(a.cfg.Gossip.Listen).Addr()
	f.sides[here] = side
	open := a.dial
	a.dial = func(ctx context.Context, address string) (net.Conn, error) {
		if f.parts(here, netip.MustParseAddrPort(address).Addr()) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		return open(ctx, address)
	}
}

func (f *fence) raise(nodes []*actor) {
	f.up.Store(true)
	for _, a := range nodes {
		a.member.Load().registry.CloseAll() // those within a side come back at once
	}
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
	w.pass(10 * time.Second) // no handshake is under way that a fence would miss
	return f, nodes
}

// TestCutOffNodeComesBack cuts one of 16 nodes off for ten minutes, and TestHalvesBecomeWhole splits 16 in halves, until each side
// holds the other for dead and has forgotten it: within three seconds of healing all list all again.
func TestCutOffNodeComesBack(t *testing.T) { splitAndHeal(t, 1, 10*time.Minute) }

func TestHalvesBecomeWhole(t *testing.T) {
	for _, cut := range []time.Duration{5 * time.Second, time.Minute, 15 * time.Minute} {
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
