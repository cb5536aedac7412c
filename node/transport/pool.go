package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/g2g-net/g2g/node/latency"
	"github.com/g2g-net/g2g/pki"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/grpc/stats"
)

const (
	// MaxPool bounds the peers that a pool connects to.
	MaxPool = 512

	// poolRest is for how long a peer must not have been asked for to make place in a full pool for another.
	poolRest = 10 * time.Second

	connectTimeout = time.Second            // of the connection alone
	hangTimeout    = 300 * time.Millisecond // of a connection that another call asks for anew
	shakeTimeout   = 5 * time.Second        // with its handshake: on a busy machine that takes long, and one given up must be made again
	backoffFirst   = 200 * time.Millisecond
	backoffMax     = 5 * time.Second

	scheme    = "g2g-peer"
	authority = "g2g" // what stands for a host name in every call: nobody is known by one
)

var (
	// ErrPoolFull says that the pool holds MaxPool peers, all of which were asked for lately. Nothing was changed.
	ErrPoolFull = errors.New("the pool of connections is full")
	// ErrPoolClosed says that the pool was closed.
	ErrPoolClosed = errors.New("the pool of connections is closed")
	// ErrNoAddress says that the peer has no address to dial. Nothing was changed.
	ErrNoAddress = errors.New("no address is known")
)

// A Dialer opens a raw connection to host:port.
type Dialer func(ctx context.Context, address string) (net.Conn, error)

// PoolConfig is what a Pool needs of its node. Source and Registry must be set.
type PoolConfig struct {
	Source   Source
	Registry *Registry
	Dial     Dialer // nil takes TCP; names are resolved anew at every dial, and every answer is tried
	// Broken is told, without waiting, of a gossip connection that ended while the pool still wanted it; nil for nobody.
	Broken func(pki.ID)
	// Watch is told of the calls of programs; nil for nobody.
	Watch stats.Handler
}

// A Pool holds the connections from here to peers: one for gossip, and one for the calls of programs once there are any. Whoever
// answers must be that very peer, a member, in server mode. Calls fail fast while a peer cannot be reached.
type Pool struct {
	config PoolConfig

	mu     sync.Mutex
	peers  map[pki.ID]*pooled
	closed bool
}

// pooled is one peer. At least one of its lines has a connection, or its place is lent.
type pooled struct {
	addresses []string
	lines     [uses]line
	latency   latency.Estimate // as the node last told it
	loans     map[*Loan]struct{}
}

// NewPool makes an empty pool.
func NewPool(c PoolConfig) *Pool {
	if c.Dial == nil {
		c.Dial = dialTCP
	}
	return &Pool{config: c, peers: make(map[pki.ID]*pooled)}
}

func dialTCP(ctx context.Context, address string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "tcp", address)
}

// Conn gives gossip's connection to a peer and makes it where there is none. The addresses are those of the peer's newest
// contact, in the order to try; other ones than before are tried at once, however long the old ones had failed. Without any
// the ones before stand.
func (p *Pool) Conn(id pki.ID, addresses []string) (*grpc.ClientConn, error) {
	return p.get(id, forGossip, addresses)
}

func (p *Pool) get(id pki.ID, u use, addresses []string) (*grpc.ClientConn, error) {
	conn, rested, err := p.conn(id, u, addresses)
	closeAll(rested)
	if err != nil {
		return nil, fmt.Errorf("connect to node %s: %w", id, err)
	}
	return conn, nil
}

func (p *Pool) conn(id pki.ID, u use, addresses []string) (_ *grpc.ClientConn, rested []*grpc.ClientConn, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	peer, rested, err := p.place(id, addresses)
	if err != nil {
		return nil, nil, err
	}
	l := &peer.lines[u]
	if l.conn == nil {
		if err := p.open(id, u, peer); err != nil {
			return nil, rested, err
		}
		p.peers[id] = peer
	}
	l.ask()
	return l.conn, rested, nil
}

// place is that of a peer, which is not in the pool yet if it is new. Who was taken out for it is to be closed. The lock is held.
func (p *Pool) place(id pki.ID, addresses []string) (peer *pooled, rested []*grpc.ClientConn, err error) {
	peer = p.peers[id]
	switch {
	case p.closed:
		return nil, nil, ErrPoolClosed
	case peer != nil:
		peer.move(addresses)
		return peer, nil, nil
	case len(addresses) == 0:
		return nil, nil, ErrNoAddress
	case len(p.peers) >= MaxPool:
		if rested = p.makeRoom(); rested == nil {
			return nil, nil, ErrPoolFull
		}
	}
	return &pooled{addresses: slices.Clone(addresses)}, rested, nil
}

// ready gives a program's connection to a peer if it is connected.
func (p *Pool) ready(id pki.ID) *grpc.ClientConn {
	p.mu.Lock()
	defer p.mu.Unlock()
	peer := p.peers[id]
	if peer == nil {
		return nil
	}
	l := &peer.lines[forPrograms]
	if l.conn == nil || l.conn.GetState() != connectivity.Ready {
		return nil
	}
	l.ask()
	return l.conn
}

// move takes the addresses of a newer contact.
func (p *pooled) move(addresses []string) {
	if len(addresses) == 0 || slices.Equal(p.addresses, addresses) {
		return
	}
	p.addresses = slices.Clone(addresses)
	for i := range p.lines {
		p.lines[i].moved(p.addresses)
	}
}

// idle is the time since somebody used one of the peer's lines.
func (p *pooled) idle(now time.Time) time.Duration {
	return min(p.lines[forGossip].idle(now), p.lines[forPrograms].idle(now))
}

// take empties the lines that are not wanted, and tells whether none is left.
func (p *pooled) take(wanted func(use, *line) bool) (taken []*grpc.ClientConn, none bool) {
	none = len(p.loans) == 0
	for i := range p.lines {
		l := &p.lines[i]
		switch {
		case l.conn == nil:
		case wanted(use(i), l):
			none = false
		default:
			taken = append(taken, l.take())
		}
	}
	return taken, none
}

func nothing(use, *line) bool { return false }

// makeRoom takes out the peer that was not used for longest, if that is long enough. The lock is held.
func (p *Pool) makeRoom() []*grpc.ClientConn {
	now := time.Now()
	var longest pki.ID
	var rest time.Duration
	for id, peer := range p.peers { // the order decides nothing but between equals
		if idle := peer.idle(now); idle >= max(rest, poolRest) && len(peer.loans) == 0 {
			longest, rest = id, idle
		}
	}
	if rest == 0 {
		return nil
	}
	taken, _ := p.peers[longest].take(nothing)
	delete(p.peers, longest)
	return taken
}

func (p *Pool) open(id pki.ID, u use, peer *pooled) (err error) {
	l := &peer.lines[u]
	l.resolver = manual.NewBuilderWithScheme(scheme)
	l.resolver.InitialState(l.state(peer.addresses))
	creds := peerCredentials{source: p.config.Source, registry: p.config.Registry, expected: id}
	options := dialOptions()
	if u == forPrograms {
		options = append(options, programOptions()...)
		if p.config.Watch != nil {
			options = append(options, grpc.WithStatsHandler(p.config.Watch))
		}
	}
	l.conn, err = grpc.NewClient(scheme+":///"+id.String(), append(options,
		grpc.WithResolvers(l.resolver),
		grpc.WithTransportCredentials(creds),
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) { return p.dial(ctx, id, u, l, address) }),
		grpc.WithChainUnaryInterceptor(l.unary, p.config.Registry.traffic.asked),
		grpc.WithStreamInterceptor(l.stream),
		grpc.WithConnectParams(connectParams()),
	)...)
	return err
}

func connectParams() grpc.ConnectParams {
	return grpc.ConnectParams{
		Backoff:           backoff.Config{BaseDelay: backoffFirst, Multiplier: 1.6, Jitter: 0.2, MaxDelay: backoffMax},
		MinConnectTimeout: shakeTimeout,
	}
}

// dial bounds the connect alone: gRPC's own time-out grows with the backoff.
func (p *Pool) dial(ctx context.Context, id pki.ID, u use, l *line, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	began := l.dials()
	conn, err := p.config.Dial(ctx, address)
	l.dialled(began, address, isRefused(err))
	if err != nil {
		return nil, err
	}
	c := hook(conn)
	if u == forGossip && p.config.Broken != nil {
		// Closing a connection waits for its reader, and the pool closes some while it is locked: the reader must not wait for the pool.
		return &watched{raw: c, broken: func() { go p.broken(id) }}, nil
	}
	return c, nil
}

// broken tells of a connection that ended, unless the pool gave it up itself.
func (p *Pool) broken(id pki.ID) {
	p.mu.Lock()
	peer := p.peers[id]
	wanted := !p.closed && peer != nil && peer.lines[forGossip].conn != nil
	p.mu.Unlock()
	if wanted {
		p.config.Broken(id)
	}
}

// Absent tells whether every address of a peer refused a connection since a time: nobody listens there.
func (p *Pool) Absent(id pki.ID, since time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	peer := p.peers[id]
	return peer != nil && peer.lines[forGossip].refusedAll(peer.addresses, since)
}

// Anew tells whether a call on gossip's connection that failed since a time told only of the past: of a connection that broke under
// it, or of a dial that had failed before. Then a dial is under way, and the same call can be made again: with
// grpc.WaitForReady, and the context that is returned, which also ends once all addresses have refused.
func (p *Pool) Anew(ctx context.Context, id pki.ID, since time.Time, redialled bool) (context.Context, context.CancelFunc, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	peer := p.peers[id]
	if p.closed || peer == nil || peer.lines[forGossip].conn == nil || !peer.lines[forGossip].undialled(since) {
		return nil, nil, false
	}
	l, addresses := &peer.lines[forGossip], slices.Clone(peer.addresses)
	if !redialled && l.conn.GetState() == connectivity.TransientFailure {
		l.update(addresses, true)
	}
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer cancel()
		for {
			next := l.nextDial()
			if l.refusedAll(addresses, since) {
				return
			}
			select {
			case <-next:
			case <-ctx.Done():
				return
			}
		}
	}()
	return ctx, cancel, true
}

// Redial makes new handshakes with a peer, with the leaves of now. Calls under way end on the old connections.
func (p *Pool) Redial(id pki.ID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	peer, ok := p.peers[id]
	if !ok || p.closed {
		return
	}
	for l := range peer.loans { // the order decides nothing: each is told, and none waits
		l.anew()
	}
	for i := range peer.lines {
		peer.lines[i].update(peer.addresses, true)
	}
}

// Freshen has gossip's next call to a peer make a connection, after one that failed. A connection that stands may be dead without
// either end's knowing, as after a cut, so there is a new handshake, at most every connectTimeout; calls under way end on the old
// one. Where the last try failed, gRPC would go on failing calls by that until another try has ended: what failed is forgotten. A dial
// that hangs, as into a cut that may have healed, gives way to a new one; a handshake that does goes on, since a busy machine makes it slow.
func (p *Pool) Freshen(id pki.ID) {
	closeAll(p.freshen(id))
}

func (p *Pool) freshen(id pki.ID) (failed []*grpc.ClientConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	peer, ok := p.peers[id]
	if !ok || p.closed {
		return nil
	}
	if l := &peer.lines[forPrograms]; l.conn != nil && l.conn.GetState() == connectivity.TransientFailure {
		l.update(peer.addresses, true)
	}
	l := &peer.lines[forGossip]
	if l.conn == nil {
		return nil
	}
	switch l.conn.GetState() {
	case connectivity.TransientFailure:
		failed = append(failed, l.take())
		_ = p.open(id, forGossip, peer) // if it fails the next call tells
	case connectivity.Ready:
		if now := time.Now(); now.Sub(l.freshened) >= connectTimeout {
			l.freshened = now
			l.update(peer.addresses, true)
		}
	case connectivity.Connecting:
		if l.hangs(time.Now(), hangTimeout) {
			l.update(peer.addresses, true)
		}
	case connectivity.Idle, connectivity.Shutdown: // the call makes one
	}
	return failed
}

// Drop closes the connections to a peer; its calls fail.
func (p *Pool) Drop(id pki.ID) { p.Keep(func(other pki.ID) bool { return other != id }) }

// Keep drops every peer that is not wanted.
func (p *Pool) Keep(wanted func(pki.ID) bool) {
	p.keep(func(id pki.ID, _ use, _ *line) bool { return wanted(id) })
}

// Sweep closes the connections that nobody used since idle ago. Gossip's stay to peers that are wanted.
func (p *Pool) Sweep(idle time.Duration, wanted func(pki.ID) bool) {
	now := time.Now()
	p.keep(func(id pki.ID, u use, l *line) bool { return l.idle(now) < idle || u == forGossip && wanted(id) })
}

func (p *Pool) keep(wanted func(pki.ID, use, *line) bool) {
	var dropped []*grpc.ClientConn
	p.mu.Lock()
	for id, peer := range p.peers {
		taken, none := peer.take(func(u use, l *line) bool { return wanted(id, u, l) })
		dropped = append(dropped, taken...)
		if none {
			delete(p.peers, id)
		}
	}
	p.mu.Unlock()
	closeAll(dropped)
}

// closeAll is called without the lock: closing waits for callbacks.
func closeAll(conns []*grpc.ClientConn) {
	for _, c := range conns {
		_ = c.Close()
	}
}

// Len is how many peers the pool holds.
func (p *Pool) Len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.peers)
}

// Lent is how many places are.
func (p *Pool) Lent() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, peer := range p.peers { // into a sum
		n += len(peer.loans)
	}
	return n
}

// Close drops all peers and takes no more.
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.Keep(func(pki.ID) bool { return false })
}
