package sim

import (
	"fmt"
	"runtime"
	"testing"
	"time"
)

// A spent is what was done in a while, a node and a second.
type spent struct{ turns, messages, bytes, allocated float64 }

// spend has a network that has come together do nothing for a while, and counts what it does in the while after that.
func spend(t testing.TB, nodes int, settle, long time.Duration) spent {
	t.Helper()
	w, err := newWorld(plan(fmt.Sprintf("nodes %d\njoined\nlength 10m", nodes)), 1)
	if err != nil {
		t.Fatal(err)
	}
	w.run(settle)
	w.phase("measured")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	w.run(settle + long)
	runtime.ReadMemStats(&after)
	per, c := 1/(float64(nodes)*long.Seconds()), w.count()
	return spent{per * float64(c.turns), per * float64(c.messages), per * float64(c.bytes), per * float64(after.TotalAlloc-before.TotalAlloc)}
}

// TestCostGrowsNoFasterThanTheView: with four times the nodes, all of which fit into a view, a node does about as much as before, and
// each step takes four times the memory at most. Memory stands for time, which no test can rely on.
func TestCostGrowsNoFasterThanTheView(t *testing.T) {
	const calm, long = 45 * time.Second, 5 * time.Second
	small, large := spend(t, 40, calm, long), spend(t, 160, calm, long)
	t.Logf("a node and second: %.1f, then %.1f", small, large)
	for _, c := range []struct {
		what         string
		small, large float64
		most         float64
	}{
		{"turns", small.turns, large.turns, 1.5},
		{"messages", small.messages, large.messages, 1.5},
		{"bytes", small.bytes, large.bytes, 4},
		{"allocated bytes", small.allocated, large.allocated, 4},
	} {
		if c.large > c.most*c.small {
			t.Errorf("%s: %.1f with 40 nodes, %.1f with 160: more than %g times", c.what, c.small, c.large, c.most)
		}
	}
}

// BenchmarkNode is what a second of one node takes once the network is calm, below and above the limit of a view. It is what to look at
// for where the time goes: go test ./node/sim -run - -bench Node -benchtime 1x -cpuprofile cpu.
func BenchmarkNode(b *testing.B) {
	for _, nodes := range []int{100, 300, 1000} {
		b.Run(fmt.Sprint(nodes), func(b *testing.B) {
			w, err := newWorld(plan(fmt.Sprintf("nodes %d\njoined\nlength 24h", nodes)), 1)
			if err != nil {
				b.Fatal(err)
			}
			at := 20 * time.Second
			w.run(at)
			b.ResetTimer()
			for range b.N {
				at += time.Second
				w.run(at)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*nodes), "ns/node-second")
		})
	}
}
