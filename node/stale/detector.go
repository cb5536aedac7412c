// Package stale finds from the ages of all peers which of them is past the limit.
package stale

import (
	"errors"
	"fmt"
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

// A Detector remembers how the ages of the peers ran, and says from it which age is too much.
//
//  1. A peer is remembered from its first completed age until Forget. Who calls Completed bounds how many there are.
//  2. The dead complete nothing, so they weigh on no pace and on no stretch.
//  3. Of the shapes each peer has at most its share, so one that publishes often drives out only its own.
//  4. It reads no clock: it knows ages only, all of them measured by the node that owns it.
type Detector struct {
	cfg   Config
	index map[pki.ID]int // places in peers
	ids   []pki.ID
	peers []*pace

	stretch float64
	stale   bool // peers have changed since stretch was found

	paces   []time.Duration // room to work in
	tops    []float32
	outside []time.Duration
}

// NewDetector makes one that knows nothing. The configuration must be valid.
func NewDetector(cfg Config) *Detector {
	return &Detector{cfg: cfg, index: map[pki.ID]int{}, stretch: firstStretch}
}

// Completed says that a newer sequence of a peer came, and how old the peer was just before. The return of a peer that
// was dead is none: that age is the length of its death. Nor is an age that grew while this node itself was paused.
func (d *Detector) Completed(id pki.ID, age time.Duration) {
	at, known := d.index[id]
	if !known {
		at = len(d.peers)
		d.index[id] = at
		d.ids, d.peers = append(d.ids, id), append(d.peers, new(pace))
	}
	d.peers[at].add(age, max(leastShare, ringSamples/len(d.peers)))
	d.stale = true
}

// Forget drops what is known of a peer.
func (d *Detector) Forget(id pki.ID) {
	at, known := d.index[id]
	if !known {
		return
	}
	last := len(d.peers) - 1
	d.ids[at], d.peers[at] = d.ids[last], d.peers[last]
	d.index[d.ids[at]] = at
	d.peers[last] = nil
	d.ids, d.peers = d.ids[:last], d.peers[:last]
	delete(d.index, id)
	d.stale = true
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

// stretched is how many times its own pace a peer's age may reach: the largest shape that the peers have shown and a
// quarter more, so that the next age is beyond it about once in as many as there are shapes, whatever their
// distribution. The tenth of the peers with the largest shapes is left out (one peer at least, but not the only one):
// so few cannot stretch it by being slow on purpose.
func (d *Detector) stretched() float64 {
	if d.stale {
		d.stretch, d.stale = d.measure(), false
	}
	return d.stretch
}

func (d *Detector) measure() float64 {
	d.tops = d.tops[:0]
	for _, p := range d.peers {
		if len(p.shapes) > 0 {
			d.tops = append(d.tops, p.top)
		}
	}
	n := len(d.tops)
	if n == 0 {
		return firstStretch
	}
	top := nth(d.tops, n-1-min(n-1, max(1, n/droppedPart)))
	samples := 0
	for _, p := range d.peers {
		if p.top <= top {
			samples += len(p.shapes)
		}
	}
	if samples < stretchLeast {
		return firstStretch
	}
	return min(mostStretch, max(leastStretch, stretchFactor*float64(top)))
}
