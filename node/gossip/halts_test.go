package gossip

import (
	"testing"
	"time"
)

func TestHalts(t *testing.T) {
	start := time.Unix(1e9, 0)
	at := func(s float64) time.Time { return start.Add(time.Duration(s * float64(time.Second))) }
	type halt struct{ from, to float64 }
	for name, c := range map[string]struct {
		halts []halt
		at    float64
		most  bool
	}{
		"one, however long":      {[]halt{{0, 60}}, 60, false},
		"one that is told twice": {[]halt{{0, 6}, {0.5, 6}, {1, 6.1}}, 6.1, false},
		"three of four seconds":  {[]halt{{0, 3}, {4, 7}}, 7, true},
		"for a while after it":   {[]halt{{0, 3}, {4, 7}}, 7.9, true},
		"and no longer":          {[]halt{{0, 3}, {4, 7}}, 12, false},
		"short ones":             {[]halt{{0, 1.9}, {2, 3.9}, {4, 5.9}, {6, 7.9}}, 8, false},
		"now and then":           {[]halt{{0, 3}, {20, 23}}, 23, false},
	} {
		var h halts
		for _, x := range c.halts {
			h.note(at(x.from), at(x.to))
		}
		if got := h.most(at(c.at)); got != c.most {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// A node that is halted for most of the time makes no beat, says so once, and goes on when it has run for a while.
func TestHaltedNodeShowsNoProgress(t *testing.T) {
	w := newWorld(t, 8)
	w.network(2)
	w.becomes(10*time.Second, w.whole)
	a := w.nodes[0]
	now := w.now
	a.Effects()
	progress := func() bool {
		before := a.beat.Sequence
		a.Advance(now)
		return a.beat.Sequence > before
	}
	for i, want := range []bool{true, false, false} {
		now = latest(now.Add(time.Second), a.Deadline()).Add(3 * time.Second)
		if got := progress(); got != want {
			t.Errorf("after halt %d: progress %t", i+1, got)
		}
	}
	told := 0
	for _, n := range a.Effects().Notices {
		if n.Kind == KindHalted {
			told++
		}
	}
	if told != 1 {
		t.Errorf("told %d times", told)
	}
	for range int(haltWindow / time.Second) {
		now = now.Add(time.Second)
		a.Advance(now)
	}
	now = now.Add(a.cfg.Period)
	if !progress() {
		t.Error("it has run for a while and makes no progress")
	}
}
