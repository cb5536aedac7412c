package stale

import (
	"math"
	"testing"
	"time"
)

func TestReturn(t *testing.T) {
	start := time.Unix(1e9, 0)
	for _, c := range []struct {
		reason Reason
		beats  int
	}{{Silent, 1}, {Stalled, 2}} {
		var p Past
		p.Fell(start, start, c.reason, time.Second)
		for beat := 1; beat <= c.beats; beat++ {
			if got := p.Returns(start); got != (beat == c.beats) {
				t.Errorf("%s: alive at beat %d: %v", c.reason, beat, got)
			}
		}
		if p.Held(start) || !p.Returns(start) {
			t.Errorf("%s: it has to wait after one fall", c.reason)
		}
	}
}

func TestThirdFallWaits(t *testing.T) {
	start := time.Unix(1e9, 0)
	for _, c := range []struct {
		own     time.Duration
		falls   []float64 // seconds
		waiting float64   // seconds after the last, rounded up
	}{
		{time.Second, []float64{0}, 0},
		{time.Second, []float64{0, 1}, 0},
		{time.Second, []float64{0, 0.1, 0.2}, 26}, // 3 has to halve 2.6 times
		{time.Second, []float64{0, 30, 60}, 12},
		{time.Second, []float64{0, 30, 61}, 0},
		{time.Second, []float64{0, 30, 61, 70}, 17},
		{10 * time.Millisecond, []float64{0, 30, 60}, 12},
		{10 * time.Second, []float64{0, 60, 120}, 24},
		{10 * time.Second, []float64{0, 60, 121}, 0},
		{time.Second, []float64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, 40},
	} {
		var p Past
		var last time.Time
		for _, f := range c.falls {
			last = start.Add(seconds(f))
			p.Fell(last, last, Silent, c.own)
		}
		wait := max(0, p.Until().Sub(last))
		if got := math.Ceil(wait.Seconds()); got != c.waiting {
			t.Errorf("falls at %v: it waits %s, want %vs", c.falls, wait, c.waiting)
		}
		if wait > 0 && (p.Returns(last.Add(wait-1)) || !p.Held(last.Add(wait-1))) {
			t.Errorf("falls at %v: it is back before its wait is over", c.falls)
		}
		if p.Held(last.Add(wait)) || !p.Returns(last.Add(wait)) {
			t.Errorf("falls at %v: it is held longer than its wait", c.falls)
		}
	}
}

// TestStoppedInTurnsIsNotShownAsWell stops a peer for three seconds of every four.
func TestStoppedInTurnsIsNotShownAsWell(t *testing.T) {
	var p Past
	now := time.Unix(1e9, 0)
	for turn := range 100 {
		p.Fell(now, now, Silent, time.Second)
		now = now.Add(3 * time.Second)
		if alive := p.Returns(now); alive != (turn < 2) {
			t.Errorf("turn %d: alive %v", turn, alive)
		}
		now = now.Add(time.Second)
	}
	if wait := p.Until().Sub(now); wait > 4*leastHalfLife {
		t.Errorf("after it is well it waits another %s", wait)
	}
}

func TestWaitOfAnAbsurdPaceIsNoOverflow(t *testing.T) {
	var p Past
	now := time.Unix(1e9, 0)
	for range 5 {
		now = now.Add(time.Second)
		p.Fell(now, now, Stalled, math.MaxInt64)
	}
	if !p.Held(now.Add(time.Hour)) {
		t.Error("it does not wait")
	}
}

// A peer that has made no beat since it fell has not fallen again, whatever beats of before came in between.
func TestFallsWithoutProgressAreOne(t *testing.T) {
	var p Past
	made := time.Unix(1e9, 0)
	for i := range 10 {
		now := made.Add(time.Duration(i+1) * time.Second)
		p.Fell(now, made, Silent, time.Second)
		if p.Held(now) || !p.Returns(now) {
			t.Fatalf("after %d convictions in one silence it is held back", i+1)
		}
	}
}
