package latency

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// brute tries every partition of sorted values into k groups.
func brute(x []float64, k int) float64 {
	if k == 1 {
		return spread(x)
	}
	best := math.Inf(1)
	for i := k - 1; i < len(x); i++ {
		best = min(best, brute(x[:i], k-1)+spread(x[i:]))
	}
	return best
}

// spread is the sum of squared distances to the mean, as it is defined.
func spread(x []float64) (cost float64) {
	mean := 0.0
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		cost += (v - mean) * (v - mean)
	}
	return cost
}

func costOf(x []float64, ends []int) (cost float64) {
	from := 0
	for _, end := range ends {
		cost += spread(x[from:end])
		from = end
	}
	return cost
}

// draw makes values with ties, clusters and stretches.
func draw(r *rand.Rand, n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		switch r.IntN(3) {
		case 0:
			x[i] = float64(r.IntN(3))
		case 1:
			x[i] = 3*float64(r.IntN(4)) + 0.1*r.NormFloat64()
		default:
			x[i] = 10*r.Float64() - 3
		}
	}
	slices.Sort(x)
	return x
}

func TestPartitionEqualsBruteForce(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for round := range 3000 {
		n := 1 + round%10
		x, floor := draw(r, n), Floor+r.Float64()*(MaxFloor-Floor)
		layers := newSums(x).layers(min(n, MaxGroups), new(Room))
		least, right := math.Inf(1), 0.0
		for k := 1; k <= len(layers); k++ {
			cut, want := ends(layers, k, n), brute(x, k)
			if len(cut) != k || !slices.IsSorted(cut) || cut[k-1] != n || slices.Min(sizes(cut)) < 1 {
				t.Fatalf("%v in %d: %v is no partition", x, k, cut)
			}
			if got := costOf(x, cut); math.Abs(got-want) > 1e-9 || math.Abs(layers[k-1].best[n]-want) > 1e-9 {
				t.Fatalf("%v in %d: %v costs %g and is said to cost %g, the best %g", x, k, cut, got, layers[k-1].best[n], want)
			}
			if c := criterion(sizes(cut), want, floor); c < least-1e-9 {
				least, right = c, float64(k)
			}
		}
		if got := new(Room).partition(x, floor); float64(len(got)) != right {
			t.Fatalf("%v: %d groups, the criterion is least for %g", x, len(got), right)
		}
	}
}

func TestPartitionOfMany(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	x := draw(r, 400)
	layers := newSums(x).layers(MaxGroups, new(Room))
	before := make([]float64, len(x)+1)
	for i := range x {
		before[i+1] = spread(x[:i+1])
	}
	for k := 1; k < MaxGroups; k++ { // the obvious programme, n^2 steps a group
		now := make([]float64, len(x)+1)
		for j := range now {
			now[j] = math.Inf(1)
			for i := k; i < j; i++ {
				now[j] = min(now[j], before[i]+spread(x[i:j]))
			}
		}
		before = now
		if got := layers[k].best[len(x)]; math.Abs(got-now[len(x)]) > 1e-6 {
			t.Errorf("%d groups cost %g, want %g", k+1, got, now[len(x)])
		}
		if got := costOf(x, ends(layers, k+1, len(x))); math.Abs(got-now[len(x)]) > 1e-6 {
			t.Errorf("%d groups: what is returned costs %g, want %g", k+1, got, now[len(x)])
		}
	}
}
