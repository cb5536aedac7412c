package gossip

import (
	"time"

	"github.com/g2g-net/g2g/node/stale"
	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

// probe asks the peer itself. Somebody else is asked beside it a little later, unless another call is answered meanwhile. Over a
// connection that was up before, two calls are made one after the other, the second on a new one; where there is none, one call waits
// for as long as both: it proves as much.
func (m *Machine) probe(now time.Time, e *view.Entry, d *doubt) {
	if d.probing {
		return
	}
	d.probing, d.waiting, d.asked, d.again = true, false, now, time.Time{}
	d.tried++
	if d.failures == 0 {
		m.sendWhole(now, e)
	} else {
		m.sendProbe(now, e)
	}
	if soon := now.Add(companionDelay); m.nextCompanion.IsZero() || soon.Before(m.nextCompanion) {
		m.nextCompanion = soon
	}
}

// accompany asks somebody else where a probe is under way, or a verdict waits, and nobody has answered since.
func (m *Machine) accompany(now time.Time) {
	m.nextCompanion = time.Time{}
	m.concludeAll(now)
	for _, d := range m.doubted {
		if d.probing && (!m.answeredSince(d.asked, d.id) || !m.spoken.After(d.asked.Add(hearsAfter))) {
			m.companion(now, d.id)
			return // it answers for all
		}
	}
}

// due tells whether a peer is to be asked again, beside those that are past the limit of the last look.
func (d *doubt) due(now time.Time) bool {
	switch {
	case d.stuck:
		return now.Sub(d.asked) >= againSpacing
	case !d.again.IsZero():
		return !now.Before(d.again)
	}
	return !d.byAge && d.tried > 0 && now.Sub(d.asked) >= askSpacing
}

// onlyByAge tells whether there is nothing against a peer but that it was past a limit.
func (d *doubt) onlyByAge() bool {
	return d.byAge && d.failures == 0 && !d.probing && !d.waiting && !d.stuck && !d.stalled
}

// askAgain asks those whose last probe proved nothing, because nobody else had answered meanwhile or a beat of before had just come. The
// hints that made this node ask come once.
func (m *Machine) askAgain(now time.Time) {
	for _, d := range m.doubted { // none ends or begins by a probe
		if !d.due(now) {
			continue
		}
		if e := m.suspect(d); judgeable(e) && !onlyUnreachable(e) && m.probing() < maxProbes {
			m.probe(now, e, d)
		}
	}
}

// askSilent asks, where the view is full, the active peers that were silent for silentActive, told no beat of their own for untoldActive, or
// answered nothing for unansweredActive; and the one that told none for longest where nobody at all was heard for a while, or this node would
// take itself for alone before the next look.
func (m *Machine) askSilent(now time.Time) {
	if !m.outgrown(now) || m.starting(now) {
		return
	}
	asked := false
	for i := range m.links {
		if m.links[i].due(now) && m.canAsk(i) {
			m.askLink(now, i)
			asked = true
		}
	}
	if asked || now.Sub(m.spoken) < min(lookEvery+roundSlack, aloneAfter-m.looksApart(now)-roundSlack) {
		return
	}
	longest := -1
	for i := range m.links {
		if m.canAsk(i) && (longest < 0 || m.links[i].told.Before(m.links[longest].told)) {
			longest = i
		}
	}
	if longest >= 0 {
		m.askLink(now, longest)
	}
}

// due tells whether the peer is to be asked by now.
func (l *link) due(now time.Time) bool {
	return now.Sub(l.heard) >= silentActive || now.Sub(l.told) >= untoldActive || now.Sub(l.answered) >= unansweredActive
}

func (m *Machine) canAsk(i int) bool {
	e := m.linked(i)
	return judgeable(e) && m.doubts[e.ID] == nil && !m.links[i].attempt.exchanging
}

func (m *Machine) askLink(now time.Time, i int) {
	l := &m.links[i]
	l.heard, l.told, l.answered = now, now, now // or it would be asked again at each look until it answers
	m.sendProbe(now, m.linked(i))
}

// sendWhole asks a peer so that no answer proves as much as can be proved by one call.
func (m *Machine) sendWhole(now time.Time, e *view.Entry) {
	c, timeout := m.sendProbe(now, e)
	if !m.Warm(e.ID) {
		c.twice = true
		*timeout += max(ProbeTimeout, *timeout/2)
	}
}

func (m *Machine) sendProbe(now time.Time, e *view.Entry) (c *call, timeout *time.Duration) {
	c = m.send(now, e.ID, ProbeRequest{Contact: uint16(e.Sequence), Beat: m.ownWord(now)}) //nolint:gosec // low bits are meant
	last := &m.effects.Sends[len(m.effects.Sends)-1]
	last.Timeout, last.Fresh = m.patience(e.ID), m.attempt(e.ID).failures > 0
	if d := m.doubts[e.ID]; d != nil && d.failures > 0 {
		last.Timeout = max(ProbeTimeout, last.Timeout/2) // it has been silent for the whole of it already
	}
	return c, &last.Timeout
}

// companion asks another peer at the same time, whose answer shows that the fault is not here.
func (m *Machine) companion(now time.Time, except pki.ID) {
	if now.Sub(m.companionAt) < companionSpacing {
		m.nextCompanion = m.companionAt.Add(companionSpacing)
		return
	}
	fits := func(e *view.Entry) bool { return judgeable(e) && e.ID != except && m.doubts[e.ID] == nil }
	var known []*view.Entry
	for _, id := range m.active {
		if e := m.view.Get(id); fits(e) {
			known = append(known, e)
		}
	}
	if len(known) == 0 {
		for _, e := range m.view.Entries() {
			if fits(e) {
				known = append(known, e)
			}
		}
	}
	if len(known) == 0 {
		return
	}
	m.companionAt = now
	m.sendProbe(now, known[m.cfg.Random.IntN(len(known))])
}

// timed takes the round trip of a warm connection: handshakes say nothing of how long an answer takes.
func (m *Machine) timed(now time.Time, c *call) {
	if _, join := c.req.(JoinRequest); join || !m.Active(c.to) {
		return
	}
	a := m.attempt(c.to)
	if a.failures == 0 {
		a.slow = max(now.Sub(c.begun), time.Duration(slowDecay*float64(a.slow)))
	}
}

// patience is how long an answer of a peer is waited for.
func (m *Machine) patience(id pki.ID) time.Duration {
	slow := m.attempt(id).slow
	if slow == 0 {
		slow = unknownRoundTrip
	}
	return min(ProbeTimeout+2*slow, CallTimeout)
}

// probed takes the peer's own word: a newer beat ends the doubt, the same one beyond the limit is a stall.
func (m *Machine) probed(now time.Time, c *call, resp ProbeResponse) {
	if d := m.doubts[c.to]; d != nil {
		d.probing = false
	}
	if resp.Contact != nil && resp.Contact.ID == c.to {
		m.learn(now, c.to, resp.Contact)
	}
	if resp.Beat.Sequence > 0 {
		m.hear(now, c.to, true, c.to, resp.Beat)
	}
	if m.doubts[c.to] == nil {
		m.met(now, c.to, resp.Beat.Beat)
	}
	e, d := m.view.Get(c.to), m.doubts[c.to]
	if d == nil && judgeable(e) && m.outgrown(now) && e.Age(now) > overlooked { // it was asked without a doubt, and answers without progress
		d = m.doubt(now, c.to)
		d.suspectAt, d.asked, d.tried = now, now, 1
	}
	if d != nil && judgeable(e) && d.suspectAt.IsZero() {
		m.vindicate(now, e, d.hinters)
		d.hinters = nil
	}
	stuck := d != nil && m.stuck(now, e, resp.Beat.Beat)
	switch {
	case d == nil:
	case !judgeable(e) || !stuck && !m.past(now, e):
		if !m.waits(now, e, d, resp.Beat.Beat) {
			m.clear(now, c.to, d) // it answers, within its limit
		}
	case c.begun.After(m.awoke):
		m.setLate(now, e, true)
		d.failures, d.refused, d.stuck = 0, false, stuck
		if d.answers++; d.answers >= enoughAnswers && (stuck || !d.suspectAt.IsZero()) {
			m.convict(now, e, stale.Stalled, d)
		}
	}
}

// past tells whether a peer is past the limit of the last look.
func (m *Machine) past(now time.Time, e *view.Entry) bool {
	return m.bound.Limit > 0 && e.Age(now) > m.bound.Limit
}

// receiveProbe takes the caller's newest beat and answers with this node's, and with the contact that it belongs to if the caller holds another.
func (m *Machine) receiveProbe(now time.Time, from pki.ID, req ProbeRequest) Message {
	if req.Beat.Sequence > 0 {
		switch m.hear(now, from, false, from, req.Beat) {
		case view.Advanced, view.Revived, view.Known:
			m.met(now, from, req.Beat.Beat)
		case view.Unheld, view.FalseLink: // of another contact, or not its own: it says nothing of the peer that is held
		}
	}
	resp, low := ProbeResponse{Beat: m.ownWord(now)}, uint16(m.contact.Sequence) //nolint:gosec // low bits are meant
	if req.Contact != low {
		resp.Contact = m.contact
	}
	return resp
}

// ownWord is this node's newest beat as a probe and its answer tell it: Sequence 0 for none.
func (m *Machine) ownWord(now time.Time) (b IndexedBeat) {
	if m.beat.Sequence > 0 {
		b = IndexedBeat{Contact: uint16(m.contact.Sequence), Beat: m.ownBeat(now)} //nolint:gosec // low bits are meant
	}
	return b
}
