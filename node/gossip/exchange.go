package gossip

import (
	"time"

	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

const (
	calmIntervals = 6                // between two exchanges of a node in whose full view nothing happens
	calmAtMost    = 10 * time.Second // that they are apart, unless the interval is longer
	calmAfter     = time.Minute      // since something did
	calmLook      = 2 * lookEvery    // between two looks at such a view
)

// apart is the time between two exchanges that this node begins: the interval. Where the view is full only active peers are judged by their
// ages, and those are probed, too; most beats are of others. As long as nothing happens there, they need not come as often.
func (m *Machine) apart(now time.Time) time.Duration {
	if m.calm(now) {
		return max(m.cfg.Interval, min(calmIntervals*m.cfg.Interval, calmAtMost))
	}
	return m.cfg.Interval
}

func (m *Machine) calm(now time.Time) bool {
	return m.view.Full() && m.mode() == pki.Server && (m.stirred.IsZero() || now.Sub(m.stirred) >= calmAfter)
}

// looksApart is the time between two looks while nobody is late. What is seen to in a calm view need not be at once, and to look costs more there
// than anything but exchanges.
func (m *Machine) looksApart(now time.Time) time.Duration {
	if m.calm(now) && len(m.active) >= fewActive {
		return calmLook
	}
	return lookEvery
}

// stir has exchanges come at the interval for a while, and looks as often as ever: something happened that others should hear of soon.
func (m *Machine) stir(now time.Time) {
	m.stirred = now
	if m.nextRound.Sub(now) > lookEvery+roundSlack {
		m.nextRound = now.Add(roundSlack) // another active peer may be wanted
		m.nextLook = earliest(m.nextLook, m.nextRound)
	}
	if m.nextExchange.Sub(now) > 2*m.cfg.Interval { // set while nothing happened
		m.nextExchange = now.Add(m.cfg.Interval)
	}
}

// partner draws an active peer with which no exchange is under way. Every other time it is the one with which there was none for longest,
// so that none waits for chance alone.
func (m *Machine) partner(now time.Time) (id pki.ID, ok bool) {
	free, warm := m.free[:0], m.warm[:0]
	for i := range m.links {
		if a := m.links[i].attempt; !a.exchanging {
			free = append(free, i)
			if a.warm {
				warm = append(warm, i)
			}
		}
	}
	m.free, m.warm = free, warm
	if m.busy(now) && len(warm) > 0 {
		free = warm
	}
	if len(free) == 0 {
		return pki.ID{}, false
	}
	m.inTurn = !m.inTurn
	if m.inTurn {
		var longest time.Time
		for k, i := range free {
			if last := m.lastExchange(i); k == 0 || last.Before(longest) {
				id, longest = m.active[i], last
			}
		}
		return id, true
	}
	return m.active[free[m.cfg.Random.IntN(len(free))]], true
}

// lastExchange is half-way between when this node last began an exchange with an active peer and when that last told of its state, or never
// where it is not known yet to have this node active, too. By the former alone links would be found late that the other side does not have,
// since nothing comes by them; by the latter those by which only what this node sends gets lost.
func (m *Machine) lastExchange(i int) time.Time {
	if e, a := m.linked(i), m.links[i].attempt; e != nil && a.mutual {
		return e.HashAt.Add(a.exchanged.Sub(e.HashAt) / 2)
	}
	return time.Time{}
}

// exchange tells a peer what is held and what advanced here since the last time.
func (m *Machine) exchange(now time.Time, to pki.ID) {
	a := m.attempt(to)
	if a.exchanging {
		return
	}
	a.exchanging, a.exchanged = true, now
	salt := m.cfg.Random.Uint64()
	digest, held := m.view.Digest(salt, m.contact, m.beat.Sequence, m.cfg.Spare.digest(), m.held)
	m.held = nil
	c := m.send(now, to, ExchangeRequest{
		Salt: salt, Digest: digest, Beats: m.freshBeats(now, held, a.lastPulled),
		AliveHash: m.alive(), NominationsHash: m.nominations.hash, Hints: m.repeated(now), Full: m.view.Full(),
		Active: m.mode() == pki.Server && m.Active(to), Summary: m.summaryFor(now, to, a.summaryHeld), SummaryHeld: m.heldSummary(to),
	})
	c.held = held
	if a.warm { // else a connection is to be made first, and a dial that is given up on a busy machine is made anew
		m.effects.Sends[len(m.effects.Sends)-1].Timeout = m.patience(to)
	}
}

// freshBeats are this node's own, and those of peers that advanced after since, as far as one message carries them.
func (m *Machine) freshBeats(now time.Time, held []*view.Entry, since time.Time) []IndexedBeat {
	beats := m.fresh[:0]
	if own := m.ownWord(now); own.Sequence > 0 {
		beats = append(beats, own)
	}
	if m.mode() == pki.Client {
		return append(m.cfg.Spare.room(len(beats)), beats...) // a client-mode member tells of nobody but itself
	}
	start := 1
	if len(held) > 1 {
		start += m.cfg.Random.IntN(len(held) - 1)
	}
	for k := range len(held) - 1 {
		i := 1 + (start-1+k)%(len(held)-1)
		e := held[i]
		if e.Seen.After(since) && e.Age(now) < m.cfg.Period && (e.State == view.Alive || e.State == view.Late) && e.BeatSequence > 0 {
			beats = append(beats, IndexedBeat{Index: i, Contact: uint16(e.Sequence), Beat: e.Beat(now)}) //nolint:gosec // low bits are meant
			if len(beats) == MaxBeats {
				break
			}
		}
	}
	m.fresh = beats
	return append(m.cfg.Spare.room(len(beats)), beats...)
}

func (m *Machine) receiveExchange(now time.Time, from pki.ID, req ExchangeRequest) Message {
	m.told(now, from, req.AliveHash, req.NominationsHash)
	if len(req.Hints) > 0 && m.mode() == pki.Server {
		m.receiveHint(now, from, req.Hints) // what refutes them is in the answer: the digest does not hold it
	}
	reader := m.view.Read(req.Salt, req.Digest)
	held := reader.Entries()
	pending := len(m.pending)
	m.hearAll(now, from, false, req.Beats, held, nil)
	m.oldNews(now, pending)
	m.metIn(now, from, req.Beats, held)
	if reader.Lacks() {
		m.exchangeAtOnce(now, from)
	}
	if req.Full {
		reader.Strangers(max(0, 1-m.cfg.Random.IntN(strangerEvery)))
	}
	m.summaryTold(from, req.Summary, req.SummaryHeld)
	resp := m.answer(now, reader)
	resp.Passive = req.Active && m.claimed(now, from)
	resp.Summary, resp.SummaryHeld = m.summaryFor(now, from, req.SummaryHeld), m.heldSummary(from)
	if e := m.view.Get(from); e != nil && e.Server() {
		resp.Hints = m.unsaid(now, from, req.Hints)
	}
	return resp
}

func (m *Machine) answer(now time.Time, reader *view.Reader) ExchangeResponse {
	start := 0
	if n := len(m.view.Entries()); n > 0 {
		start = m.cfg.Random.IntN(n)
	}
	d := reader.Delta(now, m.ownEntry(), MaxBeats, MaxContacts, MaxContactBytes, start)
	resp := ExchangeResponse{Contacts: d.Contacts, AliveHash: m.alive(), NominationsHash: m.nominations.hash}
	resp.Beats = m.cfg.Spare.room(len(d.Beats))
	for i, b := range d.Beats {
		resp.Beats = append(resp.Beats, IndexedBeat{Index: d.Places[i], Contact: d.Low[i], Beat: b})
	}
	return resp
}

// exchanged takes the answer to an exchange.
func (m *Machine) exchanged(now time.Time, c *call, resp ExchangeResponse) {
	if m.left {
		return
	}
	a := m.attempt(c.to)
	a.lastPulled = now
	m.confirmed(now, c.to, resp)
	m.told(now, c.to, resp.AliveHash, resp.NominationsHash)
	m.summaryTold(c.to, resp.Summary, resp.SummaryHeld)
	pending := len(m.pending)
	newer := m.learnAll(now, c.to, resp.Contacts)
	if m.hearAll(now, c.to, true, resp.Beats, c.held, resp.Contacts) > 0 {
		m.witness(now, c.to, c.begun)
	}
	m.oldNews(now, pending)
	m.metIn(now, c.to, resp.Beats, c.held)
	if m.mode() == pki.Server {
		m.receiveHint(now, c.to, resp.Hints)
	}
	if newer == 0 {
		a.broughtNothing()
		return
	}
	a.soonWait = 0
	if full(resp.Contacts) {
		m.exchangeAtOnce(now, c.to) // there may be more
	}
}

// full tells whether an answer may have had no place for another contact.
func full(contacts []*view.Contact) bool {
	bytes := 0
	for _, c := range contacts {
		bytes += c.Size()
	}
	return len(contacts) == MaxContacts || bytes > MaxContactBytes-pki.MaxPayload-pki.SealSize
}

// told takes what a partner says of its whole state.
func (m *Machine) told(now time.Time, from pki.ID, alive, nominations uint64) {
	e := m.view.Get(from)
	if e == nil {
		return
	}
	e.LastExchange, e.AliveHash, e.HashAt = now, alive, now
	a := m.attempt(from)
	spacing := syncSpacing
	if a.vain == [2]uint64{nominations, m.nominations.hash} {
		spacing = vainSyncSpacing
	}
	if m.gathering(now) || m.busy(now) && !a.warm {
		return // they can wait, and another may have them
	}
	if nominations != m.nominations.hash && m.mode() == pki.Server && e.Mode == pki.Server && now.Sub(a.lastSync) >= spacing {
		a.lastSync, a.lastHash = now, nominations
		m.send(now, from, NominationsRequest{Versions: m.nominations.versions()})
	}
}

// exchangeAtOnce puts a peer before the next interval, not more often than soonSpacing, and less often where it brings nothing.
func (m *Machine) exchangeAtOnce(now time.Time, id pki.ID) {
	a := m.attempt(id)
	if now.Sub(a.lastSoon) < max(soonSpacing, a.soonWait) || m.left {
		return
	}
	a.lastSoon = now
	m.soon = append(m.soon, id)
	if m.nextSoon.IsZero() {
		m.nextSoon = now.Add(soonDelay)
	}
}

func (m *Machine) exchangeSoon(now time.Time) {
	m.nextSoon = time.Time{}
	soon := m.soon
	m.soon = nil
	for _, id := range soon {
		if m.busy(now) && !m.attempt(id).warm && len(m.active) >= fewActive {
			continue // the exchanges of now bring it
		}
		if e := m.view.Get(id); e != nil && e.Mode == pki.Server && !e.State.Fallen() {
			m.exchange(now, id)
		}
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
