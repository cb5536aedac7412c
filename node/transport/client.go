package transport

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/status"

	"github.com/g2g-net/g2g/node/latency"
	"github.com/g2g-net/g2g/pki"
)

// A Client is one peer of a pool as an operator sees it: its connections, and what became of the calls on them since it was
// taken into the pool. The node's own calls are counted with the program's.
type Client struct {
	ID        pki.ID
	Addresses []string           // in the order to try
	State     connectivity.State // the best of its connections'
	Gossip    connectivity.State // of gossip's connection; Shutdown where there is none
	Running   int                // calls and streams under way
	Calls     uint64             // begun
	Failures  uint64             // ended in another way than well or by their caller
	LastError string             // of the last failure; empty for none
	LastUsed  time.Time
	Latency   latency.Estimate // of its path and load; zero where it was not measured yet
}

// Clients are the peers of the pool, ordered by ID.
func (p *Pool) Clients() []Client {
	p.mu.Lock()
	defer p.mu.Unlock()
	clients := make([]Client, 0, len(p.peers))
	for id, peer := range p.peers { // sorted below
		clients = append(clients, peer.client(id))
	}
	slices.SortFunc(clients, func(a, b Client) int { return a.ID.Compare(b.ID) })
	return clients
}

// preference orders states by what a call can do with them.
var preference = []connectivity.State{
	connectivity.Shutdown, connectivity.TransientFailure, connectivity.Idle, connectivity.Connecting, connectivity.Ready,
}

func (p *pooled) client(id pki.ID) Client {
	c := Client{ID: id, Addresses: slices.Clone(p.addresses), State: connectivity.Shutdown, Gossip: connectivity.Shutdown, Latency: p.latency}
	if l := &p.lines[forGossip]; l.conn != nil {
		c.Gossip = l.conn.GetState()
	}
	for l := range p.loans { // the order decides nothing: the best state is the same
		c.State = better(c.State, connectivity.State(l.state.Load()))
	}
	var failed time.Time
	for i := range p.lines {
		l := &p.lines[i]
		if l.conn != nil {
			c.State = better(c.State, l.conn.GetState())
		}
		failed = l.addTo(&c, failed)
	}
	return c
}

func better(a, b connectivity.State) connectivity.State {
	if slices.Index(preference, b) > slices.Index(preference, a) {
		return b
	}
	return a
}

// addTo adds a line's calls to its peer's; failed is when the error that stands there came.
func (t *tally) addTo(c *Client, failed time.Time) time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	c.Running += t.running
	c.Calls += t.calls
	c.Failures += t.failures
	if t.asked.After(c.LastUsed) {
		c.LastUsed = t.asked
	}
	if t.failure == nil || t.failed.Before(failed) {
		return failed
	}
	c.LastError = t.failure.Error()
	return t.failed
}

// lookupEvery is how often a Channel without a connection asks for the peer's addresses: calls of a peer that is away can be
// many, and each question takes a turn of the node's loop, which gossip needs.
const lookupEvery = 200 * time.Millisecond

// A Channel is a program's way to one peer. Each call takes the pool's connection of that moment: it is made when it is needed,
// closed when it rests, moves with the peer's addresses, and is nobody's to close. So a Channel never wears out.
type Channel struct {
	pool   *Pool
	id     pki.ID
	newest func(context.Context) []string

	mu     sync.Mutex
	known  []string
	lookup time.Time // the last
}

// Channel makes one. Known are the peer's addresses of now. Newest gives those of its newest contact, or none where that is
// not known; it is asked only while there is no connection.
func (p *Pool) Channel(id pki.ID, known []string, newest func(context.Context) []string) *Channel {
	return &Channel{pool: p, id: id, newest: newest, known: slices.Clone(known), lookup: time.Now()}
}

// Invoke performs a unary call.
func (c *Channel) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	conn, err := c.conn(ctx)
	if err != nil {
		return err
	}
	return conn.Invoke(ctx, method, args, reply, opts...)
}

// NewStream begins a stream.
func (c *Channel) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	conn, err := c.conn(ctx)
	if err != nil {
		return nil, err
	}
	return conn.NewStream(ctx, desc, method, opts...)
}

func (c *Channel) conn(ctx context.Context) (*grpc.ClientConn, error) {
	if conn := c.pool.ready(c.id); conn != nil {
		return conn, nil
	}
	conn, err := c.pool.get(c.id, forPrograms, c.lookUp(ctx))
	if errors.Is(err, ErrNoAddress) {
		conn, err = c.pool.get(c.id, forPrograms, c.lastKnown())
	}
	if err != nil {
		return nil, status.Error(codes.Unavailable, err.Error())
	}
	return conn, nil
}

// lookUp gives the newest addresses; none where they are not known, or where somebody asked a moment ago.
func (c *Channel) lookUp(ctx context.Context) []string {
	c.mu.Lock()
	due := time.Since(c.lookup) >= lookupEvery
	if due {
		c.lookup = time.Now()
	}
	c.mu.Unlock()
	if !due {
		return nil
	}
	addresses := c.newest(ctx)
	if len(addresses) > 0 {
		c.mu.Lock()
		c.known = addresses
		c.mu.Unlock()
	}
	return addresses
}

func (c *Channel) lastKnown() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.known
}
