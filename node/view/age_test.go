package view

import (
	"testing"
	"time"

	"github.com/g2g-net/g2g/pki"
)

// TestAge: the age is the time since the beat was seen here and the claim that came with it; a later claim lowers the claim only.
func TestAge(t *testing.T) {
	w := newGrove().writer(1, pki.Server)
	v := New(pki.ID{})
	c := w.contact(1)
	e := put(t, v, start, c)
	say := func(at time.Duration, sequence uint64, claim time.Duration, want time.Duration) {
		t.Helper()
		b := w.beat(sequence)
		b.Age = claim
		v.Advance(start.Add(at), c.ID, 1, b)
		if got := e.Age(start.Add(at)); got != want {
			t.Errorf("beat %d claimed %s old, told after %s: age %s, want %s", sequence, claim, at, got, want)
		}
	}
	const s = time.Second
	say(0, 1, 3*s, 3*s)
	say(2*s, 1, 4*s, 5*s)  // a higher claim counts nothing
	say(4*s, 1, 1*s, 5*s)  // a lower one lowers its part: 4 s since it was seen, 1 s claimed
	say(6*s, 1, 0, 6*s)    // at the least the time since it was seen here
	say(8*s, 1, -5*s, 8*s) // never less
	say(9*s, 2, -5*s, 0)   // no beat is from the future
	say(10*s, 1, 0, 1*s)   // an older beat says nothing
	say(11*s, 3, 9*s, 2*s) // a new beat was made after the one before it
	if b := e.Beat(start.Add(13 * s)); b.Age != 4*s || b.Sequence != 3 || b.Link != w.ladder.Link(3) {
		t.Errorf("passed on as %+v", b)
	}
}

// TestRelays sends beats along random paths of honest nodes. A node's age of a beat is never above the true one, and below it by
// no more than what the messages on the longest path to it were under way: that time nobody can know without a common clock.
func TestRelays(t *testing.T) {
	w := newGrove().writer(1, pki.Server)
	c := w.contact(1)
	for seed := range uint64(50) {
		r := seeded(seed)
		views, lag := make([]*View, 6), make([]time.Duration, 6)
		for i := range views {
			views[i] = New(pki.ID{byte(i + 1)})
			put(t, views[i], start, c)
		}
		now, published := start, []time.Time{{}}
		for range 200 {
			if r.IntN(4) == 0 || len(published) == 1 {
				published = append(published, now)
				views[0].Advance(now, c.ID, 1, w.beat(uint64(len(published)-1)))
				lag[0] = 0
			}
			now = now.Add(time.Duration(r.IntN(1000)) * time.Millisecond)
			from, to := r.IntN(len(views)), r.IntN(len(views))
			told, held := views[from].Get(c.ID), views[to].Get(c.ID)
			if told.BeatSequence > 0 && told.BeatSequence >= held.BeatSequence {
				b, way := told.Beat(now), time.Duration(r.IntN(100))*time.Millisecond
				if to > 0 { // the owner hears nothing new about itself
					if told.BeatSequence > held.BeatSequence {
						lag[to] = 0
					}
					lag[to] = max(lag[to], lag[from]+way)
				}
				now = now.Add(way)
				views[to].Advance(now, c.ID, 1, b)
			}
			for i, v := range views {
				e := v.Get(c.ID)
				truth := now.Sub(published[e.BeatSequence])
				if age := e.Age(now); e.BeatSequence > 0 && (age > truth || age < truth-lag[i]) {
					t.Fatalf("seed %d: node %d gives beat %d the age %s, it is %s less at most %s", seed, i, e.BeatSequence, age, truth, lag[i])
				}
			}
		}
	}
}
