// Package stale finds from the ages of all peers which of them is past the limit.
package stale

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/g2g-net/g2g/pki"
)

const (
	ringSamples   = 1024 // shapes remembered over all peers
	leastShare    = 4    // of them of each peer, however many there are
	firstStretch  = 5.0  // until stretchLeast shapes are known
	stretchLeast  = 64
	stretchFactor = 1.25 // above the largest shape
	leastStretch  = 1.5
	mostStretch   = 20.0
	roomSize      = 21 // peers for which room is made at once: 8 KiB
	droppedPart   = 10 // one peer in so many may stretch its ages without stretching the limit
)

// A Config says how ages are judged.
type Config struct {
	Strict bool          // the plain rule: mean + 2 standard deviations over all ages, and nothing else
	Period time.Duration // the pace of a peer that has shown none and declared none
	// Least is the smallest limit. A lower one finds the dead sooner on a quiet network, and makes a busy machine or a
	// dropped packet look like a death. It should not be less than what the driver may oversleep unnoticed.
	Least time.Duration
}

// DefaultConfig is what suits a node that publishes every second.
func DefaultConfig() Config { return Config{Period: time.Second, Least: 500 * time.Millisecond} }

// Validate reports everything that is wrong at once.
func (c Config) Validate() error {
	var errs []error
	if c.Period <= 0 {
		errs = append(errs, fmt.Errorf("period of %s where more than 0 is wanted", c.Period))
	}
	if c.Least < 0 {
		errs = append(errs, fmt.Errorf("smallest limit of %s where at least 0 is wanted", c.Least))
	}
	return errors.Join(errs...)
}

// forever is the limit where there is none.
const forever = time.Duration(math.MaxInt64)

// A Detector remembers how the ages of the peers ran, and says from it which age is too much.
//
//  1. A peer is remembered from its first completed age or beat until Forget. Who calls Completed and Beat bounds how many there are.
//  2. The dead complete nothing, so they weigh on no pace and on no stretch.
//  3. Of the shapes each peer has at most its share, so one that publishes often drives out only its own.
//  4. It reads no clock: what it knows was measured by the node that owns it, on that one's clock.
type Detector struct {
	cfg   Config
	index map[pki.ID]int // places in peers
	peers []*pace
	free  []*pace // room for more

	last   int  // the place to look at first
	ages   pool // of the ages as gossip brings them
	direct pool // of those by the peers' own word
	common common
	began  time.Time // what marks count from

	paces   []time.Duration // room to work in
	tops    []float32
	outside []time.Duration
	touched time.Duration // means nothing
}

// NewDetector makes one that knows nothing. The configuration must be valid.
func NewDetector(cfg Config) *Detector {
	return &Detector{cfg: cfg, index: map[pki.ID]int{}}
}

// Completed says that a newer sequence of a peer came, and how old the peer was just before. The return of a peer that
// was dead is none: that age is the length of its death. Nor is an age that grew while this node itself was paused.
func (d *Detector) Completed(id pki.ID, age time.Duration) {
	at := d.place(id)
	p := d.peers[at]
	p.complete(age, max(leastShare, ringSamples/len(d.peers)))
	d.ages.note(at, &p.shapes)
	d.common.complete(age)
}

// Near says where the peer that is asked for next may be remembered, At where the last one is: it spares a search to whoever keeps that
// for each. A wrong place costs no more than none.
func (d *Detector) Near(place int) { d.last = place }

// At is where the peer is remembered that was asked for last.
func (d *Detector) At() int { return d.last }

// Touch reads what Beat and Completed will need of the peer that may be remembered at a place. The number means nothing.
func (d *Detector) Touch(place int) uint64 {
	if place >= len(d.peers) {
		return 0
	}
	p := d.peers[place]
	number := float32(p.count) + float32(p.order[0]) + p.ages[0] + p.ages[paceSamples/2] + p.ages[paceSamples-1]
	if len(p.list) > 0 {
		number += p.list[0]
	}
	if len(p.direct.list) > 0 {
		number += p.direct.list[0]
	}
	number += d.ages.bests[place].top + d.direct.bests[place].top
	return uint64(number) + p.direct.incarnation + p.direct.met
}

// find is where a peer is remembered, if it is.
func (d *Detector) find(id pki.ID) (at int, known bool) {
	if d.last < len(d.peers) && d.peers[d.last].id == id {
		return d.last, true
	}
	if at, known = d.index[id]; known {
		d.last = at
	}
	return at, known
}

// place is where a peer is remembered, from now on if it was not.
func (d *Detector) place(id pki.ID) int {
	at, known := d.find(id)
	if !known {
		at = len(d.peers)
		d.index[id] = at
		d.peers = append(d.peers, d.room(id))
		d.ages.bests, d.direct.bests = append(d.ages.bests, best{}), append(d.direct.bests, best{})
	}
	d.last = at
	return at
}

// room is where a peer is remembered from now on. It is made for several at once, since many come together, and never moved.
func (d *Detector) room(id pki.ID) *pace {
	if len(d.free) == 0 {
		for block := make([]pace, roomSize); len(block) > 0; block = block[1:] {
			d.free = append(d.free, &block[0])
		}
	}
	last := len(d.free) - 1
	p := d.free[last]
	d.free = d.free[:last]
	p.id = id
	return p
}

// Forget drops what is known of a peer.
func (d *Detector) Forget(id pki.ID) {
	at, known := d.index[id]
	if !known {
		return
	}
	last := len(d.peers) - 1
	d.ages.forget(at)
	d.direct.forget(at)
	forgotten := d.peers[at]
	d.peers[at] = d.peers[last]
	d.index[d.peers[at].id] = at
	d.peers = d.peers[:last]
	delete(d.index, id)
	*forgotten = pace{}
	d.free = append(d.free, forgotten)
}

// Own is a peer's own pace: the median of its completed ages or, before there are enough, what it declares, or what is common among
// the peers where that is longer.
func (d *Detector) Own(id pki.ID, declared time.Duration) time.Duration {
	if at, known := d.find(id); known && d.peers[at].settled() {
		return d.peers[at].own
	}
	if declared <= 0 {
		declared = d.cfg.Period
	}
	return max(leastPace, declared, d.common.median())
}

// A pool is how far shapes of all peers stretch a pace.
//
//  1. bests goes with the detector's peers.
//  2. top and samples are of the bests as they are, unless changed.
type pool struct {
	bests   []best
	peers   int     // that have any shape
	top     float32 // the largest of a peer that counts
	samples int     // shapes of the peers whose largest is no larger
	changed bool
}

// A best is the largest shape of one peer, and how many it has.
type best struct {
	top   float32
	count int32
}

// note takes what a peer's shapes are now. Most often the one that counts is the same as before.
func (l *pool) note(at int, s *shapes) {
	was, is := l.bests[at], best{s.top, int32(len(s.list))} //nolint:gosec // at most ringSamples
	if l.bests[at] = is; was.count == 0 && is.count > 0 {
		l.peers++
		l.changed = true
	}
	switch {
	case was.top == l.top || (was.top < l.top) != (is.top <= l.top):
		l.changed = true
	case is.top <= l.top:
		l.samples += int(is.count - was.count)
	}
}

// forget moves the last peer to the place of one that is forgotten.
func (l *pool) forget(at int) {
	if l.bests[at].count > 0 {
		l.peers--
	}
	last := len(l.bests) - 1
	l.bests[at] = l.bests[last]
	l.bests = l.bests[:last]
	l.changed = true
}

// stretched is how many times its own pace a peer's age may reach: the largest shape that the peers have shown and a
// quarter more, so that the next age is beyond it about once in as many as there are shapes, whatever their
// distribution. The tenth of the peers with the largest shapes is left out (one peer at least, but not the only one):
// so few cannot stretch it by being slow on purpose.
func (l *pool) stretched(d *Detector, first, least, factor float64) float64 {
	if l.peers == 0 {
		return first
	}
	if l.changed {
		l.measure(d)
	}
	if l.samples < stretchLeast {
		return first
	}
	return min(mostStretch, max(least, factor*float64(l.top)))
}

// stretched is that of the ages as gossip brings them.
func (d *Detector) stretched() float64 {
	return d.ages.stretched(d, firstStretch, leastStretch, stretchFactor)
}

// measure finds the largest shape that counts.
func (l *pool) measure(d *Detector) {
	d.tops = d.tops[:0]
	for i := range l.bests {
		if b := &l.bests[i]; b.count > 0 {
			d.tops = append(d.tops, b.top)
		}
	}
	n := len(d.tops)
	l.top = nth(d.tops, n-1-min(n-1, max(1, n/droppedPart)))
	l.samples, l.changed = 0, false
	for i := range l.bests {
		if b := &l.bests[i]; b.top <= l.top {
			l.samples += int(b.count)
		}
	}
}
