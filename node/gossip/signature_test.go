package gossip

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/g2g-net/g2g/node/signature"
	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

// sealSummary fills in what sealing would.
func (a *actor) sealSummary(s signature.Statement) (*view.Summary, error) {
	return view.NewSummary(s, pki.Envelope{Key: a.identity.Key(), Payload: s.AppendBinary(nil)}), nil
}

// works makes an actor one whose beats come from Publish alone.
func (a *actor) works() {
	a.cfg.OnlyPublish, a.cfg.SealSummary, a.nextBeat = true, a.sealSummary, time.Time{}
}

func of(mean ...float64) signature.Signature { return value(signature.Of(mean, []float64{1, 2}, 3)) }

// publishes has an actor publish, at a time of its own.
func (a *actor) publishes(t *testing.T, s signature.Signature) {
	t.Helper()
	a.w.run(publishSpacing)
	a.do(func() {
		if _, err := a.Publish(a.w.now, s); err != nil {
			t.Fatal(err)
		}
	})
}

// TestOnlyPublishMakesBeats: a node whose application stops publishing gets older, whatever it answers; one beat is one publication.
func TestOnlyPublishMakesBeats(t *testing.T) {
	w := newWorld(t, 11)
	w.network(3)
	w.becomes(10*time.Second, w.whole)
	a, b := w.nodes[0], w.nodes[1]
	a.works()
	a.publishes(t, of(1))
	before, sent := a.beat.Sequence, a.sent["ExchangeRequest"]
	w.run(8 * time.Second)
	if a.beat.Sequence != before || a.sent["ExchangeRequest"] == sent {
		t.Errorf("beat %d then %d, %d exchanges", before, a.beat.Sequence, a.sent["ExchangeRequest"]-sent)
	}
	if age := b.view.Get(a.ID()).Age(w.now); age < 7*time.Second {
		t.Errorf("its peer takes it for %s old", age)
	}
	a.publishes(t, of(1))
	if a.beat.Sequence != before+1 {
		t.Errorf("beat %d after %d", a.beat.Sequence, before)
	}
	if _, err := a.Publish(w.now, of(2)); !errors.Is(err, ErrHasty) || a.said.Mean[0] != 1 || a.beat.Sequence != before+1 {
		t.Errorf("at the same moment: %v", err)
	}
	w.run(time.Second)
	if _, err := a.Publish(w.now, signature.Signature{Dimension: 1, Mean: []float32{float32(math.NaN())}, Histogram: []float32{1}, Count: 1}); err == nil || a.beat.Sequence != before+1 {
		t.Errorf("no number: %v", err)
	}
	for range view.LadderLength + 1 {
		a.publishes(t, of(1))
	}
	if a.said.version != 1 || a.said.short.Incarnation >= a.own.Incarnation {
		t.Error("a new ladder made a new signature")
	}
	a.do(func() { a.Leave(w.now) })
	w.run(time.Second)
	if _, err := a.Publish(w.now, of(1)); err == nil {
		t.Error("it publishes after its goodbye")
	}
}

// TestSignaturesSpread: every active peer has a distance soon, a change is told once, and what stands still is told to nobody.
func TestSignaturesSpread(t *testing.T) {
	w := newWorld(t, 12)
	w.network(4)
	w.becomes(10*time.Second, w.whole)
	told := func() (n int) {
		for _, a := range w.nodes {
			n += a.tellings
		}
		return n
	}
	for i, a := range w.nodes {
		a.works()
		a.publishes(t, of(float64(i), 0))
	}
	w.run(12 * time.Second)
	distances := func() bool {
		for i, a := range w.nodes {
			for k, b := range w.nodes {
				d, ok := a.distance(value(a.entry(b)))
				r := math.Abs(float64(i-k)) / math.Sqrt2
				if i != k && (!ok || math.Abs(d-r/(1+r)/2) > 1e-6) {
					return false
				}
			}
		}
		return true
	}
	for _, a := range w.nodes {
		for k, b := range w.nodes {
			if a != b {
				if e := a.view.Get(b.ID()); e == nil || e.Summary == nil || e.Summary.Mean[0] != float32(k) {
					t.Errorf("%s holds %+v of %s", a.name, e, b.name)
				}
			}
		}
	}
	if !distances() {
		t.Error("the distances are wrong")
	}
	w.run(5 * time.Second)
	before := told()
	for range 20 {
		for i, a := range w.nodes {
			a.publishes(t, of(float64(i), 0))
		}
		w.run(time.Second)
	}
	if n := told() - before; n > 0 {
		t.Errorf("%d tellings of what has not changed", n)
	}
	for k := range 40 { // a change each half second
		w.nodes[0].publishes(t, of(0, float64(k)))
		w.run(450 * time.Millisecond)
	}
	if n := told() - before; n > 3*(20/2+1) {
		t.Errorf("40 changes in 20 s are told %d times to 3 peers", n)
	}
	w.nodes[1].publishes(t, signature.Signature{})
	w.run(10 * time.Second)
	if _, ok := w.nodes[0].distance(value(w.nodes[0].entry(w.nodes[1]))); ok {
		t.Error("no samples are at a distance")
	}
	if s := w.nodes[0].Snapshot(w.now); !s.Published || s.Signature.Count != 3 {
		t.Errorf("%+v", s)
	}
}

// entry is a node's record of a peer.
func (a *actor) entry(b *actor) (*view.Entry, error) {
	if e := a.view.Get(b.ID()); e != nil {
		return e, nil
	}
	return &view.Entry{}, nil
}

// TestLyingSignatures: a member tells what it likes of itself, one at a time, and nothing of others; older ones never come back.
func TestLyingSignatures(t *testing.T) {
	w := newWorld(t, 13)
	w.network(3)
	w.becomes(10*time.Second, w.whole)
	a, liar, victim := w.nodes[0], w.nodes[1], w.nodes[2]
	tell := func(who *actor, incarnation, version uint64, mean float64) {
		s := value(who.sealSummary(signature.Statement{Incarnation: incarnation, Version: version, Signature: of(mean)}))
		a.do(func() { a.Receive(w.now, liar.ID(), ExchangeRequest{Summary: s}) })
	}
	held := func(who *actor) *view.Summary { return a.view.Get(who.ID()).Summary }
	tell(victim, 9, 9, 1)
	if held(victim) != nil || held(liar) != nil {
		t.Error("another's signature was taken")
	}
	tell(liar, 2, 2, 1)
	for _, old := range [][2]uint64{{2, 1}, {1, 9}, {2, 2}} {
		tell(liar, old[0], old[1], 5)
	}
	if s := held(liar); s == nil || s.Mean[0] != 1 {
		t.Errorf("an older one was taken: %+v", s)
	}
	for v := range uint64(1000) {
		tell(liar, 3, v+1, float64(v))
	}
	if s := held(liar); s.Version != 1000 || len(a.attempts) > 10 {
		t.Errorf("version %d, %d attempts", s.Version, len(a.attempts))
	}
	stranger := identity("stranger").ID()
	s := value(liar.sealSummary(signature.Statement{Incarnation: 9, Version: 9, Signature: of(1)}))
	a.do(func() { a.Receive(w.now, stranger, ExchangeRequest{Summary: s}) })
	if a.view.Get(stranger) != nil || held(liar).Incarnation != 3 {
		t.Error("somebody who is not in the view has a signature")
	}
	a.works()
	a.publishes(t, of(1))
	n := 0
	for range 600 { // it never takes what it is told
		w.run(100 * time.Millisecond)
		if r := a.Receive(w.now, stranger, ExchangeRequest{}).(ExchangeResponse); r.Summary != nil {
			n++
		}
	}
	if n > 6 {
		t.Errorf("in a minute it was told %d times", n)
	}
}

// What is due soon is done in the turn of a beat, and no more often for that.
func TestABeatTakesAlongWhatIsDue(t *testing.T) {
	w := newWorld(t, 6)
	w.network(3)
	w.becomes(10*time.Second, w.whole)
	a := w.nodes[0]
	w.run(5 * time.Second)
	a.nextExchange, a.nextRound = w.now.Add(150*time.Millisecond), w.now.Add(150*time.Millisecond)
	a.do(func() { a.together(w.now) })
	if least := w.now.Add(a.cfg.Interval); a.nextExchange.Before(least) || a.nextRound.Before(least) {
		t.Errorf("the next exchange is due in %s, the next look in %s", a.nextExchange.Sub(w.now), a.nextRound.Sub(w.now))
	}
	a.nextExchange = w.now.Add(300 * time.Millisecond)
	due := a.nextExchange
	a.do(func() { a.together(w.now) })
	if a.nextExchange != due {
		t.Error("an exchange that is not due soon was made")
	}
}
