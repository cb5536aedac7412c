package store

import (
	"reflect"
	"testing"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/pki"
)

func TestOwnNumbersNeverGoBack(t *testing.T) {
	d := founded(t)
	before := state(d)
	for want, own := range map[string]gossip.Own{
		"save: own contact sequence 9 is below 10, which was saved before": {Sequence: 9, Incarnation: 9, Epoch: 99, MinEpoch: 9},
		"save: own incarnation 0 is below 1, which was saved before":       {Sequence: 99, Epoch: 99, MinEpoch: 9},
		"save: own epoch 19 is below 20, which was saved before":           {Sequence: 99, Incarnation: 9, Epoch: 19, MinEpoch: 9},
		"save: own lowest epoch 4 is below 5, which was saved before":      {Sequence: 99, Incarnation: 9, Epoch: 99, MinEpoch: 4},
	} {
		equal(t, d.Save(gossip.Save{Own: &own, ReserveChanged: true}), want)
		if state(d) != before {
			t.Error("a refusal changed something")
		}
	}
	must(t, d.Save(gossip.Save{Own: &gossip.Own{Sequence: 10, Incarnation: 1, Epoch: 20, MinEpoch: 5}}))
}

func TestDropNomination(t *testing.T) {
	d := filled(t)
	saved := value(d.Load())
	claimed := saved.Claims[0].Token
	must(t, d.Save(gossip.Save{DropNominations: []pki.TokenID{claimed, {1, 2, 3}}}))
	after := value(d.Load())
	if len(after.Nominations) != 1 || after.Nominations[0].TokenID() == claimed || len(after.Claims) != 0 || len(after.Reserve) != 2 {
		t.Errorf("%+v", after)
	}
	// What is put and dropped at once is gone.
	must(t, d.Save(gossip.Save{Nominations: saved.Nominations, Claims: saved.Claims, DropNominations: []pki.TokenID{claimed}}))
	if again := value(d.Load()); !reflect.DeepEqual(again, after) {
		t.Errorf("%+v", again)
	}
}

func TestReserveIsReplaced(t *testing.T) {
	d := filled(t)
	must(t, d.Save(gossip.Save{Reserve: nil, Own: ownOf(d)}))
	if n := len(value(d.Load()).Reserve); n != 2 {
		t.Errorf("%d in reserve after a save that did not name it", n)
	}
	must(t, d.Save(gossip.Save{Reserve: []gossip.Address{reserved(pki.ID{9}, "[::1]:1")}, ReserveChanged: true}))
	if got := value(d.Load()).Reserve; len(got) != 1 || got[0].ID != (pki.ID{9}) {
		t.Errorf("%+v", got)
	}
	must(t, d.Save(gossip.Save{ReserveChanged: true}))
	if n := len(value(d.Load()).Reserve); n != 0 {
		t.Errorf("%d in reserve", n)
	}
}

func TestSaveRefusals(t *testing.T) {
	d := filled(t)
	before := state(d)
	id := pki.ID{7}
	many := make([]gossip.Address, MaxReserve+1)
	claims := make([]gossip.ClaimRecord, MaxClaims+1)
	for i := range claims {
		claims[i] = gossip.ClaimRecord{Joiner: pki.ID{byte(i >> 16), byte(i >> 8), byte(i)}, Chain: []byte{1}}
	}
	for want, s := range map[string]gossip.Save{
		"save: 1001 addresses in reserve are over the bound of 1000":                     {Reserve: many, ReserveChanged: true},
		`save: reserve: address "x": no port`:                                            {Reserve: []gossip.Address{reserved(id, "x")}, ReserveChanged: true},
		"save: reserve: " + id.Short() + " heard at 0 s with 17 addresses":               {Reserve: []gossip.Address{reserved(id, make([]string, 17)...)}, ReserveChanged: true},
		"save: reserve: " + id.Short() + " heard at -1 s with 1 addresses":               {Reserve: []gossip.Address{{Located: reserved(id, "").Located, Heard: -1}}, ReserveChanged: true},
		"save: claim of token 0700000000000000: a time of 0 s and a chain of 0 bytes":    {Claims: []gossip.ClaimRecord{{Token: pki.TokenID{7}}}},
		"save: claim of token 0700000000000000: a time of -1 s and a chain of 1 bytes":   {Claims: []gossip.ClaimRecord{{Token: pki.TokenID{7}, At: -1, Chain: []byte{1}}}},
		"save: claim of token 0700000000000000: a time of 0 s and a chain of 4097 bytes": {Claims: []gossip.ClaimRecord{{Token: pki.TokenID{7}, Chain: make([]byte, 4097)}}},
		"save: over 65536 claims": {Claims: claims},
	} {
		equal(t, d.Save(s), want)
		if state(d) != before {
			t.Fatalf("%s, but something changed", want)
		}
	}
}

func TestNominationsAreBounded(t *testing.T) {
	d := filled(t)
	n := value(d.Load()).Nominations[0]
	var many []gossip.SealedNomination
	for i := range MaxNominations - 1 { // two are there
		n.TokenKey = pki.Key{1, byte(i), byte(i >> 8)}
		many = append(many, n)
	}
	equal(t, d.Save(gossip.Save{Nominations: many}), "save: over 2048 nominations")
	must(t, d.Save(gossip.Save{Nominations: many[1:]}))
	// At the bound one may come for one that goes.
	must(t, d.Save(gossip.Save{Nominations: many[:1], DropNominations: []pki.TokenID{many[1].TokenID()}}))
}

func TestServicesAreReplaced(t *testing.T) {
	d := filled(t)
	must(t, d.Save(gossip.Save{ReserveChanged: true}))
	if n := len(value(d.Load()).Services); n != 2 {
		t.Errorf("%d services after a save that did not name them", n)
	}
	equal(t, d.Save(gossip.Save{Services: []string{"a:1", "a\n:1"}, ServicesChanged: true}), `save: services: address "a\n:1": host "a\n" is no DNS name in lower case`)
	equal(t, d.Save(gossip.Save{Services: make([]string, 65), ServicesChanged: true}), "save: services: 65 addresses are over the bound of 64")
	must(t, d.Save(gossip.Save{ServicesChanged: true}))
	if got := value(d.Load()).Services; got != nil {
		t.Errorf("%q", got)
	}
}

func ownOf(d *Dir) *gossip.Own {
	own := value(d.Load()).Own
	return &own
}
