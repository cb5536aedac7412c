package gossip

import (
	"testing"
	"time"
)

// In a view that is full an active peer that was silent for a while is asked, once, and no other. Where all hold all nobody is: there hints reach
// whoever has it active.
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
			a.links[i].attempt.heard = w.now
		}
		quiet := a.active[1]
		a.attempt(quiet).heard = w.now.Add(-c.silent)
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
		a.attempt(b.ID()).heard = time.Time{}
		if speak(); !a.attempt(b.ID()).heard.Equal(w.now) {
			t.Errorf("one who %s counts as silent", how)
		}
	}
}
