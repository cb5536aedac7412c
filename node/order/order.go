// Package order makes the virtual query order of groups: the far and the near in turn.
package order

import (
	"math/rand/v2"
	"slices"
)

// Unmeasured is the group of a peer that has none, because nobody knows how far away it is.
const Unmeasured = -1

// A Place is one place of the order.
type Place[T any] struct {
	Peer  T
	Group int // its place in the list of groups, the farthest being 0; or Unmeasured
}

// Of is the virtual query order of groups, farthest first. Sweep after sweep, one is popped from the farthest group that has
// not had its turn, then one from its mirror, the nearest; a group in the middle without a mirror gives one a sweep. Groups are
// stacks: the last member is popped first. A group that has no member from the start is none, and mirrors nobody. Every peer is there
// exactly once.
func Of[T any](groups [][]T) []Place[T] {
	var turns []int // the groups with members
	left := make([]int, len(groups))
	total := 0
	for i, g := range groups {
		if left[i] = len(g); left[i] > 0 {
			turns = append(turns, i)
		}
		total += len(g)
	}
	out := make([]Place[T], 0, total)
	pop := func(turn int) {
		if i := turns[turn]; left[i] > 0 {
			left[i]--
			out = append(out, Place[T]{Peer: groups[i][left[i]], Group: i})
		}
	}
	for len(out) < total {
		for i := 0; i < (len(turns)+1)/2; i++ {
			pop(i)
			if mirror := len(turns) - 1 - i; mirror != i {
				pop(mirror)
			}
		}
	}
	return out
}

// Append adds peers of no group at the end: nothing is known of them, so they are asked last.
func Append[T any](places []Place[T], peers []T) []Place[T] {
	for _, p := range peers {
		places = append(places, Place[T]{Peer: p, Group: Unmeasured})
	}
	return places
}

// Shuffle draws the order in which the members of each group are popped, so that it varies between nodes and over time.
func Shuffle[T any](groups [][]T, random *rand.Rand) {
	for _, g := range groups {
		random.Shuffle(len(g), func(i, j int) { g[i], g[j] = g[j], g[i] })
	}
}

// Only is the order that there would be if only the wanted peers were there, each group popped as before. So it alternates far
// and near too, which what is left of a longer order need not.
func Only[T any](places []Place[T], wanted func(T) bool) []Place[T] {
	var groups [][]T
	var last []T
	for i := len(places) - 1; i >= 0; i-- { // stacks are filled from the bottom
		p := places[i]
		switch {
		case !wanted(p.Peer):
		case p.Group == Unmeasured:
			last = append(last, p.Peer)
		default:
			for len(groups) <= p.Group {
				groups = append(groups, nil)
			}
			groups[p.Group] = append(groups[p.Group], p.Peer)
		}
	}
	slices.Reverse(last)
	return Append(Of(groups), last)
}

// Rotate is the order begun at another pair of groups: sweeps stay what they are, but each starts at a pair that is drawn. Who asks only the
// first few peers would else never get to the groups in the middle. It is for such callers; the order itself begins with the farthest.
func Rotate[T any](places []Place[T], random *rand.Rand) []Place[T] {
	var sweeps [][]Place[T]
	for _, p := range places {
		last := len(sweeps) - 1
		if last < 0 || p.Group == Unmeasured || slices.ContainsFunc(sweeps[last], func(q Place[T]) bool { return q.Group == p.Group }) {
			sweeps = append(sweeps, nil)
			last++
		}
		sweeps[last] = append(sweeps[last], p)
	}
	if len(sweeps) == 0 || len(sweeps[0]) < 2 {
		return places
	}
	pairs := (len(sweeps[0]) + 1) / 2
	turn := 2 * random.IntN(pairs)
	var out []Place[T]
	for _, s := range sweeps {
		k := 0
		if len(s) > turn {
			k = turn
		}
		out = append(out, s[k:]...)
		out = append(out, s[:k]...)
	}
	return out
}
