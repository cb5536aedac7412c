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
	ids   []pki.ID
	peers []*pace

	last   int       // the place that was asked for last
	ages   pool      // of the ages as gossip brings them
	direct pool      // of those by the peers' own word
	began  time.Time // what marks count from

	paces   []time.Duration // room to work in
	tops    []float32
	outside []time.Duration
}

// NewDetector makes one that knows nothing. The configuration must be valid.
func NewDetector(cfg Config) *Detector {
	return &Detector{cfg: cfg, index: map[pki.ID]int{}, ages: pool{stretch: firstStretch}, direct: pool{stretch: firstDirect}}
}

// Completed says that a newer sequence of a peer came, and how old the peer was just before. The return of a peer that
// was dead is none: that age is the length of its death. Nor is an age that grew while this node itself was paused.
func (d *Detector) Completed(id pki.ID, age time.Duration) {
	d.peers[d.place(id)].complete(age, max(leastShare, ringSamples/len(d.peers)))
	d.ages.changed = true
}

// place is where a peer is remembered, from now on if it was not.
func (d *Detector) place(id pki.ID) int {
	if d.last < len(d.ids) && d.ids[d.last] == id {
		return d.last
	}
	at, known := d.index[id]
	if !known {
		at = len(d.peers)
		d.index[id] = at
		d.ids, d.peers = append(d.ids, id), append(d.peers, new(pace))
	}
	d.last = at
	return at
}

// Forget drops what is known of a peer.
func (d *Detector) Forget(id pki.ID) {
	at, known := d.index[id]
	if !known {
		return
	}
	last := len(d.peers) - 1
	if len(d.peers[at].direct.list) > 0 {
		d.direct.peers--
	}
	d.ids[at], d.peers[at] = d.ids[last], d.peers[last]
	d.index[d.ids[at]] = at
	d.peers[last] = nil
	d.ids, d.peers = d.ids[:last], d.peers[:last]
	delete(d.index, id)
	d.ages.changed, d.direct.changed = true, true
}

// Own is a peer's own pace: the median of its completed ages or, before there are enough, what it declares.
func (d *Detector) Own(id pki.ID, declared time.Duration) time.Duration {
	if at, known := d.index[id]; known && d.peers[at].settled() {
		return d.peers[at].own
	}
	if declared <= 0 {
		return d.cfg.Period
	}
	return max(leastPace, declared)
}

// A pool is how far shapes of all peers stretch a pace.
type pool struct {
	stretch float64
	changed bool // the shapes have, since stretch was found
	peers   int  // that have any; kept for those of direct ages alone
}

// stretched is how many times its own pace a peer's age may reach: the largest shape that the peers have shown and a
// quarter more, so that the next age is beyond it about once in as many as there are shapes, whatever their
// distribution. The tenth of the peers with the largest shapes is left out (one peer at least, but not the only one):
// so few cannot stretch it by being slow on purpose.
func (l *pool) stretched(d *Detector, of func(*pace) *shapes, first, least, factor float64) float64 {
	if l.changed {
		l.stretch, l.changed = d.measure(of, first, least, factor), false
	}
	return l.stretch
}

// stretched is that of the ages as gossip brings them.
func (d *Detector) stretched() float64 {
	return d.ages.stretched(d, func(p *pace) *shapes { return &p.shapes }, firstStretch, leastStretch, stretchFactor)
}

func (d *Detector) measure(of func(*pace) *shapes, first, least, factor float64) float64 {
	d.tops = d.tops[:0]
	for _, p := range d.peers {
		if s := of(p); len(s.list) > 0 {
			d.tops = append(d.tops, s.top)
		}
	}
	n := len(d.tops)
	if n == 0 {
		return first
	}
	top := nth(d.tops, n-1-min(n-1, max(1, n/droppedPart)))
	samples := 0
	for _, p := range d.peers {
		if s := of(p); s.top <= top {
			samples += len(s.list)
		}
	}
	if samples < stretchLeast {
		return first
	}
	return min(mostStretch, max(least, factor*float64(top)))
}
