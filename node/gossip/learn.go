package gossip

import (
	"slices"
	"time"

	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

// learnAll takes contacts that a member told, and counts those that were newer.
func (m *Machine) learnAll(now time.Time, from pki.ID, contacts []*view.Contact) (newer int) {
	for _, c := range contacts {
		if m.learn(now, from, c) == view.Newer {
			newer++
		}
	}
	return newer
}

// learn judges one contact and takes it if it is newer. Contacts of client-mode members count only from themselves.
func (m *Machine) learn(now time.Time, from pki.ID, c *view.Contact) view.Verdict {
	if c.Mode == pki.Client && c.ID != from {
		return view.Old
	}
	verdict := m.view.Judge(now, c)
	switch verdict {
	case view.Newer:
		if e := m.take(now, c); e.Server() && (from == c.ID || !e.Instead) {
			m.queue(now, c.ID)
		}
	case view.Conflict:
		m.settle(now, c)
		m.alarm(now, &m.attempt(c.ID).lastClone, KindClone, Error, c.ID, "two contacts with sequence %d: its identity is in use twice", c.Sequence)
	case view.Own:
		m.learnOwn(now, c)
	case view.Full:
		return m.welcome(now, c)
	case view.Same, view.Old, view.Hasty: // counted by nobody: each is an everyday matter
	}
	if verdict == view.Newer || verdict == view.Same {
		m.toldBy(from, c.ID)
	}
	return verdict
}

// settle keeps one of two contacts with one sequence. What follows from the one that is kept does so as if it were newer.
func (m *Machine) settle(now time.Time, c *view.Contact) {
	before := m.view.Get(c.ID).Contact
	m.view.Settle(now, c)
	if m.view.Get(c.ID).Contact == before {
		return
	}
	m.distances.news = true
	if c.Left || c.Mode != before.Mode {
		m.deactivate(c.ID)
	}
	m.aliveChanged(now)
	if c.MinEpoch > m.trust.MinEpoch[c.ID] {
		m.effects.Trust = true
		m.saveReserve(now)
		m.stir(now)
	}
}

// take has the view hold a contact that is newer.
func (m *Machine) take(now time.Time, c *view.Contact) *view.Entry {
	before := m.view.Get(c.ID)
	left := before != nil && before.State == view.Left
	moved := before != nil && !slices.Equal(before.Addresses, c.Addresses)
	if before == nil || moved || !slices.Equal(before.Serves, c.Serves) {
		m.distances.news = true // the same peers, but whoever looks at the order sees something else of them
	}
	changed := before != nil && before.Mode != c.Mode
	e, dropped := m.view.Put(now, c)
	if !dropped.IsZero() {
		m.forget(now, dropped)
	}
	if c.Left && !left {
		m.stir(now)
		m.deactivate(c.ID)
		m.notice(KindLeft, Info, c.ID, "it said goodbye")
		m.aliveChanged(now)
	}
	if changed {
		m.deactivate(c.ID) // it is asked anew if it is a server
		m.aliveChanged(now)
	}
	if moved {
		m.attempt(c.ID).next = time.Time{}
	}
	if e.Mode == pki.Server {
		met := !m.reserve.has(c.ID)
		m.reserve.keep(now, c)
		if met && m.reserve.few() {
			m.saveReserve(now) // a node that is killed now must find back
		}
	}
	if c.MinEpoch > m.trust.MinEpoch[c.ID] {
		m.effects.Trust = true
		m.saveReserve(now) // a revocation holds after a kill, too
		m.stir(now)
	}
	return e
}

// learnOwn meets a contact of this very node: of an earlier run, if it is older or the folder was restored from a backup,
// else of a second holder of the identity.
func (m *Machine) learnOwn(now time.Time, c *view.Contact) {
	switch {
	case c.Sequence < m.contact.Sequence, slices.Equal(c.Sealed.Payload, m.contact.Sealed.Payload):
		return
	case now.Before(m.nextReclaim):
		return // it will be told again
	case c.Sequence == m.contact.Sequence:
		m.notice(KindClone, Error, m.ID(), "another node uses this node's identity: it published sequence %d too", c.Sequence)
	default:
		m.notice(KindClone, Warning, m.ID(), "peers hold a newer contact of this node (sequence %d): a restored backup, or a second node with its identity", c.Sequence)
	}
	m.nextReclaim = now.Add(reclaimSpacing)
	m.own.Sequence = max(m.own.Sequence, c.Sequence)
	m.own.Incarnation = max(m.own.Incarnation, c.Incarnation)
	m.own.Epoch = max(m.own.Epoch, c.MinEpoch)
	m.own.MinEpoch = max(m.own.MinEpoch, c.MinEpoch)
	if err := m.climb(now); err != nil {
		m.notice(KindClone, Error, m.ID(), "%v", err)
		return
	}
	m.beatAt(now)
}
