package gossip

import (
	"slices"
	"time"

	"github.com/g2g-net/g2g/node/stale"
	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

// What a verdict on a peer needs, and how often peers are asked.
const (
	enoughFailures   = 2 // calls without answer; a refusal to connect counts as both
	wantWitnesses    = 3 // exchanges that brought news, but none of the suspect
	maxProbes        = 8 // probes under way to peers that failed while nothing else was answered either
	enoughAnswers    = 2 // without progress, of a peer past its limit
	askSpacing       = time.Second
	againSpacing     = 500 * time.Millisecond // where the first answer showed no progress
	companionSpacing = 250 * time.Millisecond
	companionDelay   = 150 * time.Millisecond // after a probe, in which another call may be answered that shows as much
	hearsAfter       = companionDelay / 2     // a call began, that somebody has to be heard for its failure to count
	leastLimit       = 500 * time.Millisecond
	overslept        = 500 * time.Millisecond // a driver later than this forgets what seemed to fail meanwhile
	refuteSlack      = 500 * time.Millisecond // a beat seems younger than it is by the latency of its path
	settling         = 2 * time.Second        // after that, before ages count again
	aloneAfter       = 3 * time.Second        // without a word of anybody
	aloneIntervals   = 3                      // or so many intervals, where that is longer

	strainAllowed = 40 * time.Millisecond // lateness of the driver from which a node counts as strained
	strainDecay   = 0.8                   // of the lateness, with every turn of the driver

	// ProbeTimeout is how long an answer is waited for beyond twice the slowest round trip of late.
	ProbeTimeout     = 500 * time.Millisecond
	unknownRoundTrip = 250 * time.Millisecond // of a peer that has not answered yet
	slowDecay        = 0.7                    // of the slowest round trip, with every answer
)

// Failure is how a call to a peer failed.
type Failure uint8

// The kinds of failures.
const (
	Unanswered Failure = iota // nothing came back in time, or the connection broke
	Declined                  // the peer is there, and answered that it will not
	Absent                    // whoever has the peer's addresses refuses to connect: nobody listens there
)

// A doubt is what this node found out by itself about a peer that may have failed.
//
//  1. It ends when a beat of the peer comes, by whatever path, that was made after the doubt began, and after the first call did that
//     counts as failed; when the peer itself answers within its limit; and when it is found dead.
//  2. A failure counts only where a call to another peer, begun no earlier, was answered meanwhile: a node that is cut off,
//     starved or paused convicts nobody, nor does one that was cut off right after it. Calls that were under way together count
//     once, and one that the peer is known to have made progress after does not count.
//  3. Where somebody else says to have reached the peer, failures alone decide nothing: its age has to be past the limit, too. So
//     a liar keeps nobody alive for longer than that, and a peer that is unreachable from here alone lives.
type doubt struct {
	id        pki.ID
	about     *view.Entry // as it was looked up last
	over      bool        // it has ended
	began     time.Time
	vouched   bool
	failures  int
	failing   time.Time // when the first call began that counted as one
	failedAt  time.Time // of the last that counted, or of the first
	refused   bool
	answers   int // of the peer itself, without progress
	tried     int // probes
	probing   bool
	waiting   bool      // to be asked, because of a hint
	byAge     bool      // it began because the peer was past its limit, not because a call failed
	stuck     bool      // by its own word it is past the limit of that
	asked     time.Time // the last probe
	stalled   bool      // others say that it is stuck
	again     time.Time // when it may be, and is asked again; zero for never
	suspectAt time.Time // since when it is past its limit; zero where it is not
	witnesses []pki.ID  // those whose exchanges, begun afterwards, brought news but none of the peer
	hinters   []pki.ID  // who is told what refutes the doubt
	aware     []pki.ID  // who told of it, or was told
}

// An answer is a call that came back in time.
type answer struct {
	from  pki.ID
	begun time.Time
}

// answered keeps, of the two peers whose calls came back, the latest times at which these were begun.
func (m *Machine) answered(from pki.ID, begun time.Time) {
	a := &m.answers
	switch {
	case a[0].from == from:
		if begun.After(a[0].begun) {
			a[0].begun = begun
		}
	case begun.Before(a[1].begun):
		return
	default:
		a[1] = answer{from, begun}
	}
	if a[1].begun.After(a[0].begun) {
		a[0], a[1] = a[1], a[0]
	}
}

// answeredSince tells whether a peer other than one answered a call that was begun at a time or later.
func (m *Machine) answeredSince(t time.Time, except pki.ID) bool {
	for _, a := range m.answers {
		if !a.from.IsZero() && a.from != except && !a.begun.Before(t) {
			return true
		}
	}
	return false
}

// since is from when on a beat has to be made to refute the doubt: once calls fail what was made before they began says nothing of them.
func (d *doubt) since() time.Time {
	if d.failures > 0 {
		return latest(d.began, d.failing)
	}
	return d.began
}

// doubt is what is held against a peer, beginning now if nothing was.
func (m *Machine) doubt(now time.Time, id pki.ID) *doubt {
	d := m.doubts[id]
	if d == nil {
		d = &doubt{id: id, began: now, failedAt: now}
		m.doubts[id] = d
		i, _ := m.doubtAt(id)
		m.doubted = slices.Insert(m.doubted, i, d)
		m.nextLook = earliest(m.nextLook, now.Add(lookEvery)) // in a calm view it may be later
	}
	return d
}

// believe ends a doubt.
func (m *Machine) believe(id pki.ID) {
	d := m.doubts[id]
	if d == nil {
		return
	}
	d.over = true
	delete(m.doubts, id)
	if i, ok := m.doubtAt(id); ok {
		m.doubted = slices.Delete(m.doubted, i, i+1)
	}
}

// doubtAt is where a doubt stands among all of them, or would.
func (m *Machine) doubtAt(id pki.ID) (int, bool) {
	return slices.BinarySearchFunc(m.doubted, id, func(d *doubt, id pki.ID) int { return d.id.Compare(id) })
}

// suspect is the peer that a doubt is about, or nil.
func (m *Machine) suspect(d *doubt) *view.Entry {
	if d.about = m.view.Still(d.about); d.about == nil {
		d.about = m.view.Get(d.id)
	}
	return d.about
}

// clear ends a doubt about a peer that lives. What others were told of it was in vain.
func (m *Machine) clear(now time.Time, id pki.ID, d *doubt) {
	a := m.attempt(id)
	if now.Sub(a.cleared) > criesForgotten {
		a.cries = 0
	}
	if !a.hinted.Before(d.began) {
		a.cries, a.cleared = min(a.cries+1, mostCries), now
	}
	m.believe(id)
}

// judgeable are the peers that calls and ages may convict: those that other members are told of.
func judgeable(e *view.Entry) bool {
	return e != nil && e.Server() && (e.State == view.Alive || e.State == view.Late)
}

// onlyUnreachable tells whether a peer is unreachable from here alone: it went on making progress since.
func onlyUnreachable(e *view.Entry) bool {
	return e.Unreachable && e.Born().After(e.UnreachedAt.Add(refuteSlack))
}

// speaks notes that somebody is there, and who. A node that nobody spoke to for long was cut off: what its peers' ages were meanwhile says
// nothing of their pace, and some of them may still be on their way.
func (m *Machine) speaks(now time.Time, who pki.ID, answers bool) {
	if l := m.link(who); l != nil {
		l.heard = now
		if answers {
			l.answered = now
		}
	}
	if !m.spoken.IsZero() && now.Sub(m.spoken) > max(aloneAfter, aloneIntervals*m.cfg.Interval) {
		m.alone = now
		for _, d := range m.doubted {
			d.suspectAt, d.witnesses = time.Time{}, nil // what it suspected is older than the first news that it gets now
			if !d.refused {
				d.failures, d.failedAt = 0, now // nobody could answer it
			}
		}
	}
	m.spoken = now
}

// blind is until when this node could not know how its peers were: it slept, or it was alone.
func (m *Machine) blind() time.Time { return latest(m.awoke, m.alone) }

// heardDuring tells whether somebody was heard while a call was waited for. One that failed at once was not waited for: something
// answered it.
func (m *Machine) heardDuring(now, begun time.Time) bool {
	return now.Sub(begun) < companionDelay || m.spoken.After(begun.Add(hearsAfter))
}

// failed takes a call that had no answer as a sign against the peer. One that is unreachable from here alone, so that its beats
// advanced since, is left to its age.
func (m *Machine) failed(now time.Time, c *call, how Failure) {
	e := m.view.Get(c.to)
	if _, probe := c.req.(ProbeRequest); probe {
		if d := m.doubts[c.to]; d != nil {
			d.probing = false
		}
	}
	if how == Declined || !judgeable(e) || onlyUnreachable(e) {
		return
	}
	if _, join := c.req.(JoinRequest); c.begun.Before(m.blind()) || m.starting(now) || how == Unanswered && (join || m.strained()) {
		m.attempt(c.to).overlooked = time.Time{} // it proved nothing, so that one asked after for that is asked again
		return                                   // handshakes take long on a busy machine, and say little
	}
	d := m.doubt(now, c.to)
	if m.past(now, e) {
		m.setLate(now, e, true)
	}
	counted, first := true, d.failures == 0
	switch {
	case how == Absent && (m.attempt(c.to).known || now.Sub(m.attempt(c.to).hinted) < hintSpacing):
		if !d.refused { // another refusal proves no more, and what is awaited is an answer of somebody else since the first
			d.failures, d.refused, d.failedAt = enoughFailures, true, now
		}
	case e.Born().After(c.begun):
		counted = false // it made progress after the call had begun; if that only seems so by the latency of its beat's path, the next call counts
	case d.failures > 0 && c.begun.Before(d.failedAt):
		counted = false // it was under way when another failed: one fault, not two
	case m.answeredSince(c.begun, c.to) && m.heardDuring(now, c.begun):
		d.failures++
		if c.twice {
			d.failures++
		}
		d.failedAt = now
	default:
		counted = false
	}
	if counted {
		if first {
			d.failing = c.begun
		}
		m.hint(now, c.to, false)
	}
	m.conclude(now, e, d)
	if m.doubts[c.to] == d && d.failures < enoughFailures && (counted || d.tried == 0) {
		m.probe(now, e, d)
	}
}

// conclude finds a peer dead that failed often enough, once a call that was begun afterwards was answered by another. Where
// there is nobody else, the refusal to connect shows by itself that the network works.
func (m *Machine) conclude(now time.Time, e *view.Entry, d *doubt) {
	switch {
	case d.failures < enoughFailures, d.vouched && e.Age(now) <= m.bound.Limit:
	case m.answeredSince(d.failedAt, e.ID), d.refused && !m.others(e.ID):
		m.convict(now, e, stale.Silent, d)
	default:
		m.companion(now, e.ID)
	}
}

// concludeAll looks at the doubts again that an answer may have decided.
func (m *Machine) concludeAll(now time.Time) {
	undecided := func(d *doubt) bool { return d.failures < enoughFailures && judgeable(m.suspect(d)) }
	first := slices.IndexFunc(m.doubted, func(d *doubt) bool { return !undecided(d) })
	if first < 0 {
		return // as it is most often: there is an answer for each exchange
	}
	for _, d := range slices.Clone(m.doubted[first:]) {
		if d.over {
			continue
		}
		if e := m.suspect(d); judgeable(e) {
			m.conclude(now, e, d)
		} else {
			m.believe(d.id)
		}
	}
}

// others tells whether peers are known beside one that are not dead.
func (m *Machine) others(id pki.ID) bool {
	for _, e := range m.view.Entries() {
		if e.ID != id && judgeable(e) {
			return true
		}
	}
	return false
}

// witness takes note that an exchange, begun at a time, brought news of somebody. Peers that cannot be asked are dead once
// enough others know nothing newer of them.
func (m *Machine) witness(now time.Time, from pki.ID, begun time.Time) {
	for _, d := range slices.Clone(m.doubted) {
		if d.over || d.id == from || d.suspectAt.IsZero() || begun.Before(d.suspectAt) {
			continue
		}
		e := m.suspect(d)
		if !judgeable(e) || slices.Contains(d.witnesses, from) {
			continue
		}
		d.witnesses = append(d.witnesses, from)
		if e.Unreachable && len(d.witnesses) >= min(wantWitnesses, max(1, m.alivePeers())) {
			m.convict(now, e, stale.Silent, d)
		}
	}
}

// convict finds a peer dead. It is no longer passed on, and what stays of it keeps replays out.
func (m *Machine) convict(now time.Time, e *view.Entry, reason stale.Reason, d *doubt) {
	age := e.Age(now).Round(time.Second / 10)
	id := e.ID
	m.view.Convict(now, id, reason.String())
	a := m.attempt(id)
	a.past.Fell(now, e.Born(), reason, m.detector.Own(id, e.Period))
	a.fell = time.Time{}
	m.detector.Fell(id)
	m.fell = [manyFell]time.Time(append([]time.Time{now}, m.fell[:manyFell-1]...))
	m.stir(now)
	if d.failures >= enoughFailures {
		a.fell, a.fellAs = d.since(), e.Incarnation
	}
	m.lose(e)
	m.aliveChanged(now)
	switch {
	case reason == stale.Stalled:
		m.notice(KindDead, Error, id, "stalled: it answers, but its signature has not advanced for %s (limit %s)", age, m.limitOf(now, e).Round(time.Second/10))
		m.hint(now, id, true)
	case d.refused:
		m.notice(KindDead, Error, id, "silent: nobody listens at its addresses, its signature has not advanced for %s", age)
	case d.failures >= enoughFailures:
		m.notice(KindDead, Error, id, "silent: it does not answer, its signature has not advanced for %s", age)
	default:
		m.notice(KindDead, Error, id, "silent: its signature has not advanced for %s (limit %s, %d witnesses)", age, m.bound.Limit.Round(time.Second/10), len(d.witnesses))
	}
	m.repeat(now, e, reason == stale.Stalled)
	m.believe(id)
}

// precedes tells whether the last beat of a peer was made before the failures that convicted it: others had heard it, and pass it
// on now. It says nothing of what the peer did since.
func (m *Machine) precedes(e *view.Entry) bool {
	a := m.attempt(e.ID)
	return !a.fell.IsZero() && a.fellAs == e.Incarnation && !e.Born().After(a.fell.Add(refuteSlack))
}

// Broken takes note that a connection to the peer ended from the other side: it is asked at once.
func (m *Machine) Broken(now time.Time, id pki.ID) {
	m.tick(now)
	if e := m.view.Get(id); judgeable(e) && m.Active(id) && !m.left && now.Sub(m.attempt(id).broken) >= askSpacing {
		m.attempt(id).broken = now
		m.sendProbe(now, e)
		m.effects.Sends[len(m.effects.Sends)-1].Fresh = true
	}
}
