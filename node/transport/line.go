package transport

import (
	"context"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/attributes"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/grpc/status"
)

// use is what a connection is for. Programs have connections of their own: a connection has one bound on the calls at once, and
// one window for the bytes of all of them, so theirs would make gossip wait, and a peer that gossip waits for counts as lost.
type use uint8

const (
	forGossip use = iota
	forPrograms
	forServices // connections that package client makes, in a place that is lent to it
	uses
)

// line is the connection to one peer for one use, and what became of the calls on it. It stays when the connection is closed,
// as long as the peer is in the pool.
type line struct {
	// Guarded by the pool's lock.
	conn     *grpc.ClientConn // nil where there is none
	resolver *manual.Resolver
	turn     int    // grows with every new start
	warm     string // the connection that the last measurement was over

	freshened time.Time

	tally
}

// maxRefusals bounds the addresses of one peer that refusals are remembered of.
const maxRefusals = 64

type turnKey struct{}

// state is one endpoint an address. The turn stands beside the address: another one makes gRPC connect anew, use the new
// connection, and let the calls on the old one end.
func (l *line) state(addresses []string) resolver.State {
	var s resolver.State
	for _, a := range addresses {
		address := resolver.Address{Addr: a, Attributes: attributes.New(turnKey{}, l.turn)}
		s.Endpoints = append(s.Endpoints, resolver.Endpoint{Addresses: []resolver.Address{address}})
	}
	return s
}

// update gives gRPC the addresses of now. A new start also forgets what failed before: ClientConn.ResetConnectBackoff would be
// the plain way, but it reads a map without its lock and can end the process (grpc-go #9155).
func (l *line) update(addresses []string, anew bool) {
	if l.conn == nil {
		return
	}
	if anew {
		l.turn++
	}
	l.resolver.UpdateState(l.state(addresses))
}

// moved tells the line other addresses. Where it is connected it stays so, if the address is still among them.
func (l *line) moved(addresses []string) {
	l.update(addresses, l.conn != nil && l.conn.GetState() != connectivity.Ready)
}

// take empties the line; the caller closes what it held.
func (l *line) take() *grpc.ClientConn {
	conn := l.conn
	l.conn, l.resolver, l.turn, l.warm = nil, nil, 0, ""
	return conn
}

// tally counts the calls of a line. It has a lock of its own, since the pool's is held while gRPC is told addresses.
type tally struct {
	mu       sync.Mutex
	asked    time.Time // when the line was asked for last, or a call on it ended
	running  int
	calls    uint64
	failures uint64
	failed   time.Time
	failure  error
	refusals map[string]time.Time // when an address last refused to connect; none that connected since
	dialAt   time.Time            // when the dial began that is under way; zero where none is
	dialEnd  time.Time            // when the last dial ended, in whatever way
	dialNews chan struct{}        // closed at the next end of one; nil where nobody waits
}

// dials notes that a dial begins, of the connection alone: the handshake is none of it.
func (t *tally) dials() (began time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.dialAt = time.Now()
	return t.dialAt
}

// hangs tells whether a dial has been under way for some time.
func (t *tally) hangs(now time.Time, d time.Duration) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.dialAt.IsZero() && now.Sub(t.dialAt) >= d
}

// dialled notes what became of a dial that began at a time.
func (t *tally) dialled(began time.Time, address string, refused bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.dialAt.Equal(began) { // else another has begun
		t.dialAt = time.Time{}
	}
	t.dialEnd = time.Now()
	if t.dialNews != nil {
		close(t.dialNews)
		t.dialNews = nil
	}
	if !refused {
		delete(t.refusals, address)
		return
	}
	if t.refusals == nil || len(t.refusals) >= maxRefusals {
		t.refusals = make(map[string]time.Time)
	}
	t.refusals[address] = t.dialEnd
}

// undialled tells whether no dial has ended since a time.
func (t *tally) undialled(since time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.dialEnd.Before(since)
}

// nextDial is closed at the end of the next dial.
func (t *tally) nextDial() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.dialNews == nil {
		t.dialNews = make(chan struct{})
	}
	return t.dialNews
}

// refusedAll tells whether each address has refused since a time.
func (t *tally) refusedAll(addresses []string, since time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, a := range addresses {
		if at, ok := t.refusals[a]; !ok || at.Before(since) {
			return false
		}
	}
	return len(addresses) > 0
}

func (t *tally) ask() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asked = time.Now()
}

func (t *tally) begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.calls++
	t.running++
}

// end counts a call as failed unless it ended well or its caller gave it up.
func (t *tally) end(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running--
	t.asked = time.Now()
	if err != nil && status.Code(err) != codes.Canceled {
		t.failures++
		t.failed, t.failure = t.asked, err
	}
}

// over is end, for a call that may not have been sent. Then it was none.
func (t *tally) over(err error, sent bool) {
	if sent {
		t.end(err)
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running--
	t.calls--
}

// idle is the time since somebody asked for the line or had a call under way on it.
func (t *tally) idle(now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.running > 0 {
		return 0
	}
	return now.Sub(t.asked)
}

func (t *tally) unary(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	t.begin()
	err := invoke(ctx, method, req, reply, cc, opts...)
	t.end(err)
	return err
}

// stream counts a stream until its end: its caller has read that, or ended its context.
func (t *tally) stream(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, open grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	t.begin()
	return open(ctx, desc, cc, method, append(opts[:len(opts):len(opts)], grpc.OnFinish(t.end))...)
}
