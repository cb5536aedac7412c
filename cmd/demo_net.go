package cmd

import (
	"context"
	"math"
	"math/bits"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/g2g-net/g2g/node"
	"github.com/g2g-net/g2g/node/transport/memnet"
)

const (
	maxRegions = 8
	// withinRegion is a round trip to another node of the region: as long as in a data centre, and so that what the machine adds
	// parts no region in two.
	withinRegion = time.Millisecond
	// Round trips between regions, in milliseconds.
	nearestRegion  = 8.0
	farthestRegion = 240.0
	// demoJitter is the mean of what a way takes longer than it must, as a part of it.
	demoJitter = 0.03
	// demoConnect is how long a demo's node waits for a connection.
	demoConnect = time.Second
)

// A demoNet is what lies between the nodes of a demo. All connections are dialled through it, so that it delays both directions
// of each, and can hold what nodes send.
//
//  1. at has the address of every port that a node has opened.
type demoNet struct {
	seed uint64
	rtt  [][]time.Duration // between regions

	mu     sync.Mutex
	random *rand.Rand
	at     map[string]int // address to the place of its node
	cut    map[int]bool   // places whose traffic is held
	apart  map[int]bool   // regions whose traffic with the others is held
	healed chan struct{}  // closed and renewed when a cut ends
}

// newDemoNet draws how far the regions are from each other. Regions a and b are one of a few distances apart, by a xor b: so
// from each region every other one is at another distance, and groups can be told from each other from everywhere. No map has
// room for that, but round trips keep to no map.
func newDemoNet(regions int, seed uint64) *demoNet {
	n := &demoNet{
		seed: seed, random: rand.New(rand.NewPCG(seed, 0)), at: map[string]int{}, cut: map[int]bool{}, apart: map[int]bool{}, healed: make(chan struct{}),
	}
	apart := make([]float64, 1<<bits.Len(uint(regions-1))-1)
	for i := range apart {
		share := (float64(i) + 0.5 + 0.03*n.random.NormFloat64()) / float64(len(apart))
		apart[i] = nearestRegion * math.Pow(farthestRegion/nearestRegion, min(max(share, 0), 1))
	}
	n.random.Shuffle(len(apart), func(i, j int) { apart[i], apart[j] = apart[j], apart[i] })
	for a := range regions {
		row := make([]time.Duration, regions)
		row[a] = withinRegion
		for b := range regions {
			if a != b {
				row[b] = time.Duration(apart[a^b-1] * float64(time.Millisecond))
			}
		}
		n.rtt = append(n.rtt, row)
	}
	return n
}

// region of the node at a place.
func (n *demoNet) region(place int) int { return place % len(n.rtt) }

// latency is what one way between two nodes takes now.
func (n *demoNet) latency(from, to int) time.Duration {
	half := float64(n.rtt[n.region(from)][n.region(to)]) / 2
	n.mu.Lock()
	defer n.mu.Unlock()
	return time.Duration(half * (1 + demoJitter*n.random.ExpFloat64()))
}

// options are those of one of the nodes.
func (d *demo) options(of *demoNode) node.Options {
	return node.Options{
		Log: quietLog(), Stalled: of.stalled.Load,
		Listen: func(network, address string) (net.Listener, error) {
			l, err := net.Listen(network, address)
			if err == nil {
				d.net.mu.Lock()
				d.net.at[l.Addr().String()] = of.index
				d.net.mu.Unlock()
			}
			return l, err
		},
		Dial: func(ctx context.Context, address string) (net.Conn, error) { return d.net.dial(ctx, of.index, address) },
	}
}

// dial connects a node with an address, which takes a round trip, and never happens while either is cut off.
func (n *demoNet) dial(ctx context.Context, from int, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, demoConnect)
	defer cancel()
	n.mu.Lock()
	to, known := n.at[address]
	n.mu.Unlock()
	if known {
		if err := n.open(ctx.Done(), from, to); err != nil {
			return nil, err
		}
		pause(ctx, n.latency(from, to)+n.latency(to, from))
	}
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", address)
	if err != nil || !known {
		return c, err
	}
	held := &heldConn{Conn: c, net: n, from: from, to: to, closed: make(chan struct{})}
	there := func() time.Duration { return n.latency(from, to) }
	back := func() time.Duration { return n.latency(to, from) }
	return memnet.Slow(held, there, back), nil
}

// held says whether what two nodes send each other is held. The caller has locked mu.
func (n *demoNet) held(a, b int) bool {
	r, s := n.region(a), n.region(b)
	return n.cut[a] || n.cut[b] || r != s && (n.apart[r] || n.apart[s])
}

// open waits until neither of two nodes is cut off, or for done.
func (n *demoNet) open(done <-chan struct{}, a, b int) error {
	for {
		n.mu.Lock()
		held, healed := n.held(a, b), n.healed
		n.mu.Unlock()
		if !held {
			return nil
		}
		select {
		case <-healed:
		case <-done:
			return context.DeadlineExceeded
		}
	}
}

// setCut holds all traffic of a node, or lets it go on.
func (n *demoNet) setCut(place int, cut bool) { n.set(n.cut, place, cut) }

// cutRegion holds the traffic of a region with the others, or lets it go on.
func (n *demoNet) cutRegion(region int, cut bool) { n.set(n.apart, region, cut) }

func (n *demoNet) set(what map[int]bool, i int, cut bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if what[i] = cut; !cut {
		close(n.healed)
		n.healed = make(chan struct{})
	}
}

// A heldConn holds what goes over it while one of its ends is cut off, as a network would lose packets that are sent again later.
type heldConn struct {
	net.Conn
	net      *demoNet
	from, to int
	once     sync.Once
	closed   chan struct{}
}

// Read gives what came, unless that is held.
func (c *heldConn) Read(b []byte) (int, error) {
	k, err := c.Conn.Read(b)
	if held := c.net.open(c.closed, c.from, c.to); held != nil {
		return 0, net.ErrClosed
	}
	return k, err
}

// Write waits while what is sent is held.
func (c *heldConn) Write(b []byte) (int, error) {
	if err := c.net.open(c.closed, c.from, c.to); err != nil {
		return 0, net.ErrClosed
	}
	return c.Conn.Write(b)
}

// Close ends both waits.
func (c *heldConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}
