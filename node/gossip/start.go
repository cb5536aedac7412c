package gossip

import (
	"slices"
	"time"
)

// What a node does otherwise while it starts, and with it perhaps a whole network on one machine.
const (
	settleIn       = 3 * time.Second        // after a start, and after the last peer that came then, before this node judges anybody
	settleAtMost   = 15 * time.Second       // after a start, whoever comes
	startActive    = 3                      // active peers that are sought, while handshakes that can wait should
	startExchanges = 4                      // an interval, while peers come that are new here
	startDials     = 32                     // to the reserve, each lookEvery, of a node that nobody is active with
	absentRetry    = 200 * time.Millisecond // the first wait where nobody listens, of a node that nobody is active with: such a dial costs little
)

// settledAt is until when this node counts as starting: it began so lately that what fails may well be its own start, or that of a whole network
// at once, which takes as long as peers go on coming.
func (m *Machine) settledAt() time.Time {
	return latest(m.began.Add(settleIn), earliest(m.cameAt.Add(settleIn), m.began.Add(settleAtMost)))
}

func (m *Machine) starting(now time.Time) bool { return now.Before(m.settledAt()) }

// gathering tells whether this node starts, and a peer that is new here came just now.
func (m *Machine) gathering(now time.Time) bool {
	return m.starting(now) && now.Sub(m.cameAt) < m.cfg.Interval
}

// busy tells whether handshakes that can wait should: after a start, which may be that of a whole network, and while this node is strained.
func (m *Machine) busy(now time.Time) bool { return m.starting(now) || m.strained() }

// sooner has the next exchange come before its interval is over while peers gather: a push misses some, and what it missed comes by
// exchanges. A full view has no place for more.
func (m *Machine) sooner(now time.Time) {
	if soon := now.Add(m.interval(now) / startExchanges); m.gathering(now) && !m.view.Full() && soon.Before(m.nextExchange) {
		m.nextExchange = soon
	}
}

// oldNews takes back what peers had this node tell on by an exchange or an introduction, all that waits from a place on, if it starts: to
// one who comes all is new, and the others told each other before. What it has to say of itself stays, such as a contact that is newer than
// the one that peers hold of a run before.
func (m *Machine) oldNews(now time.Time, from int) {
	if m.starting(now) {
		own := slices.DeleteFunc(m.pending[from:], func(p pending) bool { return p.id != m.ID() })
		m.pending = m.pending[:from+len(own)]
	}
}

// firstRetry is the first wait after a call that failed.
func (m *Machine) firstRetry(how Failure) time.Duration {
	if how == Absent && len(m.active) == 0 {
		return absentRetry
	}
	return firstRetry
}

// dialNext goes on to another member of the reserve where nobody listens at the addresses of one, which is tried again soon: while
// nobody is reached, whoever runs first is to be found at once, among many that do not run yet.
func (m *Machine) dialNext(now, again time.Time) {
	if len(m.active) > 0 || m.left {
		return
	}
	m.dialLost(now, 1)
	if again.Before(m.nextLook) {
		m.nextLook, m.nextRound = again, again
	}
}

// dialLost dials so many members of the reserve while nobody is reached, as far as startDials lets it.
func (m *Machine) dialLost(now time.Time, n int) {
	if now.Sub(m.dialledAt) >= lookEvery {
		m.dialled, m.dialledAt = 0, now
	}
	candidates, _, _ := m.lost(now, min(n, startDials-m.dialled))
	for _, id := range candidates {
		m.dialled++
		m.join(now, id)
	}
}
