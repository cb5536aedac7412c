package gossip

import (
	"time"

	"github.com/g2g-net/g2g/node/view"
)

// beatAt sets when Advance makes the next beat, if that is its to make.
func (m *Machine) beatAt(at time.Time) {
	if !m.cfg.OnlyPublish {
		m.nextBeat = at
	}
}

// showLife makes a beat, and tells it, once a peer that was lost is met again: it and those behind it may have found this node dead, and
// believe no beat that was made before. Of a node whose application alone publishes it is that one's to make.
func (m *Machine) showLife(now time.Time) {
	if m.nextBeat.IsZero() || now.Sub(m.published) < lifeSpacing || m.left {
		return
	}
	m.nextBeat = now
	m.idleBeat(now)
	m.queue(now, m.ID())
}

// idleBeat is the beat of a node without work. A late call makes one beat, not several.
func (m *Machine) idleBeat(now time.Time) {
	m.nextBeat = m.nextBeat.Add(m.cfg.Period)
	if m.nextBeat.Before(now) {
		m.nextBeat = now.Add(m.cfg.Period)
	}
	if err := m.advanceBeat(now); err != nil {
		m.notice(KindMisbehaved, Error, m.ID(), "%v", err)
	}
}

// advanceBeat says that this node has done its work once more, unless it is halted for most of the time.
func (m *Machine) advanceBeat(now time.Time) error {
	if m.halts.most(now) {
		return nil
	}
	if m.beat.Sequence == view.LadderLength {
		if err := m.climb(now); err != nil {
			return err
		}
	}
	m.beat.Sequence++
	m.beat.Link = m.ladder.Link(m.beat.Sequence)
	m.contact.Proved(m.beat)
	first := m.published.IsZero()
	m.published = now
	if first {
		m.queue(now, m.ID())
	}
	return nil
}

// ownBeat is the beat as it is told now.
func (m *Machine) ownBeat(now time.Time) view.Beat {
	b := m.beat
	if b.Sequence > 0 {
		b.Age = now.Sub(m.published)
	}
	return b
}

// ownEntry is this node's own record, until it is asked for again.
func (m *Machine) ownEntry() *view.Entry {
	m.me = view.OwnEntry(m.contact, m.beat, m.published)
	return &m.me
}
