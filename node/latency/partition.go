package latency

import (
	"math"
	"slices"
)

const (
	// MaxGroups bounds the groups of a partition.
	MaxGroups = 8
	// Floor is the least standard deviation that is believed of a group's log latencies, about 10 % of the latency: closer
	// ones are as good as equal.
	Floor = 0.10
	// MaxFloor bounds what jitter may raise the floor to: more would make one group of two that are a factor of two apart.
	MaxFloor = 0.25
)

// sums answers in constant time what a stretch of sorted values costs as one group: the sum of the squared distances to
// their mean.
type sums struct {
	origin          float64 // taken from every value, so that the squares lose no digits
	values, squares []float64
}

func newSums(sorted []float64) sums {
	s := sums{values: make([]float64, len(sorted)+1), squares: make([]float64, len(sorted)+1)}
	if len(sorted) > 0 {
		s.origin = sorted[len(sorted)/2]
	}
	for i, x := range sorted {
		x -= s.origin
		s.values[i+1] = s.values[i] + x
		s.squares[i+1] = s.squares[i] + x*x
	}
	return s
}

// cost is that of the values from i up to, not including, j.
func (s sums) cost(i, j int) float64 {
	sum := s.values[j] - s.values[i]
	return max(0, s.squares[j]-s.squares[i]-sum*sum/float64(j-i))
}

// A layer is one step of the dynamic programme: best[j] is the least cost of the first j values in so many groups, and
// from[j] is where the last of these groups begins.
type layer struct {
	best []float64
	from []int32
}

// layers finds, for 1 up to k groups, the partitions of the values that cost least. Where the last group of the best partition of
// the first j values begins never goes back as j grows, which halves the search at every step: k n log n instead of k n^2.
func (s sums) layers(k int, r *Room) []layer {
	n := len(s.values) - 1
	out := make([]layer, k)
	r.best, r.from = slices.Grow(r.best[:0], k*(n+1)), slices.Grow(r.from[:0], k*(n+1)) // each place that counts is written before it is read
	best, from := r.best[:k*(n+1)], r.from[:k*(n+1)]
	for g := range out {
		out[g] = layer{best: best[g*(n+1):][:n+1], from: from[g*(n+1):][:n+1]}
		if g == 0 {
			for j := 1; j <= n; j++ {
				out[0].best[j] = s.cost(0, j)
			}
			continue
		}
		s.fill(out[g-1].best, out[g], g, g+1, n, g, n-1)
	}
	return out
}

// fill finds best and from for every j in [low, high], knowing that the last group begins in [first, last]. The g groups
// before take at least one value each.
func (s sums) fill(before []float64, to layer, g, low, high, first, last int) {
	if low > high {
		return
	}
	j := (low + high) / 2
	best, at := math.Inf(1), first
	values, squares := s.values[:j+1], s.squares[:j+1]
	for i := max(first, g); i <= min(last, j-1); i++ {
		sum := values[j] - values[i] // s.cost(i, j), without looking up j each time
		if c := before[i] + max(0, squares[j]-squares[i]-sum*sum/float64(j-i)); c < best {
			best, at = c, i
		}
	}
	to.best[j], to.from[j] = best, int32(at) //nolint:gosec // below the number of values
	s.fill(before, to, g, low, j-1, first, at)
	s.fill(before, to, g, j+1, high, at, last)
}

// ends walks back through the layers: where each of k groups ends, nearest first.
func ends(layers []layer, k, n int) []int {
	out := make([]int, k)
	for g := k - 1; g >= 0; g-- {
		out[g] = n
		n = int(layers[g].from[n])
	}
	return out
}

// partition cuts sorted log latencies into groups, and returns where each ends, nearest first. Among all partitions into
// the same number of groups it costs least; among the numbers it has the least criterion, and the smallest of equals.
func (r *Room) partition(sorted []float64, floor float64) []int {
	n := len(sorted)
	if n == 0 {
		return nil
	}
	s := newSums(sorted)
	layers := s.layers(min(n, MaxGroups), r)
	var best []int
	least := math.Inf(1)
	for k := 1; k <= len(layers); k++ {
		cut := ends(layers, k, n)
		if c := criterion(sizes(cut), layers[k-1].best[n], floor); c < least {
			best, least = cut, c
		}
	}
	return best
}

func sizes(ends []int) []int {
	out := make([]int, len(ends))
	before := 0
	for i, end := range ends {
		out[i], before = end-before, end
	}
	return out
}

// criterion is the Bayesian information criterion of a partition into groups of these sizes, whose squared distances to
// their groups' means sum to cost: less is better. It is that of normal distributions with one standard deviation, at least floor:
//
//	n ln v + cost / v + 2 sum(size ln(n / size)) + 3 k ln n, where v = max(cost / n, floor^2)
//
// The third term is what it takes to say which group each peer is in. Without it every cloud of points would fall in two.
// The last charges a group for its mean, its share and its edge, as if each had a deviation of its own too: with a lesser price, one
// site of few peers falls in two more often (draws_test.go).
func criterion(sizes []int, cost, floor float64) float64 {
	return criterionAt(sizes, cost, variance(cost, sum(sizes), floor))
}

// variance is what is believed of every group of n values.
func variance(cost float64, n int, floor float64) float64 { return max(cost/float64(n), floor*floor) }

// criterionAt is the same where a variance is believed.
func criterionAt(sizes []int, cost, v float64) float64 {
	n := float64(sum(sizes))
	c := n*math.Log(v) + cost/v + 3*float64(len(sizes))*math.Log(n)
	for _, size := range sizes {
		if size > 0 {
			c += 2 * float64(size) * math.Log(n/float64(size))
		}
	}
	return c
}

func sum(sizes []int) (total int) {
	for _, size := range sizes {
		total += size
	}
	return total
}
