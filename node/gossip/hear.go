package gossip

import (
	"time"

	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

// hearAll takes beats: those whose place is within held belong to these, the others to contacts. It tells how many were news. One that
// would cost more hashes than are left for the message is skipped, as if it had not been told: whoever lies spends his own beats, and
// nobody else's. Asked tells that they came in an answer to a call of this node's own.
func (m *Machine) hearAll(now time.Time, from pki.ID, asked bool, beats []IndexedBeat, held []*view.Entry, contacts []*view.Contact) (news int) {
	left := uint64(maxHashes)
	for k, b := range beats {
		if k%readAtOnce == 0 {
			m.prefetch(now, beats[k:min(k+readAtOnce, len(beats))], held)
		}
		var e *view.Entry
		switch {
		case b.Index < len(held):
			e = m.view.Still(held[b.Index])
		case b.Index-len(held) < len(contacts):
			e = m.view.Get(contacts[b.Index-len(held)].ID)
		}
		cost := e.Steps(b.Contact, b.Beat)
		if cost > left {
			continue
		}
		left -= cost
		switch m.hearOf(now, from, asked, e, b) {
		case view.Advanced, view.Revived:
			news++
		case view.FalseLink, view.Known, view.Unheld:
		}
	}
	return news
}

// readAtOnce is how many beats prefetch reads for: what that is of each still lies in the nearest cache when its turn comes.
const readAtOnce = 16

// prefetch reads of each peer with a newer beat what the beat is about to change, and does nothing with it. Who takes one beat after the other
// waits for memory again and again; these loops need nothing of what they read, so that all of it comes at once.
func (m *Machine) prefetch(now time.Time, beats []IndexedBeat, held []*view.Entry) {
	var read uint64
	for _, b := range beats {
		if b.Index < len(held) && held[b.Index] != nil {
			read += held[b.Index].Touch()
		}
	}
	for _, b := range beats {
		if b.Index < len(held) && held[b.Index] != nil && held[b.Index].BeatSequence < b.Sequence {
			read += held[b.Index].TouchProof(b.Beat)
			if m.paced(now, held[b.Index]) {
				read += m.detector.Touch(held[b.Index].Place)
			}
		}
	}
	m.prefetched = read // or the compiler would leave the loops out
}

// hear takes one beat.
func (m *Machine) hear(now time.Time, from pki.ID, asked bool, id pki.ID, b IndexedBeat) view.BeatVerdict {
	return m.hearOf(now, from, asked, m.view.Get(id), b)
}

// hearOf takes a beat of somebody who was looked up already, or nil.
func (m *Machine) hearOf(now time.Time, from pki.ID, asked bool, e *view.Entry, b IndexedBeat) view.BeatVerdict {
	if e == nil || !e.Server() && e.ID != from {
		return view.Unheld
	}
	seen := e.Seen
	var age time.Duration
	if e.BeatSequence < b.Sequence {
		age = e.Completed(now) // as it was before
	}
	verdict := e.Advance(now, b.Contact, b.Beat)
	if asked && (verdict == view.Advanced || verdict == view.Revived) {
		e.Relied()
	}
	if verdict == view.Advanced && m.paced(now, e) {
		m.detector.Near(e.Place)
		m.detector.Beat(e.ID, e.Incarnation, e.BeatSequence, e.Born())
		e.Place = m.detector.At()
	}
	switch verdict {
	case view.Advanced:
		m.advanced(now, e, age, seen, asked && from == e.ID)
	case view.Revived:
		m.revive(now, e)
	case view.FalseLink:
		m.alarm(now, &m.attempt(from).lastLie, KindMisbehaved, Warning, from, "told a beat of %s that is not on its ladder", e.Name)
	case view.Known, view.Unheld:
	}
	return verdict
}

// outgrown tells whether there are more members than the view holds: it is full, or it was a moment ago and has few places. Who fell leaves one that
// another takes soon; until then nothing is known of how the beats of those come that were not judged by their ages.
func (m *Machine) outgrown(now time.Time) bool {
	return m.view.Full() || m.view.Room() <= fewPlaces && now.Sub(m.filled) < outgrownFor
}

// paced tells whether it is remembered how the beats of a peer come: of those alone that are judged by their ages, in an outgrown view the active
// ones. Beats of the others, which are many, tell how long news takes to come from far away. The first beat of one that was unheard or dead
// is remembered of none: in a network larger than a view most of those who come are judged by their ages never.
func (m *Machine) paced(now time.Time, e *view.Entry) bool { return e.Active || !m.outgrown(now) }

// unpace forgets how beats came of those that are not judged by their ages any more, and the doubts for which there is nothing but an age: no look
// would ask after them now.
func (m *Machine) unpace(now time.Time) {
	if !m.outgrown(now) {
		return
	}
	for _, e := range m.view.Entries() {
		if m.paced(now, e) {
			continue
		}
		m.detector.Forget(e.ID)
		if d := m.doubts[e.ID]; d != nil && d.onlyByAge() {
			m.believe(e.ID)
		}
	}
}

// believed is how old a beat may be by which a peer is alive again: no older than the limit. Beats of a peer that is not judged by the limit come
// from far away and may be older, if it was unheard, if it is late and no longer doubted, or if calls to it had failed and it was made after that.
func (m *Machine) believed(now time.Time, e *view.Entry) time.Duration {
	far := e.Server() && !m.paced(now, e)
	switch e.State {
	case view.Late:
		far = far && m.doubts[e.ID] == nil
	case view.Dead:
		a := m.attempts[e.ID]
		far = far && a != nil && !a.fell.IsZero() && e.Born().After(a.fell.Add(refuteSlack))
	case view.Unheard, view.Alive, view.Left:
	}
	if far {
		return max(m.bound.Limit, overlooked)
	}
	return m.bound.Limit
}

// revive brings a peer back that advanced. A beat that is past the limit already tells only of the past, and one that fell
// may have to show more than one (stale.Past).
func (m *Machine) revive(now time.Time, e *view.Entry) {
	if limit := m.believed(now, e); limit > 0 && e.Age(now) > limit {
		return
	}
	if e.State == view.Dead && (m.precedes(e) || !m.attempt(e.ID).past.Returns(now)) {
		return
	}
	was, ok := m.resurrect(now, e)
	if !ok {
		return
	}
	m.aliveChanged(now)
	if a := m.attempts[e.ID]; a != nil {
		a.failures, a.delay, a.next = 0, 0, time.Time{}
	}
	m.notice(KindAlive, Info, e.ID, "its signature advances (was %s)", was)
	if was == view.Unheard {
		m.cameAt = now
		m.takesTurn(e)
		m.sooner(now)
	}
	if e.Mode == pki.Server {
		m.reserve.heard(now, e.Contact, m.view)
		if was == view.Dead || !e.Instead {
			m.queue(now, e.ID)
		}
		m.regain(now, e)
	}
}
