package gossip

import (
	"slices"
	"time"

	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

// Receive answers a request of a member, whose mode the authorisation table has matched with the kind of request.
func (m *Machine) Receive(now time.Time, from pki.ID, req Message) Message {
	m.tick(now)
	m.speaks(now, from)
	if e := m.view.Get(from); e != nil && (e.Unreachable || e.State == view.Dead) {
		m.showLife(now)
	}
	switch req := req.(type) {
	case JoinRequest:
		return m.receiveJoin(now, from, req)
	case ExchangeRequest:
		return m.receiveExchange(now, from, req)
	case PushRequest:
		m.learnAll(now, from, req.Contacts)
		m.hearAll(now, from, false, req.Beats, nil, req.Contacts)
		if req.Reached {
			m.vouched(req.Contacts)
		}
		if req.Parted {
			m.parted(now, from)
		}
		return PushResponse{}
	case ProbeRequest:
		return m.receiveProbe(now, req)
	case HintRequest:
		resp := m.receiveHint(now, from, req.Hints)
		resp.Hints = m.unsaid(now, from, req.Hints)
		return resp
	case PingRequest:
		return PingResponse{} // transport answers for this node, so that a round trip waits for no turn
	case NominationsRequest:
		start := m.cfg.Random.IntN(1 + len(m.nominations.entries))
		return NominationsResponse{Nominations: m.nominations.newerThan(req.Versions, start)}
	case SignatureRequest:
		return SignatureResponse{Full: m.said.full}
	}
	panic("gossip: wire let a message through that nobody can ask")
}

// Reply takes the answer to a call.
func (m *Machine) Reply(now time.Time, id uint64, resp Message) {
	m.tick(now)
	c := m.calls[id]
	if c == nil {
		return
	}
	delete(m.calls, id)
	m.accepted = true
	m.speaks(now, c.to)
	m.answered(c.to, c.begun)
	a := m.attempt(c.to)
	a.known = true
	m.timed(now, c)
	if a.failures > 0 { // a peer that has enough active ones keeps the time it was given
		a.failures, a.delay, a.next = 0, 0, time.Time{}
	}
	a.warm = true
	m.reached(now, c.to)
	switch resp := resp.(type) {
	case JoinResponse:
		a.joining = false
		m.joined(now, c, resp)
	case ExchangeResponse:
		a.exchanging = false
		m.exchanged(now, c, resp)
		m.held = c.held // nobody asks for it again
	case NominationsResponse:
		if m.takeNominations(now, resp.Nominations) == 0 {
			a.vain = [2]uint64{a.lastHash, m.nominations.hash}
		}
	case ProbeResponse:
		m.probed(now, c, resp)
	case HintResponse:
		m.hinted(now, c, c.req.(HintRequest), resp)
	case PingResponse:
		m.pinged(now, c.to, resp.RTTs)
	case ReachResponse:
		m.reachable(now, c.req.(ReachRequest).Address, resp.Error)
	}
	m.concludeAll(now)
	m.askWaiting(now)
}

// Fail takes note of how a call failed.
func (m *Machine) Fail(now time.Time, id uint64, how Failure) {
	m.tick(now)
	c := m.calls[id]
	if c == nil {
		return
	}
	delete(m.calls, id)
	a := m.attempt(c.to)
	switch req := c.req.(type) {
	case JoinRequest:
		a.joining = false
	case ExchangeRequest:
		a.exchanging = false
		a.broughtNothing()
	case ReachRequest:
		m.reachable(now, req.Address, "no answer")
	case PingRequest:
		m.pinged(now, c.to, nil)
	}
	a.warm = false
	if how == Unanswered && (c.begun.Before(m.awoke) || m.strained()) {
		a.next = now.Add(m.spread(firstRetry))
		m.failed(now, c, how)
		return // this node slept meanwhile, or may have
	}
	a.failures++
	a.delay = min(max(m.firstRetry(how), 2*a.delay), lastRetry)
	a.next = now.Add(m.spread(a.delay))
	m.failed(now, c, how)
	if a.failures >= failuresAllowed || how != Unanswered {
		m.unreached(now, c.to)
	}
	if _, join := c.req.(JoinRequest); join && how == Absent {
		m.dialNext(now, a.next)
	}
	m.askWaiting(now)
}

// spread draws a wait around d, so that many nodes do not dial at one instant.
func (m *Machine) spread(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.5 + m.cfg.Random.Float64()))
}

func (m *Machine) reached(now time.Time, id pki.ID) {
	if e := m.view.Get(id); e != nil && e.Unreachable {
		m.showLife(now)
		e.Unreachable = false
		m.reorder()
		m.notice(KindReachable, Info, id, "a connection works again")
		m.regain(now, e)
	}
}

func (m *Machine) unreached(now time.Time, id pki.ID) {
	e := m.view.Get(id)
	if e == nil {
		m.deactivate(id)
		return
	}
	m.lose(e)
	if !e.Unreachable && !e.State.Fallen() {
		e.Unreachable, e.UnreachedAt, m.unreachable = true, now, true
		m.reorder()
		m.notice(KindUnreached, Warning, id, "no connection from here: tried %v", e.Addresses)
	}
}

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

// hearAll takes beats: those whose place is within held belong to these, the others to contacts. It tells how many were news. One that
// would cost more hashes than are left for the message is skipped, as if it had not been told: whoever lies spends his own beats, and
// nobody else's. Asked tells that they came in an answer to a call of this node's own.
func (m *Machine) hearAll(now time.Time, from pki.ID, asked bool, beats []IndexedBeat, held []*view.Entry, contacts []*view.Contact) (news int) {
	left := uint64(maxHashes)
	for k, b := range beats {
		if k%readAtOnce == 0 {
			m.prefetch(beats[k:min(k+readAtOnce, len(beats))], held)
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
func (m *Machine) prefetch(beats []IndexedBeat, held []*view.Entry) {
	var read uint64
	for _, b := range beats {
		if b.Index < len(held) && held[b.Index] != nil {
			read += held[b.Index].Touch()
		}
	}
	for _, b := range beats {
		if b.Index < len(held) && held[b.Index] != nil && held[b.Index].BeatSequence < b.Sequence {
			read += m.detector.Touch(held[b.Index].Place) + held[b.Index].TouchProof(b.Beat)
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
	if verdict == view.Advanced || verdict == view.Revived {
		m.overlookedAfter(e)
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

// revive brings a peer back that advanced. A beat that is past the limit already tells only of the past, and one that fell
// may have to show more than one (stale.Past).
func (m *Machine) revive(now time.Time, e *view.Entry) {
	if m.bound.Limit > 0 && e.Age(now) > m.bound.Limit {
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
