package gossip

import (
	"slices"
	"testing"
	"time"

	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

// allStopped is a network whose nodes were whole, and have all been killed.
func allStopped(t *testing.T, seed uint64, nodes int) *world {
	t.Helper()
	w := newWorld(t, seed)
	w.network(nodes)
	w.becomes(60*time.Second, w.whole)
	w.run(10 * time.Second)
	for _, a := range w.nodes {
		a.kill()
	}
	return w
}

// Of many members that a node knows from before one runs: it is found at once, without waiting for a look between each few.
func TestWhoeverRunsIsFoundAtOnce(t *testing.T) {
	w := allStopped(t, 1, 30)
	w.nodes[11].start()
	w.run(time.Second)
	last := w.nodes[23]
	last.start()
	if w.run(lookEvery / 5); len(last.active) == 0 {
		t.Errorf("nobody was found after %d joins", last.sent["JoinRequest"])
	}
}

// A node that finds nobody dials a bounded number of members between two rounds.
func TestLonelyNodeDialsSoMany(t *testing.T) {
	w := allStopped(t, 2, 100)
	a := w.nodes[0]
	a.start()
	if w.run(lookEvery * 9 / 10); a.sent["JoinRequest"] > startDials {
		t.Errorf("%d dials at once", a.sent["JoinRequest"])
	}
	if w.run(lookEvery); a.sent["JoinRequest"] <= startDials {
		t.Errorf("it went no further later: %d dials", a.sent["JoinRequest"])
	}
}

// Whose one address is refused tries it again soon: in a network that starts as one whoever is at that address may only be slower.
func TestRefusedDialIsRepeatedSoon(t *testing.T) {
	w := allStopped(t, 3, 2)
	a, b := w.nodes[0], w.nodes[1]
	b.start()
	w.run(lookEvery / 10)
	a.start()
	a.do(func() { a.reserve = reserve{} }) // it must be found
	if w.run(lookEvery / 2); len(b.active) == 0 {
		t.Errorf("not reached half a second after it had come; %d dials", b.sent["JoinRequest"])
	}
}

// While peers gather around a node that starts, it exchanges more often than later.
func TestExchangesOftenWhilePeersGather(t *testing.T) {
	w := newWorld(t, 4)
	w.network(5)
	w.becomes(5*time.Second, w.whole)
	a := w.nodes[0]
	soon := time.Duration(float64(a.cfg.Interval)*(1+jitter)) / startExchanges
	if due := a.nextExchange.Sub(w.now); due > soon || !a.gathering(w.now) {
		t.Errorf("the next exchange is due in %s, and the last peer came %s before", due, w.now.Sub(a.cameAt))
	}
	w.run(20 * time.Second)
	w.add("late", a, pki.Server).do(func() { w.nodes[5].Introduce(w.now, a.ID(), nil) })
	a.nextExchange = w.now.Add(a.cfg.Interval)
	a.cameAt = w.now
	if a.sooner(w.now); a.nextExchange.Sub(w.now) != a.cfg.Interval {
		t.Error("one that started long ago exchanges more often")
	}
	w, a, _ = lonely(t, 0, 1)
	for _, full := range []bool{true, false} {
		for !full && a.view.Full() {
			a.view.Drop(a.view.Entries()[0].ID)
		}
		a.began, a.cameAt, a.nextExchange = w.now, w.now, w.now.Add(a.cfg.Interval)
		if a.sooner(w.now); (a.nextExchange.Sub(w.now) < a.cfg.Interval) == full {
			t.Errorf("a full view %t: the next exchange is due in %s", full, a.nextExchange.Sub(w.now))
		}
	}
}

// A newcomer does not tell on what it hears of by exchanges: that is old to the others.
func TestNewcomerTellsNoOldNews(t *testing.T) {
	w := newWorld(t, 5)
	w.network(30)
	w.becomes(20*time.Second, w.whole)
	w.run(10 * time.Second)
	a := w.add("late", w.nodes[0], pki.Server)
	a.do(func() { a.Introduce(w.now, w.nodes[0].ID(), []*view.Contact{w.nodes[0].Contact()}) })
	told := map[pki.ID]bool{}
	for range 400 {
		w.run(5 * time.Millisecond)
		for _, p := range a.pending {
			told[p.id] = true
		}
	}
	if !told[a.ID()] || len(a.view.Entries()) != 30 {
		t.Fatalf("it told of %d, and holds %d", len(told), len(a.view.Entries()))
	}
	if most := 1 + a.sent["JoinRequest"]; len(told) > most {
		t.Errorf("it told of %d, itself and %d that it joined among them", len(told), most-1)
	}
}

// What a newcomer has to say of itself it tells on, also where an answer made it say so: of a restored folder peers hold a newer contact.
func TestNewcomerTellsOfItself(t *testing.T) {
	w := newWorld(t, 7)
	w.network(3)
	w.becomes(5*time.Second, w.whole)
	a, b := w.nodes[1], w.nodes[2]
	a.kill()
	a.start()
	w.strict = false // it will say that its identity may be in use twice
	newer := *a.Contact()
	newer.Sequence, newer.Sealed.Payload = newer.Sequence+10, []byte("of another run")
	a.learn(w.now, b.ID(), b.Contact())
	a.pending = nil
	a.exchanged(w.now, &call{to: b.ID(), begun: w.now}, ExchangeResponse{Contacts: []*view.Contact{&newer, w.nodes[0].Contact()}})
	if len(a.pending) != 1 || a.pending[0].id != a.ID() {
		t.Errorf("it tells on %+v", a.pending)
	}
}

// Nominations are not asked for while peers gather: they can wait until a network has come together.
func TestNominationsWaitWhilePeersGather(t *testing.T) {
	w := newWorld(t, 6)
	w.network(4)
	w.becomes(5*time.Second, w.whole)
	w.run(20 * time.Second)
	a := w.nodes[0]
	a.do(func() { value2(a.Nominate(w.now, NominateRequest{Mode: pki.Server, Life: time.Hour, Uses: 1})) })
	late := w.add("late", a, pki.Server)
	late.do(func() { late.Introduce(w.now, a.ID(), []*view.Contact{a.Contact()}) })
	for late.sent["NominationsRequest"] == 0 && w.now.Sub(late.began) < 20*time.Second {
		w.run(5 * time.Millisecond)
		if late.sent["NominationsRequest"] > 0 && late.gathering(w.now) {
			t.Fatalf("asked %s after a peer came", w.now.Sub(late.cameAt))
		}
	}
	if w.run(100 * time.Millisecond); !slices.Contains(late.nominations.ids, a.nominations.ids[0]) {
		t.Error("they never came")
	}
}
