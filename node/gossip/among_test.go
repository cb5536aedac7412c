package gossip

import (
	"testing"
	"time"

	"github.com/g2g-net/g2g/node/stale"
	"github.com/g2g-net/g2g/node/view"
)

// A full view goes by the age of active peers, and by hints, which come to whoever has an active peer that holds the one named. Where many
// fell at once the others are asked after, one by one: else the last would be held for a minute.
func TestManyFallenHaveOthersAskedAfter(t *testing.T) {
	for fell, want := range []int{0, 0, 0, 1, 1} {
		w := settled(t, 7, 4, 10*time.Second)
		a := w.nodes[0]
		quiet := make([]*view.Entry, 3)
		for i := range quiet {
			quiet[i] = a.hold(a.invented(-1-i), view.Alive)
			quiet[i].Seen = w.now.Add(-overlookedThen - time.Duration(i+1)*time.Second)
		}
		for i := range fell {
			a.convict(w.now, a.hold(a.invented(1000+i), view.Alive), stale.Silent, &doubt{})
		}
		a.fill()
		for i, now := range []time.Time{w.now, w.now.Add(overlookThen / 2), w.now.Add(overlookThen)} {
			a.judge(now)
			if got := a.probing(); got != want*(1+i/2) {
				t.Errorf("%d fell: %d are asked after %s", fell, got, now.Sub(w.now))
			}
		}
		if a.doubts[quiet[0].ID] != nil || want > 0 && a.doubts[quiet[2].ID] == nil {
			t.Errorf("%d fell: it is not those that were heard of longest ago who are asked", fell)
		}
	}
}

// In a full view whoever was not heard of for long is asked once, without a doubt, by a call that proves as much as two: it is most likely only
// far away. If it does not answer the failures count, and it is dropped without a verdict where nothing comes of that.
func TestOverlookedPeerIsAskedOnce(t *testing.T) {
	w := settled(t, 7, 4, 10*time.Second)
	a := w.nodes[0]
	a.fill()
	a.distances.visited = keptVisited + 1 // so that no connection stays for the next visit
	quiet := a.hold(a.invented(-1), view.Alive)
	quiet.Seen = w.now.Add(-overlooked - time.Second)
	a.Effects()
	asked := 0
	for now := w.now; now.Before(w.now.Add(10 * overlookEvery)); now = now.Add(overlookEvery) {
		a.askOverlooked(now)
		for _, s := range a.Effects().Sends {
			if asked++; s.To != quiet.ID || s.Timeout < 2*ProbeTimeout || !a.calls[s.Call].twice {
				t.Errorf("%T to %s, which has %s", s.Request, s.To.Short(), s.Timeout)
			}
		}
	}
	if asked != 1 || len(a.doubts) > 0 {
		t.Fatalf("asked %d times, %d doubts", asked, len(a.doubts))
	}
	quiet.Seen = w.now.Add(-2*overlooked - time.Second)
	if a.askOverlooked(w.now.Add(10 * overlookEvery)); a.view.Get(quiet.ID) != nil {
		t.Error("who stays unheard is held for ever")
	}

	gone := a.hold(a.invented(-2), view.Alive)
	gone.Seen, a.nextOverlooked = w.now.Add(-overlooked-time.Second), w.now
	a.askOverlooked(w.now)
	failed := w.now.Add(overslept - 1)
	a.answered(a.active[0], w.now)
	a.answered(a.active[1], failed)
	a.spoken = failed
	a.Fail(failed, a.lastCall, Unanswered)
	if e := a.view.Get(gone.ID); e == nil || e.State != view.Dead {
		t.Error("one call without answer proves nothing")
	}
}
