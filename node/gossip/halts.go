package gossip

import (
	"slices"
	"time"
)

const (
	leastHalt  = 2 * time.Second  // a driver that is later than this was halted, by SIGSTOP or by its machine
	haltsKept  = 4                // halts remembered
	haltWindow = 10 * time.Second // in which a node that was halted more than once, and for more than half of the time, is not well
)

// halts are when this node did not run, of late. One that is halted again and again, for seconds each, is never down for as long as its peers
// need to find it, and shows progress whenever it runs. It is not well for that: it knows, and says nothing of progress until it
// has run for a while. So its peers find it as they find anybody who does no work.
type halts struct {
	from, to [haltsKept]time.Time // a ring
	next     int
	told     bool
}

// note takes one that ended now, once: what was due before the last one ended is of that one.
func (h *halts) note(from, now time.Time) {
	from = latest(from, h.to[(h.next+haltsKept-1)%haltsKept])
	if now.Sub(from) >= leastHalt {
		h.from[h.next], h.to[h.next] = from, now
		h.next = (h.next + 1) % haltsKept
	}
}

// most tells whether the last haltWindow was spent in more than one halt for the most part.
func (h *halts) most(now time.Time) bool {
	var halted time.Duration
	count := 0
	since := now.Add(-haltWindow)
	for i := range h.to {
		if h.to[i].After(since) {
			count++
			halted += h.to[i].Sub(latest(h.from[i], since))
		}
	}
	return count > 1 && halted > haltWindow/2
}

// strains notes how late the driver is with what was due: a node that gets no processor takes long to answer and to hear answers, and so
// do others on the same machine. The idea is that of Lifeguard's local health (arXiv:1707.00788, section IV-A).
func (m *Machine) strains(now time.Time) {
	m.strain = max(now.Sub(m.Deadline()), time.Duration(strainDecay*float64(m.strain)))
}

// strained tells whether this node is late with its own work: then calls without answer say nothing of who was called, and handshakes
// that can wait do, since they are what a busy machine is busy with when a whole network starts on it.
func (m *Machine) strained() bool { return m.strain > strainAllowed }

// tick notices a driver that slept: what seemed to fail meanwhile may be this node's own fault, and its peers may have found
// it dead. It publishes at once, before it answers anybody who asks.
func (m *Machine) tick(now time.Time) {
	if !m.Overslept(now) {
		return
	}
	m.halts.note(m.Deadline(), now)
	if most := m.halts.most(now); most && !m.halts.told {
		m.notice(KindHalted, Error, m.ID(), "this process is halted again and again, for most of the last %s: until it has run for a while it shows no progress", haltWindow)
		m.halts.told = true
	} else if !most {
		m.halts.told = false
	}
	m.awoke, m.answers = now, [2]answer{}
	for _, d := range slices.Clone(m.doubted) {
		m.believe(d.id)
	}
	if !m.nextBeat.IsZero() && !now.Before(m.nextBeat) {
		m.idleBeat(now)
	}
	m.queue(now, m.ID())
}

// Overslept tells that the driver slept, so that whoever does the node's work should publish before the next input: a peer that
// asked meanwhile would else be answered with a beat of before.
func (m *Machine) Overslept(now time.Time) bool { return !m.left && now.Sub(m.Deadline()) > overslept }
