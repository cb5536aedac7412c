package pki

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

func TestTrustKnowsMembers(t *testing.T) {
	w := newWorld(t, "home")
	claims := w.leaf(t, "leaf").Claims
	for _, lowest := range []map[ID]uint64{nil, {}, {w.root.ID(): 7}, {w.founder.ID(): 99}} {
		trust := &Trust{Genesis: w.genesis, MinEpoch: lowest}
		got, err := trust.Judge(claims)
		must(t, err)
		if got.ID != w.root.ID() || got.Mode() != Server || got.Chain.Subject() != w.root.Key() || got.Leaf.Hash != claims.Hash {
			t.Errorf("judged %+v", got)
		}
	}
}

func TestTrustKnowsStrangers(t *testing.T) {
	home, away := newWorld(t, "home"), newWorld(t, "away")
	trust := &Trust{Genesis: home.genesis, MinEpoch: map[ID]uint64{home.root.ID(): 8}}
	mint := func(i *Identity, network NetworkID, chain Chain, epoch uint64) LeafClaims {
		leaf, err := MintLeaf(chance("leaf"), i, network, chain, epoch, noon, time.Hour)
		must(t, err)
		return leaf.Claims
	}
	a, stranger := someone(t, "a"), someone(t, "stranger")
	client, err := home.chain.Admit(home.root, a.Key(), Nomination{Mode: Client}, noon)
	must(t, err)
	inside, outside := home.genesis.Network(), away.genesis.Network()
	for _, c := range []struct {
		what   string
		trust  *Trust
		claims LeafClaims
		want   string
	}{
		{"nothing is trusted", nil, mint(home.root, inside, home.chain, 9), "this node has no network"},
		{"no network", &Trust{}, mint(home.root, NetworkID{}, Chain{}, 9), "this node has no network"},
		{"another network", trust, mint(away.root, outside, away.chain, 9), "its leaf is for another network"},
		{"another network's leaf with this one's chain", trust, mint(home.root, outside, home.chain, 9), "its leaf is for another network"},
		{"no network yet", trust, mint(stranger, NetworkID{}, Chain{}, 9), "its leaf is for another network"},
		{"no chain", trust, mint(stranger, inside, Chain{}, 9), "parse chain: cut short: 0 bytes where 1 are needed"},
		{"another network's chain", trust, mint(away.root, inside, away.chain, 9),
			fmt.Sprintf("verify chain: link 1: it belongs to network %s, this one is %s", outside, inside)},
		{"another member's chain", trust, mint(stranger, inside, home.chain, 9), "the chain is " + home.root.ID().Short() + "'s"},
		{"the nominator's chain", trust, mint(a, inside, home.chain, 9), "the chain is " + home.root.ID().Short() + "'s"},
		{"the client's chain", trust, mint(home.root, inside, client, 9), "the chain is " + a.ID().Short() + "'s"},
		{"revoked epoch", trust, mint(home.root, inside, home.chain, 7), "leaf epoch 7 is revoked, 8 is the lowest accepted"},
	} {
		t.Run(c.what, func(t *testing.T) {
			got, err := c.trust.Judge(c.claims)
			refused(t, got, err, "not a member of this network: "+c.want)
			if !errors.Is(err, ErrStranger) {
				t.Error("it is not ErrStranger")
			}
		})
	}
	got, err := trust.Judge(mint(home.root, inside, home.chain, 8))
	if err != nil || got.ID != home.root.ID() {
		t.Errorf("the lowest epoch accepted: %v", err)
	}
	got, err = trust.Judge(mint(a, inside, client, 0))
	if err != nil || got.Mode() != Client {
		t.Errorf("a client: %v, %v", got.Mode(), err)
	}
}
