package transport

import (
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Bounds on connections that were accepted. An unproven one is by somebody who has not yet shown to be a member (Gossip) or
// to hold a token (Registration).
const (
	// MaxUnproven bounds the unproven connections from addresses of strangers, and apart from these the unproven ones from
	// addresses of known members, so that strangers cannot keep members out.
	MaxUnproven = 64
	// MaxUnprovenPerAddress bounds the unproven connections of one stranger's address: of one IPv4 address or IPv6 /64.
	MaxUnprovenPerAddress = 4
	// UnprovenLife is how long a connection may stay unproven.
	UnprovenLife = 10 * time.Second
	// MaxUnprovenBytes bounds what is read from an unproven connection: a handshake takes 2 to 10 KiB, a registration up to its
	// proof as much again. gRPC needs up to seven times these bytes in memory where a message comes in frames of one byte.
	MaxUnprovenBytes = 32 << 10
	// MaxProven bounds the connections that left the gate.
	MaxProven = 4096
	// MaxJoiners bounds those of them that are registrations: whoever holds a token, be it one that has ended, can prove as many as
	// the limits on registrations let him begin, and must not take the places of members.
	MaxJoiners = 256

	// maxShown bounds the addresses that are remembered because a connection from there proved itself.
	maxShown = 1024
)

var (
	errDropped = errors.New("the connection was dropped before it had proved itself")
	errProven  = errors.New("too many connections are open here")
	errBudget  = errors.New("too many bytes were sent before a proof")
)

// GateConfig is what a Gate needs of its node.
type GateConfig struct {
	// Known tells the addresses of known members. It is asked once a connection and must be quick; nil knows none.
	Known func(netip.Addr) bool
	// Rand decides who is dropped when the gate is full; the gate guards it with its lock. Nil takes a seeded one.
	Rand *rand.Rand
}

// A Gate bounds what strangers can open. It stands between listeners and their servers.
//
//  1. Every open connection that it let in is in exactly one of strangers, known and proven.
//  2. strangers and known hold at most MaxUnproven each, strangers at most MaxUnprovenPerAddress of one address.
//  3. The connection that a full gate drops is drawn at random, so that nobody can hold the places of others; of known addresses among
//     those of the one that has most.
//  4. shown has the at most maxShown addresses from which a connection proved itself last: of members in client mode, behind an
//     address translation, or too new for Known. Several that share one may well come at once.
type Gate struct {
	isKnown func(netip.Addr) bool

	mu        sync.Mutex
	rand      *rand.Rand
	strangers []*gated
	known     []*gated
	shown     map[netip.Addr]uint64 // the turn at which it was shown last
	turn      uint64
	proven    int
	joiners   int // of the proven ones
	dropped   uint64
}

// GateCounts says how many connections are where, and how many unproven ones had to make way or ran out of time.
type GateCounts struct {
	Strangers, Known, Proven int
	Dropped                  uint64
}

// NewGate makes an open gate.
func NewGate(c GateConfig) *Gate {
	if c.Known == nil {
		c.Known = func(netip.Addr) bool { return false }
	}
	if c.Rand == nil {
		c.Rand = rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	}
	return &Gate{isKnown: c.Known, rand: c.Rand, shown: make(map[netip.Addr]uint64)}
}

// Listen puts the gate before a listener. One gate may stand before several.
func (g *Gate) Listen(l net.Listener) net.Listener { return gateListener{Listener: l, gate: g} }

// Counts is the state of now.
func (g *Gate) Counts() GateCounts {
	g.mu.Lock()
	defer g.mu.Unlock()
	return GateCounts{Strangers: len(g.strangers), Known: len(g.known), Proven: g.proven, Dropped: g.dropped}
}

type gateListener struct {
	net.Listener
	gate *Gate
}

// Accept never waits for a place: the server's loop must go on while the gate is full.
func (l gateListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return l.gate.enter(c), nil
}

// place is where a connection stands.
type place uint8

const (
	outside place = iota // closed or dropped
	amongStrangers
	amongKnown
	inside // proven
)

// gated is a connection that came through the gate. Its place is guarded by the gate's lock.
type gated struct {
	*hooked
	gate   *Gate
	host   netip.Addr
	source netip.Prefix
	place  place
	timer  *time.Timer
	joiner bool         // proven as a registration
	budget atomic.Int64 // bytes that may still be read while unproven
	free   atomic.Bool  // proven: the budget no longer counts
}

// Read ends an unproven connection that sends more than its budget.
func (c *gated) Read(b []byte) (int, error) {
	n, err := c.hooked.Read(b)
	if !c.free.Load() && c.budget.Add(-int64(n)) < 0 {
		c.gate.drop(c)
		return 0, errBudget
	}
	return n, err
}

// enter takes a connection in, at the cost of another where there is no room.
func (g *Gate) enter(c net.Conn) *gated {
	host := hostOf(c.RemoteAddr())
	conn := &gated{hooked: &hooked{Conn: c}, gate: g, host: host, source: sourceOf(host), place: amongStrangers}
	known := host.IsValid() && g.isKnown(host)
	conn.budget.Store(MaxUnprovenBytes)
	g.mu.Lock()
	if g.shown[host] > 0 || known {
		conn.place = amongKnown
	}
	victim := g.makeRoom(conn)
	list := g.list(conn.place)
	*list = append(*list, conn)
	conn.timer = time.AfterFunc(UnprovenLife, func() { g.drop(conn) })
	g.mu.Unlock()
	if victim != nil {
		_ = victim.hooked.Close()
	}
	return conn
}

// makeRoom takes out the connection that must go for a new one, if any.
func (g *Gate) makeRoom(conn *gated) *gated {
	candidates := *g.list(conn.place)
	if conn.place == amongStrangers {
		var same []*gated
		for _, c := range candidates {
			if c.source == conn.source {
				same = append(same, c)
			}
		}
		if len(same) >= MaxUnprovenPerAddress {
			return g.dropOne(same)
		}
	}
	if len(candidates) >= MaxUnproven {
		return g.dropOne(crowd(candidates))
	}
	return nil
}

// crowd is who may have to go of those that fill the gate: the connections of the address that has most, where that is over the bound
// on one address, else all. Behind one address may be many members; so the many there make room for each other, and one that comes
// alone is not pushed out.
func crowd(all []*gated) []*gated {
	count := map[netip.Prefix]int{}
	most := all[0].source
	for _, c := range all {
		if count[c.source]++; count[c.source] > count[most] {
			most = c.source
		}
	}
	if count[most] <= MaxUnprovenPerAddress {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(c *gated) bool { return c.source != most })
}

func (g *Gate) dropOne(among []*gated) *gated {
	victim := among[g.rand.IntN(len(among))]
	g.leave(victim)
	g.dropped++
	return victim
}

// drop closes a connection that is still unproven.
func (g *Gate) drop(conn *gated) {
	g.mu.Lock()
	unproven := conn.place == amongStrangers || conn.place == amongKnown
	if unproven {
		g.leave(conn)
		g.dropped++
	}
	g.mu.Unlock()
	if unproven {
		_ = conn.hooked.Close()
	}
}

// leave takes a connection out of its place. The lock is held.
func (g *Gate) leave(conn *gated) {
	if conn.place == inside {
		g.proven--
		if conn.joiner {
			g.joiners--
		}
	} else if list := g.list(conn.place); list != nil {
		for i, c := range *list {
			if c == conn {
				last := len(*list) - 1
				(*list)[i], (*list)[last] = (*list)[last], nil
				*list = (*list)[:last]
				break
			}
		}
	}
	conn.place = outside
	conn.timer.Stop()
}

func (g *Gate) list(p place) *[]*gated {
	switch p {
	case amongStrangers:
		return &g.strangers
	case amongKnown:
		return &g.known
	}
	return nil
}

// prove lets the connection leave the gate for good. It fails where the connection was dropped meanwhile, or where the
// bound on proven ones is reached; then it stays unproven.
func (c *gated) prove(joiner bool) error {
	g := c.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case c.place == inside:
		return nil
	case c.place == outside:
		return errDropped
	case g.proven >= MaxProven || joiner && g.joiners >= MaxJoiners:
		return errProven
	}
	g.leave(c)
	c.place = inside
	c.free.Store(true)
	g.proven++
	if c.joiner = joiner; joiner {
		g.joiners++
	}
	g.show(c.host)
	return nil
}

// show remembers an address instead of the one that was shown longest ago. The lock is held.
func (g *Gate) show(host netip.Addr) {
	if !host.IsValid() {
		return
	}
	g.turn++
	g.shown[host] = g.turn
	if len(g.shown) <= maxShown {
		return
	}
	oldest := host
	for h, turn := range g.shown { // the order decides nothing: no two turns are equal
		if turn < g.shown[oldest] {
			oldest = h
		}
	}
	delete(g.shown, oldest)
}

// Close gives the connection's place back.
func (c *gated) Close() error {
	c.gate.mu.Lock()
	c.gate.leave(c)
	c.gate.mu.Unlock()
	return c.hooked.Close()
}

// prove takes a raw connection out of its gate, if it came through one.
func prove(c raw, joiner bool) error {
	if g, ok := c.(*gated); ok {
		return g.prove(joiner)
	}
	return nil
}

// sourceOf is what the bounds an address count by: the holder of one IPv6 address has at least a /64 of them (RFC 6177).
func sourceOf(host netip.Addr) netip.Prefix {
	bits := 32
	if host.Is6() {
		bits = 64
	}
	p, err := host.Prefix(bits)
	if err != nil {
		return netip.Prefix{} // no IP address: all such count as one
	}
	return p
}
