package sim

import (
	"time"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/view"
)

// What a network begins with that has come together before: with each node a few places of the view are free for those that take it
// for their peer.
const (
	heldAtFirst  = view.MaxServers - 16
	linksAtFirst = 6 // that each node asks for, so that it has about twice as many
	// linksAfter is how long after the views the links come: meanwhile nobody has anybody to tell of all the newcomers.
	linksAfter = 300 * time.Millisecond
)

// acquaint has all nodes that run know a random view each, and become active with some of it: by messages, as a member would, but
// without the network between them.
func (w *world) acquaint() {
	others := make([]*node, 0, len(w.nodes))
	for _, n := range w.nodes {
		if n.up() {
			others = append(others, n)
		}
	}
	for _, n := range append([]*node(nil), others...) {
		n.learns(w.some(others, heldAtFirst))
	}
	w.at(w.now+int64(linksAfter), func() {
		for _, n := range others {
			n.link()
		}
	})
}

// some draws so many nodes, which come to stand first.
func (w *world) some(nodes []*node, count int) []*node {
	count = min(count, len(nodes))
	for i := range count {
		j := i + w.r.IntN(len(nodes)-i)
		nodes[i], nodes[j] = nodes[j], nodes[i]
	}
	return nodes[:count]
}

// learns has the node told of others, with their newest beats.
func (n *node) learns(others []*node) {
	var push gossip.PushRequest
	for _, o := range others {
		if o == n {
			continue
		}
		c, beat := o.machine.Contact(), o.machine.Greeting(o.clock()).Beat
		low := uint16(c.Sequence) //nolint:gosec // low bits are meant
		push.Beats = append(push.Beats, gossip.IndexedBeat{Index: len(push.Contacts), Contact: low, Beat: beat})
		push.Contacts = append(push.Contacts, c)
	}
	if len(push.Contacts) > 0 {
		n.do(func(now time.Time) { n.machine.Receive(now, push.Contacts[0].ID, push) })
	}
}

// link has the node become active with some that it knows.
func (n *node) link() {
	if !n.up() {
		return
	}
	entries := n.machine.Entries()
	var peers []*node
	for _, i := range n.w.r.Perm(len(entries))[:min(linksAtFirst, len(entries))] {
		peers = append(peers, n.w.byID[entries[i].ID])
	}
	for _, peer := range peers {
		if !peer.up() || n.machine.Active(peer.id) {
			continue
		}
		var answer gossip.Message
		peer.do(func(now time.Time) { answer = peer.machine.Receive(now, n.id, n.machine.Greeting(n.clock())) })
		n.do(func(now time.Time) { n.machine.Meet(now, peer.machine.Contact(), answer.(gossip.JoinResponse)) })
	}
}
