package gossip

import (
	"time"

	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

// A peer that is met says itself how old its newest beat is. What gossip brings is as old, or older by as long as news takes to come: so a
// limit on the peers' own word is far lower than one on ages that came by others.

// metIn takes the own word of a partner out of the beats of an exchange.
func (m *Machine) metIn(now time.Time, partner pki.ID, beats []IndexedBeat, held []*view.Entry) {
	for _, b := range beats {
		if b.Index < len(held) && held[b.Index] != nil && held[b.Index].ID == partner {
			m.met(now, partner, b.Beat)
			return
		}
	}
}

// met takes what a peer says itself of its newest beat, unless it was asked because of a doubt. Where that is too old the peer is asked.
func (m *Machine) met(now time.Time, id pki.ID, word view.Beat) {
	if l := m.link(id); l != nil {
		l.told = now
	}
	e, d := m.view.Get(id), m.doubts[id]
	if !judgeable(e) || e.BeatSequence != word.Sequence {
		return
	}
	if d == nil && now.Sub(m.blind()) >= settling {
		m.detector.Met(id, word.Sequence, ownAge(now, e, word), e.Period)
	}
	if !m.stuck(now, e, word) {
		return
	}
	if d == nil {
		d = m.doubt(now, id)
		d.byAge = true
	}
	if !d.stuck {
		d.stuck, d.asked = true, now
		m.nextLook = earliest(m.nextLook, now.Add(againSpacing))
	}
}

// ownAge is the age of a peer's newest beat by its own word. It cannot be younger than the beat was seen here.
func ownAge(now time.Time, e *view.Entry, word view.Beat) time.Duration {
	return max(word.Age, now.Sub(e.Seen))
}

// stuck tells whether a peer, by its own word, has made no progress for too long. A node that slept, was alone or has just begun does
// not judge.
func (m *Machine) stuck(now time.Time, e *view.Entry, word view.Beat) bool {
	if !judgeable(e) || e.BeatSequence != word.Sequence || m.starting(now) || !m.blind().IsZero() && now.Sub(m.blind()) < settling {
		return false
	}
	return ownAge(now, e, word) > m.detector.Direct(e.ID, e.Period)
}

// waits keeps a doubt about a peer that answered within its limit where others say that it is stuck and it may be so soon: each node
// stands on what it has seen, so their limits are not the same.
func (m *Machine) waits(now time.Time, e *view.Entry, d *doubt, word view.Beat) bool {
	if !d.stalled || !judgeable(e) || e.BeatSequence != word.Sequence || m.starting(now) {
		return false
	}
	left := m.detector.Direct(e.ID, e.Period) - ownAge(now, e, word)
	if left <= 0 || left > hintSpacing {
		return false
	}
	d.again = now.Add(left + againSpacing)
	d.byAge, d.failures, d.refused = true, 0, false // its next beat ends it
	return true
}

// limitOf is the limit that a peer is past: that of the last look, or that on its own word where it is within the other.
func (m *Machine) limitOf(now time.Time, e *view.Entry) time.Duration {
	if m.past(now, e) || m.cfg.Strict {
		return m.bound.Limit
	}
	return m.detector.Direct(e.ID, e.Period)
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
