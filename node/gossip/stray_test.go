package gossip

import (
	"testing"
	"time"

	"github.com/g2g-net/g2g/node/stale"
	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

// When a peer dies, beats that it made before are still on their way. They are news, but bring nobody back whom calls convicted.
func TestBeatOfBeforeTheDeathBringsNobodyBack(t *testing.T) {
	w := newWorld(t, 3)
	w.network(4)
	w.run(5 * time.Second)
	w.strict = false // it is told beats that were never made
	a, b, dead := w.nodes[0], w.nodes[1], w.nodes[3]
	last := IndexedBeat{Contact: uint16(dead.Contact().Sequence), Beat: dead.ownBeat(w.now)}
	last.Sequence++
	last.Link = dead.ladder.Link(last.Sequence) // made at its last moment
	made := w.now
	contact, ladder := dead.Contact(), dead.ladder
	dead.kill()
	w.becomes(3*time.Second, func() string {
		if s := a.view.Get(contact.ID).State; s != view.Dead {
			return s.String()
		}
		return ""
	})
	tell := func(made time.Time) view.State {
		beat := last
		beat.Age = w.now.Sub(made)
		a.do(func() {
			a.Receive(w.now, b.ID(), PushRequest{Contacts: []*view.Contact{contact}, Beats: []IndexedBeat{beat}})
		})
		return a.view.Get(contact.ID).State
	}
	if got := tell(made); got != view.Dead {
		t.Errorf("a beat of before its death made it %s", got)
	}
	last.Sequence++
	last.Link = ladder.Link(last.Sequence)
	w.run(time.Second)
	if got := tell(w.now); got != view.Alive {
		t.Errorf("a beat of now left it %s", got)
	}
}

// Calls that are under way together fail together: that is one failure. One that the peer made a beat after is none.
func TestCallsUnderWayTogetherCountOnce(t *testing.T) {
	w := newWorld(t, 4)
	w.network(4)
	w.run(5 * time.Second)
	a, b, peer := w.nodes[0], w.nodes[1], w.nodes[3].ID()
	e := a.view.Get(peer)
	begun := w.now
	later := begun.Add
	fail := func(begun, now time.Time) (failures int) {
		a.spoken = now // another one answers all the time
		a.answered(b.ID(), now)
		a.failed(now, &call{to: peer, req: PushRequest{}, begun: begun}, Unanswered)
		if d := a.doubts[peer]; d != nil {
			return d.failures
		}
		return 0
	}
	if got := fail(e.Born().Add(-time.Second), later(0)); got != 0 {
		t.Errorf("%d failures by a call that it made a beat after", got)
	}
	if got := fail(later(0), later(time.Second)); got != 1 {
		t.Errorf("%d failures after the first call", got)
	}
	if got := fail(later(500*time.Millisecond), later(1100*time.Millisecond)); got != 1 {
		t.Errorf("%d failures after a second that was under way with it", got)
	}
	fail(later(time.Second), later(2*time.Second))
	if e.State == view.Dead {
		return // it was convicted by the second that counts, since another had answered
	}
	a.answered(b.ID(), later(2100*time.Millisecond))
	a.concludeAll(later(2100 * time.Millisecond))
	if e.State != view.Dead {
		t.Errorf("it is %s after two failures", e.State)
	}
}

// A node that slept through its calls, as one that was stopped, holds nobody unreachable for it.
func TestSleeperHoldsNobodyUnreachable(t *testing.T) {
	w := newWorld(t, 5)
	w.network(4)
	w.run(5 * time.Second)
	a, peer := w.nodes[0], w.nodes[1].ID()
	for range failuresAllowed {
		a.send(w.now, peer, PushRequest{})
	}
	last := a.lastCall
	a.Effects() // nobody gets them
	woke := w.now.Add(10 * time.Second)
	for i := range failuresAllowed {
		a.Fail(woke, last-uint64(i), Unanswered)
	}
	if e := a.view.Get(peer); e.Unreachable || a.doubts[peer] != nil || a.attempt(peer).failures != 0 {
		t.Errorf("unreachable %t, %d failures, doubt %v", e.Unreachable, a.attempt(peer).failures, a.doubts[peer])
	}
}

// A node whose driver is late blames nobody for calls without answer, and makes no handshake that can wait. A refusal counts all the same.
func TestStrainedNodeBlamesNobody(t *testing.T) {
	w := newWorld(t, 5)
	w.network(4)
	w.run(20 * time.Second)
	a, peer := w.nodes[0], w.nodes[1].ID()
	if a.strained() {
		t.Fatal("it is strained without a reason")
	}
	late := a.Deadline().Add(2 * strainAllowed)
	a.Advance(late)
	a.Effects()
	if !a.strained() {
		t.Fatalf("a lateness of %s is no strain", 2*strainAllowed)
	}
	for range failuresAllowed {
		a.send(late, peer, PushRequest{})
		a.Fail(late, a.lastCall, Unanswered)
	}
	if e := a.view.Get(peer); e.Unreachable || a.doubts[peer] != nil || a.attempt(peer).failures != 0 {
		t.Errorf("unreachable %t, %d failures, doubt %v", e.Unreachable, a.attempt(peer).failures, a.doubts[peer])
	}
	a.Effects()
	for id := range a.attempts {
		a.attempt(id).warm, a.attempt(id).exchanging = id == peer, false
	}
	a.measure(late)
	a.push(late)
	a.seek(late)
	if to, ok := a.partner(late); !ok || to != peer {
		t.Errorf("it would exchange with %s, not with the one that has answered", to.Short())
	}
	for _, s := range a.Effects().Sends {
		if s.To != peer {
			t.Errorf("it sends a %T to a peer that it has no connection to", s.Request)
		}
	}
	a.send(late, peer, PushRequest{})
	a.Fail(late, a.lastCall, Absent)
	if a.doubts[peer] == nil && a.view.Get(peer).State != view.Dead {
		t.Error("a refusal counts for nothing")
	}
}

// A node that was cut off for long does not take that for the pace of its peers: those that fall soon afterwards are found as soon as ever.
func TestTimeAloneIsNobodysPace(t *testing.T) {
	w := newWorld(t, 5)
	w.network(8)
	w.run(30 * time.Second)
	a := w.nodes[0]
	before := a.bound.Limit
	w.cut = func(x, y *actor) bool { return x == a || y == a }
	w.run(time.Minute)
	w.heal()
	w.run(10 * time.Second)
	if after := a.bound.Limit; before == 0 || after > 2*before {
		t.Errorf("its limit was %s, and after a minute alone %s", before, after)
	}
}

// A call that fails at once has been answered by something: nobody need be heard while it is waited for.
func TestWhatFailsAtOnceCounts(t *testing.T) {
	w := newWorld(t, 4)
	w.network(4)
	w.run(5 * time.Second)
	a, b, peer := w.nodes[0], w.nodes[1], w.nodes[3].ID()
	for after, want := range map[time.Duration]int{10 * time.Millisecond: 1, time.Second: 0} {
		a.believe(peer)
		begun := w.now
		a.spoken = begun.Add(5 * time.Millisecond)
		a.answered(b.ID(), a.spoken)
		a.failed(begun.Add(after), &call{to: peer, req: PushRequest{}, begun: begun}, Unanswered)
		if d := a.doubts[peer]; d == nil || d.failures != want {
			t.Errorf("after %s: %+v, want %d failures", after, d, want)
		}
	}
}

// A node that is cut off but for moments gets an answer in one of them, while other calls can have none any more, and another answer in the
// next: that is no witness of what failed between.
func TestCutOffInTurnsConvictsNobody(t *testing.T) {
	w := newWorld(t, 5)
	w.network(4)
	w.run(20 * time.Second)
	a, peer, other, now := w.nodes[0], w.nodes[1].ID(), w.nodes[2].ID(), w.now
	pass := func(d time.Duration) {
		for end := now.Add(d); now.Before(end); now = now.Add(20 * time.Millisecond) {
			a.Advance(now)
			a.Effects()
		}
	}
	call := func(to pki.ID) uint64 {
		a.send(now, to, ProbeRequest{})
		return a.lastCall
	}
	fails := func(heard time.Duration) { // a call to the peer, in which another one answers after a while, and then nobody
		lost, witness := call(peer), call(other)
		a.calls[lost].twice = true
		pass(heard)
		a.Reply(now, witness, ProbeResponse{})
		pass(time.Second)
		a.Fail(now, lost, Unanswered)
	}
	fails(0)
	if d := a.doubts[peer]; d == nil || d.failures > 0 {
		t.Fatalf("it was cut off right after the call, and the doubt is %+v", d)
	}
	fails(2 * hearsAfter)
	if d := a.doubts[peer]; d == nil || d.failures != enoughFailures {
		t.Fatalf("the doubt is %+v", d)
	}
	pass(aloneAfter)
	later, under := call(other), call(peer)
	pass(100 * time.Millisecond)
	a.Reply(now, later, ProbeResponse{})
	a.Fail(now, under, Unanswered)
	if d := a.doubts[peer]; a.view.Get(peer).State == view.Dead || d != nil && d.failures > 0 {
		t.Errorf("the peer is %s, the doubt %+v", a.view.Get(peer).State, d)
	}
	fails(2 * hearsAfter)
	if a.Reply(now, call(other), ProbeResponse{}); a.view.Get(peer).State != view.Dead {
		t.Error("what fails afterwards counts for nothing")
	}
}

// A peer that refuses is asked once, not over and over until somebody else has answered.
func TestRefusalIsAskedForOnce(t *testing.T) {
	w := newWorld(t, 5)
	w.network(4)
	w.run(20 * time.Second)
	a, peer := w.nodes[0], w.nodes[1].ID()
	a.send(w.now, peer, PushRequest{})
	probes := 0
	for range 10 {
		a.Fail(w.now, a.lastCall, Absent)
		for _, s := range a.Effects().Sends {
			if _, ok := s.Request.(ProbeRequest); ok && s.To == peer {
				probes++
			}
		}
		a.send(w.now, peer, ProbeRequest{})
		a.Effects()
	}
	d := a.doubts[peer]
	if probes > 0 || d == nil || !d.refused {
		t.Fatalf("%d probes after refusals, doubt %+v", probes, d)
	}
	began := d.failedAt
	if a.Fail(w.now.Add(time.Second), a.lastCall, Absent); d.failedAt != began {
		t.Error("an answer that came between two refusals counts for nothing")
	}
}

// A node that meets a peer again which it had lost makes a beat at once, but no more than one a lifeSpacing: a peer that comes and goes
// cannot drive it. An application's sign of life is never made for it.
func TestLostPeersAreShownLife(t *testing.T) {
	w := newWorld(t, 5)
	w.network(4)
	w.run(20 * time.Second)
	a, peer := w.nodes[0], w.nodes[1].ID()
	meet := func(now time.Time) (beats uint64) {
		before := a.beat.Sequence
		a.unreached(now, peer)
		a.Receive(now, peer, ProbeRequest{})
		a.reached(now, peer)
		return a.beat.Sequence - before
	}
	now := latest(w.now, a.published.Add(lifeSpacing))
	if got := meet(now); got != 1 {
		t.Errorf("%d beats for a peer that is met again", got)
	}
	if got := meet(now.Add(lifeSpacing - 1)); got != 0 {
		t.Errorf("%d more within %s", got, lifeSpacing)
	}
	a.cfg.OnlyPublish, a.nextBeat = true, time.Time{}
	if got := meet(now.Add(time.Minute)); got != 0 {
		t.Errorf("%d beats that are the application's to make", got)
	}
}

// A peer whose news are late is asked at once where that costs a call, and where it costs a handshake after an exchange might have brought them.
func TestNewsMayComeBeforeAHandshake(t *testing.T) {
	w := newWorld(t, 7)
	w.network(4)
	w.run(20 * time.Second)
	a, e := w.nodes[0], w.nodes[0].view.Get(w.nodes[1].ID())
	late := func(now time.Time) (asked bool) {
		before := a.sent["ProbeRequest"]
		a.do(func() { a.apply(now, e, &stale.Age{ID: e.ID, Late: true}) })
		return a.sent["ProbeRequest"] > before
	}
	a.believe(e.ID)
	if !late(w.now) {
		t.Error("an active peer is not asked at once")
	}
	a.believe(e.ID)
	a.deactivate(e.ID)
	delete(a.distances.of, e.ID)
	if late(w.now) {
		t.Error("a peer that is not connected is asked at once")
	}
	if !late(w.now.Add(a.cfg.Interval)) {
		t.Error("it is not asked although the news did not come")
	}
}
