// Package order makes the virtual query order of groups: the far and the near in turn.
package order

import "math/rand/v2"

// Unmeasured is the group of a peer that has none, because nobody knows how far away it is.
const Unmeasured = -1

// A Place is one place of the order.
type Place[T any] struct {
	Peer  T
	Group int // its place in the list of groups, the farthest being 0; or Unmeasured
}

// Of is the virtual query order of groups, farthest first. Sweep after sweep, one is popped from the farthest group that has
// not had its turn, then one from its mirror, the nearest; a group in the middle without a mirror gives one a sweep. Groups are stacks: the last
// member is popped first. Every peer is there exactly once.
func Of[T any](groups [][]T) []Place[T] {
	left := make([]int, len(groups))
	total := 0
	for i, g := range groups {
		left[i] = len(g)
		total += len(g)
	}
	out := make([]Place[T], 0, total)
	pop := func(i int) {
		if left[i] > 0 {
			left[i]--
			out = append(out, Place[T]{Peer: groups[i][left[i]], Group: i})
		}
	}
	for len(out) < total {
		for i := 0; i < (len(groups)+1)/2; i++ {
			pop(i)
			if mirror := len(groups) - 1 - i; mirror != i {
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
	return compact(groups, last)
}

// compact leaves out groups without a member, since a mirror that is empty is no mirror, and keeps the numbers of the others.
func compact[T any](groups [][]T, last []T) []Place[T] {
	var held [][]T
	var number []int
	for i, g := range groups {
		if len(g) > 0 {
			held, number = append(held, g), append(number, i)
		}
	}
	out := Of(held)
	for i := range out {
		out[i].Group = number[out[i].Group]
	}
	for i := len(last) - 1; i >= 0; i-- {
		out = append(out, Place[T]{Peer: last[i], Group: Unmeasured})
	}
	return out
}
