package transport

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials"

	"github.com/g2g-net/g2g/node/client"
	"github.com/g2g-net/g2g/pki"
)

// A Loan is a peer's place in a pool, for a connection that package client makes with the pool's ServiceOptions. While there is one the
// peer stays in the pool.
type Loan struct {
	pool  *Pool
	id    pki.ID
	peer  *pooled
	anew  func()
	state atomic.Uint32 // of connectivity.State
}

// Lend gives a place for a connection to a peer. Anew must not wait.
func (p *Pool) Lend(id pki.ID, addresses []string, anew func()) (*Loan, error) {
	l, rested, err := p.lend(id, addresses, anew)
	closeAll(rested)
	if err != nil {
		return nil, fmt.Errorf("connect to node %s: %w", id, err)
	}
	return l, nil
}

func (p *Pool) lend(id pki.ID, addresses []string, anew func()) (*Loan, []*grpc.ClientConn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	peer, rested, err := p.place(id, addresses)
	if err != nil {
		return nil, nil, err
	}
	l := &Loan{pool: p, id: id, peer: peer, anew: anew}
	if peer.loans == nil {
		peer.loans = map[*Loan]struct{}{}
	}
	peer.loans[l] = struct{}{}
	p.peers[id] = peer
	peer.lines[forServices].ask()
	return l, rested, nil
}

// Return gives the place back. Calls that still run are counted to their end.
func (l *Loan) Return() {
	p := l.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(l.peer.loans, l)
	if _, none := l.peer.take(func(use, *line) bool { return true }); none && p.peers[l.id] == l.peer {
		delete(p.peers, l.id)
	}
}

// Note says how the connection is.
func (l *Loan) Note(s connectivity.State) { l.state.Store(uint32(s)) } //nolint:gosec // 0 to 4

// Begin counts a call.
func (l *Loan) Begin() { l.peer.lines[forServices].begin() }

// End counts its end. One that was not sent, and found another connection, was none here.
func (l *Loan) End(err error, sent bool) { l.peer.lines[forServices].over(err, sent) }

// ServiceOptions are what a connection needs that stands in places which Lend gave: the node's credentials, of whom the addresses say
// must be found at each, its dialer, and the bounds of all connections of programs.
func (p *Pool) ServiceOptions() []grpc.DialOption {
	return append(append(dialOptions(), programOptions()...),
		grpc.WithIdleTimeout(programIdle),
		grpc.WithTransportCredentials(expectedCredentials{source: p.config.Source, registry: p.config.Registry}),
		grpc.WithContextDialer(p.dialLent),
		grpc.WithChainUnaryInterceptor(p.config.Registry.traffic.asked),
		grpc.WithConnectParams(connectParams()),
	)
}

// programIdle is for how long a program's connection rests before it is closed.
const programIdle = time.Minute

func (p *Pool) dialLent(ctx context.Context, address string) (net.Conn, error) {
	p.mu.Lock()
	closed := p.closed
	p.mu.Unlock()
	if closed {
		return nil, ErrPoolClosed
	}
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	return p.config.Dial(ctx, address)
}

// expectedCredentials are those of connections to many peers: whom to find is said beside each address.
type expectedCredentials struct {
	neither
	source   Source
	registry *Registry
}

func (c expectedCredentials) Clone() credentials.TransportCredentials { return c }

// ClientHandshake refuses everybody but the node that is expected at the address, and to dial where nobody is.
func (c expectedCredentials) ClientHandshake(ctx context.Context, name string, dialled net.Conn) (net.Conn, credentials.AuthInfo, error) {
	id, ok := client.Expected(credentials.ClientHandshakeInfoFromContext(ctx).Attributes)
	if !ok || id.IsZero() {
		return nil, nil, fmt.Errorf("nobody is expected at %s", dialled.RemoteAddr())
	}
	return peerCredentials{source: c.source, registry: c.registry, expected: id}.ClientHandshake(ctx, name, dialled)
}
