package gossip

import (
	"slices"
	"testing"
	"time"

	"github.com/g2g-net/g2g/node/stale"
	"github.com/g2g-net/g2g/node/view"
)

// stall ends what makes a node's beats: it goes on to answer.
func (a *actor) stall() { a.cfg.OnlyPublish, a.nextBeat = true, time.Time{} }

func (a *actor) proceed() {
	a.cfg.OnlyPublish = false
	a.do(func() { a.beatAt(a.w.now) })
}

// everywhereStalled tells who does not hold a node for stalled.
func (w *world) everywhereStalled(victim *actor) func() string {
	return func() string {
		for _, a := range w.nodes {
			if e := a.view.Get(victim.ID()); a != victim && (e.State != view.Dead || e.Reason != stale.Stalled.String()) {
				return a.name + " holds it " + e.State.String() + " " + e.Reason
			}
		}
		return ""
	}
}

// Who answers and does no work is found by its own word, far sooner than the limit on ages that come by gossip allows; once it works again
// those that had it active have it so again, and it is found as soon the next time.
func TestStalledIsFoundByItsOwnWord(t *testing.T) {
	w := newWorld(t, 9)
	w.network(12)
	w.becomes(30*time.Second, w.whole)
	w.run(time.Minute)
	victim, others := w.nodes[4], slices.Delete(slices.Clone(w.nodes), 4, 5)
	for range 2 {
		for _, a := range others {
			a.notices = nil
		}
		victim.stall()
		w.becomes(6*time.Second, w.everywhereStalled(victim))
		unmoved(t, victim, others)
		w.run(20 * time.Second)
		victim.proceed()
		w.becomes(10*time.Second, w.whole)
		w.run(20 * time.Second)
		for _, id := range victim.active {
			if a := w.byID[id]; !a.Active(victim.ID()) {
				t.Errorf("%s no longer has it active, and it has that one", a.name)
			}
		}
	}
}

func meanDirect(honest []*actor) (mean time.Duration) {
	for i, a := range honest {
		e := a.view.Get(honest[(i+1)%len(honest)].ID())
		mean += a.detector.Direct(e.ID, e.Period) / time.Duration(len(honest))
	}
	return mean
}

// Who says that its beats are old makes others ask, and stretches nobody's limit.
func TestOldOwnWordHurtsNobody(t *testing.T) {
	w, liar, honest := liarWorld(t)
	before := meanDirect(honest)
	lies(w, time.Minute, liar, honest, func(*actor) Message {
		b := liar.ownBeat(w.now)
		b.Age += 10 * time.Second
		return JoinRequest{Contact: liar.contact, Beat: b}
	})
	unmoved(t, liar, honest)
	if after := meanDirect(honest); after > before*11/10 {
		t.Errorf("the liar moved the limit from %s to %s", before, after)
	}
}

// Who says that its last beat is brand new, again and again, is as old as that beat was seen.
func TestYoungOwnWordDelaysNothing(t *testing.T) {
	w, liar, honest := liarWorld(t)
	liar.stall()
	stalled := w.everywhereStalled(liar)
	for begun := w.now; stalled() != ""; {
		if w.now.Sub(begun) > 10*time.Second {
			t.Fatal(stalled())
		}
		lies(w, 200*time.Millisecond, liar, honest, func(*actor) Message {
			return JoinRequest{Contact: liar.contact, Beat: view.Beat{Sequence: liar.beat.Sequence, Link: liar.beat.Link}}
		})
	}
	unmoved(t, liar, honest)
}

// Limits differ a little. Who hears that a peer is stuck, and finds it within its own limit, asks once more when it would be past that.
func TestHintOfAStallIsKeptInMind(t *testing.T) {
	w := newWorld(t, 9)
	w.network(8)
	w.becomes(30*time.Second, w.whole)
	w.run(time.Minute)
	a, b, peer := w.nodes[1], w.nodes[2], w.nodes[3]
	hint := func() *doubt {
		e := a.view.Get(peer.ID())
		a.do(func() { a.Receive(w.now, b.ID(), HintRequest{Hints: []Hint{hintOf(e, true)}}) })
		w.run(50 * time.Millisecond)
		return a.doubts[peer.ID()]
	}
	for a.view.Get(peer.ID()).BeatSequence != peer.beat.Sequence {
		w.run(10 * time.Millisecond)
	}
	peer.stall()
	d := hint()
	if d == nil || d.again.Before(w.now) || !d.byAge {
		t.Fatalf("doubt %+v", d)
	}
	peer.proceed()
	w.run(3 * time.Second)
	if d := a.doubts[peer.ID()]; d != nil || a.view.Get(peer.ID()).State != view.Alive {
		t.Errorf("after its next beat: doubt %+v, %s", d, a.view.Get(peer.ID()).State)
	}
}
