package node

import (
	"slices"
	"sync"
	"time"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/order"
)

// A Place is one place of the virtual query order.
type Place = gossip.Place

// queryOrder is one order that was published, with the parts of it that somebody asked for. It is immutable but for these.
type queryOrder struct {
	places   []Place
	replaced chan struct{} // closed when another order stands in its place

	mu      sync.Mutex
	serving map[string][]Place
}

// maxParts bounds the services whose part of one order is kept.
const maxParts = 64

func newQueryOrder(places []Place) *queryOrder {
	return &queryOrder{places: places, replaced: make(chan struct{}), serving: map[string][]Place{}}
}

// of is the part of the order that serves a service.
func (q *queryOrder) of(service string) []Place {
	q.mu.Lock()
	defer q.mu.Unlock()
	if part, ok := q.serving[service]; ok {
		return part
	}
	part := onlyServing(q.places, service)
	if len(q.serving) < maxParts {
		q.serving[service] = part
	}
	return part
}

func onlyServing(places []Place, service string) (out []Place) {
	all := make([]order.Place[Place], len(places))
	for i, p := range places {
		all[i] = order.Place[Place]{Peer: p, Group: p.Rank}
	}
	serves := func(p Place) bool {
		_, ok := slices.BinarySearch(p.Serves, service)
		return ok
	}
	for _, p := range order.Only(all, serves) {
		out = append(out, p.Peer)
	}
	return out
}

// Order is the virtual query order of now: far and near peers in turn, each that is alive and can be reached once. Whoever asks as many of them
// as it needs, from the first on, asks varied ones. It is made anew every order.rebuild and when peers come or go, at most 200 ms after that; it
// costs nothing to look at. Callers must not change it.
func (n *Node) Order() []Place { return n.order.Load().places }

// Serving is the query order as it would be if only the peers were there that serve a gRPC service, by its full name, on their Gossip
// port: so it alternates far and near too. Who serves what is in the contacts of the peers. It costs nothing to look at the same
// order again. Callers must not change it.
func (n *Node) Serving(service string) []Place { return n.order.Load().of(service) }

// OrderReplaced is closed once Order is another than it is now. Who takes it first and then looks at the order misses no change.
func (n *Node) OrderReplaced() <-chan struct{} { return n.order.Load().replaced }

// publishOrder shows the order to everybody, and the client set how far away its peers are.
func (n *Node) publishOrder(now time.Time) {
	n.orderAt, n.reordered = now, false
	places := n.machine.Order(now)
	close(n.order.Swap(newQueryOrder(places)).replaced)
	m := n.member.Load()
	if m == nil {
		return // the first turn is taken before there is anybody to connect to
	}
	for _, p := range places {
		m.pool.Note(p.ID, p.Estimate)
	}
}
