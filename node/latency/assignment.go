package latency

import (
	"math"
	"slices"
	"time"
)

// An assignment says which group each peer of a list is in. The list is sorted by distance.
//
//  1. Numbers begin with 0, none is left out, and a lower one has the smaller mean distance.
type assignment []int

// nobody is the group of a peer that has none yet.
const nobody = -1

// FloorOf is the standard deviation of log latency that is believed of every group of these peers: Floor, or where round
// trips scatter so much that distances are less certain, the standard error of the distance of the middle one of the peers. That
// is about 1.7 ln(median / distance) / sqrt(round trips), with what is waited for in both.
func FloorOf(peers []Peer) float64 {
	var errors []float64
	for _, p := range peers {
		if p.N > 0 {
			spread := p.logOf(p.Median) - p.log()
			errors = append(errors, 1.7*spread/math.Sqrt(float64(p.N)))
		}
	}
	if len(errors) == 0 {
		return Floor
	}
	slices.Sort(errors)
	return min(max(Floor, errors[(len(errors)-1)/2]), MaxFloor)
}

// assign cuts the peers into the best partition.
func (r *Room) assign(peers []Peer, floor float64) assignment {
	logs := make([]float64, len(peers))
	for i, p := range peers {
		logs[i] = p.log()
	}
	a := make(assignment, 0, len(peers))
	for group, end := range r.partition(logs, floor) {
		for len(a) < end {
			a = append(a, group)
		}
	}
	return a
}

func (a assignment) groups() int {
	n := 0
	for _, group := range a {
		n = max(n, group+1)
	}
	return n
}

// labels are the mean distances of the groups.
func (a assignment) labels(peers []Peer) []time.Duration {
	sums, sizes := make([]time.Duration, a.groups()), make([]time.Duration, a.groups())
	for i, group := range a {
		sums[group] += peers[i].Distance
		sizes[group]++
	}
	for group := range sums {
		if sizes[group] > 0 {
			sums[group] /= sizes[group]
		}
	}
	return sums
}

// meanLogs are the means of the groups' log distances: infinite where nobody is in a group, none where nobody is in any.
func (a assignment) meanLogs(peers []Peer, groups int) []float64 {
	sums, sizes := make([]float64, groups), make([]float64, groups)
	any := false
	for i, group := range a {
		if group != nobody {
			sums[group] += peers[i].log()
			sizes[group]++
			any = true
		}
	}
	if !any {
		return nil
	}
	for group := range sums {
		if sizes[group] == 0 {
			sums[group] = math.Inf(1)
			continue
		}
		sums[group] /= sizes[group]
	}
	return sums
}

func nearest(means []float64, x float64) int {
	best := 0
	for i, mean := range means {
		if math.Abs(mean-x) < math.Abs(means[best]-x) {
			best = i
		}
	}
	return best
}

// numbered gives the groups that have members the numbers of invariant 1.
func (a assignment) numbered(peers []Peer) assignment {
	labels := a.labels(peers)
	var held []int
	for group := range labels {
		if slices.Contains(a, group) {
			held = append(held, group)
		}
	}
	slices.SortStableFunc(held, func(x, y int) int { return int(labels[x] - labels[y]) })
	number := make([]int, len(labels))
	for n, group := range held {
		number[group] = n
	}
	out := make(assignment, len(a))
	for i, group := range a {
		out[i] = number[group]
	}
	return out
}

// uncertainties are the means of what the groups' distances are uncertain by.
func (a assignment) uncertainties(peers []Peer) []float64 {
	sums, sizes := make([]float64, a.groups()), make([]float64, a.groups())
	for i, group := range a {
		sums[group] += peers[i].uncertainty()
		sizes[group]++
	}
	for group := range sums {
		sums[group] /= sizes[group]
	}
	return sums
}

// merged makes one of neighbours whose labels differ by less than Alike, or by less than so many times their uncertainty, until
// none do.
func (a assignment) merged(peers []Peer, times float64) assignment {
	out := slices.Clone(a)
	for {
		labels, unsure := out.labels(peers), out.uncertainties(peers)
		near := -1
		for group := 1; group < len(labels) && near < 0; group++ {
			apart := times * (unsure[group] + unsure[group-1])
			if labels[group]-labels[group-1] < max(Alike, time.Duration(apart)) {
				near = group
			}
		}
		if near < 0 {
			return out
		}
		for i, group := range out {
			if group >= near {
				out[i] = group - 1
			}
		}
	}
}

// cost is the sum of the squared differences to the means of the groups, whether or not these are stretches of the line, with their sizes.
func (a assignment) cost(peers []Peer) (cost float64, size []int) {
	means, size := a.meanLogs(peers, a.groups()), make([]int, a.groups())
	for i, group := range a {
		d := peers[i].log() - means[group]
		cost += d * d
		size[group]++
	}
	return cost, size
}

// variance is what is believed of every group.
func (a assignment) variance(peers []Peer, floor float64) float64 {
	cost, _ := a.cost(peers)
	return variance(cost, len(peers), floor)
}

// criterion is that of the partition where a variance is believed of every group.
func (a assignment) criterion(peers []Peer, v float64) float64 {
	cost, size := a.cost(peers)
	return criterionAt(size, cost, v)
}

// strays tells for each peer whether it lies outside its group, the others of it, by more than strayFloors. One that is
// alone is the group.
func (a assignment) strays(peers []Peer, floor float64) []bool {
	members := make([][]int, a.groups()) // nearest first, as the peers are
	for i, group := range a {
		members[group] = append(members[group], i)
	}
	out := make([]bool, len(a))
	for _, m := range members {
		last := len(m) - 1
		if last < 1 {
			continue
		}
		apart := func(i, j int) bool { return peers[j].log()-peers[i].log() > strayFloors*floor }
		out[m[0]] = out[m[0]] || apart(m[0], m[1])
		out[m[last]] = out[m[last]] || apart(m[last-1], m[last])
	}
	return out
}

// same tells whether two assignments keep together and apart the same peers, as far as those that count are concerned.
func (a assignment) same(b assignment, counts func(int) bool) bool {
	there, back := slices.Repeat([]int{nobody}, a.groups()), slices.Repeat([]int{nobody}, b.groups())
	for i := range a {
		if to, from := there[a[i]], back[b[i]]; to == b[i] && from == a[i] || !counts(i) {
			continue
		} else if to != nobody || from != nobody {
			return false
		}
		there[a[i]], back[b[i]] = b[i], a[i]
	}
	return true
}

// movedBetween tells for each peer whether it is not in what became of most of its group. Groups that became one moved nobody.
func movedBetween(from, to assignment) []bool {
	common := make([][]int, from.groups())
	for i, group := range from {
		if common[group] == nil {
			common[group] = make([]int, to.groups())
		}
		common[group][to[i]]++
	}
	moved := make([]bool, len(from))
	for i, group := range from {
		moved[i] = to[i] != slices.Index(common[group], slices.Max(common[group]))
	}
	return moved
}
