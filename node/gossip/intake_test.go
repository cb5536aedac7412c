package gossip

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

// nominated is a nomination by anybody, sealed, with the token key given or a new one.
func (w *world) nominated(by *pki.Identity, key pki.Key) SealedNomination {
	w.t.Helper()
	_, n, err := NewNomination(secrets{w.r}, by, w.genesis.Network(), w.now, NominateRequest{Mode: pki.Server, Life: time.Hour, Uses: 1})
	if err != nil {
		w.t.Fatal(err)
	}
	if key != (pki.Key{}) {
		n.TokenKey = key
	}
	return SealedNomination{n, value(n.Seal(by))}
}

// The attack: a member that sees another's nomination first somewhere publishes one of its own with the same token key, as the
// highest version there can be, before the honest one comes there. Both are kept, each under its own ID; the token finds its maker's.
func TestNobodyTakesTheNameOfAnothersToken(t *testing.T) {
	w := newWorld(t, 3)
	w.network(3)
	w.becomes(5*time.Second, w.whole)
	acceptor, maker, mallory := w.nodes[0], w.nodes[1], w.nodes[2]
	token, honest, err := NewNomination(secrets{w.r}, maker.identity, w.genesis.Network(), w.now, NominateRequest{Mode: pki.Server, Life: time.Hour, Uses: 1})
	if err != nil {
		t.Fatal(err)
	}
	squat := honest
	squat.Nominator, squat.Version = mallory.identity.Key(), 1<<64-1
	if acceptor.takeNominations(w.now, []SealedNomination{{squat, value(squat.Seal(mallory.identity))}}) != 1 {
		t.Fatal("the attack is no attack: a member that may nominate is not heard")
	}
	if n, ok := acceptor.Nomination(token.ID()); ok {
		t.Errorf("before the honest nomination comes the token has that of %s", n.Nominator.ID().Short())
	}
	if acceptor.takeNominations(w.now, []SealedNomination{{honest, value(honest.Seal(maker.identity))}}) != 1 {
		t.Error("the honest nomination is not kept")
	}
	if n, ok := acceptor.Nomination(token.ID()); !ok || n.Nominator != maker.identity.Key() {
		t.Errorf("the token has the nomination of %s", n.Nominator.ID().Short())
	}
	versions := acceptor.nominations.versions()
	if len(versions) != 2 || versions[0].Token == versions[1].Token {
		t.Errorf("it tells of %v", versions)
	}
}

// The attack: a member makes as many nominations as it may, which is as many as there is room for those of others. A member with
// few finds place all the same, and keeps it: the flood's own make room, in memory and on disk. Those of whom nobody knows any
// more go before.
func TestFloodOfNominationsLeavesRoom(t *testing.T) {
	w := newWorld(t, 3)
	w.network(3)
	w.becomes(5*time.Second, w.whole)
	a, honest, mallory := w.nodes[0], w.nodes[1], w.nodes[2]
	flood := func() int {
		list := make([]SealedNomination, MaxNominationsOfOne)
		for i := range list {
			list[i] = w.nominated(mallory.identity, pki.Key{})
		}
		return a.takeNominations(w.now, list)
	}
	if n := flood(); n != MaxNominations-MaxNominationsOfOne {
		t.Fatalf("%d of the flood are taken", n)
	}
	a.Effects()
	for range 3 {
		n := w.nominated(honest.identity, pki.Key{})
		if a.takeNominations(w.now, []SealedNomination{n}) != 1 {
			t.Fatal("there is no room for an honest nomination")
		}
		save := a.Effects().Save
		if len(save.Nominations) != 1 || len(save.DropNominations) != 1 || save.DropNominations[0] == n.TokenID() {
			t.Errorf("saved %d, dropped %d", len(save.Nominations), len(save.DropNominations))
		}
	}
	if n := flood(); n > 0 {
		t.Errorf("%d of a second flood are taken", n)
	}
	if n, all := a.nominations.of(honest.identity.Key()), len(a.nominations.entries); n != 3 || all != MaxNominations-MaxNominationsOfOne {
		t.Errorf("%d honest ones are left of %d", n, all)
	}
	gone := w.nominated(identity("gone"), pki.Key{})
	a.nominations.put(gone)
	if room, ok := a.crowded(mallory.identity.Key()); !ok || room != gone.TokenID() {
		t.Errorf("what makes room is %s", room)
	}
}

// A flood of as many members as a view holds leaves each of them some.
func TestNominationsOfAFullView(t *testing.T) {
	w, a, _ := pair(t)
	for i := range view.MaxServers - 1 {
		c, who := a.invented(i), identity(fmt.Sprint("member ", i))
		c.ID, c.Key = who.ID(), who.Key()
		a.hold(c, view.Alive)
	}
	template := w.nominated(identity("nobody"), pki.Key{})
	room := MaxNominations - MaxNominationsOfOne
	for _, e := range a.view.Entries() {
		list := slices.Repeat([]SealedNomination{template}, room/(view.MaxServers/2))
		for i := range list {
			list[i].Nominator, list[i].TokenKey = e.Key, pki.Key{byte(i)}
		}
		a.takeNominations(w.now, list)
	}
	if n := len(a.nominations.entries); n != room {
		t.Fatalf("%d are kept", n)
	}
	for _, e := range a.view.Entries() {
		if n := a.nominations.of(e.Key); n < room/view.MaxServers-1 {
			t.Errorf("%d of one member are kept", n)
		}
	}
}
