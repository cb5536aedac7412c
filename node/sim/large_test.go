package sim

import "testing"

// HyParView's experiment in small: most nodes are killed at once, and those that are left find each other again. How many of eight still reach
// each other at that moment is chance, so it is the mean of several runs that has a bound.
func TestMostAreKilled(t *testing.T) {
	const runs = 8
	sum := 0.0
	for seed := range uint64(runs) {
		r := play(t, plan("nodes 40\nlength 40s\njoined\nat 15s kill 80%\nat 15s measure"), 1+seed)
		settled(t, r)
		before, after := r.Overlay[0], r.Overlay[len(r.Overlay)-1]
		if before.Nodes != 8 || after.Nodes != 8 || after.Reach != 1 {
			t.Errorf("seed %d: %+v\n%+v", 1+seed, before, after)
		}
		sum += before.Reach
	}
	if sum/runs < 0.75 {
		t.Errorf("of the survivors %.2f are reached in the mean", sum/runs)
	}
}

// A tenth is stopped: dropped by whoever had it active, known to whoever held it, back when it goes on.
func TestTenthIsStopped(t *testing.T) {
	r := play(t, plan("nodes 40\nlength 60s\njoined\nat 15s stop 10%\nat 40s continue all"), 1)
	settled(t, r)
	d := r.Detection[0]
	if d.Nodes != 4 || d.Dropped.P99 == nil || *d.Dropped.P99 > 10 || d.Dead.Never > 0 || r.False.Dead > 0 {
		t.Errorf("%+v, %+v", d, r.False)
	}
}
