package view

import (
	"testing"
	"time"

	"github.com/g2g-net/g2g/pki"
)

// TestVerdicts has one case for each way that a contact can meet the view. Judge must change nothing.
func TestVerdicts(t *testing.T) {
	g := newGrove()
	w, self := g.writer(1, pki.Server), g.writer(2, pki.Server)
	second := func(c *Contact) { c.NotAfter++ } // another content under one sequence
	later := func(c *Contact) { c.Incarnation++ }
	epoch := func(n uint64) func(*Contact) { return func(c *Contact) { c.MinEpoch = n } }
	held := func(v *View) { put(t, v, start, w.contact(10, later, epoch(5))) }
	dropped := func(v *View) { held(v); v.Drop(w.id.ID()) }
	burst := func(v *View) {
		for i := range uint64(contactBurst) {
			put(t, v, start, w.contact(10+i, later, epoch(5)))
		}
	}
	ends := func(at time.Time) func(*Contact) { return func(c *Contact) { c.NotAfter = at.Unix() } }
	for _, c := range []struct {
		name    string
		before  func(*View)
		after   time.Duration
		contact *Contact
		want    Verdict
	}{
		{"first of a peer", nil, 0, w.contact(1), Newer},
		{"own", nil, 0, self.contact(99), Own},
		{"at the end of its life, with tolerance", nil, 0, w.contact(1, ends(start.Add(-pki.Tolerance))), Newer},
		{"past its life", nil, 0, w.contact(1, ends(start.Add(-pki.Tolerance-time.Second))), Old},
		{"held: same", held, 0, w.contact(10, later, epoch(5)), Same},
		{"held: higher sequence", held, 0, w.contact(11, later, epoch(5)), Newer},
		{"held: lower sequence", held, 0, w.contact(9, later, epoch(5)), Old},
		{"held: higher sequence, earlier incarnation", held, 0, w.contact(11, epoch(5)), Old},
		{"held: higher sequence, lower epoch", held, 0, w.contact(11, later, epoch(4)), Newer},
		{"held: equal sequence, other bytes", held, 0, w.contact(10, later, epoch(5), second), Conflict},
		{"held: past its life, though same", held, 80 * time.Hour, w.contact(10, later, epoch(5)), Old},
		{"dropped: the same may come back", dropped, 0, w.contact(10, later, epoch(5)), Newer},
		{"dropped: lower sequence", dropped, 0, w.contact(9, later, epoch(5)), Old},
		{"dropped: earlier incarnation", dropped, 0, w.contact(11, epoch(5)), Old},
		{"dropped: lower epoch", dropped, 0, w.contact(11, later, epoch(4)), Newer},
		{"dropped: higher sequence", dropped, 0, w.contact(11, later, epoch(6)), Newer},
		{"after a burst", burst, 0, w.contact(20, later, epoch(5)), Hasty},
		{"after a burst, almost in time", burst, contactSpacing - 1, w.contact(20, later, epoch(5)), Hasty},
		{"after a burst, in time", burst, contactSpacing, w.contact(20, later, epoch(5)), Newer},
	} {
		v := New(self.id.ID())
		if c.before != nil {
			c.before(v)
		}
		for range 2 {
			if got := v.Judge(start.Add(c.after), c.contact); got != c.want {
				t.Errorf("%s: %s, want %s", c.name, got, c.want)
			}
		}
	}
}

// TestStates walks one peer through every state.
func TestStates(t *testing.T) {
	w := newGrove().writer(1, pki.Server)
	v := New(pki.ID{})
	c := w.contact(1)
	now := start
	is := func(want State, reason string) {
		t.Helper()
		e := v.Get(c.ID)
		if e == nil || e.State != want || e.Reason != reason {
			t.Fatalf("%+v, want %s %q", e, want, reason)
		}
	}
	wait := func(d time.Duration) []pki.ID {
		now = now.Add(d)
		return v.Look(now)
	}
	put(t, v, now, c)
	is(Unheard, "")
	if gone := wait(UnheardLife); len(gone) > 0 {
		t.Errorf("an unheard peer is gone too soon: %v", gone)
	}
	hear(t, v, now, c, w.beat(1), Revived)
	is(Alive, "")
	wait(time.Hour)
	is(Alive, "") // its age is judged elsewhere
	v.SetLate(now, c.ID, true)
	is(Late, "")
	hear(t, v, now, c, w.beat(2), Advanced)
	is(Late, "")
	v.SetLate(now, c.ID, false)
	is(Alive, "")
	v.Convict(now, c.ID, "stalled")
	is(Dead, "stalled")
	hear(t, v, now, c, w.beat(2), Known)
	is(Dead, "stalled")
	hear(t, v, now, c, w.beat(3), Revived)
	is(Alive, "")
	v.Convict(now, c.ID, "silent")
	is(Dead, "silent")
	c = w.contact(2, left)
	put(t, v, now, c)
	is(Left, "")
	hear(t, v, now, c, w.beat(4), Known)
	is(Left, "")
	w.climb()
	c = w.contact(3)
	put(t, v, now, c)
	is(Unheard, "")
	hear(t, v, now, c, w.beat(1), Revived)
	is(Alive, "")
	put(t, v, now, w.contact(4, left))
	wait(Forget)
	is(Left, "")
	wait(1)
	if v.Get(c.ID) != nil {
		t.Error("a peer that left is kept for ever")
	}
	put(t, v, now, w.contact(5))
	wait(UnheardLife + 1)
	if v.Get(c.ID) != nil {
		t.Error("a peer that was never heard is kept for ever")
	}
}

// TestSettle shows that two views that met the contacts of two holders of one identity in either order keep the same one.
func TestSettle(t *testing.T) {
	w := newGrove().writer(1, pki.Server)
	a := w.contact(7)
	b := w.contact(7, func(c *Contact) { c.NotAfter++ })
	w.climb()
	later := w.contact(7)
	for _, pair := range [][2]*Contact{{a, b}, {a, later}, {b, later}} {
		var kept [2]*Contact
		for i := range pair {
			v := New(pki.ID{})
			put(t, v, start, pair[i])
			other := pair[1-i]
			if v.Judge(start, other) == Conflict {
				v.Settle(start, other)
			}
			kept[i] = v.Get(a.ID).Contact
			hear(t, v, start, kept[i], Beat{}, Known)
		}
		if kept[0] != kept[1] {
			t.Errorf("one view keeps %s, the other %s", kept[0].Sealed.Payload, kept[1].Sealed.Payload)
		}
	}
	v := New(pki.ID{})
	put(t, v, start, a)
	hear(t, v, start, a, Beat{}, Known)
	v.Settle(start, later)
	hear(t, v, start, later, w.beat(1), Revived) // the ladder is the kept contact's
}

// TestMinEpochs shows that no leaf that a peer revoked is believed again when the peer was dropped.
func TestMinEpochs(t *testing.T) {
	w := newGrove().writer(1, pki.Server)
	v := New(pki.ID{})
	put(t, v, start, w.contact(1, func(c *Contact) { c.MinEpoch = 8 }))
	v.Drop(w.id.ID())
	if got := v.MinEpochs(); len(got) != 1 || got[w.id.ID()] != 8 {
		t.Errorf("after the drop: %v", got)
	}
	put(t, v, start, w.contact(2, func(c *Contact) { c.MinEpoch = 9 }))
	if got := v.MinEpochs(); len(got) != 1 || got[w.id.ID()] != 9 {
		t.Errorf("after its return: %v", got)
	}
}
