package gossip

import (
	"testing"
	"time"
)

// In a view that is full an active peer that was silent for a while is asked, once, and no other. Where all hold all nobody is: there hints reach
// whoever has it active.
func TestSilentActivePeerOfAFullViewIsAsked(t *testing.T) {
	for _, c := range []struct {
		full                       bool
		silent, untold, unanswered time.Duration
		fallen                     int
		want                       int
	}{
		{true, silentActive, silentActive, silentActive, 0, 1}, {true, silentActive - 1, silentActive - 1, silentActive - 1, 0, 0},
		{false, time.Hour, time.Hour, time.Hour, 0, 0},
		{true, 0, untoldActive, 0, 0, 1}, {true, 0, untoldActive - 1, 0, 0, 0},
		{true, 0, 0, unansweredActive, 0, 1}, {true, 0, 0, unansweredActive - 1, 0, 0},
		{true, silentActive, silentActive, silentActive, 1, 1}, {true, silentActive, silentActive, silentActive, fewPlaces + 1, 0},
	} {
		w := settled(t, 7, 4, 20*time.Second)
		a := w.nodes[0]
		if c.full {
			a.fillAndLose(c.fallen)
		}
		if len(a.active) != 3 {
			t.Fatalf("%d active peers", len(a.active))
		}
		for i := range a.links {
			a.links[i].heard, a.links[i].told, a.links[i].answered = w.now, w.now, w.now
		}
		for _, quiet := range a.active {
			l := a.link(quiet)
			l.heard, l.told, l.answered = w.now.Add(-c.silent), w.now.Add(-c.untold), w.now.Add(-c.unanswered)
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
			l.heard, l.told, l.answered = w.now, w.now, w.now
		}
	}
}

// Whoever asks or answers is not silent, and who tells its own beat is not untold. A question without a beat says nothing of progress.
func TestWhoSpeaksIsNotSilent(t *testing.T) {
	w, a, b := pair(t)
	w.run(20 * time.Second)
	own := func() IndexedBeat { return b.ownWord(w.now) }
	for how, c := range map[string]struct {
		speak func()
		tells bool
	}{
		"joins": {func() { a.Receive(w.now, b.ID(), b.Greeting(w.now)) }, true},
		"answers": {func() {
			a.sendProbe(w.now, a.view.Get(b.ID()))
			a.Reply(w.now, a.lastCall, ProbeResponse{Beat: own()})
		}, true},
		"asks":             {func() { a.Receive(w.now, b.ID(), ProbeRequest{}) }, false},
		"asks with a beat": {func() { a.Receive(w.now, b.ID(), ProbeRequest{Beat: own()}) }, true},
		"asks with a beat of another contact": {func() {
			word := own()
			word.Contact++
			a.Receive(w.now, b.ID(), ProbeRequest{Beat: word})
		}, false},
		"asks with a beat that is none of its own": {func() {
			word := own()
			word.Sequence++
			word.Link[0]++
			a.Receive(w.now, b.ID(), ProbeRequest{Beat: word})
		}, false},
	} {
		l := a.link(b.ID())
		l.heard, l.told, l.answered = time.Time{}, time.Time{}, time.Time{}
		c.speak()
		if l := a.link(b.ID()); !l.heard.Equal(w.now) || l.told.Equal(w.now) != c.tells || l.answered.Equal(w.now) != (how == "answers") {
			t.Errorf("one who %s was heard at %s, told at %s and answered at %s", how, l.heard, l.told, l.answered)
		}
	}
}

// A node that has heard nobody for a while asks one active peer: it must not take itself for alone because exchanges are seldom.
func TestCalmNodeIsNotAlone(t *testing.T) {
	w := settled(t, 7, 4, 20*time.Second)
	a := w.nodes[0]
	a.fill()
	const calm, stirred = aloneAfter - calmLook - roundSlack, lookEvery + roundSlack
	for _, c := range []struct {
		stirred bool
		since   time.Duration
		want    int
	}{{false, calm - 1, 0}, {false, calm, 1}, {true, stirred - 1, 0}, {true, stirred, 1}} {
		if a.spoken = w.now.Add(-c.since); c.stirred {
			a.stirred = w.now
		}
		for i := range a.links {
			a.links[i].heard, a.links[i].told, a.links[i].answered = w.now, w.now.Add(time.Duration(i-len(a.links))*time.Second/10), w.now
		}
		a.Effects()
		a.askSilent(w.now)
		sends := a.Effects().Sends
		if len(sends) != c.want || c.want > 0 && sends[0].To != a.active[0] {
			t.Errorf("%s after the last word %d are asked", c.since, len(sends))
		}
	}
}
