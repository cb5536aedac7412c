package stale

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/g2g-net/g2g/pki"
)

// learned is a detector that has seen every peer complete eighty times, drawn by draw, and the list with ages below a second.
func learned(n int, random *rand.Rand, draw func(int) time.Duration) (*Detector, []Age) {
	d := NewDetector(DefaultConfig())
	teach(d, n-1, 80, draw)
	ages := make([]Age, n)
	for i := range ages {
		ages[i] = Age{ID: id(i), Age: time.Duration(random.Int64N(int64(time.Second))), Period: time.Second}
	}
	return d, ages
}

// TestAnyNumberOfDeadIsFound lets any number of the peers of any network from 2 to 40 nodes die at once. All are suspect as
// soon as their age is past what the paces allow, and no living one ever is.
func TestAnyNumberOfDeadIsFound(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 0))
	for n := 2; n <= 40; n++ {
		for k := 1; k < n; k++ {
			d, ages := learned(n, random, jitter(random))
			crash := make([]time.Duration, n)
			for i := range crash {
				crash[i] = ages[i].Age
			}
			for at := time.Duration(0); at <= time.Hour; at = at*5/4 + 100*time.Millisecond {
				for i := range ages {
					ages[i].Age = time.Duration(random.Int64N(int64(1100 * time.Millisecond)))
					if i >= n-k {
						ages[i].Age = crash[i] + at
					}
				}
				b := d.Limit(ages)
				for i, a := range ages {
					if dead := i >= n-k; !dead && a.Suspect || dead && !a.Suspect && a.Age > max(b.Limit, times(a.Own, b.Stretch)) {
						t.Fatalf("%d of %d dead for %s: peer %d at %s: suspect %v, %+v", k, n, at, i, a.Age, a.Suspect, b)
					}
				}
				// While their ages pass the floor, the dead can still pull each other along for a second or two.
				if at > 2*time.Second && b.Limit > 1800*time.Millisecond {
					t.Fatalf("%d of %d dead for %s move the limit: %+v", k, n, at, b)
				}
			}
		}
	}
}

// TestOrderChangesNothing shuffles the list, and what the detector learned it from.
func TestOrderChangesNothing(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 0))
	for range 50 {
		n := 2 + random.IntN(60)
		paces := make([]time.Duration, n)
		for i := range paces {
			paces[i] = seconds(random.ExpFloat64())
		}
		build := func() (*Detector, []Age) {
			d, ages := NewDetector(DefaultConfig()), []Age(nil)
			for i := range 60 {
				for _, p := range random.Perm(n) {
					d.Completed(id(p), paces[(p+i)%n])
				}
			}
			for _, p := range random.Perm(n) {
				ages = append(ages, Age{ID: id(p), Age: paces[p] * 3})
			}
			return d, ages
		}
		d, ages := build()
		want, found := d.Limit(ages), map[pki.ID]Age{}
		for _, a := range ages {
			found[a.ID] = a
		}
		d, ages = build()
		got := d.Limit(ages)
		if (got.Mean-want.Mean).Abs() > 1 || (got.StdDev-want.StdDev).Abs() > 1 || (got.Limit-want.Limit).Abs() > 4 || got.N != want.N || got.Stretch != want.Stretch {
			t.Errorf("%+v, in another order %+v", want, got)
		}
		for _, a := range ages {
			if w := found[a.ID]; a != w {
				t.Errorf("%+v, in another order %+v", w, a)
			}
		}
	}
}

// TestScaleChangesNoVerdict lets everything run a thousand times as fast or slow.
func TestScaleChangesNoVerdict(t *testing.T) {
	for _, by := range []float64{1.0 / 64, 0.5, 2, 1024} {
		random := rand.New(rand.NewPCG(1, 0))
		scale := func(a time.Duration) time.Duration { return times(a, by) }
		cfg := Config{Period: 1}
		d, scaled := NewDetector(cfg), NewDetector(cfg)
		for range 40 {
			for p := range 30 {
				age := seconds(1 + random.ExpFloat64())
				d.Completed(id(p), age)
				scaled.Completed(id(p), scale(age))
			}
		}
		ages, other := make([]Age, 30), make([]Age, 30)
		for range 100 {
			for i := range ages {
				ages[i] = Age{ID: id(i), Age: seconds(3 * random.ExpFloat64())}
				other[i] = Age{ID: id(i), Age: scale(ages[i].Age)}
			}
			b, c := d.Limit(ages), scaled.Limit(other)
			if ratio := float64(c.Limit) / float64(b.Limit); ratio < by*0.9999 || ratio > by*1.0001 || b.N != c.N {
				t.Fatalf("by %v: %+v becomes %+v", by, b, c)
			}
			for i, a := range ages {
				if o := other[i]; a.Trusted != o.Trusted || a.Late != o.Late || a.Suspect != o.Suspect {
					t.Fatalf("by %v: %+v becomes %+v", by, a, o)
				}
			}
		}
	}
}

// TestShiftChangesNoPlainVerdict lets all ages be longer by the same.
func TestShiftChangesNoPlainVerdict(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 0))
	d := NewDetector(Config{Strict: true})
	for range 100 {
		shift := time.Duration(random.Int64N(int64(100 * 24 * time.Hour)))
		ages, other := make([]Age, 2+random.IntN(300)), []Age(nil)
		for i := range ages {
			ages[i] = Age{ID: id(i), Age: time.Duration(random.Int64N(1000)) * time.Millisecond}
		}
		for _, a := range ages {
			a.Age += shift
			other = append(other, a)
		}
		b, c := d.Limit(ages), d.Limit(other)
		if (c.Limit-b.Limit-shift).Abs() > 10*time.Microsecond || (c.StdDev-b.StdDev).Abs() > 10*time.Microsecond {
			t.Fatalf("%d ages longer by %s: %+v becomes %+v", len(ages), shift, b, c)
		}
	}
}

// TestLimitFollowsTheBulk lets all nodes grow slow together: nobody is late, as long as about
// seven are still within the floor.
func TestLimitFollowsTheBulk(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 0))
	for n := 30; n <= 256; n += 10 {
		d, ages := learned(n, random, jitter(random))
		for i := range ages {
			ages[i].Age = 5 * time.Second * time.Duration(i) / time.Duration(n)
		}
		b := d.Limit(ages)
		for i, a := range ages {
			if a.Late {
				t.Fatalf("%d nodes: %d at %s is late: %+v", n, i, a.Age, b)
			}
		}
	}
}

// TestSlowOnPurposeMovesNoLimit lets up to a tenth of the peers, one at least, be silent in bursts.
func TestSlowOnPurposeMovesNoLimit(t *testing.T) {
	for n := 4; n <= 256; n = n*4/3 + 1 {
		for seed := range uint64(5) {
			limit := func(liars int) time.Duration {
				random := rand.New(rand.NewPCG(seed, uint64(n)))
				draw := jitter(random)
				d, ages := learned(n, random, func(p int) time.Duration {
					age := draw(p)
					if p <= liars && random.IntN(4) == 0 {
						age = seconds(2 + 30*random.Float64())
					}
					return age
				})
				return d.Limit(ages).Limit
			}
			honest := limit(0)
			if moved := limit(max(1, (n-1)/10)); moved > honest*11/10 || moved < honest*9/10 {
				t.Errorf("%d nodes: silence in bursts moves the limit from %s to %s", n, honest, moved)
			}
		}
	}
}

// TestFalseAgeMovesNoLimit lets one member of any network from 5 nodes on have any age.
func TestFalseAgeMovesNoLimit(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 0))
	for n := 5; n <= 256; n = n*4/3 + 1 {
		d, ages := learned(n, random, jitter(random))
		honest := d.Limit(ages[:n-1]).Limit
		for age := time.Duration(0); age < time.Hour; age = age*21/20 + time.Millisecond {
			ages[n-1].Age = age
			if moved := d.Limit(ages).Limit; moved > honest*11/10 || moved < honest*9/10 {
				t.Fatalf("%d nodes: an age of %s moves the limit from %s to %s", n, age, honest, moved)
			}
		}
	}
}

// TestSlowAmongQuick has three of ten peers that take ten seconds, in their ages or by what they declare.
func TestSlowAmongQuick(t *testing.T) {
	for _, rounds := range []int{0, 40} {
		d := NewDetector(DefaultConfig())
		pace := func(p int) time.Duration {
			if p <= 3 {
				return 10 * time.Second
			}
			return time.Second
		}
		teach(d, 10, rounds, pace)
		var ages []Age
		for p := 1; p <= 10; p++ {
			ages = append(ages, Age{ID: id(p), Age: time.Second, Period: pace(p)})
		}
		stretch := d.Limit(ages).Stretch
		edge := times(10*time.Second, stretch)
		ages[0].Age, ages[1].Age, ages[9].Age = edge, edge+1, edge
		if b := d.Limit(ages); b.Floor != times(time.Second, stretch) || b.Limit != b.Floor {
			t.Errorf("%d rounds: %+v, want the quick ones' floor", rounds, b)
		}
		for i, want := range []bool{0: false, 1: true, 9: true} {
			if a := ages[i]; a.Suspect != want || a.Late != (a.Age == edge || want) {
				t.Errorf("%d rounds: %+v, want suspect %v", rounds, a, want)
			}
		}
	}
}

// TestFalseAgeAmongFew holds the closed form: one of n ages at the floor and the others at 0 have mean + 2 deviations at
// (1 + 2 sqrt(n-1)) / n of the floor.
func TestFalseAgeAmongFew(t *testing.T) {
	for _, c := range []struct {
		n    int
		want float64
	}{{2, 1.5}, {3, 1.276}, {4, 1.116}, {5, 1}, {6, 1}, {100, 1}} {
		d := NewDetector(DefaultConfig())
		most := 0.0
		for age := time.Duration(0); age < time.Minute; age += 10 * time.Millisecond {
			ages := list(make([]time.Duration, c.n)...)
			ages[0].Age = age
			b := d.Limit(ages)
			most = max(most, float64(b.Limit)/float64(b.Floor))
		}
		if math.Abs(most-c.want) > 0.001 {
			t.Errorf("%d nodes: one of them raises the limit to %v of the floor, want %v", c.n, most, c.want)
		}
	}
}

func TestEmptyAndAllOld(t *testing.T) {
	d := NewDetector(DefaultConfig())
	if b := d.Limit(nil); b.Limit != 500*time.Millisecond || b.N != 0 {
		t.Errorf("of nobody: %+v", b)
	}
	ages := list(time.Hour, time.Hour, time.Hour)
	if b := d.Limit(ages); b.Limit != 5*time.Second || b.N != 0 || b.Mean != 0 || !ages[0].Suspect || ages[0].Trusted {
		t.Errorf("of the old: %+v, %+v", b, ages[0])
	}
}
