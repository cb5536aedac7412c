package sim

import "testing"

func TestGraph(t *testing.T) {
	g := graph{{1}, {2}, {}, {4}, {3}, {}} // 0 -> 1 -> 2, 3 <-> 4, 5
	if count, largest := g.components(); count != 3 || largest != 0.5 {
		t.Errorf("%d parts, the largest %v", count, largest)
	}
	if reached, hops, deepest := g.flood(0); reached != 3 || hops != 3 || deepest != 2 {
		t.Errorf("reached %d over %d, at most %d", reached, hops, deepest)
	}
	var o Overlay
	o.reach(g)
	if want := float64(3+2+1+2+2+1) / 36; o.Reach != want || o.MaxHops != 2 {
		t.Errorf("%+v, want %v", o, want)
	}
	if n := g.oneSided(); n != 2 {
		t.Errorf("%d links are one-sided", n)
	}
	o.degrees(g, g)
	if o.ActiveMin != 0 || o.ActiveMean != 4.0/6 || o.InMax != 1 || o.InMean != 4.0/6 {
		t.Errorf("%+v", o)
	}
}

// Times that never came are last, and no part that reaches into them has come.
func TestSpread(t *testing.T) {
	e := &episode{at: 1e9}
	s := e.spread([]int64{3e9, unseen, 2e9})
	if s.Cases != 3 || s.Never != 1 || *s.Median != 2 || s.P99 != nil || s.Max != nil {
		t.Errorf("%+v", s)
	}
	if s := e.spread(nil); s.Cases != 0 || s.Median != nil {
		t.Errorf("%+v", s)
	}
}
