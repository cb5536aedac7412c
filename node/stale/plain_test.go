package stale

import (
	"math"
	"testing"
	"time"
)

// late counts what the plain rule finds among ages.
func late(ages []Age) int {
	NewDetector(Config{Strict: true, Period: time.Second}).Limit(ages)
	n := 0
	for _, a := range ages {
		if a.Late != a.Suspect || !a.Trusted {
			panic("the plain rule knows one list and one limit")
		}
		if a.Late {
			n++
		}
	}
	return n
}

// crowd is n ages, k of them old and the others young.
func crowd(n, k int, young, old time.Duration) []Age {
	ages := make([]time.Duration, n)
	for i := range ages {
		if ages[i] = young; i < k {
			ages[i] = old
		}
	}
	return list(ages...)
}

// TestPlainOneOfFew holds the closed form: of n ages one can be at most sqrt(n-1) deviations above the mean. So up to five
// nodes nobody is ever found, and from six on one is, however little older it is.
func TestPlainOneOfFew(t *testing.T) {
	for n := 1; n <= 300; n++ {
		for _, old := range []time.Duration{time.Millisecond, time.Second, time.Hour, 10000 * time.Hour} {
			want := 0
			if n >= 6 {
				want = 1
			}
			if got := late(crowd(n, 1, 0, old)); got != want {
				t.Errorf("one of %d at %s: %d found, want %d", n, old, got, want)
			}
		}
	}
}

func TestPlainLargestDistance(t *testing.T) {
	for n := 2; n <= 300; n++ {
		ages := crowd(n, 1, time.Second, time.Hour)
		b := NewDetector(Config{Strict: true}).Limit(ages)
		z := float64(time.Hour-b.Mean) / float64(b.StdDev)
		if want := math.Sqrt(float64(n - 1)); math.Abs(z-want) > 1e-6 {
			t.Errorf("%d ages: the oldest is %v deviations above the mean, want %v", n, z, want)
		}
	}
}

// TestPlainManyAtOnce holds the closed form: k of n that died together are sqrt((n-k)/k) deviations above the mean, so a
// fifth of all or more is never found, however long it has been dead.
func TestPlainManyAtOnce(t *testing.T) {
	for n := 2; n <= 100; n++ {
		for k := 1; k < n; k++ {
			want := 0
			if 5*k < n {
				want = k
			}
			for _, old := range []time.Duration{10 * time.Second, 24 * time.Hour} {
				if got := late(crowd(n, k, time.Second, old)); got != want {
					t.Errorf("%d of %d at %s: %d found, want %d", k, n, old, got, want)
				}
			}
		}
	}
}

// TestPlainConvictsTheHealthy: of evenly spread ages nobody is late, of those of a Poisson process about one in twenty.
func TestPlainConvictsTheHealthy(t *testing.T) {
	even, poisson := make([]time.Duration, 100), make([]time.Duration, 100)
	for i := range 100 {
		even[i] = seconds((float64(i) + 0.5) / 100)
		poisson[i] = seconds(-math.Log(1 - (float64(i)+0.5)/100))
	}
	if got := late(list(even...)); got != 0 {
		t.Errorf("%d of evenly spread ages are late", got)
	}
	if got := late(list(poisson...)); got < 4 || got > 6 {
		t.Errorf("%d of 100 exponential ages are late, want about 5", got)
	}
}

func TestPlainNumbers(t *testing.T) {
	const s = time.Second
	for _, c := range []struct {
		ages []time.Duration
		want Bound
	}{
		{nil, Bound{}},
		{[]time.Duration{5 * s}, Bound{Limit: 5 * s, Mean: 5 * s, N: 1}},
		{[]time.Duration{s, 3 * s}, Bound{Limit: 4 * s, Mean: 2 * s, StdDev: s, N: 2}},
		{[]time.Duration{2 * s, 4 * s, 4 * s, 4 * s, 5 * s, 5 * s, 7 * s, 9 * s}, Bound{Limit: 9 * s, Mean: 5 * s, StdDev: 2 * s, N: 8}},
	} {
		if got := NewDetector(Config{Strict: true}).Limit(list(c.ages...)); got != c.want {
			t.Errorf("%v: %+v, want %+v", c.ages, got, c.want)
		}
	}
}
