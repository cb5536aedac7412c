package view

import (
	"bytes"
	"testing"
	"time"

	"github.com/g2g-net/g2g/pki"
)

// TestEveryLinkLeadsToTheAnchor holds the ladder against the obvious one, which keeps every link.
func TestEveryLinkLeadsToTheAnchor(t *testing.T) {
	id := identity(1).ID()
	top := bytes.Repeat([]byte{7}, 16)
	l := value(NewLadder(bytes.NewReader(top), id, 3))
	link := Link(top)
	for k := uint64(LadderLength); k > 0; k-- {
		if got := l.Link(k); got != link {
			t.Fatalf("link %d is not the one before link %d hashed once", k, k+1)
		}
		link = link.next(id, 3)
	}
	if link != l.Anchor() {
		t.Error("link 1 hashed once is not the anchor")
	}
	for _, k := range []uint64{1, 63, 64, 65, 4095, LadderLength} {
		if l.Link(k).steps(id, 3, k) != l.Anchor() {
			t.Errorf("link %d hashed %d times is not the anchor", k, k)
		}
	}
	if _, err := NewLadder(bytes.NewReader(top[:15]), id, 3); err == nil || err.Error() != "draw ladder: unexpected EOF" {
		t.Errorf("too little chance: %v", err)
	}
}

// TestBeats has one case for each way that a beat can meet its peer's entry, which holds beat 5 of contact 1.
func TestBeats(t *testing.T) {
	g := newGrove()
	w, other := g.writer(1, pki.Server), g.writer(2, pki.Server)
	next := g.writer(1, pki.Server)
	next.climb()
	wrong := w.beat(6)
	wrong.Link[0] ^= 1
	long := w.beat(LadderLength)
	long.Sequence++
	shifted := Beat{Sequence: 7, Link: w.ladder.Link(6)}
	for _, c := range []struct {
		name string
		id   pki.ID
		low  uint16
		beat Beat
		want BeatVerdict
	}{
		{"next", w.id.ID(), 1, w.beat(6), Advanced},
		{"last of the ladder", w.id.ID(), 1, w.beat(LadderLength), Advanced},
		{"same", w.id.ID(), 1, w.beat(5), Known},
		{"older", w.id.ID(), 1, w.beat(4), Known},
		{"none", w.id.ID(), 1, Beat{}, Known},
		{"past the ladder", w.id.ID(), 1, long, Known},
		{"wrong link", w.id.ID(), 1, wrong, FalseLink},
		{"link of another sequence", w.id.ID(), 1, shifted, FalseLink},
		{"of another peer", w.id.ID(), 1, other.beat(6), FalseLink},
		{"of another incarnation", w.id.ID(), 1, next.beat(6), FalseLink},
		{"of another contact", w.id.ID(), 2, w.beat(6), Unheld},
		{"of a peer that is not held", other.id.ID(), 1, other.beat(6), Unheld},
	} {
		v := New(pki.ID{})
		contact := w.contact(1)
		put(t, v, start, contact)
		hear(t, v, start, contact, w.beat(5), Revived)
		now := start.Add(time.Second)
		if got := v.Advance(now, c.id, c.low, c.beat); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
		e := v.Get(w.id.ID())
		if advanced := e.Seen.Equal(now); advanced != (c.want == Advanced) || e.BeatSequence < 5 {
			t.Errorf("%s: the entry is at beat %d, seen %s", c.name, e.BeatSequence, e.Seen.Sub(start))
		}
	}
}

// TestReplayRevivesNobody drops a dead peer and brings everything back that was ever heard of it.
func TestReplayRevivesNobody(t *testing.T) {
	w := newGrove().writer(1, pki.Server)
	v := New(pki.ID{})
	c := w.contact(1)
	put(t, v, start, c)
	for k := range uint64(9) {
		hear(t, v, start, c, w.beat(k+1), [2]BeatVerdict{Revived, Advanced}[min(k, 1)])
	}
	now := start.Add(time.Hour)
	v.Drop(c.ID)
	put(t, v, now, c)
	for k := range uint64(9) {
		hear(t, v, now, c, w.beat(k+1), Known)
	}
	v.Look(now)
	if e := v.Get(c.ID); e.State != Unheard {
		t.Errorf("replayed, the peer is %s", e.State)
	}
	hear(t, v, now, c, w.beat(10), Revived)
}

// TestLadderFollowsTheAnchor: an owner that gives one incarnation two anchors fools nobody into calling those liars who pass
// its beats on.
func TestLadderFollowsTheAnchor(t *testing.T) {
	g := newGrove()
	w, twin := g.writer(1, pki.Server), g.writer(1, pki.Server)
	twin.ladder = value(NewLadder(bytes.NewReader(make([]byte, 16)), twin.id.ID(), twin.inc))
	v := New(pki.ID{})
	put(t, v, start, w.contact(1))
	hear(t, v, start, w.contact(1), w.beat(5), Revived)
	put(t, v, start, twin.contact(2))
	hear(t, v, start, twin.contact(2), twin.beat(1), Advanced)
	v.Drop(w.id.ID())
	put(t, v, start, w.contact(3))
	hear(t, v, start, w.contact(3), w.beat(1), Revived)
}
