package stale

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/g2g-net/g2g/pki"
)

func id(i int) (id pki.ID) {
	binary.BigEndian.PutUint64(id[:], uint64(i)*0x9e3779b97f4a7c15)
	return id
}

// list makes ages of peers 1, 2, ... that declare a period of a second.
func list(ages ...time.Duration) []Age {
	var out []Age
	for i, a := range ages {
		out = append(out, Age{ID: id(i + 1), Age: a, Period: time.Second})
	}
	return out
}

// teach gives a detector completed ages of peers 1 to n: rounds of each, drawn by draw.
func teach(d *Detector, n, rounds int, draw func(peer int) time.Duration) {
	for range rounds {
		for p := 1; p <= n; p++ {
			d.Completed(id(p), draw(p))
		}
	}
}

// jitter draws a second, a tenth more or less.
func jitter(random *rand.Rand) func(int) time.Duration {
	return func(int) time.Duration {
		return time.Second + time.Duration((random.Float64()-0.5)*0.2*float64(time.Second))
	}
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func TestPaceIsTheMedianOfTheLast(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 0))
	for range 200 {
		var p pace
		var all []time.Duration
		for range 1 + random.IntN(100) {
			age := time.Duration(random.IntN(20)) * 500 * time.Millisecond // exact in binary, and often equal
			p.complete(age, 1000)
			all = append(all, age)
		}
		last := slices.Sorted(slices.Values(all[max(0, len(all)-paceSamples):]))
		if want := max(leastPace, last[len(last)/2]); p.own != want {
			t.Fatalf("%v: pace %s, want %s", all, p.own, want)
		}
		if p.settled() != (len(all) >= paceLeast) {
			t.Fatalf("%d ages: settled %v", len(all), p.settled())
		}
		if want := max(0, len(all)-paceLeast); len(p.list) != want {
			t.Fatalf("%d ages: %d shapes, want %d", len(all), len(p.list), want)
		}
	}
}

func TestOwnPace(t *testing.T) {
	d := NewDetector(Config{Period: 3 * time.Second})
	check := func(declared, want time.Duration) {
		t.Helper()
		if got := d.Own(id(1), declared); got != want {
			t.Errorf("own pace %s, want %s", got, want)
		}
	}
	check(0, 3*time.Second)
	check(-time.Second, 3*time.Second)
	check(time.Second, time.Second)
	check(time.Nanosecond, leastPace)
	teach(d, 1, paceLeast-1, func(int) time.Duration { return 2 * time.Second })
	check(time.Second, time.Second)
	teach(d, 1, 1, func(int) time.Duration { return 2 * time.Second })
	check(time.Second, 2*time.Second)
	d.Forget(id(1))
	check(time.Second, time.Second)
	teach(d, 1, paceLeast, func(int) time.Duration { return -time.Hour })
	check(time.Second, leastPace)
}

func TestStretchIsTheLargestShapeAndAQuarter(t *testing.T) {
	const n = 9
	d := NewDetector(DefaultConfig())
	even := func(int) time.Duration { return time.Second }
	stretch := func(want float64) {
		t.Helper()
		if got := d.Limit(nil).Stretch; math.Abs(got-want) > 1e-6 {
			t.Errorf("stretch %v, want %v", got, want)
		}
	}
	stretch(5)
	teach(d, n, paceLeast+7, even)
	stretch(5) // 56 shapes without those of the peer that is left out
	teach(d, n, 1, even)
	stretch(1.5) // 1.25 is below the least
	d.Completed(id(1), 10*time.Second)
	stretch(1.5) // one peer is left out
	d.Completed(id(2), 2*time.Second)
	stretch(2.5)
	d.Completed(id(2), 4*time.Second)
	stretch(5)
	d.Completed(id(1), 100*time.Second)
	stretch(5) // still the same one
	d.Completed(id(3), 100*time.Second)
	stretch(20) // the most
	d.Forget(id(1))
	stretch(5)
	teach(d, n, ringSamples/7, even)
	stretch(1.5) // all that was slow is forgotten
}

func TestTheOnlyPeerIsNotLeftOut(t *testing.T) {
	d := NewDetector(DefaultConfig())
	teach(d, 1, paceLeast+stretchLeast, func(int) time.Duration { return time.Second })
	d.Completed(id(1), 4*time.Second)
	if got := d.Limit(nil).Stretch; got != 5 {
		t.Errorf("stretch %v, want 5", got)
	}
	if d.Completed(id(1), time.Second); d.peers[0].top != 4 {
		t.Errorf("shape %v, want 4", d.peers[0].top)
	}
}

// TestNoPeerDrivesOutTheShapesOfOthers lets one peer publish a thousand times as often.
func TestNoPeerDrivesOutTheShapesOfOthers(t *testing.T) {
	const n = 10
	d := NewDetector(DefaultConfig())
	random := rand.New(rand.NewPCG(1, 0))
	draw := jitter(random)
	for range 100 {
		teach(d, n, 1, draw)
		for range 1000 {
			d.Completed(id(n+1), 10*time.Millisecond)
		}
	}
	total := 0
	for i, p := range d.peers {
		if total += len(p.list); len(p.list) < 90 {
			t.Errorf("peer %d has %d shapes left", i+1, len(p.list))
		}
	}
	if total > ringSamples {
		t.Errorf("%d shapes are held, %d are allowed", total, ringSamples)
	}
}

func TestForgetLeavesTheOthers(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 0))
	d := NewDetector(DefaultConfig())
	own := map[int]time.Duration{}
	for range 2000 {
		p := 1 + random.IntN(50)
		if random.IntN(3) == 0 {
			d.Forget(id(p))
			delete(own, p)
			continue
		}
		own[p] = time.Duration(p) * time.Second
		for range paceLeast {
			d.Completed(id(p), own[p])
		}
	}
	if len(d.peers) != len(own) || len(d.index) != len(own) {
		t.Fatalf("%d, %d peers are remembered, want %d", len(d.peers), len(d.index), len(own))
	}
	for p := 1; p <= 50; p++ {
		want, known := own[p]
		if !known {
			want = time.Minute
		}
		if got := d.Own(id(p), time.Minute); got != want {
			t.Errorf("peer %d: own pace %s, want %s", p, got, want)
		}
	}
}

func TestConfigSaysAllThatIsWrong(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
	const want = "period of 0s where more than 0 is wanted\nsmallest limit of -1ns where at least 0 is wanted"
	if err := (Config{Least: -1}).Validate(); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestNth(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 0))
	for range 2000 {
		s := make([]int, 1+random.IntN(40))
		for i := range s {
			s[i] = random.IntN(1 + random.IntN(50))
		}
		k, sorted := random.IntN(len(s)), slices.Sorted(slices.Values(s))
		if got := nth(slices.Clone(s), k); got != sorted[k] {
			t.Fatalf("%v: %d is not the one at %d", s, got, k)
		}
	}
}

func BenchmarkLimit(b *testing.B) {
	for _, n := range []int{16, 256} {
		for _, dead := range []int{0, n / 2} {
			b.Run(fmt.Sprintf("%d/%d", n, dead), func(b *testing.B) {
				random := rand.New(rand.NewPCG(1, 0))
				d := NewDetector(DefaultConfig())
				draw := jitter(random)
				teach(d, n, 50, draw)
				ages := make([]Age, n)
				for i := range ages {
					ages[i] = Age{ID: id(i + 1), Age: time.Duration(random.Int64N(int64(time.Second))), Period: time.Second}
					if i < dead {
						ages[i].Age += 20 * time.Second
					}
				}
				b.ReportAllocs()
				for b.Loop() {
					for p := range n / 5 { // what completes between two looks
						d.Completed(id(p+1), draw(p))
					}
					d.Limit(ages)
				}
			})
		}
	}
}

func BenchmarkCompleted(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 0))
	d := NewDetector(DefaultConfig())
	draw := jitter(random)
	teach(d, 256, 50, draw)
	ids := make([]pki.ID, 256)
	for i := range ids {
		ids[i] = id(i + 1)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		d.Completed(ids[i%256], draw(0))
	}
}
