package client

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"google.golang.org/grpc/attributes"
	"google.golang.org/grpc/resolver"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/pki"
)

var errStopped = errors.New("the node has stopped")

// NewBuilder makes the resolver of a node's targets.
func NewBuilder(n Node) resolver.Builder { return builder{n} }

// ServiceOf is the service that a target names.
func ServiceOf(target string) (string, error) {
	service, ok := strings.CutPrefix(target, Scheme+":///")
	if !ok {
		return "", fmt.Errorf("target %q: not like %s:///pkg.Service", target, Scheme)
	}
	if err := pki.CheckServiceName(service); err != nil {
		return "", fmt.Errorf("target %q: %w", target, err)
	}
	return service, nil
}

type builder struct{ node Node }

func (builder) Scheme() string { return Scheme }

// Build begins to tell who serves what a target names.
func (b builder) Build(target resolver.Target, cc resolver.ClientConn, _ resolver.BuildOptions) (resolver.Resolver, error) {
	service, err := ServiceOf(target.String())
	if err != nil {
		return nil, err
	}
	l := &list{node: b.node, service: service, cc: cc, closed: make(chan struct{})}
	l.watched.Go(l.watch)
	return l, nil
}

// list is one resolver: it tells of each new order.
type list struct {
	node    Node
	service string
	cc      resolver.ClientConn
	closed  chan struct{}
	once    sync.Once
	watched sync.WaitGroup
}

func (l *list) watch() {
	for {
		replaced := l.node.OrderReplaced()
		l.tell(l.node.Serving(l.service), nil)
		select {
		case <-replaced:
		case <-l.node.Stopped():
			l.tell(nil, errStopped)
			return
		case <-l.closed:
			return
		}
	}
}

// tell gives gRPC the list of now. What it answers counts for nothing: the next order comes by itself.
func (l *list) tell(places []gossip.Place, none error) {
	if none == nil && len(places) == 0 {
		none = fmt.Errorf("no peer in the query order serves %s", l.service)
	}
	news := &news{node: l.node, none: none}
	s := resolver.State{Attributes: attributes.New(newsKey{}, news)}
	for _, p := range places {
		t := target{id: p.ID, name: p.Name, addresses: p.Addresses}
		news.targets = append(news.targets, t)
		s.Endpoints = append(s.Endpoints, t.endpoints(0)...)
	}
	_ = l.cc.UpdateState(s)
}

// ResolveNow does nothing: who serves what is always known.
func (*list) ResolveNow(resolver.ResolveNowOptions) {}

// Close ends the telling.
func (l *list) Close() {
	l.once.Do(func() { close(l.closed) })
	l.watched.Wait()
}

type newsKey struct{}

// news is what the resolver tells the balancer. gRPC is told the same peers as endpoints, which the balancer does not look at: two peers
// may name the same addresses, and must not be taken for one.
type news struct {
	node    Node
	targets []target // in query order
	none    error    // why there is none
}

// target is a peer to call.
type target struct {
	id        pki.ID
	name      string
	addresses []string
}

// endpoints is one an address, in the order to try.
func (t target) endpoints(turn int) (out []resolver.Endpoint) {
	for _, a := range t.addresses {
		out = append(out, resolver.Endpoint{Addresses: []resolver.Address{addressOf(a, expectation{t.id, turn})}})
	}
	return out
}
