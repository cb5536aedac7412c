package gossip

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/g2g-net/g2g/node/latency"
	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

// bands gives every node a place, and every pair a round trip by the distance of their places, 10 % more or less.
func (w *world) bands(place func(name string) int, rtt []time.Duration) {
	w.rtt = func(a, b *actor) time.Duration {
		d := place(a.name) - place(b.name)
		if d < 0 {
			d = -d
		}
		return time.Duration(float64(rtt[d]) * (0.9 + 0.2*w.r.Float64()))
	}
}

// grouped is a node's groups as text: letter, label, how many.
func grouped(a *actor) (text string) {
	for _, g := range a.Snapshot(a.w.now).Groups {
		text += fmt.Sprintf("%s %d ", g.Letter, len(g.Members))
	}
	return text
}

// TestEverybodyIsMeasured: also peers that are not active, at a cost that does not grow with them.
func TestEverybodyIsMeasured(t *testing.T) {
	w := newWorld(t, 21)
	w.bands(func(name string) int { return int(name[2]-'0') % 3 }, []time.Duration{time.Millisecond, 20 * time.Millisecond, 90 * time.Millisecond})
	w.network(40)
	w.becomes(10*time.Second, w.whole)
	w.run(3 * time.Minute)
	for _, a := range w.nodes {
		for _, p := range a.Snapshot(w.now).Peers {
			if p.Path.N < latency.Enough || p.Path.Group == "" || p.Position == 0 {
				t.Errorf("%s has of %s %d round trips, group %q, position %d", a.name, p.Name, p.Path.N, p.Path.Group, p.Position)
			}
		}
		a.sent = map[string]int{}
	}
	w.run(10 * time.Minute)
	for _, a := range w.nodes {
		// 16 active ones every 45 s, one of the others every 15 s
		if got := a.sent["PingRequest"]; got > 16*14+40+MaxActive {
			t.Errorf("%s measured %d times in ten minutes", a.name, got)
		}
		s := a.Snapshot(w.now)
		if len(s.Order) != 39 || len(s.Groups) != 3 && len(s.Groups) != 2 {
			t.Errorf("%s: %d places, groups %s", a.name, len(s.Order), grouped(a))
		}
		for _, n := range a.notices {
			if n.Kind == KindRegrouped {
				t.Errorf("%s: %s", a.name, n.Detail)
			}
		}
	}
}

// TestOrder: who cannot be reached leaves it at once, and comes back by itself.
func TestOrder(t *testing.T) {
	w := newWorld(t, 22)
	w.network(6)
	w.becomes(5*time.Second, w.whole)
	w.run(time.Minute)
	a, b := w.nodes[1], w.nodes[2]
	in := func() bool {
		return slices.ContainsFunc(a.Order(w.now), func(p Place) bool { return p.ID == b.ID() })
	}
	if len(a.Order(w.now)) != 5 || !in() {
		t.Fatalf("%d places", len(a.Order(w.now)))
	}
	if first := a.Effects(); first.Order {
		t.Error("an order that was just made is said to have changed")
	}
	a.unreached(w.now, b.ID())
	if e := a.Effects(); !e.Order || in() || len(a.Order(w.now)) != 4 {
		t.Errorf("a peer that cannot be reached is still in the order, or nobody was told (%t)", e.Order)
	}
	a.flush()
	w.run(3 * time.Second)
	if !in() {
		t.Error("it can be reached and is not back")
	}
	w.run(2 * lookEvery) // by then that is told
	a.notices = nil
	w.cut = func(x, y *actor) bool { return (x == a) != (y == a) && (x == b || y == b) }
	w.run(20 * time.Second)
	if in() {
		t.Error("a peer is in the order whose connection is cut")
	}
	w.cut = func(_, _ *actor) bool { return false }
	w.run(lastRetry * 3 / 2)
	if !in() {
		t.Error("the cut is healed and the peer is not back")
	}
	var told []string
	for _, n := range a.notices {
		if n.Kind == KindOrder {
			told = append(told, n.Detail)
		}
	}
	if want := []string{"4 places; out: n02", "5 places; in: n02"}; !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
}

func TestStrictOrderIsAStack(t *testing.T) {
	w := newWorld(t, 23)
	w.network(6)
	w.becomes(5*time.Second, w.whole)
	w.run(time.Minute)
	a := w.nodes[0]
	a.cfg.Stacks = true
	list := func() (ids []pki.ID) {
		a.reorder()
		for _, p := range a.Order(w.now) {
			ids = append(ids, p.ID)
		}
		return ids
	}
	first := list()
	for range 10 {
		if again := list(); !slices.Equal(first, again) {
			t.Fatalf("%v, then %v", first, again)
		}
	}
	for i := range first[1:] {
		if a.view.Get(first[i]).FirstSeen.Before(a.view.Get(first[i+1]).FirstSeen) {
			t.Errorf("place %d came after place %d", i+1, i)
		}
	}
}

func TestMeasureTakesPeersOnly(t *testing.T) {
	w := newWorld(t, 24)
	w.network(2)
	a := w.nodes[0]
	a.Measure(w.now, a.ID(), time.Millisecond)
	a.Measure(w.now, identity("stranger").ID(), time.Millisecond)
	if n := len(a.distances.of); n != 0 {
		t.Errorf("%d distances of nobody's peers", n)
	}
}

// Who was visited has measured the visitor, and visits it no more for now; of anybody who is nobody's peer nothing is kept.
func TestTheVisitedNeedNotVisit(t *testing.T) {
	w := newWorld(t, 25)
	w.network(2)
	w.becomes(10*time.Second, w.whole)
	a, b := w.nodes[0], w.nodes[1].ID()
	a.deactivate(b)
	a.distances = newDistances(w.now, nil)
	a.Timed(w.now, identity("stranger").ID(), []time.Duration{time.Millisecond})
	if n := len(a.distances.of); n != 0 {
		t.Errorf("%d distances of strangers", n)
	}
	if next, ok := a.nextTurn(); !ok || !next.asked.IsZero() || next.id != b {
		t.Fatal("a peer that was never measured is not the one to visit")
	}
	a.Timed(w.now, b, []time.Duration{time.Millisecond, time.Millisecond, time.Millisecond})
	if next, _ := a.nextTurn(); next.asked.IsZero() || a.estimate(w.now, b).N != latency.Enough {
		t.Errorf("a peer that visited is to be visited as if it had not, %d round trips are known", a.estimate(w.now, b).N)
	}
	if a.connected(w.now, b) {
		t.Error("who was visited counts on a connection of its own")
	}
}

// Where many take turns in being visited several are drawn at once. Whoever was measured meanwhile is not visited, and somebody new comes first.
func TestTurnsAreDrawnTogether(t *testing.T) {
	w, a, _ := lonely(t, 0, 1)
	for i, e := range a.view.Entries() {
		a.path(e.ID).asked = w.now.Add(time.Duration(i-1000) * time.Second)
	}
	first, _ := a.nextTurn()
	if want := a.distances.visited / turnsApart; len(a.distances.turns) != want || first.asked.IsZero() {
		t.Fatalf("%d more are drawn, want %d", len(a.distances.turns), want)
	}
	next := a.distances.turns[0]
	a.path(next.id).asked = w.now
	if got, ok := a.nextTurn(); !ok || got.id == next.id || !got.asked.After(next.asked) {
		t.Error("one is visited that was measured since, or out of turn")
	}
	newcomer := a.hold(a.invented(-9), view.Unheard)
	newcomer.Seen = w.now
	visited := a.distances.visited
	a.revive(w.now, newcomer)
	if a.distances.visited != visited+1 {
		t.Error("somebody new takes no turns") // which says for how long round trips count, and whose connections stay
	}
	if got, _ := a.nextTurn(); got.id != newcomer.ID {
		t.Error("somebody new waits for all who were drawn")
	}
}
