package node

import (
	"time"

	"github.com/g2g-net/g2g/node/gossip"
)

// A Place is one place of the virtual query order.
type Place = gossip.Place

// Order is the virtual query order of now: far and near peers in turn, each that is alive and can be reached once. Whoever asks as many of them
// as it needs, from the first on, asks varied ones. It is made anew every order.rebuild and when peers come or go; it costs nothing
// to look at. Callers must not change it.
func (n *Node) Order() []Place {
	if places := n.order.Load(); places != nil {
		return *places
	}
	return nil
}

// publishOrder shows the order to everybody, and the client set how far away its peers are.
func (n *Node) publishOrder(now time.Time) {
	places := n.machine.Order(now)
	n.order.Store(&places)
	m := n.member.Load()
	if m == nil {
		return // the first turn is taken before there is anybody to connect to
	}
	for _, p := range places {
		m.pool.Note(p.ID, p.Estimate)
	}
}
