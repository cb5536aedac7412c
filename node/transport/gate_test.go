package transport

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/g2g-net/g2g/node/transport/memnet"
	"github.com/g2g-net/g2g/pki"
	"google.golang.org/grpc/codes"
)

// sham is a connection from an address that does nothing.
type sham struct {
	net.Conn
	from   string
	closed atomic.Bool
}

func (s *sham) RemoteAddr() net.Addr {
	if s.from == "" {
		return &net.UnixAddr{}
	}
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(s.from))
}

func (s *sham) Close() error {
	s.closed.Store(true)
	return nil
}

func (*sham) Read(b []byte) (int, error) { return len(b), nil }

// come lets connections from addresses into the gate.
func come(g *Gate, from ...string) (shams []*sham, gates []*gated) {
	for _, f := range from {
		s := &sham{from: f}
		shams = append(shams, s)
		gates = append(gates, g.enter(s))
	}
	return shams, gates
}

func closed(shams []*sham) int {
	n := 0
	for _, s := range shams {
		if s.closed.Load() {
			n++
		}
	}
	return n
}

// many makes n addresses that differ in their network.
func many(n int) (from []string) {
	for i := range n {
		from = append(from, fmt.Sprintf("10.%d.%d.1:1", i>>8, i&255))
	}
	return from
}

func newGate(known ...string) *Gate {
	return NewGate(GateConfig{
		Known: func(a netip.Addr) bool { return slices.Contains(known, a.String()) },
		Rand:  rand.New(rand.NewPCG(1, 2)),
	})
}

func TestGateBoundsAnAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			name string
			from []string
			open int
		}{
			{"one IPv4 address", slices.Repeat([]string{"192.0.2.1:1"}, 9), 4},
			{"IPv4 in IPv6", []string{"192.0.2.1:1", "[::ffff:192.0.2.1]:1", "192.0.2.1:2", "192.0.2.1:3", "[::ffff:192.0.2.1]:4"}, 4},
			{"neighbours", []string{"192.0.2.1:1", "192.0.2.2:1", "192.0.2.3:1", "192.0.2.4:1", "192.0.2.5:1"}, 5},
			{"one IPv6 /64", []string{"[2001:db8::1]:1", "[2001:db8::2]:1", "[2001:db8::3]:1", "[2001:db8::4:0:0:5]:1", "[2001:db8::6]:1"}, 4},
			{"two IPv6 /64", []string{"[2001:db8::1]:1", "[2001:db8::2]:1", "[2001:db8::3]:1", "[2001:db8::4]:1", "[2001:db8:0:1::1]:1"}, 5},
			{"no address", slices.Repeat([]string{""}, 9), 4},
		} {
			g := newGate()
			shams, _ := come(g, c.from...)
			if got := g.Counts(); got.Strangers != c.open || closed(shams) != len(c.from)-c.open || shams[len(shams)-1].closed.Load() {
				t.Errorf("%s: %+v, %d closed, the last: %t", c.name, got, closed(shams), shams[len(shams)-1].closed.Load())
			}
		}
	})
}

func TestFullGateDropsAtRandom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		shams, _ := come(g, many(MaxUnproven+1)...)
		if got := g.Counts(); got != (GateCounts{Strangers: MaxUnproven, Dropped: 1}) || closed(shams) != 1 {
			t.Errorf("%+v, %d closed", got, closed(shams))
		}
		more, _ := come(g, many(1000)...)
		if got := g.Counts().Strangers; got != MaxUnproven || closed(shams)+closed(more) != 1001 {
			t.Errorf("%d strangers, %d closed", got, closed(shams)+closed(more))
		}
		// Neither the oldest nor the newest are always the ones to go.
		if last := closed(more[900:]); last == 0 || last > 80 {
			t.Errorf("%d of the last 100 were closed", last)
		}
	})
}

func TestMembersHavePlacesOfTheirOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate("192.0.2.7")
		shams, _ := come(g, many(MaxUnproven)...)
		known, gates := come(g, slices.Repeat([]string{"192.0.2.7:1"}, MaxUnproven)...)
		if got := g.Counts(); got != (GateCounts{Strangers: MaxUnproven, Known: MaxUnproven}) {
			t.Errorf("%+v", got)
		}
		come(g, "192.0.2.7:1")
		if got := g.Counts(); got.Known != MaxUnproven || closed(known) != 1 || closed(shams) != 0 {
			t.Errorf("%+v, %d and %d closed", got, closed(known), closed(shams))
		}
		for _, c := range gates {
			_ = c.prove(false)
		}
		if got := g.Counts(); got.Known != 1 || got.Proven != MaxUnproven-1 {
			t.Errorf("%+v", got)
		}
	})
}

// Where one member came from, others may: two nodes on one host, a program in client mode, all behind one address translation.
// The attack: from an address at which a member is known somebody opens connections as fast as he can. They push out each other, and no
// connection of another member.
func TestFloodFromAKnownAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate("192.0.2.7", "192.0.2.8")
		defer func() { time.Sleep(UnprovenLife) }() // virtual: the timers end
		come(g, slices.Repeat([]string{"192.0.2.7:1"}, MaxUnproven-2)...)
		others, _ := come(g, "192.0.2.8:1", "192.0.2.8:2")
		come(g, slices.Repeat([]string{"192.0.2.7:1"}, 100*MaxUnproven)...)
		if n := closed(others); n > 0 || g.Counts().Known != MaxUnproven {
			t.Errorf("%d of another's connections are closed; %+v", n, g.Counts())
		}
	})
}

func TestAddressThatProvedItselfIsKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		_, gates := come(g, "192.0.2.7:1", "")
		for _, c := range gates {
			if err := c.prove(false); err != nil {
				t.Fatal(err)
			}
		}
		shams, _ := come(g, slices.Repeat([]string{"192.0.2.7:1"}, MaxUnproven)...)
		others, _ := come(g, slices.Repeat([]string{"192.0.2.8:1", ""}, 9)...)
		if got := g.Counts(); got.Known != MaxUnproven || closed(shams) != 0 || got.Strangers != 2*MaxUnprovenPerAddress || closed(others) != 18-2*MaxUnprovenPerAddress {
			t.Errorf("%+v, %d and %d closed", got, closed(shams), closed(others))
		}
		_ = gates[0].Close()
		for i, from := range many(maxShown) {
			_, gates := come(g, from)
			_ = gates[0].prove(false)
			_ = gates[0].Close()
			if i == maxShown-2 {
				come(g, "192.0.2.7:1") // still known: it costs one of its own
			}
		}
		before := g.Counts()
		come(g, "192.0.2.7:1")
		if got := g.Counts(); len(g.shown) != maxShown || before.Known != MaxUnproven || got.Strangers != before.Strangers+1 {
			t.Errorf("%d remembered, %+v, then %+v", len(g.shown), before, got)
		}
	})
}

func TestUnprovenConnectionsRunOutOfTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate("192.0.2.7")
		shams, gates := come(g, "192.0.2.1:1", "192.0.2.7:1", "192.0.2.2:1")
		time.Sleep(UnprovenLife - time.Second)
		if err := gates[2].prove(false); err != nil || closed(shams) != 0 {
			t.Errorf("%v, %d closed", err, closed(shams))
		}
		time.Sleep(time.Second)
		later()
		if got := g.Counts(); got != (GateCounts{Proven: 1, Dropped: 2}) || closed(shams) != 2 {
			t.Errorf("%+v, %d closed", got, closed(shams))
		}
		if err := gates[0].prove(false); !errors.Is(err, errDropped) {
			t.Errorf("a dropped one: %v", err)
		}
		_, _ = gates[2].Close(), gates[2].Close()
		if got := g.Counts(); got.Proven != 0 {
			t.Errorf("%+v", got)
		}
	})
}

func TestProvenConnectionsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		var gates []*gated
		for _, from := range many(MaxProven) {
			_, one := come(g, from)
			if err := one[0].prove(false); err != nil {
				t.Fatal(err)
			}
			gates = append(gates, one...)
		}
		_, one := come(g, "192.0.2.1:1")
		if err := one[0].prove(false); !errors.Is(err, errProven) || err.Error() != "too many connections are open here" {
			t.Errorf("one more: %v", err)
		}
		_ = gates[5].Close()
		if err := one[0].prove(false); err != nil {
			t.Errorf("after one was closed: %v", err)
		}
	})
}

// The attack: who holds a token that has ended begins registrations from many addresses, each of which proves itself, and holds them. No
// place of a member is taken.
func TestJoinersTakeNoPlacesOfMembers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		defer func() { time.Sleep(UnprovenLife) }() // virtual: the timers end
		var joiners []*gated
		for _, from := range many(MaxProven) {
			_, one := come(g, from)
			if err := one[0].prove(true); err == nil {
				joiners = append(joiners, one...)
			}
		}
		_, one := come(g, "192.0.2.1:1", "192.0.2.2:1", "192.0.2.3:1")
		if err := one[0].prove(false); err != nil || len(joiners) != MaxJoiners {
			t.Errorf("%d joiners; a member: %v", len(joiners), err)
		}
		_ = one[0].Close()
		if err := one[1].prove(true); !errors.Is(err, errProven) {
			t.Errorf("another joiner: %v", err)
		}
		_ = joiners[0].Close()
		if err := one[2].prove(true); err != nil {
			t.Errorf("after one has gone: %v", err)
		}
	})
}

func TestUnprovenConnectionsHaveABudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		shams, gates := come(g, "192.0.2.1:1", "192.0.2.2:1")
		if err := gates[1].prove(false); err != nil {
			t.Fatal(err)
		}
		for i, c := range gates {
			if n, err := c.Read(make([]byte, MaxUnprovenBytes)); n != MaxUnprovenBytes || err != nil {
				t.Errorf("%d within the budget: %d, %v", i, n, err)
			}
		}
		if _, err := gates[0].Read(make([]byte, 1)); !errors.Is(err, errBudget) || !shams[0].closed.Load() {
			t.Errorf("beyond it: %v, closed %t", err, shams[0].closed.Load())
		}
		if _, err := gates[1].Read(make([]byte, 1)); err != nil || shams[1].closed.Load() {
			t.Errorf("the proven one beyond it: %v, closed %t", err, shams[1].closed.Load())
		}
	})
}

// Strangers flood a server: it stays small, and a member still connects.
func TestFloodKeepsNobodyOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		known := netip.MustParseAddr("10.0.0.2")
		w.root.gate = NewGate(GateConfig{Known: func(a netip.Addr) bool { return a == known }})
		w.root.gossip(gossipServer{})
		before := heap()
		conns := make([]net.Conn, 0, 5000)
		for i := range 5000 {
			c, err := w.net.Host(fmt.Sprintf("10.1.%d.%d", i>>8, i&255)).Dial(t.Context(), w.root.address)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = c.Write([]byte{22, 3, 1, 2, 0}) // the head of a handshake that never comes
			conns = append(conns, c)
		}
		synctest.Wait()
		if got := w.root.gate.Counts(); got.Strangers != MaxUnproven || got.Dropped != 5000-MaxUnproven {
			t.Errorf("%+v", got)
		}
		expect(t, join(w.member("10.0.0.2", pki.Server).to(w.root)), codes.OK, "")
		grown := heap() - before
		t.Logf("the heap grew by %d KiB, both ends of all connections", grown>>10)
		if grown > 16<<20 {
			t.Errorf("the heap grew by %d MiB", grown>>20)
		}
		time.Sleep(UnprovenLife)
		later()
		if got := w.root.gate.Counts(); got.Strangers != 0 || got.Known != 0 || got.Proven != 1 {
			t.Errorf("after a while: %+v", got)
		}
		for _, c := range conns {
			_ = c.Close()
		}
	})
}

// Half-open connections hold their places for ten seconds at most, whoever they pretend to be.
func TestHalfOpenConnectionsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.root.gossip(gossipServer{})
		for i := range 200 {
			n := w.node(fmt.Sprintf("10.1.0.%d", i))
			raw, err := n.host.Dial(t.Context(), w.root.address)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = raw.Close() })
			_ = plainClient(careless(n.Leaf().Certificate))(&tlsEnd{raw})
		}
		if got := w.root.gate.Counts(); got.Strangers > MaxUnproven || got.Proven != 0 {
			t.Errorf("%+v", got)
		}
		expect(t, join(w.member("10.0.0.2", pki.Server).to(w.root)), codes.OK, "")
		time.Sleep(UnprovenLife)
		later()
		if got, open := w.root.gate.Counts(), w.root.registry.Counts(); got.Strangers != 0 || open.Inbound != 1 {
			t.Errorf("%+v, %+v", got, open)
		}
	})
}

// Strangers that call at once, many times over one connection, run into the budget.
func TestStrangersBudgetHoldsOnTheWire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.root.registration(new(registrar))
		stream := w.node("10.0.0.2").register(w.root)
		big := make([]byte, 10<<10)
		aHello.GetHello().ProtoReflect().SetUnknown(append([]byte{0x1a, 0x80, 0x50}, big...))
		defer aHello.GetHello().ProtoReflect().SetUnknown(nil)
		sent := 0
		for ; sent < 10; sent++ {
			if _, err := ask(stream, aHello); err != nil {
				break
			}
		}
		if sent < 1 || sent > 3 {
			t.Errorf("%d messages of 10 KiB passed", sent)
		}
	})
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestGateStandsBeforeSeveralListeners(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New(nil)
		g := newGate()
		for range 2 {
			l, err := n.Host("10.0.0.1").Listen(":0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = l.Close() })
			if _, err := n.Host("10.0.0.2").Dial(context.Background(), l.Addr().String()); err != nil {
				t.Fatal(err)
			}
			if _, err := g.Listen(l).Accept(); err != nil {
				t.Fatal(err)
			}
		}
		if got := g.Counts().Strangers; got != 2 {
			t.Errorf("%d strangers", got)
		}
	})
}
