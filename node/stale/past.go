package stale

import (
	"math"
	"time"
)

const (
	halfLifePaces = 2                // a penalty halves in so many of the peer's own paces
	leastHalfLife = 10 * time.Second // but not sooner, so that a quick peer is not forgiven at once
	flapWindow    = 6                // half-lives in which a third fall is one too many
	forgiven      = 0.5              // the penalty at which a peer that fell too often may return
	mostPenalty   = 8.0              // so nobody waits longer than 4 half-lives
)

// A Reason is why a peer fell.
type Reason uint8

const (
	// Silent is a peer that did not answer: its first newer beat clears it.
	Silent Reason = iota
	// Stalled is a peer that answered and made no progress: it takes a second newer beat to show that it moves again.
	Stalled
)

// String is the word for people and JSON.
func (r Reason) String() string {
	if r == Stalled {
		return "stalled"
	}
	return "silent"
}

// A Past is what one peer's falls say about believing its return. The zero value is a peer that never fell.
//
// A peer that falls for the third time within the window waits out its penalty: 1 a fall, halved every half-life. So a
// peer that is stopped and resumed in turns is not shown as well in between, and one that crashed twice is back at once.
type Past struct {
	falls   [2]time.Time // the latest ones, newest first
	penalty float64      // at the latest
	until   time.Time    // held back until then
	want    uint8        // newer beats until it is believed
}

// Fell notes a conviction of a peer whose own pace is given, and when its last beat was made. One that has made none since it fell
// has not fallen again: beats of before were still on their way, and looked like a return.
func (p *Past) Fell(now, made time.Time, reason Reason, own time.Duration) {
	p.want = 1
	if reason == Stalled {
		p.want = 2
	}
	if !p.falls[0].IsZero() && !made.After(p.falls[0]) {
		return
	}
	half := max(leastHalfLife, halfLifePaces*min(own, math.MaxInt64/halfLifePaces))
	p.penalty = min(mostPenalty, 1+p.penalty*math.Exp2(-float64(now.Sub(p.falls[0]))/float64(half)))
	if third := p.falls[1]; !third.IsZero() && float64(now.Sub(third)) <= flapWindow*float64(half) {
		p.until = now.Add(times(half, math.Log2(p.penalty/forgiven)))
	}
	p.falls = [2]time.Time{now, p.falls[0]}
}

// Returns takes a newer beat of a peer that fell, and tells whether the peer is alive again.
func (p *Past) Returns(now time.Time) bool {
	if p.want > 0 {
		p.want--
	}
	return p.want == 0 && !p.Held(now)
}

// Held tells whether a peer has to wait, whatever it publishes, since it fell too often.
func (p *Past) Held(now time.Time) bool { return now.Before(p.until) }

// Until is when that wait ends; zero if there never was one.
func (p *Past) Until() time.Time { return p.until }
