package sim

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// Events come in the order of their times, those of one time in the order in which they were put.
func TestQueueKeepsTheOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var q queue
	var put, got []event
	for i := range 5000 {
		if e := (event{at: int64(r.IntN(50))}); r.IntN(3) > 0 || q.next() == nil {
			q.put(e)
			put = append(put, event{at: e.at, order: uint64(i)})
		}
		q.events[0].node = nil
	}
	for q.next() != nil {
		got = append(got, q.take())
	}
	slices.SortStableFunc(put, func(a, b event) int { return int(a.at - b.at) })
	for i := range put {
		if got[i].at != put[i].at || i > 0 && !got[i-1].before(&got[i]) {
			t.Fatalf("event %d of %d is at %d, want %d", i, len(put), got[i].at, put[i].at)
		}
	}
	if len(got) != len(put) {
		t.Errorf("%d of %d", len(got), len(put))
	}
}
