package gossip

import (
	"slices"
	"testing"
	"time"

	"github.com/g2g-net/g2g/node/stale"
	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

// fill takes every free place of a's view, and says whose.
func (a *actor) fill() (others map[pki.ID]bool) {
	others = map[pki.ID]bool{}
	for i := 0; !a.view.Full(); i++ {
		c := a.invented(i)
		a.hold(c, view.Alive).Addresses = nil
		others[c.ID] = true
	}
	return others
}

// fillAndLose fills a's view, has it looked at, and then finds so many dead of those that came.
func (a *actor) fillAndLose(n int) {
	others := a.fill()
	a.judge(a.w.now)
	for id := range others {
		if n--; n < 0 {
			return
		}
		a.convict(a.w.now, a.view.Get(id), stale.Silent, &doubt{})
	}
}

// A peer that fell and is back has its place again, though the view has become full meanwhile: one of those that took the free places
// gives way, and no active one.
func TestWhoIsBackFindsAPlaceInAFullView(t *testing.T) {
	for name, c := range map[string]struct {
		state    view.State
		go_, now func(w *world, gone *actor)
	}{
		"cut off": {
			view.Dead,
			func(w *world, gone *actor) { w.cut = func(a, b *actor) bool { return a == gone || b == gone } },
			func(w *world, _ *actor) { w.cut = func(_, _ *actor) bool { return false } },
		},
		"killed": {view.Dead, func(_ *world, gone *actor) { gone.kill() }, func(_ *world, gone *actor) { gone.start() }},
		"left": {
			view.Left,
			func(w *world, gone *actor) {
				gone.do(func() { gone.Leave(w.now) })
				w.run(time.Second)
				gone.kill()
			},
			func(_ *world, gone *actor) { gone.start() },
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := settled(t, 7, 4, 5*time.Second)
			a, gone := w.nodes[0], w.nodes[3]
			id := gone.ID()
			is := func(want view.State) func() string {
				return func() string {
					if e := a.view.Get(id); e == nil {
						return "forgotten"
					} else if e.State != want {
						return e.State.String()
					}
					return ""
				}
			}
			c.go_(w, gone)
			w.becomes(10*time.Second, is(c.state))
			others := a.fill()
			c.now(w, gone)
			w.becomes(10*time.Second, is(view.Alive))
			if !a.view.Full() {
				t.Error("more than one gave way")
			}
			for id := range others {
				if a.view.Get(id) != nil {
					delete(others, id)
				}
			}
			if len(others) != 1 {
				t.Errorf("%d of those that had taken places gave way", len(others))
			}
		})
	}
}

// Where nobody can give way, whoever is back is not held for what it was.
func TestWhoFindsNoPlaceIsForgotten(t *testing.T) {
	for _, state := range []view.State{view.Dead, view.Left} {
		w, a, _ := pair(t)
		for id := range a.fill() {
			a.activate(id)
		}
		c := a.invented(-1)
		e := a.hold(c, view.Unheard)
		if state == view.Dead {
			a.view.Convict(w.now, c.ID, "silent")
			a.revive(w.now, e)
		} else {
			goodbye, back := *c, *c
			goodbye.Left, goodbye.Sequence, back.Sequence = true, 2, 3
			a.view.Put(w.now, &goodbye)
			a.learn(w.now, c.ID, &back)
		}
		if e := a.view.Get(c.ID); e != nil {
			t.Errorf("one that was %s and is back is held for %s", state, e.State)
		}
	}
}

// A full view finds a place for whoever would be an active peer, as long as there are few of these: most of a network that is larger than
// a view is in none that it asks, and would ask in vain for ever. It does so now and then only, and not for one more than that.
func TestFullViewHasAPlaceForActivePeers(t *testing.T) {
	w := settled(t, 7, 5, 5*time.Second)
	a := w.nodes[0]
	for _, other := range w.nodes[1:] {
		a.view.Drop(other.ID())
		a.forget(w.now, other.ID())
	}
	a.fill()
	joins := func(n int) bool {
		other := w.nodes[n]
		req := other.Greeting(w.now)
		req.Urgent = false
		return a.receiveJoin(w.now, other.ID(), req).(JoinResponse).Active && a.Active(other.ID()) && a.view.Full()
	}
	if !joins(1) {
		t.Error("a member that is not held is refused")
	}
	if joins(2) {
		t.Error("two are taken at once")
	}
	w.now = w.now.Add(urgentSpacing)
	if !joins(2) {
		t.Error("the next one is refused later, too")
	}
	w.now = w.now.Add(urgentSpacing)
	for _, id := range a.view.IDs() {
		if len(a.active) < MaxActive {
			a.activate(id)
		}
	}
	if joins(3) || a.view.Get(w.nodes[3].ID()) != nil {
		t.Error("somebody makes place for one that cannot become active")
	}
}

// A network that is larger than a view does not tell each newcomer to everybody: whom a full view takes in place of another, of a smaller
// branch, is told on only if it came itself. Whatever is new of one that is held is told on as ever.
func TestFullViewTellsFewNewcomersOn(t *testing.T) {
	w := settled(t, 7, 5, 5*time.Second)
	a, b, other := w.nodes[0], w.nodes[1].ID(), w.nodes[4]
	id, c := other.ID(), *other.Contact()
	beat := func() IndexedBeat {
		return IndexedBeat{Contact: uint16(c.Sequence), Beat: other.Greeting(w.now).Beat}
	}
	tells := func(from pki.ID) (toldOn bool) {
		a.pending = nil
		told := c
		a.learn(w.now, from, &told)
		a.hear(w.now, from, false, id, beat())
		if e := a.view.Get(id); e == nil || e.State != view.Alive || !a.view.Full() {
			t.Fatalf("it is not held: %+v", e)
		}
		return slices.ContainsFunc(a.pending, func(p pending) bool { return p.id == id })
	}
	forget := func() {
		a.view.Drop(id)
		a.forget(w.now, id)
		other.do(func() { other.idleBeat(w.now) })
		for i := 0; !a.view.Full(); i++ {
			a.hold(w.nodes[1].invented(i), view.Alive).Addresses = nil
		}
	}
	forget()
	if tells(b) {
		t.Error("what a third one says of a newcomer is told on")
	}
	c.Sequence, c.Addresses = c.Sequence+1, []string{"moved:1"}
	c.Sealed.Payload = []byte("moved")
	if !tells(b) {
		t.Error("another address is not told on")
	}
	forget()
	if !tells(id) {
		t.Error("what a newcomer says itself is not told on")
	}
}
