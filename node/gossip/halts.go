package gossip

import "time"

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
