package stale

import (
	"slices"
	"time"

	"github.com/g2g-net/g2g/pki"
)

const (
	paceSamples = 32 // completed ages a peer's own pace is the median of
	paceLeast   = 8  // of them before the median counts
	leastPace   = 10 * time.Millisecond
)

// A pace is what the completed ages of one peer say. The zero value knows nothing.
//
//  1. ages[:count] are the latest, in seconds; the oldest of them is overwritten next.
//  2. order[:count] are their places, the smallest age first.
//  3. own is the upper median of the ages, at least leastPace.
type pace struct {
	id     pki.ID
	own    time.Duration
	count  uint8
	next   uint8
	shapes // ages divided by the own pace before them
	order  [paceSamples]uint8
	ages   [paceSamples]float32
	direct direct
}

// settled tells whether there are ages enough for the own pace to count.
func (p *pace) settled() bool { return p.count >= paceLeast }

// complete takes a completed age, and keeps at most share shapes. An age before the pace has settled has no shape, since there
// is nothing to divide it by but what the peer says of itself.
func (p *pace) complete(age time.Duration, share int) {
	if p.settled() {
		p.add(float32(float64(age)/float64(p.own)), share)
	}
	if p.count == paceSamples {
		p.unplace(p.next)
	}
	p.ages[p.next] = float32(age.Seconds())
	p.place(p.next)
	p.next = (p.next + 1) % paceSamples
	p.own = max(leastPace, time.Duration(float64(p.ages[p.order[p.count/2]])*float64(time.Second)))
}

func (p *pace) place(slot uint8) {
	at := p.count
	for ; at > 0 && p.ages[p.order[at-1]] > p.ages[slot]; at-- {
		p.order[at] = p.order[at-1]
	}
	p.order[at] = slot
	p.count++
}

func (p *pace) unplace(slot uint8) {
	at := slices.Index(p.order[:p.count], slot)
	copy(p.order[at:p.count], p.order[at+1:p.count])
	p.count--
}
