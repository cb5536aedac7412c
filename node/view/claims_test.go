package view

import (
	"slices"
	"testing"
	"time"
)

// TestUsualIsTheMedian: what a beat usually took to come is the median of the latest claims that are relied on, whatever they are.
func TestUsualIsTheMedian(t *testing.T) {
	for seed := range uint64(20) {
		r := seeded(seed)
		var e Entry
		var all []time.Duration
		for range 50 {
			e.claimed = time.Duration(r.IntN(12))
			e.Relied()
			all = append(all, e.claimed)
			latest := slices.Sorted(slices.Values(all[max(0, len(all)-claimsKept):]))
			if want := latest[len(latest)/2]; e.usual != want {
				t.Fatalf("seed %d: %d of %v, want %d", seed, e.usual, latest, want)
			}
		}
	}
}
