package gossip

import (
	"testing"
	"time"

	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

// oneSided names an active link whose other end does not have it, if there is one.
func (w *world) oneSided() string {
	for _, a := range w.nodes {
		if a.Machine == nil {
			continue
		}
		for _, id := range a.active {
			if b := w.byID[id]; b.Machine != nil && !b.Active(a.ID()) {
				return a.name + " has " + b.name + " active, which has not"
			}
		}
	}
	return ""
}

// crowd is a network in which nobody can have everybody active.
func crowd(t *testing.T, seed uint64) *world {
	t.Helper()
	w := newWorld(t, seed)
	w.network(MaxActive + 6)
	w.run(30 * time.Second)
	w.becomes(10*time.Second, w.oneSided) // a join may be under way
	return w
}

// Who has to go is told, and so is who comes in vain since others came first.
func TestWhoGoesIsTold(t *testing.T) {
	w := crowd(t, 3)
	a := w.nodes[4]
	b := w.byID[a.active[0]]
	a.do(func() { a.part(w.now, b.ID()) })
	w.becomes(time.Second, w.oneSided)
	if a.Active(b.ID()) || b.Active(a.ID()) {
		t.Error("the link is still there")
	}
	for i := 0; len(a.active) < MaxActive; i++ { // while a join of b's is under way
		a.activate(a.hold(a.invented(i), view.Alive).ID)
	}
	b.activate(a.ID())
	w.strict = false
	a.joined(w.now, &call{to: b.ID(), req: JoinRequest{}}, JoinResponse{Contact: b.Contact(), Active: true})
	a.do(func() { a.deactivate(a.active[0]) })
	w.becomes(time.Second, func() string {
		if b.Active(a.ID()) {
			return "it was not told"
		}
		return ""
	})
}

// Who is dialled from the reserve and says yes finds no place in a full view: it is told, and does not wait for exchanges.
func TestWhoFindsNoPlaceIsTold(t *testing.T) {
	w := newWorld(t, 8)
	w.network(3)
	w.becomes(5*time.Second, w.whole)
	w.strict = false
	a, b := w.nodes[0], w.nodes[2]
	a.view.Drop(b.ID())
	a.forget(w.now, b.ID())
	a.fill()
	b.deactivate(a.ID())
	a.do(func() { a.join(w.now, b.ID()) })
	w.run(15 * time.Millisecond) // the request takes 10 ms, as does the answer, and what a says to it
	if !b.Active(a.ID()) {
		t.Error("it says no to the join")
	}
	w.run(20 * time.Millisecond)
	if b.Active(a.ID()) {
		t.Error("it was not told")
	}
}

// A link whose other end was lost without a word is noticed at the next exchange over it, and made anew or given up.
func TestOneSidedLinksAreRepaired(t *testing.T) {
	w := crowd(t, 4)
	for _, a := range w.nodes {
		b := w.byID[a.active[w.r.IntN(len(a.active))]]
		b.deactivate(a.ID())
		a.attempt(b.ID()).mutual = true // as far as a knows
	}
	if w.oneSided() == "" {
		t.Fatal("nothing to repair")
	}
	w.becomes(25*time.Second, w.oneSided)
	for _, a := range w.nodes {
		if len(a.active) < soonActive {
			t.Errorf("%s is left with %d active peers", a.name, len(a.active))
		}
	}
}

// A link of which it is not known whether it goes both ways is tried first.
func TestNewLinksAreTriedFirst(t *testing.T) {
	w := crowd(t, 5)
	for _, a := range w.nodes[:3] {
		b := w.byID[a.active[0]]
		b.deactivate(a.ID())
		a.attempt(b.ID()).mutual = false // it admitted a join whose answer was lost
	}
	w.becomes(6*time.Second, w.oneSided)
}

// Who was lost and is back, and does not know that it was, is no one-sided peer of those that had it active.
func TestLostLinksComeBack(t *testing.T) {
	w := crowd(t, 6)
	gone := w.nodes[7]
	w.cut = func(a, b *actor) bool { return a == gone || b == gone }
	w.becomes(20*time.Second, func() string {
		for _, a := range w.nodes {
			if e := a.view.Get(gone.ID()); e != nil && e.State != view.Dead {
				return a.name + " holds it for " + e.State.String()
			}
		}
		return ""
	})
	w.cut = func(_, _ *actor) bool { return false }
	took := w.becomes(25*time.Second, func() string { // at the latest with the next exchange over each link
		for _, a := range w.nodes {
			if e := a.view.Get(gone.ID()); e != nil && e.State != view.Alive {
				return a.name + " holds it for " + e.State.String()
			}
		}
		return w.oneSided()
	})
	t.Logf("after %s", took)
	if len(gone.active) < soonActive {
		t.Errorf("%d active peers", len(gone.active))
	}
}

// The attack, or the fault: a peer goes on asking, and answers nothing. Of two it has its turn all the same, not only when it is drawn.
func TestWhoOnlyAsksIsAsked(t *testing.T) {
	w := newWorld(t, 9)
	w.network(3)
	w.run(5 * time.Second)
	a := w.nodes[0]
	b, c := w.nodes[1].ID(), w.nodes[2].ID()
	for _, id := range []pki.ID{b, c} {
		a.activate(id)
		a.attempt(id).mutual, a.attempt(id).exchanging = true, false
	}
	waited, longest := 0, 0
	for range 400 {
		w.now = w.now.Add(time.Second)
		a.told(w.now, c, 0, 0)
		to, ok := a.partner(w.now)
		if !ok {
			t.Fatal("nobody is to be asked")
		}
		a.exchange(w.now, to)
		a.attempt(to).exchanging = false
		if waited++; to == c {
			waited = 0
		} else {
			a.told(w.now, b, 0, 0)
		}
		longest = max(longest, waited)
	}
	if longest > 3 {
		t.Errorf("it is left out %d times in a row", longest)
	}
}
