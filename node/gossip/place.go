package gossip

import (
	"time"

	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

// makePlace drops a peer of a full view for one that must have a place. Active peers are spared.
func (m *Machine) makePlace(now time.Time, c *view.Contact) bool {
	dropped, ok := m.view.Squeeze(c)
	if ok {
		m.forget(now, dropped)
	}
	return ok
}

// squeeze finds a place for a member that asks to be an active peer where the view has none: in a network larger than a view somebody
// must hold it. It happens no more often than an urgent one pushes out an active peer.
func (m *Machine) squeeze(now time.Time, from pki.ID, c *view.Contact) {
	if !now.Before(m.nextSqueeze) && m.mode() == pki.Server && m.makePlace(now, c) {
		m.nextSqueeze = now.Add(urgentSpacing)
		m.learn(now, from, c)
	}
}

// resurrect gives a dead peer that is back its place again. Where others have taken it meanwhile one of its own branch gives way; if
// nobody can, the peer is forgotten: better not to know of it than to hold it for dead while it lives. What a member costs others by
// dying and coming back is bounded: only those whom its own nominators admitted, and how often it is believed (stale.Past).
func (m *Machine) resurrect(now time.Time, e *view.Entry) (was view.State, ok bool) {
	was, dropped, ok := m.view.Revive(now, e.ID)
	if !ok && m.makePlace(now, e.Contact) {
		was, dropped, ok = m.view.Revive(now, e.ID)
	}
	switch {
	case !ok:
		m.view.Drop(e.ID)
		m.forget(now, e.ID)
	case !dropped.IsZero():
		m.forget(now, dropped)
	}
	return was, ok
}

// welcome takes the contact of a peer that is back after a goodbye, and found no place. A contact costs its owner less than beats do, so
// only now and then somebody gives way for it; else the peer is forgotten, and comes like any other.
func (m *Machine) welcome(now time.Time, c *view.Contact) view.Verdict {
	e := m.view.Get(c.ID)
	if e == nil || e.State != view.Left || c.Sequence == e.Sequence {
		return view.Full
	}
	if now.Before(m.nextSqueeze) || !m.makePlace(now, c) {
		m.view.Drop(c.ID)
		m.forget(now, c.ID)
		return view.Full
	}
	m.nextSqueeze = now.Add(urgentSpacing)
	if m.take(now, c).Server() {
		m.queue(now, c.ID)
	}
	return view.Newer
}
