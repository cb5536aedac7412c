// Package latency turns round trips into distances, and distances into groups.
package latency

import (
	"slices"
	"time"
)

const (
	// Kept is how many round trips are remembered of a peer.
	Kept = 20
	// Fresh is for how long a round trip counts, where peers are measured more often than that.
	Fresh = 5 * time.Minute
	// Enough is how many round trips make an estimate that may found or move groups. One on fewer is provisional.
	Enough = 3
)

// A Sample is one round trip.
type Sample struct {
	At  time.Time
	RTT time.Duration
}

// Samples are the last round trips to one peer, at most Kept. The zero Samples are empty.
type Samples struct {
	began   time.Time // when the first came
	ring    [Kept]sample
	next, n uint8
}

// A sample is a Sample in half of the room: a node keeps thousands.
type sample struct {
	at  time.Duration // since began
	rtt time.Duration
}

// Add takes one more, which pushes out the oldest. One that is not above zero measures nothing and is not taken.
func (s *Samples) Add(at time.Time, rtt time.Duration) {
	if rtt <= 0 {
		return
	}
	if s.n == 0 {
		s.began = at
	}
	s.ring[s.next] = sample{at.Sub(s.began), rtt}
	s.next = (s.next + 1) % Kept
	s.n = min(s.n+1, Kept)
}

// Since gives those that are not older than a time, oldest first.
func (s *Samples) Since(t time.Time) []Sample {
	out := make([]Sample, 0, s.n)
	for i := range s.n {
		if one := s.ring[(s.next-s.n+i+Kept)%Kept]; one.at >= t.Sub(s.began) {
			out = append(out, Sample{At: s.began.Add(one.at), RTT: one.rtt})
		}
	}
	return out
}

// Count tells how many are not older than a time.
func (s *Samples) Count(since time.Time) (n int) {
	after := since.Sub(s.began)
	for _, one := range s.ring[:s.n] {
		if one.at >= after {
			n++
		}
	}
	return n
}

// An Estimate is what the round trips to a peer say. Distance stands for the path: a fifth of the round trips were as short,
// so that pauses of either side do not move it. Median and P99 stand for path and load together.
type Estimate struct {
	N        int // round trips that it stands on; 0 for none
	Distance time.Duration
	Median   time.Duration
	P99      time.Duration
	Spread   time.Duration // half of what lies between a fifth and four fifths of them

	waiting time.Duration // WaitingOf the peers that it is compared with
}

// Estimate is made of the round trips that are not older than a time.
func (s *Samples) Estimate(since time.Time) Estimate {
	var sorted [Kept]time.Duration
	n, after := 0, since.Sub(s.began)
	for _, one := range s.ring[:s.n] {
		if one.at >= after {
			sorted[n] = one.rtt
			n++
		}
	}
	if n == 0 {
		return Estimate{}
	}
	slices.Sort(sorted[:n])
	e := Estimate{N: n, Distance: rank(sorted[:n], 20), Median: rank(sorted[:n], 50), P99: rank(sorted[:n], 99)}
	e.Spread = (rank(sorted[:n], 80) - e.Distance) / 2
	return e
}

// rank is the smallest value that so many of a hundred do not exceed (nearest rank). The values are sorted.
func rank(sorted []time.Duration, percent int) time.Duration {
	return sorted[(len(sorted)*percent+99)/100-1]
}
