package gossip

import (
	"testing"
	"time"

	"github.com/g2g-net/g2g/node/latency"
	"github.com/g2g-net/g2g/node/stale"
	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

// In a full view in which nothing happens exchanges are further apart. Where a peer falls, or a nomination is made or learnt, they come at the
// interval again, and the next one at once so.
func TestExchangesOfACalmView(t *testing.T) {
	calm := func(full bool) (*world, *actor) {
		w := settled(t, 7, 4, 20*time.Second)
		a := w.nodes[0]
		if full {
			a.fill()
		}
		return w, a
	}
	w, a := calm(false)
	if got := a.apart(w.now); got != a.cfg.Interval {
		t.Errorf("%s apart where the view has room", got)
	}
	wanted := NominateRequest{Mode: pki.Server, Life: time.Hour, Uses: 1}
	for name, stir := range map[string]func(w *world, a *actor){
		"nothing": func(_ *world, _ *actor) {},
		"a fall": func(w *world, a *actor) {
			a.convict(w.now, a.view.Entries()[0], stale.Silent, &doubt{})
			a.fill()
		},
		"a nomination": func(w *world, a *actor) { value2(a.Nominate(w.now, wanted)) },
		"another's nomination": func(w *world, a *actor) {
			_, n, err := NewNomination(secrets{w.r}, a.identity, w.genesis.Network(), w.now, wanted)
			if err != nil {
				t.Fatal(err)
			}
			a.send(w.now, a.active[0], NominationsRequest{})
			a.Reply(w.now, a.lastCall, NominationsResponse{[]SealedNomination{{n, value(n.Seal(a.identity))}}})
		},
	} {
		w, a := calm(true)
		if got := a.apart(w.now); got != calmIntervals*a.cfg.Interval {
			t.Fatalf("%s apart in a full view", got)
		}
		a.nextExchange = w.now.Add(calmIntervals * a.cfg.Interval)
		stir(w, a)
		want, next := a.cfg.Interval, w.now.Add(a.cfg.Interval)
		if name == "nothing" {
			want, next = calmIntervals*a.cfg.Interval, w.now.Add(calmIntervals*a.cfg.Interval)
		}
		if got := a.apart(w.now.Add(calmAfter - 1)); got != want || !a.nextExchange.Equal(next) {
			t.Errorf("%s: %s apart, the next in %s", name, got, a.nextExchange.Sub(w.now))
		}
		if got := a.apart(w.now.Add(calmAfter)); got != calmIntervals*a.cfg.Interval {
			t.Errorf("%s: %s apart long after it", name, got)
		}
	}
}

// The ages of a calm view are judged again before any of them can have grown to the floor, and at once where there is a doubt.
func TestAgesOfACalmView(t *testing.T) {
	w := settled(t, 7, 4, 20*time.Second)
	a := w.nodes[0]
	a.fill()
	a.judge(w.now)
	if wait := a.nextAges.Sub(w.now); wait <= 0 || wait > agesEvery || wait > a.bound.Floor-a.oldest() {
		t.Fatalf("the next after %s, where the oldest is %s and the floor %s", wait, a.oldest(), a.bound.Floor)
	}
	judged := func(now time.Time) bool {
		a.bound = stale.Bound{}
		a.judge(now)
		return a.bound.Limit > 0
	}
	at := a.nextAges
	if judged(at.Add(-1)) || !judged(at) {
		t.Error("ages are not judged when they are due")
	}
	if a.doubt(w.now, a.active[0]); !judged(at.Add(1)) {
		t.Error("nor where there is a doubt")
	}
}

// A round makes a new order, but groups, which cost as much as there are peers, only now and then where there are many; and soon where a
// peer has come to be known well enough for a group of its own.
func TestManyPeersAreRegroupedSeldom(t *testing.T) {
	w := settled(t, 7, 4, 20*time.Second)
	a := w.nodes[0]
	for _, peers := range []int{3, regroupedAtOnce, 3 * regroupedAtOnce} {
		for i := 0; len(a.distances.of) < peers; i++ {
			a.path(a.hold(a.invented(i), view.Alive).ID)
		}
		a.distances.regroup = w.now
		a.round(w.now)
		if got, want := a.distances.regroup.Sub(w.now), a.cfg.Rebuild*time.Duration(1+peers/regroupedAtOnce); got != want {
			t.Errorf("%d peers: grouped again after %s, want %s", peers, got, want)
		}
		a.distances.stale = false
		if a.round(w.now.Add(a.cfg.Rebuild)); !a.distances.stale || a.distances.next.Sub(w.now) != 2*a.cfg.Rebuild {
			t.Errorf("%d peers: no new order, or none in the round after", peers)
		}
	}
	id := a.hold(a.invented(-1), view.Alive).ID
	for range latency.Enough {
		a.Measure(w.now, id, time.Millisecond)
	}
	soon := w.now.Add(roundsApart * time.Duration(1+len(a.distances.of)/placedAtOnce))
	if !a.distances.regroup.Equal(soon) || a.distances.next.After(soon) {
		t.Errorf("one more is grouped %s later", a.distances.regroup.Sub(w.now))
	}
}
