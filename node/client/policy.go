package client

import (
	"errors"
	"sync"
	"time"

	"google.golang.org/grpc/balancer"
	"google.golang.org/grpc/connectivity"

	"github.com/g2g-net/g2g/pki"
)

const (
	// headStart is how long a peer may take to connect before the next one is tried beside it. It is the time that gRPC gives one of
	// several addresses.
	headStart = 250 * time.Millisecond
	// rest is for how long a connection is kept that nobody uses.
	rest = time.Minute
)

func init() { balancer.Register(policyBuilder{}) }

type policyBuilder struct{}

func (policyBuilder) Name() string { return Policy }

func (policyBuilder) Build(cc balancer.ClientConn, options balancer.BuildOptions) balancer.Balancer {
	return &policy{cc: cc, options: options, branches: map[pki.ID]*branch{}}
}

// policy is the balancer of one connection: calls go to the first peer of the query order that is connected.
//
//  1. calls is held wherever a link is called, and taken before mu. Links call back with a lock of their own held, so what they call back
//     takes mu alone.
//  2. order has exactly the branches of the map; both change under both locks.
type policy struct {
	cc      balancer.ClientConn
	options balancer.BuildOptions

	calls  sync.Mutex
	node   Node
	closed bool

	mu       sync.Mutex
	branches map[pki.ID]*branch
	order    []*branch
	none     error // why order is empty
	tending  bool  // a goroutine is about to
	timer    *time.Timer
}

// UpdateClientConnState takes another query order.
func (p *policy) UpdateClientConnState(s balancer.ClientConnState) error {
	n, ok := s.ResolverState.Attributes.Value(newsKey{}).(*news)
	if !ok {
		return errors.New(Policy + " balances what " + Scheme + ": resolves, and nothing else")
	}
	p.calls.Lock()
	defer p.calls.Unlock()
	first := p.node == nil
	p.node = n.node
	for _, gone := range p.follow(n) {
		gone.shut()
	}
	p.tend(first) // the first list comes because there is a call
	return nil
}

// follow takes the order, and returns who is not in it any more.
func (p *policy) follow(n *news) (gone []*branch) {
	next := make(map[pki.ID]*branch, len(n.targets))
	order := make([]*branch, 0, len(n.targets))
	for _, t := range n.targets {
		b := p.branches[t.id]
		if b == nil {
			b = newBranch(p, t)
		} else {
			b.move(t)
		}
		next[t.id] = b
		order = append(order, b)
	}
	for _, b := range p.order {
		if next[b.target.id] == nil {
			gone = append(gone, b)
		}
	}
	p.mu.Lock()
	p.branches, p.order, p.none = next, order, n.none
	p.mu.Unlock()
	return gone
}

// ResolverError cannot come: the resolver reports none.
func (*policy) ResolverError(error) {}

// UpdateSubConnState is of no use any more in gRPC.
func (*policy) UpdateSubConnState(balancer.SubConn, balancer.SubConnState) {}

// ExitIdle connects.
func (p *policy) ExitIdle() {
	p.calls.Lock()
	defer p.calls.Unlock()
	p.tend(true)
}

// Close ends all connections; calls under way end on them.
func (p *policy) Close() {
	p.calls.Lock()
	defer p.calls.Unlock()
	p.closed = true
	p.mu.Lock()
	p.stopTimer()
	p.mu.Unlock()
	for _, b := range p.order {
		b.shut()
	}
}

// tend connects to who comes first, and closes what nobody needs. The lock on calls is held. Wanted says that there is somebody to call;
// otherwise a connection that is good enough stays the only one.
func (p *policy) tend(wanted bool) {
	if p.closed {
		return
	}
	for b := p.next(wanted); b != nil; b = p.next(wanted) {
		b.connect()
	}
	for _, b := range p.spare() {
		b.shut()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.show()
	p.wake()
}

// next is the peer to connect to now: the first one that does not try to, unless one before it is connected or still has its head start.
func (p *policy) next(wanted bool) *branch {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !wanted && (p.ready() != nil || !p.trying()) {
		return nil
	}
	now := time.Now()
	for _, b := range p.order {
		switch b.state.ConnectivityState {
		case connectivity.Idle:
			return b
		case connectivity.Connecting:
			if now.Sub(b.since) < headStart {
				return nil
			}
		case connectivity.Ready:
			return nil
		case connectivity.TransientFailure, connectivity.Shutdown: // the next one
		}
	}
	return nil
}

// trying tells whether somebody is to be connected to: a try is under way, or has failed. The lock is held.
func (p *policy) trying() bool {
	for _, b := range p.order {
		if s := b.state.ConnectivityState; s == connectivity.Connecting || s == connectivity.TransientFailure {
			return true
		}
	}
	return false
}

// ready is the first that is connected. The lock is held.
func (p *policy) ready() *branch {
	for _, b := range p.order {
		if b.state.ConnectivityState == connectivity.Ready {
			return b
		}
	}
	return nil
}

// spare are the connections that nobody needs: those behind the first that is connected, once they have rested.
func (p *policy) spare() (out []*branch) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	first := p.ready()
	if first == nil {
		return nil
	}
	before := true
	for _, b := range p.order {
		if before = before && b != first; !before && b != first && b.link != nil && b.link.rested(now) {
			out = append(out, b)
		}
	}
	return out
}

// wake has tend called again: when a head start ends, and while there are connections that may have rested. The lock is held.
func (p *policy) wake() {
	p.stopTimer()
	links, starting := 0, false
	for _, b := range p.order {
		if b.link != nil {
			links++
			starting = starting || b.state.ConnectivityState == connectivity.Connecting && time.Since(b.since) < headStart
		}
	}
	switch {
	case starting:
		p.timer = time.AfterFunc(headStart, p.soon)
	case links > 1:
		p.timer = time.AfterFunc(rest, p.soon)
	}
}

func (p *policy) stopTimer() {
	if p.timer != nil {
		p.timer.Stop()
	}
}

func (p *policy) soon() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tendSoon()
}

// tendSoon has tend called by a goroutine of its own, since the caller may hold a link's lock. The lock is held.
func (p *policy) tendSoon() {
	if p.tending {
		return
	}
	p.tending = true
	go func() {
		p.mu.Lock()
		p.tending = false
		p.mu.Unlock()
		p.calls.Lock()
		defer p.calls.Unlock()
		p.tend(false)
	}()
}
