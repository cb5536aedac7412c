package gossip

import (
	"testing"
	"time"

	"github.com/g2g-net/g2g/node/view"
)

// liarWorld is twelve nodes that know each other well, the last of which lies.
func liarWorld(t *testing.T) (w *world, liar *actor, honest []*actor) {
	t.Helper()
	w = newWorld(t, 7)
	w.strict = false
	w.network(12)
	w.becomes(30*time.Second, w.whole)
	w.run(2 * time.Minute)
	return w, w.nodes[11], w.nodes[:11]
}

// lies has the liar say something to every honest node, five times a second, beside what its machine does.
func lies(w *world, d time.Duration, liar *actor, honest []*actor, say func(to *actor) Message) {
	for end := w.now.Add(d); w.now.Before(end); w.run(200 * time.Millisecond) {
		for _, a := range honest {
			if a.Machine == nil {
				continue
			}
			if m := say(a); m != nil {
				a.do(func() { a.Receive(w.now, liar.identity.ID(), m) })
			}
		}
	}
}

// unmoved fails if a node saw another than the liar late or dead.
func unmoved(t *testing.T, liar *actor, honest []*actor) {
	t.Helper()
	for _, a := range honest {
		for _, n := range a.notices {
			if (n.Kind == KindLate || n.Kind == KindDead) && n.Peer != liar.identity.ID() {
				t.Errorf("%s: %s %s: %s", a.name, n.Kind, n.Name, n.Detail)
			}
		}
	}
}

func meanLimit(nodes []*actor) (mean time.Duration) {
	for _, a := range nodes {
		mean += a.bound.Limit / time.Duration(len(nodes))
	}
	return mean
}

// TestHintsAgainstEverybody: hints that nobody can refute by a newer beat change no state, and cost no more than their budget.
func TestHintsAgainstEverybody(t *testing.T) {
	w, liar, honest := liarWorld(t)
	stalled := false
	for _, a := range honest {
		a.notices, a.sent = nil, map[string]int{}
	}
	lies(w, time.Minute, liar, honest, func(to *actor) Message {
		var hints []Hint
		for _, e := range to.view.Entries() {
			hints = append(hints, Hint{ID: e.ID, Incarnation: e.Incarnation, Sequence: view.LadderLength, Stalled: stalled})
		}
		stalled = !stalled
		return HintRequest{Hints: hints}
	})
	unmoved(t, liar, honest)
	for _, a := range honest {
		// Each probe has a companion at most, and what the hint budget allows bounds them.
		if n, most := a.sent["ProbeRequest"], int(2*(hintBurst+60*hintRefill)); n > most || n == 0 {
			t.Errorf("%s sends %d probes, at most %d are allowed and some are wanted", a.name, n, most)
		}
	}
}

// TestTheDeadAreNotVouchedFor: a member that says to reach a dead peer keeps it alive until the limit, and no longer.
func TestTheDeadAreNotVouchedFor(t *testing.T) {
	w, liar, honest := liarWorld(t)
	victim := honest[5]
	id := victim.ID()
	held := liar.view.Get(id)
	victim.kill()
	died, limit := w.now, meanLimit(append(honest[:5:5], honest[6:]...))
	dead := func() string {
		for _, a := range honest {
			if a.Machine == nil {
				continue
			}
			if e := a.view.Get(id); e.State != view.Dead {
				return a.name + " holds it " + e.State.String()
			}
		}
		return ""
	}
	for dead() != "" {
		lies(w, 200*time.Millisecond, liar, honest, func(*actor) Message {
			return PushRequest{
				Reached: true, Contacts: []*view.Contact{held.Contact},
				Beats: []IndexedBeat{{Contact: uint16(held.Sequence), Beat: view.Beat{Sequence: held.BeatSequence, Link: held.Beat(w.now).Link}}},
			}
		})
		if w.now.Sub(died) > 2*limit {
			t.Fatalf("%s after %s, with a limit of %s: %s", "still alive", w.now.Sub(died), limit, dead())
		}
	}
	t.Logf("dead everywhere after %s, the limit is %s", w.now.Sub(died), limit)
}

// TestFalseAges: a member that relays every beat as very old, or as brand new, accuses nobody and hardly moves the limit.
func TestFalseAges(t *testing.T) {
	for name, age := range map[string]time.Duration{"old": 10 * time.Minute, "new": 0} {
		w, liar, honest := liarWorld(t)
		for _, a := range honest {
			a.notices = nil
		}
		var before, after time.Duration
		for range 30 {
			w.run(time.Second)
			before += meanLimit(honest) / 30
		}
		tell := func(*actor) Message {
			var req PushRequest
			for _, e := range liar.view.Entries() {
				b := e.Beat(w.now)
				b.Age = age
				req.Beats = append(req.Beats, IndexedBeat{Index: len(req.Contacts), Contact: uint16(e.Sequence), Beat: b})
				req.Contacts = append(req.Contacts, e.Contact)
			}
			return req
		}
		lies(w, time.Minute, liar, honest, tell)
		for range 30 {
			lies(w, time.Second, liar, honest, tell)
			after += meanLimit(honest) / 30
		}
		unmoved(t, liar, honest)
		t.Logf("%s: limit %s before, %s with the liar", name, before, after)
		if name == "old" && after > before*11/10 {
			t.Errorf("%s: the liar moved the limit from %s to %s", name, before, after)
		}
	}
}

// TestReplayedBeats: what was heard once proves nothing again.
func TestReplayedBeats(t *testing.T) {
	w, liar, honest := liarWorld(t)
	victim := honest[3]
	id := victim.ID()
	held := liar.view.Get(id)
	old := IndexedBeat{Contact: uint16(held.Sequence), Beat: held.Beat(w.now)}
	old.Age = 0
	victim.kill()
	w.run(10 * time.Second)
	lies(w, 10*time.Second, liar, honest, func(*actor) Message {
		return PushRequest{Contacts: []*view.Contact{held.Contact}, Beats: []IndexedBeat{old}}
	})
	for _, a := range honest {
		if a.Machine != nil && a.view.Get(id).State != view.Dead {
			t.Errorf("%s holds it %s", a.name, a.view.Get(id).State)
		}
	}
}
