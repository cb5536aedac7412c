package stale

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

func TestJudge(t *testing.T) {
	r := Rule{Late: 10 * time.Second, Dead: 30 * time.Second}
	for _, c := range []struct {
		age  time.Duration
		want State
	}{
		{-time.Second, Alive},
		{0, Alive},
		{10 * time.Second, Alive},
		{10*time.Second + 1, Late},
		{30 * time.Second, Late},
		{30*time.Second + 1, Dead},
		{math.MaxInt64, Dead},
	} {
		if got := r.Judge(c.age); got != c.want {
			t.Errorf("age %s: %d, want %d", c.age, got, c.want)
		}
	}
}

func TestOver(t *testing.T) {
	r := Rule{Late: 1, Dead: 2}
	const s = time.Second
	for _, c := range []struct {
		ages []time.Duration
		want Limit
	}{
		{nil, Limit{1, 2, 0, 0, 0}},
		{[]time.Duration{5 * s}, Limit{1, 2, 1, 5 * s, 0}},
		{[]time.Duration{s, 3 * s}, Limit{1, 2, 2, 2 * s, s}},
		{[]time.Duration{2 * s, 4 * s, 4 * s, 4 * s, 5 * s, 5 * s, 7 * s, 9 * s}, Limit{1, 2, 8, 5 * s, 2 * s}},
	} {
		if got := r.Over(c.ages); got != c.want {
			t.Errorf("%v: %+v, want %+v", c.ages, got, c.want)
		}
	}
}

// TestOverIsStable holds the spread of long ages that differ little against exact arithmetic on the differences.
func TestOverIsStable(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 0))
	for range 100 {
		base := time.Duration(random.Int64N(int64(100 * 24 * time.Hour)))
		n := 2 + random.IntN(300)
		ages, offsets := make([]time.Duration, n), make([]time.Duration, n)
		for i := range ages {
			offsets[i] = time.Duration(random.Int64N(int64(time.Second)))
			ages[i] = base + offsets[i]
		}
		got, want := Rule{}.Over(ages), Rule{}.Over(offsets)
		if d := got.StdDev - want.StdDev; d.Abs() > 10*time.Microsecond {
			t.Errorf("%d ages above %s: deviation %s, without the base %s", n, base, got.StdDev, want.StdDev)
		}
	}
}
