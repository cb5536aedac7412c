package gossip

import (
	"slices"
	"testing"
	"time"

	"github.com/g2g-net/g2g/node/stale"
	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
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

// lonely is a node with a full view, and with peers in it that it has heard nothing of for so long, the first the longest.
func lonely(t *testing.T, unheard time.Duration, peers int) (*world, *actor, []*view.Entry) {
	t.Helper()
	w := settled(t, 7, 4, 10*time.Second)
	a := w.nodes[0]
	a.fill()
	a.distances.visited = keptVisited + 1 // so that no connection stays for the next visit
	var quiet []*view.Entry
	for i := range peers {
		e := a.hold(a.invented(-1-i), view.Alive)
		e.Seen = w.now.Add(time.Duration(i-peers)*time.Second - unheard)
		quiet = append(quiet, e)
	}
	a.nextOverlooked = time.Time{}
	a.Effects()
	return w, a, quiet
}

// In a full view whoever was not heard of for long is asked once, without a doubt, by a call that proves as much as two: it is most likely only
// far away. Nobody waits for the answer of another.
func TestOverlookedPeerIsAskedOnce(t *testing.T) {
	w, a, quiet := lonely(t, overlooked, 2)
	asked := []pki.ID{}
	for now := w.now; now.Before(w.now.Add(10 * overlookEvery)); now = now.Add(overlookEvery) {
		a.askOverlooked(now)
		for _, s := range a.Effects().Sends {
			if asked = append(asked, s.To); s.Timeout < 2*ProbeTimeout || !a.calls[s.Call].twice {
				t.Errorf("%T, which has %s", s.Request, s.Timeout)
			}
		}
	}
	if !slices.Equal(asked, []pki.ID{quiet[0].ID, quiet[1].ID}) || len(a.doubts) > 0 {
		t.Fatalf("%d are asked, %d doubts", len(asked), len(a.doubts))
	}
}

// One look at the view finds several. Who is heard of before its turn comes is not asked, and who was not among them is found when it is over.
func TestOverlookedPeersAreFoundTogether(t *testing.T) {
	w, a, quiet := lonely(t, overlooked, unheardAtOnce+2)
	if a.askOverlooked(w.now); len(a.unheard) != unheardAtOnce-1 {
		t.Fatalf("%d more are found, want %d", len(a.unheard), unheardAtOnce-1)
	}
	quiet[1].Seen = w.now
	want := []pki.ID{quiet[0].ID}
	for _, e := range quiet[2:] {
		want = append(want, e.ID)
	}
	asked := []pki.ID{}
	for now := w.now; now.Before(w.now.Add(2 * unheardAtOnce * overlookEvery)); now = now.Add(overlookEvery) {
		a.askOverlooked(now)
	}
	for _, s := range a.Effects().Sends {
		asked = append(asked, s.To)
	}
	if !slices.Equal(asked, want) {
		t.Errorf("%d are asked, or in another order, want %d", len(asked), len(want))
	}
}

// Of whoever was asked so either something is heard, or it is found dead, or dropped.
func TestWhatBecomesOfOverlookedPeers(t *testing.T) {
	w, a, quiet := lonely(t, 2*overlooked, 1)
	if a.askOverlooked(w.now); a.view.Get(quiet[0].ID) != nil {
		t.Error("who stays unheard is held for ever")
	}

	w, a, quiet = lonely(t, overlooked, 1)
	a.askOverlooked(w.now)
	failed := w.now.Add(overslept - 1)
	a.answered(a.active[0], w.now)
	a.answered(a.active[1], failed)
	a.spoken = failed
	if a.Fail(failed, a.lastCall, Unanswered); quiet[0].State != view.Dead {
		t.Error("one call without answer proves nothing")
	}

	w, a, quiet = lonely(t, overlooked, 2)
	a.askOverlooked(w.now)
	a.awoke = w.now.Add(1) // it slept while it waited
	if a.Fail(w.now.Add(1), a.lastCall, Unanswered); len(a.doubts) > 0 || !a.forgotten(w.now.Add(1), quiet[0]) {
		t.Error("a call that proves nothing leaves it unasked")
	}

	w, a, quiet = lonely(t, overlooked, 1)
	quiet[0].BeatSequence = 9
	a.askOverlooked(w.now)
	for range enoughAnswers {
		a.Reply(w.now, a.lastCall, ProbeResponse{Beat: IndexedBeat{Contact: 1, Beat: view.Beat{Sequence: 8}}})
		if d := a.doubts[quiet[0].ID]; d != nil {
			a.probe(w.now, quiet[0], d)
		}
	}
	if quiet[0].State != view.Dead {
		t.Error("who answers and makes no progress is held for ever")
	}
}
