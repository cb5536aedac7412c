package gossip

import (
	"testing"
	"time"
)

// In a view that is full an active peer that was silent for a while is asked, once, and no other. Where all hold all nobody is: there hints reach
// whoever has it active. Of the two ends of a link one asks a round before the other, which hears it.
func TestSilentActivePeerOfAFullViewIsAsked(t *testing.T) {
	for _, c := range []struct {
		full   bool
		silent time.Duration
		want   int
	}{{true, silentActive, 1}, {true, silentActive - time.Millisecond, 0}, {false, time.Hour, 0}} {
		w := settled(t, 7, 4, 20*time.Second)
		a := w.nodes[0]
		if c.full {
			a.fill()
		}
		if len(a.active) != 3 {
			t.Fatalf("%d active peers", len(a.active))
		}
		for i := range a.links {
			a.links[i].heard = w.now
		}
		for _, quiet := range a.active {
			later := time.Duration(0)
			if a.ID().Compare(quiet) > 0 {
				later = lookEvery + roundSlack
			}
			a.link(quiet).heard = w.now.Add(-c.silent - later)
			a.Effects()
			for range 2 {
				a.askSilent(w.now)
			}
			asked := 0
			for _, s := range a.Effects().Sends {
				if _, ok := s.Request.(ProbeRequest); !ok || s.To != quiet {
					t.Errorf("%+v: %T to %s", c, s.Request, s.To.Short())
				}
				asked++
			}
			if asked != c.want {
				t.Errorf("%+v: asked %d times", c, asked)
			}
			a.link(quiet).heard = w.now
		}
	}
}

// Of the two ends of a silent link only one asks, unless the other is silent still when its own turn comes.
func TestOneEndOfALinkAsks(t *testing.T) {
	w, a, b := pair(t)
	w.run(20 * time.Second)
	if a.ID().Compare(b.ID()) > 0 {
		a, b = b, a
	}
	for _, n := range []*actor{a, b} {
		n.fill()
		n.Effects()
		n.links[0].heard = w.now.Add(-silentActive)
		n.askSilent(w.now)
	}
	if first, second := len(a.Effects().Sends), len(b.Effects().Sends); first != 1 || second != 0 {
		t.Errorf("one end asks %d times, the other %d", first, second)
	}
	if b.askSilent(w.now.Add(lookEvery + roundSlack)); len(b.Effects().Sends) != 1 {
		t.Error("the other end does not ask where nothing was heard")
	}
}

// Whoever asks or answers is not silent.
func TestWhoSpeaksIsNotSilent(t *testing.T) {
	w, a, b := pair(t)
	for how, speak := range map[string]func(){
		"asks": func() { a.Receive(w.now, b.ID(), ProbeRequest{}) },
		"answers": func() {
			a.sendProbe(w.now, a.view.Get(b.ID()))
			a.Reply(w.now, a.lastCall, ProbeResponse{})
		},
	} {
		a.link(b.ID()).heard = time.Time{}
		if speak(); !a.link(b.ID()).heard.Equal(w.now) {
			t.Errorf("one who %s counts as silent", how)
		}
	}
}
