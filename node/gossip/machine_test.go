package gossip

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

// invented is a contact of nobody, admitted by a.
func (a *actor) invented(n int) *view.Contact {
	id := pki.ID(sha256.Sum256(fmt.Appendf(nil, "%s %d", a.name, n)))
	return &view.Contact{
		ID: id, Name: fmt.Sprint("x", n), Mode: pki.Server, Sequence: 1, NotAfter: a.w.now.Add(72 * time.Hour).Unix(), Incarnation: 1, Period: time.Second,
		Chain: a.chain, Addresses: []string{fmt.Sprintf("x%d:1", n)}, Sealed: pki.Envelope{Payload: id[:]},
	}
}

// hold gives a's view a record in a state, that stays so.
func (a *actor) hold(c *view.Contact, state view.State) *view.Entry {
	e, _ := a.view.Put(a.w.now, c)
	e.State, e.Seen = state, a.w.now.Add(time.Hour)
	return e
}

// requests counts anew what a sends within a time.
func (a *actor) requests(d time.Duration) {
	a.sent = map[string]int{}
	a.w.run(d)
}

// settled is a network of so many nodes that has come together and then rested. What a test does to it by hand is no story that the world could check.
func settled(t *testing.T, seed uint64, nodes int, rest time.Duration) *world {
	t.Helper()
	w := newWorld(t, seed)
	w.network(nodes)
	w.becomes(5*time.Second, w.whole)
	w.run(rest)
	w.strict = false
	return w
}

// pair is two nodes that know each other, and hold nothing new.
func pair(t *testing.T) (*world, *actor, *actor) {
	t.Helper()
	w := settled(t, 3, 2, 5*time.Second)
	return w, w.nodes[0], w.nodes[1]
}

// TestVainDigests: two nodes whose digests name what neither will pass on, or has place for, do not ask each other without end.
func TestVainDigests(t *testing.T) {
	for name, fill := range map[string]func(a *actor){
		"the dead": func(a *actor) {
			for i := range 50 {
				a.hold(a.invented(i), view.Dead)
			}
		},
		"the unheard": func(a *actor) {
			for i := range 50 {
				a.hold(a.invented(i), view.Unheard)
			}
		},
		"full views": func(a *actor) {
			for i := range view.MaxServers - 1 {
				a.hold(a.invented(i), view.Alive).Addresses = nil
			}
		},
	} {
		w, a, b := pair(t)
		fill(a)
		fill(b)
		w.run(20 * time.Second)
		for _, x := range []*actor{a, b} {
			x.requests(time.Minute)
			if n := x.sent["ExchangeRequest"]; n > 60*5/2 {
				t.Errorf("%s: %s begins %d exchanges in a minute", name, x.name, n)
			}
		}
	}
}

// TestVainNominations: nominations that a peer has no use for are not sent to it again and again, and do not stand before those
// that it wants.
func TestVainNominations(t *testing.T) {
	w, a, b := pair(t)
	gone := identity("gone")
	for range 300 {
		_, n, err := NewNomination(secrets{w.r}, gone, w.genesis.Network(), w.now, NominateRequest{Mode: pki.Server, Life: time.Hour, Uses: 1})
		if err != nil {
			t.Fatal(err)
		}
		a.nominations.put(SealedNomination{n, value(n.Seal(gone))})
	}
	w.run(10 * time.Second)
	b.requests(5 * time.Minute)
	if n := b.sent["NominationsRequest"]; n > 6 {
		t.Errorf("%d requests for nominations in 5 minutes", n)
	}
	var token pki.Token
	a.do(func() {
		token = value2(a.Nominate(w.now, NominateRequest{Mode: pki.Server, Life: 30 * 24 * time.Hour, Uses: 1}))
	})
	for range 60 {
		w.run(time.Minute)
		if _, ok := b.Nomination(token.ID()); ok {
			return
		}
	}
	t.Error("within an hour a nomination did not come through")
}

func value2[T, U any](v T, _ U, err error) T { return value(v, err) }

// TestOthersLeaveRoomForOwnNominations: however many nominations others make, a node can make its own.
func TestOthersLeaveRoomForOwnNominations(t *testing.T) {
	w := newWorld(t, 4)
	w.network(4)
	w.becomes(5*time.Second, w.whole)
	a := w.nodes[0]
	taken := 0
	for _, by := range w.nodes[1:] {
		list := make([]SealedNomination, MaxNominationsOfOne)
		for i := range list {
			list[i] = w.nominated(by.identity, pki.Key{})
		}
		taken += a.takeNominations(w.now, list)
	}
	if n := len(a.nominations.entries); n != MaxNominations-MaxNominationsOfOne || taken < n {
		t.Errorf("%d nominations of others are kept, %d were taken", n, taken)
	}
	if _, _, err := a.Nominate(w.now, NominateRequest{Mode: pki.Server, Life: time.Hour, Uses: 1}); err != nil {
		t.Error(err)
	}
}

// TestFloodOfContacts: a member that invents peers makes a node forget no address at which somebody lives, nor grow.
func TestFloodOfContacts(t *testing.T) {
	w, a, b := pair(t)
	for i := range 2500 {
		a.do(func() { a.Receive(w.now, b.ID(), PushRequest{Contacts: []*view.Contact{b.invented(i)}}) })
		if i%100 == 0 {
			w.run(8 * time.Second)
		}
	}
	if len(a.reserve.entries) != MaxReserve {
		t.Fatalf("%d in reserve: too few to show anything", len(a.reserve.entries))
	}
	late := w.add("late", w.first(), pki.Server)
	late.do(func() { late.Introduce(w.now, a.ID(), []*view.Contact{a.Contact()}) })
	w.run(5 * time.Second)
	for _, x := range []*actor{b, late} {
		if !a.reserve.has(x.ID()) {
			t.Errorf("%s, which is alive, is not in the reserve", x.name)
		}
	}
}

// TestFloodOfCallers: calls of thousands of members leave no trace of them for long.
func TestFloodOfCallers(t *testing.T) {
	w, a, b := pair(t)
	for i := range 20_000 {
		from := pki.ID(sha256.Sum256(fmt.Appendf(nil, "caller %d", i)))
		a.do(func() {
			a.Receive(w.now, from, ExchangeRequest{Salt: 1, Digest: []view.Version{{Hash: uint32(i)}, {Hash: uint32(i) + 1}}, NominationsHash: 9})
		})
		if i%1000 == 0 {
			w.run(time.Second)
		}
	}
	w.run(3 * time.Second)
	if len(a.attempts) > 2*(view.MaxServers+view.MaxClients) || len(a.calls) > 10 || a.view.Get(b.ID()).State != view.Alive {
		t.Errorf("%d attempts, %d calls", len(a.attempts), len(a.calls))
	}
}

// TestRevokedStaysRevoked: the lowest epoch of a peer is kept when the peer is dropped and another raises its own.
func TestRevokedStaysRevoked(t *testing.T) {
	w, a, b := pair(t)
	first, second := b.invented(1), b.invented(2)
	first.MinEpoch, second.MinEpoch = 5, 7
	tell := func(c *view.Contact) bool {
		a.Receive(w.now, b.ID(), PushRequest{Contacts: []*view.Contact{c}})
		return a.Effects().Trust
	}
	if !tell(first) || a.Trust().MinEpoch[first.ID] != 5 {
		t.Error("a raised epoch makes no new trust")
	}
	a.view.Drop(first.ID)
	if !tell(second) || a.Trust().MinEpoch[first.ID] != 5 || a.Trust().MinEpoch[second.ID] != 7 {
		t.Errorf("trust is %v", a.Trust().MinEpoch)
	}
	if tell(b.invented(3)) {
		t.Error("a contact that revokes nothing makes a new trust")
	}
}

// TestPastItsLifeIsNotPassedOn: a peer that lives on under a contact past its life is told to nobody (checkMessage looks on).
func TestPastItsLifeIsNotPassedOn(t *testing.T) {
	w, a, b := pair(t)
	c := b.invented(1)
	c.NotAfter = w.now.Add(2 * time.Second).Unix()
	e := a.hold(c, view.Alive)
	e.BeatSequence = 1
	w.run(5 * time.Second)
	for _, from := range []*actor{a, b} {
		late := w.add("late of "+from.name, w.first(), pki.Server)
		late.do(func() { late.Introduce(w.now, a.ID(), []*view.Contact{a.Contact()}) })
	}
	a.queue(w.now, c.ID)
	w.run(10 * time.Second)
}

// TestLadderEnds: past 4,096 beats a node begins a new incarnation, and nobody notices.
func TestLadderEnds(t *testing.T) {
	w := newWorld(t, 5)
	w.network(3)
	w.becomes(5*time.Second, w.whole)
	w.run(lookEvery) // by then the order is told
	for _, a := range w.nodes {
		a.notices = nil
	}
	first := w.nodes[0].own.Incarnation
	w.run((view.LadderLength + 60) * time.Second)
	for _, a := range w.nodes {
		if a.own.Incarnation == first || a.beat.Sequence > 100 || len(a.notices) > 0 {
			t.Errorf("%s is at beat %d and was told %v", a.name, a.beat.Sequence, a.notices)
		}
	}
}

// TestNoChanceForALadder: where no new ladder can be made the old contact stands and no beat goes out that it does not prove.
func TestNoChanceForALadder(t *testing.T) {
	w := newWorld(t, 6)
	w.network(2)
	w.becomes(5*time.Second, w.whole)
	a, b := w.nodes[0], w.nodes[1]
	w.strict = false
	source, first := a.cfg.Secrets, a.own.Incarnation
	a.cfg.Secrets = broken{}
	w.run((view.LadderLength + 5) * time.Second)
	if a.own.Incarnation != first || a.beat.Sequence != view.LadderLength || a.disk.Own.Incarnation != first {
		t.Fatalf("incarnation %d, beat %d, saved %+v", a.own.Incarnation, a.beat.Sequence, a.disk.Own)
	}
	a.cfg.Secrets = source
	w.run(5 * time.Second)
	if e := b.view.Get(a.ID()); e.Incarnation == first || e.State != view.Alive {
		t.Errorf("its peer holds incarnation %d, %s", e.Incarnation, e.State)
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("no chance") }

// TestOldBeatsReviveNobody: a beat that is new here but past the limit already does not bring its peer back.
func TestOldBeatsReviveNobody(t *testing.T) {
	w := newWorld(t, 8)
	w.strict = false
	w.network(3)
	w.becomes(5*time.Second, w.whole)
	a, b, c := w.nodes[0], w.nodes[1], w.nodes[2]
	w.cut = func(x, y *actor) bool { return x == a || y == a }
	w.run(5 * time.Second)
	last := *b.view.Get(c.ID())
	c.kill()
	for _, age := range []time.Duration{11 * time.Second, 31 * time.Second} {
		a.view.Convict(w.now, last.ID, "silent")
		a.do(func() {
			a.Receive(w.now, b.ID(), PushRequest{Contacts: []*view.Contact{last.Contact}, Beats: []IndexedBeat{{Contact: uint16(last.Sequence), Beat: view.Beat{Sequence: last.BeatSequence, Link: last.Beat(w.now).Link, Age: age}}}})
		})
		if state := a.view.Get(last.ID).State; state != view.Dead {
			t.Errorf("a beat %s old made it %s", age, state)
		}
	}
}

// TestAnswersNobodyWaitsFor: an answer counts once, and one that was never asked for not at all.
func TestAnswersNobodyWaitsFor(t *testing.T) {
	_, a, b := pair(t)
	a.exchange(a.w.now, b.ID())
	send := a.Effects().Sends[0]
	if a.Fail(a.w.now, send.Call, Unanswered); a.attempt(b.ID()).failures != 1 {
		t.Fatal("a failure is not counted")
	}
	a.Effects() // it asks again
	a.Fail(a.w.now, send.Call, Unanswered)
	a.Reply(a.w.now, send.Call, ExchangeResponse{})
	a.Reply(a.w.now, 1<<60, ExchangeResponse{})
	if e := a.Effects(); a.attempt(b.ID()).failures != 1 || len(e.Sends)+len(e.Notices) > 0 {
		t.Errorf("an answer that came too late does %+v", e)
	}
}

// TestLeftIsStill: a node that said goodbye begins nothing any more, whatever comes in.
func TestLeftIsStill(t *testing.T) {
	w, a, b := pair(t)
	a.do(func() { a.Leave(w.now) })
	a.sent, a.advances = map[string]int{}, 0
	for i := range 50 {
		a.do(func() { a.Receive(w.now, b.ID(), PushRequest{Contacts: []*view.Contact{b.invented(i)}}) })
		w.run(time.Second)
	}
	if len(a.sent) > 0 || a.advances > 200 {
		t.Errorf("it sends %v in %d turns", a.sent, a.advances)
	}
}

// TestDeclinedWaits: a peer that has enough active ones is not asked again after the next exchange, but after a while.
func TestDeclinedWaits(t *testing.T) {
	w, a, b := pair(t)
	a.deactivate(b.ID())
	a.join(w.now, b.ID())
	a.Reply(w.now, a.lastCall, JoinResponse{Contact: b.Contact()})
	a.exchange(w.now, b.ID())
	a.Reply(w.now, a.lastCall, ExchangeResponse{})
	a.Effects()
	if a.Active(b.ID()) || a.attempt(b.ID()).next.Sub(w.now) < firstRetry/2 {
		t.Errorf("active: %t, asked again after %s", a.Active(b.ID()), a.attempt(b.ID()).next.Sub(w.now))
	}
}

// TestNominationsOfWhomMayNot: a member whose own admission does not let it nominate, and a stranger, can seal what they like:
// nobody keeps it or passes it on.
func TestNominationsOfWhomMayNot(t *testing.T) {
	w, a, b := pair(t)
	barred := identity("barred")
	chain := value(b.chain.Admit(b.identity, barred.Key(), pki.Nomination{Mode: pki.Server}, w.now))
	a.hold(&view.Contact{
		ID: barred.ID(), Key: barred.Key(), Name: "barred", Mode: pki.Server, Sequence: 1, NotAfter: w.now.Add(time.Hour).Unix(),
		Incarnation: 1, Chain: chain, Sealed: pki.Envelope{Payload: []byte("barred")},
	}, view.Alive)
	for _, c := range []struct {
		by   *pki.Identity
		want bool
	}{{b.identity, true}, {barred, false}, {identity("stranger"), false}} {
		_, n, err := NewNomination(secrets{w.r}, c.by, w.genesis.Network(), w.now, NominateRequest{Mode: pki.Server, Life: time.Hour, Uses: 1})
		if err != nil {
			t.Fatal(err)
		}
		if _, got := a.wantsNomination(w.now, n); got != c.want {
			t.Errorf("a nomination by %s is wanted: %t", c.by.ID().Short(), got)
		}
	}
}

// TestLeafRefused: a refused leaf is a reason for a new epoch to a node that nobody has answered since its epoch began, and now and
// then only. So one liar among peers that answer causes nothing.
func TestLeafRefused(t *testing.T) {
	w, a, b := pair(t)
	epoch := a.Epoch()
	refuse := func() { a.do(func() { a.LeafRefused(w.now) }) }
	refuse()
	if a.Epoch() != epoch {
		t.Fatal("peers answer, and a refusal began an epoch")
	}
	w.run(5 * time.Second)
	a.do(func() { value(a.Rotate(w.now)) })
	epoch = a.Epoch()
	for range 100 {
		refuse()
	}
	if got := a.Epoch(); got != epoch+1 {
		t.Fatalf("100 refusals at once: from epoch %d to %d", epoch, got)
	}
	w.run(5 * time.Second)
	refuse()
	if got := a.Epoch(); got != epoch+1 {
		t.Fatalf("peers answer again, and a refusal began epoch %d after %d", got, epoch+1)
	}
	w.run(5 * time.Second)
	if got := b.view.Get(a.ID()).Epoch; got != a.Epoch() {
		t.Errorf("the peer holds epoch %d, it is %d", got, a.Epoch())
	}
	a.do(func() { a.Leave(w.now) })
	a.accepted = false
	refuse()
	if a.Epoch() != epoch+1 {
		t.Error("a node that has left began an epoch")
	}
}

// TestBeatsOfOneMessageAreBounded: what false beats cost is taken from the message that they came in. A true one behind too many of
// them is not heard from there, and is heard from the next.
func TestBeatsOfOneMessageAreBounded(t *testing.T) {
	w, a, b := pair(t)
	const dear = maxHashes / view.LadderLength
	var contacts []*view.Contact
	var lies []IndexedBeat
	for i := range dear {
		c := a.invented(i)
		b.hold(c, view.Alive)
		contacts = append(contacts, c)
		lies = append(lies, IndexedBeat{Index: i, Contact: uint16(c.Sequence), Beat: view.Beat{Sequence: view.LadderLength}})
	}
	tell := func(lies []IndexedBeat) (heard bool) {
		a.idleBeat(w.now)
		own := IndexedBeat{Index: len(lies), Contact: uint16(a.Contact().Sequence), Beat: a.ownBeat(w.now)}
		req := PushRequest{Contacts: append(slices.Clone(contacts[:len(lies)]), a.Contact()), Beats: append(slices.Clone(lies), own)}
		b.do(func() { b.Receive(w.now, a.ID(), req) })
		return b.view.Get(a.ID()).BeatSequence == own.Sequence
	}
	if !tell(lies[:dear-1]) {
		t.Errorf("a true beat behind %d lies is not heard", dear-1)
	}
	if tell(lies) {
		t.Errorf("%d lies cost as much as they like", dear)
	}
	if !tell(nil) {
		t.Error("nor is it from the next message")
	}
}

// TestFirstAddressesAreSavedAtOnce: a node that has met few members and is killed knows more than half of them when it starts again, and after
// a while all.
func TestFirstAddressesAreSavedAtOnce(t *testing.T) {
	w, a, b := pair(t)
	for i := range 2 * fewAddresses {
		c := a.invented(i)
		b.do(func() { b.Receive(w.now, a.ID(), PushRequest{Contacts: []*view.Contact{c}}) })
		known, saved := len(b.reserve.entries), len(b.disk.Reserve)
		if few := known < 2*fewAddresses; few && 2*saved <= known {
			t.Errorf("of %d addresses %d are on disk", known, saved)
		}
	}
	w.run(2 * saveReserve)
	if known, saved := len(b.reserve.entries), len(b.disk.Reserve); saved != known {
		t.Errorf("of %d addresses %d are on disk after a while", known, saved)
	}
}
