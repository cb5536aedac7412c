package gossip

import (
	"slices"
	"time"

	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

// How far and how often hints go.
const (
	hintFanOut     = 4 // active peers that a hint goes to
	hintFewer      = 3 // the same of one within hintCalm after the last: exchanges and answers bring it to those that are left out
	hintCalm       = 2 * time.Second
	hintSpacing    = 5 * time.Second
	mostCries      = 3                      // hints in vain, each after the first of which doubles hintSpacing
	criesForgotten = time.Minute            // after the last of them
	hintDelay      = 10 * time.Millisecond  // in which hints gather into one message
	hintGather     = 500 * time.Millisecond // the same where others were told just before: many are in trouble, and go together
	repeatFor      = 10 * time.Second       // exchanges name a verdict
	maxRepeated    = 16                     // in one exchange, and in one answer
	maxHinters     = 2                      // who are told what refutes a hint
	maxAware       = 2 * MaxActive          // who are known to have heard of a doubt
	hintBurst      = 64.0                   // hints of other members that this node follows at once
	maxFollowed    = 32                     // probes under way that hints may add to; the others wait for one of them to end
	hintRefill     = 8.0                    // more of them, a second
	maxHintsOwned  = MaxHints               // waiting to be sent
)

// A verdict is a death that exchanges tell of for a while.
type verdict struct {
	hint  Hint
	until time.Time
}

// hint has a failed peer named to others, once in hintSpacing.
func (m *Machine) hint(now time.Time, id pki.ID, stalled bool) {
	e := m.view.Get(id)
	a := m.attempt(id)
	if e == nil || m.mode() != pki.Server || len(m.hints) >= maxHintsOwned {
		return
	}
	if now.Sub(a.hinted) < a.hintWait() && a.hintedStalled == stalled && !a.hinted.IsZero() {
		return
	}
	a.hinted, a.hintedStalled = now, stalled
	m.hints = append(m.hints, hintOf(e, stalled))
	m.hintSoon(now)
}

func (m *Machine) hintSoon(now time.Time) {
	if m.nextHint.IsZero() {
		m.nextHint = latest(now.Add(hintDelay), m.lastHint.Add(hintGather))
	}
}

func hintOf(e *view.Entry, stalled bool) Hint {
	return Hint{ID: e.ID, Incarnation: e.Incarnation, Sequence: e.BeatSequence, Stalled: stalled}
}

// tellHints sends what has gathered to hintFanOut active peers that are not doubted themselves, but to none what it has told itself.
func (m *Machine) tellHints(now time.Time) {
	fan := hintFanOut
	if now.Sub(m.lastHint) < hintCalm {
		fan = hintFewer
	}
	m.nextHint, m.lastHint = time.Time{}, now
	m.acquit(now)
	hints := slices.DeleteFunc(m.hints, m.vain)
	m.hints = nil
	sent := 0
	for _, k := range m.cfg.Random.Perm(len(m.active)) {
		id := m.active[k]
		if m.doubts[id] != nil || slices.ContainsFunc(hints, func(h Hint) bool { return h.ID == id }) {
			continue
		}
		if news := m.newsTo(id, hints); len(news) > 0 {
			m.send(now, id, HintRequest{Hints: news})
			m.effects.Sends[len(m.effects.Sends)-1].Timeout = m.patience(id)
			sent++
			m.tells(id, news)
		}
		if sent == fan {
			return
		}
	}
}

// vain tells whether a hint that waited need not be told: its doubt has ended well. The next one will be.
func (m *Machine) vain(h Hint) bool {
	if e := m.view.Get(h.ID); e != nil && (m.doubts[h.ID] != nil || e.State.Fallen()) {
		return false
	}
	m.attempt(h.ID).hinted = time.Time{}
	return true
}

// newsTo are the hints that a peer has not told itself.
func (m *Machine) newsTo(id pki.ID, hints []Hint) (news []Hint) {
	for _, h := range hints {
		if d := m.doubts[h.ID]; d == nil || !slices.Contains(d.aware, id) {
			news = append(news, h)
		}
	}
	return news
}

// tells notes that a peer is told of some.
func (m *Machine) tells(to pki.ID, hints []Hint) {
	for _, h := range hints {
		if d := m.doubts[h.ID]; d != nil {
			d.know(to)
		}
	}
}

// know notes that somebody has heard of it.
func (d *doubt) know(id pki.ID) {
	if len(d.aware) < maxAware && !slices.Contains(d.aware, id) {
		d.aware = append(d.aware, id)
	}
}

// repeat has exchanges name a verdict for a while.
func (m *Machine) repeat(now time.Time, e *view.Entry, stalled bool) {
	m.verdicts = slices.DeleteFunc(m.verdicts, func(v verdict) bool { return v.hint.ID == e.ID || !now.Before(v.until) })
	m.verdicts = append(m.verdicts, verdict{hintOf(e, stalled), now.Add(repeatFor)})
	if len(m.verdicts) > view.MaxServers {
		m.verdicts = m.verdicts[1:]
	}
}

// repeated are what an exchange names: the verdicts that still stand, and the peers that failed here and are not judged yet. So who was
// left out by those that told hints hears of it a little later, without a message more. Of too many it is others each time.
func (m *Machine) repeated(now time.Time) (hints []Hint) {
	if m.mode() != pki.Server {
		return nil
	}
	m.verdicts = slices.DeleteFunc(m.verdicts, func(v verdict) bool {
		e := m.view.Get(v.hint.ID)
		return !now.Before(v.until) || e == nil || e.State != view.Dead
	})
	for _, v := range m.verdicts {
		hints = append(hints, v.hint)
	}
	for _, d := range m.doubted {
		if e := m.suspect(d); d.failures > 0 && judgeable(e) {
			hints = append(hints, hintOf(e, false))
		}
	}
	if len(hints) > maxRepeated {
		m.cfg.Random.Shuffle(len(hints), func(i, j int) { hints[i], hints[j] = hints[j], hints[i] })
		hints = hints[:maxRepeated]
	}
	return hints
}

// unsaid are the hints that this node has for a member which told it some: so news travels both ways in one message and its answer.
func (m *Machine) unsaid(now time.Time, to pki.ID, said []Hint) (hints []Hint) {
	known := func(h Hint) bool {
		same := func(o Hint) bool { return o.ID == h.ID }
		return h.ID == to || slices.ContainsFunc(said, same) || slices.ContainsFunc(hints, same)
	}
	for _, h := range append(slices.Clone(m.hints), m.repeated(now)...) {
		if len(hints) < maxRepeated && !known(h) {
			hints = append(hints, h)
		}
	}
	m.tells(to, hints)
	return hints
}

// receiveHint answers hints with what refutes them, and asks the peers that they name itself.
func (m *Machine) receiveHint(now time.Time, from pki.ID, hints []Hint) (resp HintResponse) {
	for i, h := range hints {
		e := m.view.Get(h.ID)
		if h.ID == m.ID() {
			e = m.ownEntry()
		}
		switch {
		case e == nil || e.Mode != pki.Server || e.BeatSequence == 0 || e.State.Fallen() || e.State == view.Unheard:
		case newer(e, h):
			resp.refute(now, i, len(hints), h, e)
			if h.ID != m.ID() && e.Age(now) > refuteSlack { // it may have fallen after this beat
				m.follow(now, from, e, h)
			}
		case h.ID != m.ID():
			m.follow(now, from, e, h)
		}
	}
	return resp
}

// newer tells whether an entry knows of a later beat than a hint.
func newer(e *view.Entry, h Hint) bool {
	return e.Incarnation > h.Incarnation || e.Incarnation == h.Incarnation && e.BeatSequence > h.Sequence
}

// refute adds the beat that a hint did not know, with its contact if that is new to the hinter.
func (r *HintResponse) refute(now time.Time, i, hints int, h Hint, e *view.Entry) {
	if len(r.Beats) >= MaxBeats {
		return
	}
	b := IndexedBeat{Index: i, Contact: uint16(e.Sequence), Beat: e.Beat(now)} //nolint:gosec // low bits are meant
	if e.Incarnation != h.Incarnation && !full(r.Contacts) && e.Current(now) {
		b.Index = hints + len(r.Contacts)
		r.Contacts = append(r.Contacts, e.Contact)
	}
	r.Beats = append(r.Beats, b)
}

// follow passes a hint on, then asks the peer itself. Whoever hints gets the outcome if it is good. What a liar can make
// this node do is bounded: hintBurst probes, then hintRefill a second.
func (m *Machine) follow(now time.Time, from pki.ID, e *view.Entry, h Hint) {
	if m.starting(now) || onlyUnreachable(e) {
		return // its beats come, and it cannot be asked from here
	}
	known := m.doubts[e.ID] != nil
	if a := m.attempt(e.ID); !known && !h.Stalled && a.cries > 1 && now.Sub(a.cleared) < a.hintWait() {
		return // it has been said in vain just before; if it is true now its age will show it
	}
	if !known && !m.spendHint(now) {
		return
	}
	m.hint(now, e.ID, h.Stalled)
	d := m.doubt(now, e.ID)
	d.stalled = d.stalled || h.Stalled
	if len(d.hinters) < maxHinters && !slices.Contains(d.hinters, from) {
		d.hinters = append(d.hinters, from)
	}
	d.know(from)
	if d.tried > 0 && now.Sub(d.asked) < askSpacing {
		return
	}
	if d.waiting = m.probing() >= maxFollowed; !d.waiting {
		m.probe(now, e, d)
	}
}

// askWaiting asks those who were hinted at while maxFollowed probes were under way.
func (m *Machine) askWaiting(now time.Time) {
	under := -1
	for _, d := range m.doubted {
		if !d.waiting {
			continue
		}
		if under < 0 {
			under = m.probing()
		}
		if under < maxFollowed {
			under++
			d.waiting = false
			if e := m.suspect(d); judgeable(e) {
				m.probe(now, e, d)
			}
		}
	}
}

func (m *Machine) spendHint(now time.Time) bool {
	m.hintBudget = min(hintBurst, m.hintBudget+hintRefill*now.Sub(m.hintBudgetAt).Seconds())
	m.hintBudgetAt = now
	if m.hintBudget < 1 {
		return false
	}
	m.hintBudget--
	return true
}

// hinted takes what refutes the hints of this node.
func (m *Machine) hinted(now time.Time, c *call, req HintRequest, resp HintResponse) {
	m.learnAll(now, c.to, resp.Contacts)
	held := make([]*view.Entry, len(req.Hints))
	for i, h := range req.Hints {
		held[i] = m.view.Get(h.ID)
	}
	m.hearAll(now, c.to, true, resp.Beats, held, resp.Contacts)
	m.receiveHint(now, c.to, resp.Hints)
}

// vouched takes the word of a member that it reached peers which this node has hinted to it.
func (m *Machine) vouched(contacts []*view.Contact) {
	for _, c := range contacts {
		if d := m.doubts[c.ID]; d != nil {
			d.vouched = true
		}
	}
}
