package node

import (
	"context"
	"fmt"

	"github.com/g2g-net/g2g/node/fanout"
	"github.com/g2g-net/g2g/node/transport"
	"github.com/g2g-net/g2g/pki"
)

// HandleQuery has a handler answer the queries of a name, from any member: 1 to 63 characters of a-z 0-9 - and . (package fanout has the
// bounds). A node passes on also those that it has no handler for.
func (n *Node) HandleQuery(name string, h fanout.Handler) error { return n.queries.Handle(name, h) }

// Query asks the network by the fan-out: this node, some peers of its query order, and whom these ask in turn. It returns when all that were
// asked have answered or the time is over, with what has come until then. Peers without a handler of the query's name are not in it.
func (n *Node) Query(ctx context.Context, q fanout.Query) (fanout.Result, error) {
	if n.member.Load() == nil {
		return fanout.Result{}, fmt.Errorf("query: %w", ErrNoNetwork)
	}
	r, err := n.queries.Query(ctx, q)
	if err != nil {
		return r, fmt.Errorf("query: %w", err)
	}
	return r, nil
}

// asker is the node as its queries see it.
type asker struct{ *Node }

// Peers is the query order of now.
func (a asker) Peers() []fanout.Peer {
	places := a.Order()
	peers := make([]fanout.Peer, len(places))
	for i, p := range places {
		peers[i] = fanout.Peer{ID: p.ID, Rank: p.Rank, Distance: p.Distance, P99: p.P99}
	}
	return peers
}

// Warm tells whether there is a connection to a peer.
func (a asker) Warm(id pki.ID) bool {
	m := a.member.Load()
	return m != nil && m.pool.Warm(id)
}

// Ask passes a question on, over the connection of programs: answers can be long, and gossip must not wait for them.
func (a asker) Ask(ctx context.Context, to pki.ID, r fanout.Request, accepted func(seen bool)) (fanout.Response, error) {
	m := a.member.Load()
	if m == nil {
		return fanout.Response{}, ErrNoNetwork
	}
	for _, p := range a.Order() {
		if p.ID == to {
			newest := func(ctx context.Context) []string { return a.addressesOf(ctx, to) }
			return transport.AskQuery(ctx, m.pool.Channel(to, p.Addresses, newest), r, accepted)
		}
	}
	return fanout.Response{}, ErrNoPeer // it has left the order meanwhile
}

// Links are whom gossip is connected to.
func (a asker) Links() []fanout.Link {
	m := a.member.Load()
	if m == nil {
		return nil
	}
	return m.pool.Links()
}

// Name is the node's.
func (a asker) Name() string { return a.cfg.Load().Name }
