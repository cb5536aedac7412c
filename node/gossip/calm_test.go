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
	w, a := calm(true)
	client := w.add("client", a, pki.Client)
	client.fill()
	if got := client.apart(w.now.Add(time.Hour)); got != client.cfg.Interval {
		t.Errorf("%s apart in client mode, where peers know of it by its exchanges alone", got)
	}
	a.cfg.Interval = calmAtMost / 2
	if got := a.apart(w.now); got != calmAtMost {
		t.Errorf("%s apart where the interval is %s", got, a.cfg.Interval)
	}
	w, a = calm(false)
	if got := a.apart(w.now); got != a.cfg.Interval {
		t.Errorf("%s apart where the view has room", got)
	}
	if _, a = calm(true); !a.calm(a.began) {
		t.Error("a full view that starts is not calm at once")
	}
	wanted := NominateRequest{Mode: pki.Server, Life: time.Hour, Uses: 1}
	for name, stir := range map[string]func(w *world, a *actor){
		"nothing": func(_ *world, _ *actor) {},
		"a fall": func(w *world, a *actor) {
			a.convict(w.now, a.view.Entries()[0], stale.Silent, &doubt{})
			a.fill()
		},
		"a nomination": func(w *world, a *actor) { value2(a.Nominate(w.now, wanted)) },
		"a revocation": func(w *world, a *actor) { a.own.Epoch++; _ = a.RevokeLeaves(w.now) },
		"another's revocation": func(w *world, a *actor) {
			b := w.nodes[1]
			b.own.Epoch++
			_ = b.RevokeLeaves(w.now)
			a.learn(w.now, a.ID(), b.Contact())
		},
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

// A calm view is looked at half as often, and each time all is seen to. It is looked at as often as ever where something happened, where few
// peers are active, and while somebody is doubted.
func TestLooksOfACalmView(t *testing.T) {
	for name, c := range map[string]struct {
		change      func(w *world, a *actor)
		look, round time.Duration // until the next at most
	}{
		"nothing":    {func(_ *world, _ *actor) {}, calmLook + roundSlack, calmLook + roundSlack},
		"room":       {func(_ *world, a *actor) { a.view.Drop(a.view.Entries()[0].ID) }, lookEvery, lookEvery + roundSlack},
		"few active": {func(_ *world, a *actor) { a.active, a.links = a.active[:1], a.links[:1] }, lookEvery + roundSlack, lookEvery + roundSlack},
		"a stir":     {func(w *world, a *actor) { a.stir(w.now) }, lookEvery, lookEvery + roundSlack},
		"a doubt":    {func(w *world, a *actor) { a.doubt(w.now, a.active[0]) }, lookSoon, calmLook + roundSlack},
	} {
		for _, when := range []string{"before", "after"} { // a look
			w := settled(t, 7, 4, 20*time.Second)
			a := w.nodes[0]
			a.fill()
			if when == "before" {
				c.change(w, a)
			}
			a.nextRound = w.now
			a.look(w.now)
			look, round := c.look, c.round
			if when == "after" {
				c.change(w, a)
				switch name {
				case "room", "few active":
					continue
				case "a doubt":
					look = lookEvery
				case "a stir":
					look, round = roundSlack, roundSlack
				}
			}
			if got := a.nextLook.Sub(w.now); got > look || name == "nothing" && got < look {
				t.Errorf("%s %s a look: the next in %s, at most %s wanted", name, when, got, look)
			}
			if got := a.nextRound.Sub(w.now); got != round {
				t.Errorf("%s %s a look: all is seen to again in %s, %s wanted", name, when, got, round)
			}
		}
	}
}

// Who starts judges nobody, and looks at nobody's age before it does.
func TestStartIsLookedAtSeldom(t *testing.T) {
	w := newWorld(t, 3)
	w.network(3)
	a := w.nodes[1]
	settled := a.settledAt()
	if got := a.nextJudgement(settled.Add(-settleIn)); got != lookEvery+roundSlack {
		t.Errorf("the next look after %s at first", got)
	}
	if got := a.nextJudgement(settled.Add(-lookSoon / 2)); got != lookSoon/2 {
		t.Errorf("the next look after %s where it starts no more in %s", got, lookSoon/2)
	}
}

// The ages of a calm view are judged again once one of them can have grown to the floor, and at once where there is a doubt.
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
	for i := range 10 * regroupedAtOnce {
		a.path(a.invented(-2 - i).ID)
	}
	peers := len(a.view.Entries())
	if a.regroup(w.now); a.distances.regroup.Sub(w.now) > a.cfg.Rebuild*time.Duration(1+peers/regroupedAtOnce) {
		t.Errorf("for those who are gone groups wait %s", a.distances.regroup.Sub(w.now))
	}
	a.distances.regroup = w.now.Add(time.Hour)
	id := a.hold(a.invented(-1), view.Alive).ID
	for range latency.Enough {
		a.Measure(w.now, id, time.Millisecond)
	}
	soon := w.now.Add(placedIn(len(a.distances.of)))
	if !a.distances.regroup.Equal(soon) || a.distances.next.After(soon) {
		t.Errorf("one more is grouped %s later", a.distances.regroup.Sub(w.now))
	}
	a.fill()
	a.distances.of, a.distances.regroup = map[pki.ID]*path{}, w.now.Add(time.Hour)
	for range latency.Enough {
		a.Measure(w.now, id, time.Millisecond)
	}
	if got := a.distances.regroup.Sub(w.now); got != a.cfg.Rebuild {
		t.Errorf("in a full view one more is grouped %s later", got)
	}
	for measured, rounds := range map[int]int{0: 1, 3: 1, 11: 3, 31: 8, 63: 16, 64: 33} {
		if got := placedIn(measured); got != time.Duration(rounds)*roundsApart {
			t.Errorf("of %d peers one more is grouped after %s", measured, got)
		}
	}
}

// A full set of active peers of a full view parts with one now and then, and tells it so: else nobody who comes back after long finds a
// place. One that is not full, or of a view that holds all, stays.
func TestFullActiveSetsMix(t *testing.T) {
	for _, c := range []struct {
		active int
		full   bool
		want   int
	}{{MaxActive, true, 1}, {MaxActive - 1, true, 0}, {MaxActive, false, 0}} {
		w := newWorld(t, 3)
		w.network(1)
		a := w.nodes[0]
		for i := range c.active {
			a.hold(a.invented(-1-i), view.Alive)
			a.activate(a.invented(-1 - i).ID)
		}
		if c.full {
			a.fill()
		}
		a.Effects()
		a.mix(w.now)
		if len(a.active) != c.active {
			t.Fatalf("%+v: parted at once", c)
		}
		a.mix(w.now.Add(2 * mixEvery))
		told := 0
		for _, s := range a.Effects().Sends {
			if push, ok := s.Request.(PushRequest); ok && push.Parted {
				told++
			}
		}
		if told != c.want || len(a.active) != c.active-c.want {
			t.Errorf("%+v: %d left, %d told", c, len(a.active), told)
		}
	}
}

// A node tries now and then what its reserve has of members that its full view does not hold: seldomer where that is calm, unless it still holds
// somebody who fell and may be back.
func TestReserveOfACalmView(t *testing.T) {
	for name, c := range map[string]struct {
		state view.State
		stir  bool
		want  time.Duration
	}{
		"nobody fell":            {view.Alive, false, reserveCalm},
		"somebody fell long ago": {view.Dead, false, reserveLater},
		"something happened":     {view.Alive, true, reserveLater},
	} {
		w := settled(t, 7, 4, 20*time.Second)
		a := w.nodes[0]
		long := w.now.Add(-2 * recentlyLost)
		held, stranger := a.invented(-1), a.invented(-2)
		a.reserve.keep(long, held)
		a.reserve.keep(long, stranger)
		a.hold(held, c.state)
		a.fill()
		if c.stir {
			a.stir(w.now)
		}
		a.nextReserve = w.now
		a.dialReserve(w.now)
		if got := a.nextReserve.Sub(w.now); got != c.want {
			t.Errorf("%s: the next is tried after %s, want %s", name, got, c.want)
		}
	}
}

// Where a view is full it is not remembered how beats come of those that are not judged by their ages, and what was is forgotten.
func TestFullViewPacesItsActivePeers(t *testing.T) {
	w := settled(t, 7, 4, 20*time.Second)
	a, b, c := w.nodes[0], w.nodes[1], w.nodes[2]
	remembers := func(of *actor) bool {
		const nowhere = 1 << 30
		a.detector.Near(nowhere)
		a.detector.Own(of.ID(), 0)
		return a.detector.At() != nowhere
	}
	if a.deactivate(c.ID()); !a.Active(b.ID()) {
		t.Fatal("there is no active peer")
	}
	if a.unpace(w.now); !remembers(b) || !remembers(c) {
		t.Error("where there is room what is known of the beats of a peer is forgotten")
	}
	a.fill()
	a.nextRound, a.nextPrune = w.now, w.now
	if a.look(w.now); !remembers(b) || remembers(c) {
		t.Errorf("in a full view it is remembered of an active peer: %v, of another one: %v", remembers(b), remembers(c))
	}
	hear := func(of *actor) {
		before := a.view.Get(of.ID()).BeatSequence
		of.do(func() { of.idleBeat(w.now) })
		word := of.ownWord(w.now)
		if a.hear(w.now, of.ID(), false, of.ID(), word); a.view.Get(of.ID()).BeatSequence <= before {
			t.Fatal("no newer beat was heard")
		}
	}
	a.detector.Forget(b.ID())
	w.now = w.now.Add(time.Second)
	hear(b)
	if hear(c); !remembers(b) || remembers(c) {
		t.Errorf("after a beat it is remembered of an active peer: %v, of another one: %v", remembers(b), remembers(c))
	}
	if a.advanced(w.now, a.view.Get(c.ID()), time.Second, w.now, false); remembers(c) {
		t.Error("a completed age of a peer that is not active is remembered in a full view")
	}
}

// In a full view a beat of a peer that is not judged by the limit may be older than that and bring it back. It may not where nothing tells which
// beats were made before the peer fell, where it is doubted, and where none may come from far away.
func TestFarBeatsBringPeersIntoAFullView(t *testing.T) {
	const far, long = 40 * time.Second, 5 * time.Minute
	fell := func(at time.Duration, others uint64) func(w *world, a *actor, e *view.Entry) {
		return func(w *world, a *actor, e *view.Entry) {
			a.view.Convict(w.now, e.ID, stale.Silent.String())
			a.attempt(e.ID).fell, a.attempt(e.ID).fellAs = w.now.Add(at), e.Incarnation-others
		}
	}
	unheard := func(_ *world, _ *actor, e *view.Entry) { e.State = view.Unheard }
	late := func(w *world, a *actor, e *view.Entry) { a.view.SetLate(w.now, e.ID, true) }
	for name, c := range map[string]struct {
		was    func(w *world, a *actor, e *view.Entry) // long ago, when its last beat was heard
		age    time.Duration
		room   bool
		active bool
		want   view.State
	}{
		"unheard":                             {unheard, far, false, false, view.Alive},
		"unheard, within the limit":           {unheard, time.Second, true, false, view.Alive},
		"unheard, where there is room":        {unheard, far, true, false, view.Unheard},
		"unheard, active":                     {unheard, far, false, true, view.Unheard},
		"unheard, long ago":                   {unheard, overlooked + 1, false, false, view.Unheard},
		"silent":                              {fell(-time.Hour, 0), far, false, false, view.Alive},
		"silent, made before it fell":         {fell(long-far, 0), far, false, false, view.Dead},
		"silent, restarted since":             {fell(-time.Hour, 1), far, false, false, view.Alive},
		"silent, restarted before it fell":    {fell(long-far, 1), far, false, false, view.Dead},
		"silent, where there is room":         {fell(-time.Hour, 0), far, true, false, view.Dead},
		"stalled":                             {func(w *world, a *actor, e *view.Entry) { a.view.Convict(w.now, e.ID, stale.Stalled.String()) }, far, false, false, view.Dead},
		"late":                                {late, far, false, false, view.Alive},
		"late, where there is room":           {late, far, true, false, view.Late},
		"late, doubted since the beat":        {func(w *world, a *actor, e *view.Entry) { late(w, a, e); a.doubt(w.now.Add(long), e.ID) }, far, false, false, view.Late},
		"late, doubted before it":             {func(w *world, a *actor, e *view.Entry) { late(w, a, e); a.doubt(w.now, e.ID) }, far, false, false, view.Alive},
		"late, doubted since, but not so old": {func(w *world, a *actor, e *view.Entry) { late(w, a, e); a.doubt(w.now.Add(long), e.ID) }, time.Second, false, false, view.Alive},
	} {
		w, a, b := held(t, c.active, c.room)
		e := a.view.Get(b.ID())
		c.was(w, a, e)
		if !c.room {
			a.fill() // the place that it had
		}
		w.now = w.now.Add(long)
		a.bound.Limit = 3 * time.Second
		word := nextWord(w, b)
		word.Age = c.age
		if a.hear(w.now, w.nodes[2].ID(), false, b.ID(), word); a.view.Get(b.ID()).State != c.want {
			t.Errorf("%s: %s by a beat of %s, %s wanted", name, a.view.Get(b.ID()).State, c.age, c.want)
		}
		if a.bound.Limit = 2 * overlooked; a.believed(w.now, a.view.Get(b.ID())) < a.bound.Limit {
			t.Errorf("%s: no beat is believed that is within the limit", name)
		}
	}
}

// held is a network in which a's view holds b, active or not, and has room or is full.
func held(t *testing.T, active, room bool) (w *world, a, b *actor) {
	t.Helper()
	w = settled(t, 7, 4, 20*time.Second)
	a, b = w.nodes[0], w.nodes[1]
	if !active {
		a.deactivate(b.ID())
	}
	if !room {
		a.fill()
	}
	return w, a, b
}

// nextWord is the next beat of a peer, that nobody has heard.
func nextWord(w *world, of *actor) IndexedBeat {
	of.do(func() { of.idleBeat(w.now) })
	return of.ownWord(w.now)
}

// A member in client mode tells its beats itself: they come from nowhere else, and are believed no longer than the limit.
func TestBeatsOfAClientAreNotFar(t *testing.T) {
	w := settled(t, 7, 4, 20*time.Second)
	a := w.nodes[0]
	client := w.add("client", a, pki.Client)
	w.run(5 * time.Second)
	a.view.Put(w.now, client.Contact())
	a.fill()
	e := a.view.Get(client.ID())
	e.State = view.Unheard
	a.bound.Limit = 3 * time.Second
	word := nextWord(w, client)
	word.Age = time.Minute
	if a.hear(w.now, client.ID(), false, client.ID(), word); e.State != view.Unheard {
		t.Errorf("%s by a beat of %s", e.State, word.Age)
	}
}

// What was made before the first call began that failed refutes nothing, what was made since does, though the doubt is older. Where the doubt began
// when that call ended it is what was made since then.
func TestBeatsSinceTheFailuresRefuteThem(t *testing.T) {
	for _, c := range []struct {
		older bool
		since time.Duration
		want  bool
	}{{true, refuteSlack, false}, {true, refuteSlack + 1, true}, {false, time.Second + refuteSlack, false}, {false, time.Second + refuteSlack + 1, true}} {
		w := settled(t, 7, 4, 20*time.Second)
		a, b, other := w.nodes[0], w.nodes[1], w.nodes[2].ID()
		if c.older {
			a.doubt(w.now.Add(-10*time.Second), b.ID())
		}
		for k := range enoughFailures { // but nobody else has answered since
			begun := w.now.Add(time.Duration(k) * (time.Second + 1))
			a.answered(other, begun)
			a.spoken = begun.Add(time.Second)
			a.failed(begun.Add(time.Second), &call{to: b.ID(), req: ProbeRequest{}, begun: begun}, Unanswered)
		}
		d := a.doubts[b.ID()]
		if d.failures != enoughFailures || d.over {
			t.Fatalf("%d failures, it is over: %v", d.failures, d.over)
		}
		word := nextWord(w, b)
		now := w.now.Add(3 * time.Second)
		word.Age = 3*time.Second - c.since
		if a.hear(now, other, false, b.ID(), word); d.over != c.want {
			t.Errorf("a beat of %s after the first call began ends a doubt that is older (%v): %v", c.since, c.older, d.over)
		}
	}
}

// A doubt may begin long before the peer falls, as one by its age does. What it tells until the calls fail is of before.
func TestBeatsBeforeTheFailuresAreOfBefore(t *testing.T) {
	w := settled(t, 7, 4, 20*time.Second)
	a, b, c := w.nodes[0], w.nodes[1], w.nodes[2]
	id := b.ID()
	a.deactivate(id)
	a.fill()
	a.bound.Limit = 3 * time.Second
	d := a.doubt(w.now, id)
	d.byAge = true
	w.now = w.now.Add(30 * time.Second)
	last := nextWord(w, b)
	b.kill()
	for range enoughFailures {
		begun := w.now.Add(time.Second)
		w.now = begun.Add(time.Second)
		a.answered(c.ID(), begun)
		a.spoken = w.now
		a.failed(w.now, &call{to: id, req: ProbeRequest{}, begun: begun}, Unanswered)
	}
	a.answered(c.ID(), w.now)
	a.concludeAll(w.now)
	if got := a.view.Get(id).State; got != view.Dead {
		t.Fatalf("%s after %d calls without an answer", got, enoughFailures)
	}
	a.fill()
	last.Age = 40 * time.Second
	w.now = w.now.Add(last.Age - 2*enoughFailures*time.Second)
	if a.hear(w.now, c.ID(), false, id, last); a.view.Get(id).State != view.Dead {
		t.Errorf("%s by its last beat", a.view.Get(id).State)
	}
}

// A full view in which somebody falls counts as full until another has the place, or it has none for a while: of those who are not active nobody
// is judged by ages that mean nothing. One in which many fall has room at once.
func TestAFallLeavesAViewFull(t *testing.T) {
	for name, c := range map[string]struct {
		fallen int
		after  time.Duration
		want   bool
	}{
		"one":                 {1, time.Second, true},
		"one, long ago":       {1, outgrownFor, false},
		"some":                {fewPlaces, time.Second, true},
		"many":                {fewPlaces + 1, time.Second, false},
		"none, and long full": {0, time.Hour, true},
	} {
		w := settled(t, 7, 4, 20*time.Second)
		a := w.nodes[0]
		a.fillAndLose(c.fallen)
		now := w.now.Add(c.after)
		if got := a.outgrown(now); got != c.want {
			t.Errorf("%s: it counts as full: %v", name, got)
		}
		far := a.view.Get(w.nodes[2].ID())
		a.deactivate(far.ID)
		if a.paced(now, far) == c.want {
			t.Errorf("%s: it is remembered how beats of one that is not active come: %v", name, !c.want)
		}
		a.doubt(now, far.ID).byAge = true
		if a.unpace(now); (a.doubts[far.ID] == nil) != c.want {
			t.Errorf("%s: a doubt by the age of one that is not active ends: %v", name, !c.want)
		}
		a.believe(far.ID)
		a.nextAges = now
		if a.judge(now); len(a.ages) <= MaxActive != c.want {
			t.Errorf("%s: %d are judged by their ages", name, len(a.ages))
		}
	}
	w := settled(t, 7, 4, 20*time.Second)
	a := w.nodes[0]
	for i := 0; a.view.Room() > fewPlaces; i++ {
		a.hold(a.invented(i), view.Alive)
	}
	if a.judge(w.now); a.outgrown(w.now) {
		t.Error("a view that was never full counts as full")
	}
}

// Doubts of whom a view that had room put past the limit, and that were not asked yet, end when it has none: no look would ask them any more.
func TestFullViewDoubtsNobodyForFarBeats(t *testing.T) {
	for name, c := range map[string]struct {
		change func(d *doubt)
		active bool
		room   bool
		ends   bool
	}{
		"past the limit":           {func(*doubt) {}, false, false, true},
		"where there is room":      {func(*doubt) {}, false, true, false},
		"active":                   {func(*doubt) {}, true, false, false},
		"asked in vain":            {func(d *doubt) { d.tried = 1 }, false, false, true},
		"asked just now":           {func(d *doubt) { d.probing = true }, false, false, false},
		"to be asked for a hint":   {func(d *doubt) { d.waiting = true }, false, false, false},
		"by the word of others":    {func(d *doubt) { d.stalled = true }, false, false, false},
		"a failed call, too":       {func(d *doubt) { d.failures = 1 }, false, false, false},
		"by its own word":          {func(d *doubt) { d.stuck = true }, false, false, false},
		"because of a failed call": {func(d *doubt) { d.byAge = false }, false, false, false},
	} {
		w, a, b := held(t, c.active, c.room)
		d := a.doubt(w.now, b.ID())
		d.byAge = true
		c.change(d)
		a.unpace(w.now)
		if ended := a.doubts[b.ID()] == nil; ended != c.ends {
			t.Errorf("%s: the doubt ends: %v", name, ended)
		}
	}
}

// A look that convicts somebody is followed soon by one that sees to all, though it had set the next itself.
func TestAVerdictOfALookIsSeenToSoon(t *testing.T) {
	w := settled(t, 7, 4, 20*time.Second)
	a := w.nodes[0]
	client := w.add("client", a, pki.Client)
	w.run(5 * time.Second)
	a.fill()
	e, _ := a.view.Put(w.now, client.Contact())
	e.State, e.Seen = view.Alive, w.now.Add(-clientDead-1)
	a.nextAges, a.nextRound = w.now, w.now.Add(calmLook)
	if a.look(w.now); a.view.Get(client.ID()).State != view.Dead {
		t.Fatal("nobody was convicted")
	}
	if got := a.nextLook.Sub(w.now); got > roundSlack {
		t.Errorf("the next look comes after %s", got)
	}
}
