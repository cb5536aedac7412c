// Package stale judges from its age whether a peer still makes progress.
package stale

import (
	"math"
	"time"
)

// State is what an age says about a peer.
type State uint8

const (
	// Alive is within the limit.
	Alive State = iota
	// Late is past the limit: no longer queried, still exchanged.
	Late
	// Dead is past the second limit: removed, no longer passed on.
	Dead
)

// A Rule gives a verdict on an age: the time since a peer's signature is known to have advanced, on this node's clock.
type Rule struct {
	Late time.Duration // an age above it is late
	Dead time.Duration // an age above it is dead; more than Late
}

// Judge gives the verdict.
func (r Rule) Judge(age time.Duration) State {
	switch {
	case age > r.Dead:
		return Dead
	case age > r.Late:
		return Late
	}
	return Alive
}

// A Limit is the numbers behind the verdicts, for people.
type Limit struct {
	Late   time.Duration
	Dead   time.Duration
	N      int // ages that mean and standard deviation stand on
	Mean   time.Duration
	StdDev time.Duration // of the population
}

// Over gives the limit over the ages of the peers that have not fallen.
func (r Rule) Over(ages []time.Duration) Limit {
	l := Limit{Late: r.Late, Dead: r.Dead, N: len(ages)}
	if len(ages) == 0 {
		return l
	}
	var sum, squares float64
	for _, a := range ages {
		sum += float64(a)
	}
	mean := sum / float64(len(ages))
	for _, a := range ages {
		squares += (float64(a) - mean) * (float64(a) - mean)
	}
	l.Mean, l.StdDev = time.Duration(mean), time.Duration(math.Sqrt(squares/float64(len(ages))))
	return l
}
