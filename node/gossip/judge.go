package gossip

import (
	"slices"
	"time"

	"github.com/g2g-net/g2g/node/stale"
	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

// How ages are looked at.
const (
	lookSoon = 200 * time.Millisecond // while a peer may be past the limit

	// A client-mode member talks to few, so its age here is its silence alone.
	clientLate = 10 * time.Second
	clientDead = 30 * time.Second

	agesEvery = 3 * time.Second // in a full view in which nothing happens

	// A view that is not full any more still counts as full for a while where it has few places.
	fewPlaces   = 4
	outgrownFor = 10 * time.Second

	// In a view that is full most peers are far from the paths that beats take. They are asked after overlooked and dropped,
	// without a verdict, after it has passed twice without news.
	overlooked    = 2 * time.Minute
	overlookEvery = 2 * time.Second
	unheardEvery  = 10 * time.Second // where there was none
	unheardAtOnce = 8                // that one look finds

	// Of those that have one of them active few hold each other there, so that hints reach few of them: each asks for itself.
	silentActive     = 5 * time.Second  // since an active peer last asked or answered
	untoldActive     = 8 * time.Second  // since it last told its own beat, which one that makes no progress or is held in an old contact cannot
	unansweredActive = 10 * time.Second // since it last answered: of the two ends of a link the same one may always ask first

	// Where many fell at once the others are not left to that: a hint comes to those alone whose active peers hold the one that it names.
	manyFell       = 3 // in the time of fellLately
	fellLately     = time.Minute
	overlookedThen = 15 * time.Second
	overlookThen   = 500 * time.Millisecond
)

// judge finds who is late and asks those past their limit. Only then a verdict can follow.
func (m *Machine) judge(now time.Time) {
	if m.view.Full() {
		m.filled = now
	}
	if m.starting(now) || now.Sub(m.blind()) < settling && !m.blind().IsZero() {
		return
	}
	full := m.outgrown(now)
	if !m.calm(now) || len(m.doubts) > 0 || !now.Before(m.nextAges) {
		m.judgeAges(now, full)
	}
	if full {
		m.askOverlooked(now)
		m.askAmongFallen(now)
	}
}

// judgeAges finds the limit, and who is past it. Where nothing happens it does so again at the first look at which somebody's age may have grown to
// the floor, or agesEvery have passed.
func (m *Machine) judgeAges(now time.Time, full bool) {
	m.ages = m.ages[:0]
	if m.beat.Sequence > 0 {
		m.ages = append(m.ages, stale.Age{ID: m.ID(), Age: now.Sub(m.published), Period: m.cfg.Period})
	}
	if full {
		for i := range m.active { // the others are far from the paths that beats take
			m.age(now, m.linked(i))
		}
	}
	if !full || m.view.Clients() > 0 {
		for _, e := range m.view.Entries() {
			m.judgeClient(now, e)
			if !full {
				m.age(now, e)
			}
		}
	}
	m.bound = m.detector.Limit(m.ages)
	for i := range m.ages {
		if a := &m.ages[i]; a.ID != m.ID() && (a.Late || len(m.doubts) > 0) {
			m.apply(now, m.view.Get(a.ID), a)
		}
	}
	m.nextAges = now.Add(min(agesEvery, m.bound.Floor-m.oldest()))
}

// oldest is the greatest age of the last look.
func (m *Machine) oldest() (oldest time.Duration) {
	for _, a := range m.ages {
		oldest = max(oldest, a.Age)
	}
	return oldest
}

// age puts a peer on the list that the limit stands on.
func (m *Machine) age(now time.Time, e *view.Entry) {
	if judgeable(e) {
		m.ages = append(m.ages, stale.Age{ID: e.ID, Age: e.Age(now), Period: e.Period, Place: e.Place})
	}
}

// apply takes what the detector says of one peer. One that is past the limit is asked: news of it may only have been slow to come.
// It is late when it has shown no progress then, and where it cannot be asked.
func (m *Machine) apply(now time.Time, e *view.Entry, a *stale.Age) {
	d := m.doubts[e.ID]
	if !a.Suspect && d != nil {
		d.suspectAt, d.witnesses = time.Time{}, nil
	}
	if !a.Late {
		return // one that was late stays so until it makes progress: a limit that grows proves nothing
	}
	if d == nil {
		d = m.doubt(now, e.ID)
		d.byAge = true
	}
	if a.Suspect && d.suspectAt.IsZero() {
		d.suspectAt, d.witnesses = now, nil
	}
	if e.Unreachable || m.cfg.Strict {
		m.setLate(now, e, true)
	}
	if now.Sub(d.asked) >= againSpacing && m.probing() < maxProbes && !m.newsMayCome(now, d, e.ID) {
		m.probe(now, e, d)
	}
}

// newsMayCome tells whether to wait for an exchange before a peer is asked for its age alone: to ask one that is not active costs a handshake, and
// most often the news is only slow.
func (m *Machine) newsMayCome(now time.Time, d *doubt, id pki.ID) bool {
	return d.byAge && d.tried == 0 && !m.Active(id) && !m.connected(now, id) && now.Sub(d.began) < m.cfg.Interval
}

func (m *Machine) setLate(now time.Time, e *view.Entry, late bool) {
	if late == (e.State == view.Late) {
		return
	}
	m.view.SetLate(now, e.ID, late)
	m.aliveChanged(now)
	if late {
		m.notice(KindLate, Warning, e.ID, "its signature has not advanced for %s (limit %s)", e.Age(now).Round(time.Second/10), m.limitOf(now, e).Round(time.Second/10))
		return
	}
	m.notice(KindAlive, Info, e.ID, "its signature advances (was late)")
}

func (m *Machine) probing() (n int) {
	for _, d := range m.doubted {
		if d.probing {
			n++
		}
	}
	return n
}

// judgeClient judges a client-mode member by its silence.
func (m *Machine) judgeClient(now time.Time, e *view.Entry) {
	if e.Server() || e.State != view.Alive && e.State != view.Late {
		return
	}
	if e.Age(now) > clientDead {
		m.convict(now, e, stale.Silent, &doubt{})
		return
	}
	m.setLate(now, e, e.Age(now) > clientLate)
}

// askOverlooked keeps a full view true: who was not heard of for long is asked, one in overlookEvery, the one that was heard of
// longest ago first; who stays unheard makes place for others.
func (m *Machine) askOverlooked(now time.Time) {
	if now.Before(m.nextOverlooked) {
		return
	}
	oldest := m.nextUnheard(now)
	m.nextOverlooked = now.Add(overlookEvery)
	if oldest == nil {
		m.nextOverlooked = now.Add(unheardEvery)
		return
	}
	if oldest.Age(now) > 2*overlooked {
		m.view.Drop(oldest.ID)
		m.forget(now, oldest.ID)
		return
	}
	m.attempt(oldest.ID).overlooked = now
	if m.doubts[oldest.ID] == nil && !oldest.Unreachable {
		m.sendWhole(now, oldest) // no doubt, which would cost looks and a companion: most are only far away
		return
	}
	d := m.doubt(now, oldest.ID)
	d.suspectAt = now
	m.probe(now, oldest, d)
}

// askAmongFallen asks, while many have just fallen here, after whoever was not heard of for overlookedThen, one each overlookThen.
func (m *Machine) askAmongFallen(now time.Time) {
	if last := m.fell[manyFell-1]; last.IsZero() || now.Sub(last) > fellLately || now.Before(m.nextAmong) || m.probing() >= maxProbes {
		return
	}
	m.nextAmong = now.Add(overlookThen)
	var oldest *view.Entry
	for _, e := range m.view.Walk() {
		if judgeable(e) && e.Age(now) > overlookedThen && (oldest == nil || e.Seen.Before(oldest.Seen)) && m.doubts[e.ID] == nil && !onlyUnreachable(e) {
			oldest = e
		}
	}
	if oldest != nil {
		m.probe(now, oldest, m.doubt(now, oldest.ID))
	}
}

// nextUnheard is the peer to be asked after or dropped, or nil: the one not heard of for longest. One look at all finds the next few.
func (m *Machine) nextUnheard(now time.Time) *view.Entry {
	if e := m.takeUnheard(now); e != nil {
		return e
	}
	if m.noMore {
		m.noMore = false
		return nil
	}
	m.findUnheard(now)
	m.noMore = len(m.unheard) > 0 && len(m.unheard) < unheardAtOnce
	return m.takeUnheard(now)
}

// takeUnheard takes the first that was not heard of since it was found, or nil.
func (m *Machine) takeUnheard(now time.Time) *view.Entry {
	e, _ := takeFirst(&m.unheard, func(e *view.Entry) bool {
		e = m.view.Still(e)
		return e != nil && !e.Active && m.forgotten(now, e)
	})
	return m.view.Still(e)
}

// findUnheard finds the unheardAtOnce that were not heard of for longest.
func (m *Machine) findUnheard(now time.Time) {
	m.unheard = m.unheard[:0]
	active := ascending(m.active)
	for _, e := range m.view.Walk() {
		if e.Age(now) > overlooked && !active.has(e.ID) && m.forgotten(now, e) {
			at, _ := slices.BinarySearchFunc(m.unheard, e, func(a, b *view.Entry) int { return a.Seen.Compare(b.Seen) })
			if at < unheardAtOnce {
				m.unheard = slices.Insert(m.unheard[:min(len(m.unheard), unheardAtOnce-1)], at, e)
			}
		}
	}
}

// forgotten tells whether a peer was not heard of for long, and is to be asked after or dropped. Who was asked already waits for the latter, and
// holds up nobody behind it.
func (m *Machine) forgotten(now time.Time, e *view.Entry) bool {
	return e.Age(now) > overlooked && judgeable(e) && !m.askedAfter(now, e)
}

func (m *Machine) askedAfter(now time.Time, e *view.Entry) bool {
	a := m.attempts[e.ID]
	return a != nil && now.Sub(a.overlooked) < overlooked && e.Age(now) <= 2*overlooked
}

// nextJudgement is when a peer may next be found late. Nobody can be before its age has grown to the floor.
func (m *Machine) nextJudgement(now time.Time) time.Duration {
	if len(m.doubts) > 0 || !m.blind().IsZero() && now.Sub(m.blind()) < settling {
		return lookSoon
	}
	if m.starting(now) {
		return min(lookEvery+roundSlack, m.settledAt().Sub(now)) // nobody is judged before
	}
	if m.bound.Floor == 0 {
		return lookSoon // the plain rule has none
	}
	if m.calm(now) {
		return m.looksApart(now) + roundSlack
	}
	return min(lookEvery, max(lookSoon, m.nextAges.Sub(now)))
}

// advanced takes note of a newer beat: how old the peer was just before it, and that it lives.
func (m *Machine) advanced(now time.Time, e *view.Entry, age time.Duration, seen time.Time, reached bool) {
	if e.Server() && m.paced(now, e) && seen.After(m.blind()) {
		m.detector.Completed(e.ID, age)
	}
	if d := m.doubts[e.ID]; d != nil && (d.byAge && d.failures == 0 || e.Born().After(d.since().Add(refuteSlack))) {
		m.clear(now, e.ID, d)
		if reached {
			m.vindicate(now, e, d.hinters)
		}
	}
	if e.State == view.Late {
		if limit := m.believed(now, e); limit == 0 || e.Age(now) <= limit {
			m.setLate(now, e, false)
		}
	}
}
