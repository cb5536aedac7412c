package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/g2g-net/g2g/pki"
	"google.golang.org/grpc"
	"google.golang.org/grpc/attributes"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
)

const (
	// MaxPool bounds the peers that a pool connects to.
	MaxPool = 512

	// poolRest is for how long a peer must not have been asked for to make place in a full pool for another.
	poolRest = 10 * time.Second

	connectTimeout = time.Second
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
}

// A Pool holds the connections from here to peers, one for each. Whoever answers must be that very peer, a member, in
// server mode. Calls fail fast while a peer cannot be reached.
type Pool struct {
	config PoolConfig

	mu     sync.Mutex
	peers  map[pki.ID]*pooled
	closed bool
}

// pooled is the connection to one peer.
type pooled struct {
	conn      *grpc.ClientConn
	resolver  *manual.Resolver
	addresses []string
	turn      int // grows with every new start
	used      time.Time
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

// Conn gives the connection to a peer and makes it where there is none. The addresses are those of the peer's newest
// contact, in the order to try; other ones than before are tried at once, however long the old ones had failed.
func (p *Pool) Conn(id pki.ID, addresses []string) (*grpc.ClientConn, error) {
	conn, rested, err := p.conn(id, addresses)
	if rested != nil {
		_ = rested.conn.Close()
	}
	return conn, err
}

func (p *Pool) conn(id pki.ID, addresses []string) (_ *grpc.ClientConn, rested *pooled, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	peer, ok := p.peers[id]
	if ok {
		peer.used = time.Now()
	}
	switch {
	case p.closed:
		return nil, nil, ErrPoolClosed
	case len(addresses) == 0:
		return nil, nil, fmt.Errorf("connect to node %s: %w", id, ErrNoAddress)
	case ok && !slices.Equal(peer.addresses, addresses):
		peer.addresses = slices.Clone(addresses)
		peer.update(peer.conn.GetState() != connectivity.Ready)
		return peer.conn, nil, nil
	case ok:
		return peer.conn, nil, nil
	case len(p.peers) >= MaxPool:
		if rested = p.makeRoom(); rested == nil {
			return nil, nil, fmt.Errorf("connect to node %s: %w", id, ErrPoolFull)
		}
	}
	if peer, err = p.open(id, addresses); err != nil {
		return nil, rested, fmt.Errorf("connect to node %s: %w", id, err)
	}
	p.peers[id] = peer
	return peer.conn, rested, nil
}

// makeRoom takes out the peer that was not asked for for longest, if that is long enough. The lock is held.
func (p *Pool) makeRoom() *pooled {
	var longest pki.ID
	var rested *pooled
	for id, peer := range p.peers { // the order decides nothing but between equals
		if rested == nil || peer.used.Before(rested.used) {
			longest, rested = id, peer
		}
	}
	if time.Since(rested.used) < poolRest {
		return nil
	}
	delete(p.peers, longest)
	return rested
}

func (p *Pool) open(id pki.ID, addresses []string) (*pooled, error) {
	peer := &pooled{addresses: slices.Clone(addresses), used: time.Now(), resolver: manual.NewBuilderWithScheme(scheme)}
	peer.resolver.InitialState(peer.state())
	creds := peerCredentials{source: p.config.Source, registry: p.config.Registry, expected: id}
	var err error
	peer.conn, err = grpc.NewClient(scheme+":///"+id.String(), append(dialOptions(),
		grpc.WithResolvers(peer.resolver),
		grpc.WithTransportCredentials(creds),
		grpc.WithContextDialer(p.dial),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: backoffFirst, Multiplier: 1.6, Jitter: 0.2, MaxDelay: backoffMax},
			MinConnectTimeout: connectTimeout,
		}),
	)...)
	return peer, err
}

// dial bounds the connect alone: gRPC's own time-out grows with the backoff.
func (p *Pool) dial(ctx context.Context, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	conn, err := p.config.Dial(ctx, address)
	if err != nil {
		return nil, err
	}
	return hook(conn), nil
}

type turnKey struct{}

// state is one endpoint an address. The turn stands beside the address: another one makes gRPC connect anew, use the new
// connection, and let the calls on the old one end.
func (p *pooled) state() resolver.State {
	var s resolver.State
	for _, a := range p.addresses {
		address := resolver.Address{Addr: a, Attributes: attributes.New(turnKey{}, p.turn)}
		s.Endpoints = append(s.Endpoints, resolver.Endpoint{Addresses: []resolver.Address{address}})
	}
	return s
}

// update gives gRPC the addresses of now. A new start also forgets what failed before: ClientConn.ResetConnectBackoff would be
// the plain way, but it reads a map without its lock and can end the process (grpc-go #9155).
func (p *pooled) update(anew bool) {
	if anew {
		p.turn++
	}
	p.resolver.UpdateState(p.state())
}

// Redial makes a new handshake with a peer, with the leaves of now. Calls under way end on the old connection.
func (p *Pool) Redial(id pki.ID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if peer, ok := p.peers[id]; ok && !p.closed {
		peer.update(true)
	}
}

// Drop closes the connection to a peer; its calls fail.
func (p *Pool) Drop(id pki.ID) { p.Keep(func(other pki.ID) bool { return other != id }) }

// Keep drops every peer that is not wanted.
func (p *Pool) Keep(wanted func(pki.ID) bool) {
	p.keep(func(id pki.ID, _ *pooled) bool { return wanted(id) })
}

// Sweep drops every peer that is not wanted and that nobody asked for since idle ago.
func (p *Pool) Sweep(idle time.Duration, wanted func(pki.ID) bool) {
	now := time.Now()
	p.keep(func(id pki.ID, peer *pooled) bool { return now.Sub(peer.used) < idle || wanted(id) })
}

func (p *Pool) keep(wanted func(pki.ID, *pooled) bool) {
	var dropped []*pooled
	p.mu.Lock()
	for id, peer := range p.peers {
		if !wanted(id, peer) {
			dropped = append(dropped, peer)
			delete(p.peers, id)
		}
	}
	p.mu.Unlock()
	for _, peer := range dropped {
		_ = peer.conn.Close()
	}
}

// Len is how many peers the pool holds.
func (p *Pool) Len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.peers)
}

// Close drops all peers and takes no more.
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.Keep(func(pki.ID) bool { return false })
}

// dialOptions are what every connection from here has.
func dialOptions() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithAuthority(authority),
		grpc.WithNoProxy(),
		grpc.WithDisableServiceConfig(),
		grpc.WithIdleTimeout(0),
		grpc.WithMaxHeaderListSize(maxHeaders),
		grpc.WithReadBufferSize(bufferSize),
		grpc.WithWriteBufferSize(bufferSize),
		grpc.WithStaticStreamWindowSize(window),
		grpc.WithStaticConnWindowSize(window),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(MaxMessage), grpc.MaxCallSendMsgSize(MaxMessage)),
	}
}
