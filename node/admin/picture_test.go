package admin

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/adminpb"
)

func wantMessage(t *testing.T, got, want proto.Message) {
	t.Helper()
	if !proto.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", prototext.Format(got), prototext.Format(want))
	}
}

const noonMs = 1_790_000_000_000

var noFingerprint = strings.Repeat("0", 64)

func (w world) adaLink() *adminpb.ChainLink {
	return &adminpb.ChainLink{
		Subject: w.ada.ID().String(), Nominator: w.founder.ID().String(), Mode: "server", Depth: 1, IssuedAt: noon.Unix(), MayNominate: true,
	}
}

func (w world) peerMessage(who *pki.Identity, name string, token pki.Token, state string) *adminpb.Peer {
	return &adminpb.Peer{
		Id: who.ID().String(), Name: name, Mode: token.Mode.String(), State: state, Addresses: []string{"10.0.0.2:7401"},
		AgeMs: 1400, LimitMs: 10_000, Sequence: 65, Leaf: &adminpb.Leaf{Epoch: 9}, Services: []string{"10.9.9.9:80"}, Depth: 2,
		NominatedBy: w.ada.ID().String(), FirstSeenMs: noonMs - 60_000, ContactSequence: 3, Incarnation: 4,
		Chain: []*adminpb.ChainLink{{
			Subject: who.ID().String(), Nominator: w.ada.ID().String(), Mode: token.Mode.String(), Depth: 2, IssuedAt: noon.Unix(),
			TokenId: token.ID().String(), MayNominate: token.Mode == pki.Server,
		}, w.adaLink()},
	}
}

func TestSnapshotOf(t *testing.T) {
	w := newWorld(t)
	got := snapshotOf(w.picture(t))
	wantMessage(t, got.GetSelf(), &adminpb.Self{
		Id: w.ada.ID().String(), Name: "ada", Network: w.genesis.Network().String(), NetworkName: "testnet", Mode: "server",
		Version: "v0.1.0", UptimeMs: 3_601_000, GossipAddress: "[::]:7401", RegisterAddress: "[::]:7402",
		AdminAddress: "/a/admin.sock", Advertised: []string{"10.0.0.1:7401"}, Observed: []string{"10.0.0.1"},
		LimitMs: 10_000, LimitN: 1, MeanMs: 1.5, SdMs: 1, Stretch: 2.5, FloorMs: 2000,
		Leaf:      &adminpb.Leaf{Epoch: 5, NotBefore: noon.Unix(), NotAfter: noon.Unix() + 3600, Fingerprint: noFingerprint},
		Signature: &adminpb.Signature{Sequence: 7, AgeMs: 1200}, Depth: 1, Chain: []*adminpb.ChainLink{w.adaLink()},
		Clients: 1, Active: 1, Isolated: true, Disagree: []string{"node-a", w.founder.ID().Short()},
	})
	carol := w.peerMessage(w.carol, "node-a", w.serverToken, "alive")
	carol.Active, carol.LastExchangeMs = true, noonMs
	carol.Leaf = &adminpb.Leaf{Epoch: 9, NotBefore: noon.Unix(), NotAfter: noon.Unix() + 60, Fingerprint: noFingerprint}
	bob := w.peerMessage(w.bob, "node-b", w.serverToken, "dead")
	bob.Reason, bob.Unreachable = "silent", true
	dan := w.peerMessage(w.dan, "node-b", w.danToken, "alive")
	want := []*adminpb.Peer{carol, bob, dan} // by name, then ID
	if w.dan.ID().Compare(w.bob.ID()) < 0 {
		want = []*adminpb.Peer{carol, dan, bob}
	}
	wantMessage(t, &adminpb.Snapshot{Peers: got.GetPeers()}, &adminpb.Snapshot{Peers: want})
	if got.GetTimeMs() != noonMs+1000 {
		t.Errorf("the time is %d", got.GetTimeMs())
	}
}

func TestSnapshotBeforeTheFirstSignature(t *testing.T) {
	p := newWorld(t).picture(t)
	p.Gossip.Sequence, p.Gossip.Age, p.Gossip.Contact = 0, 0, nil
	p.Now = noon.Add(-time.Hour) // the clock was set back since
	got := snapshotOf(p)
	wantMessage(t, got.GetSelf().GetSignature(), &adminpb.Signature{})
	if got.GetPeers()[0].GetAgeMs() != 0 || got.GetSelf().GetUptimeMs() != 0 || got.GetSelf().GetAdvertised() != nil {
		t.Errorf("got %s", prototext.Format(got))
	}
}

func TestSnapshotWithoutNetwork(t *testing.T) {
	w := newWorld(t)
	wantMessage(t, snapshotOf(w.bare()), &adminpb.Snapshot{TimeMs: noonMs, Self: &adminpb.Self{
		Id: w.ada.ID().String(), Name: "ada", Version: "v0.1.0", AdminAddress: "/a/admin.sock", UptimeMs: 1000,
	}})
}

// bare is the picture of a node without a network.
func (w world) bare() Picture {
	return Picture{ID: w.ada.ID(), Name: "ada", Version: "v0.1.0", AdminAddress: "/a/admin.sock", Started: noon.Add(-time.Second), Now: noon}
}

func TestNominationOf(t *testing.T) {
	w := newWorld(t)
	n := w.nomination(w.serverToken)
	n.For, n.RevokedAt = w.bob.ID(), noon.Unix()+9
	want := &adminpb.Nomination{
		TokenId: w.serverToken.ID().String(), Nominator: w.ada.ID().String(), NominatorName: "ada", Mode: "server", Uses: 2, Used: 1,
		NotBefore: noon.Unix(), NotAfter: noon.Unix() + 3600, RevokedAt: noon.Unix() + 9, For: w.bob.ID().String(), Label: "shelf",
		MayNominate: true, Users: []*adminpb.TokenUse{{Id: w.bob.ID().String(), Name: "node-b", Time: noon.Unix() + 5}},
	}
	wantMessage(t, nominationOf(n, namesOf(w.picture(t))), want)
	want.NominatorName, want.Users[0].Name = "", ""
	wantMessage(t, nominationOf(n, nil), want)
}

// full is a picture at every bound of the view, with the longest chains, addresses and services that fit a contact.
func (w world) full(t *testing.T) Picture {
	t.Helper()
	p := w.picture(t)
	chain, last := w.adaChain, w.ada
	for chain.Depth() < pki.MaxDepth {
		next := someone(t, fmt.Sprint("link ", chain.Depth()))
		var err error
		chain, err = chain.Admit(last, next.Key(), w.nomination(w.serverToken), noon)
		must(t, err)
		last = next
	}
	long := func(n int) (list []string) {
		for i := range n {
			list = append(list, fmt.Sprintf("%s%03d.example:7401", strings.Repeat(strings.Repeat("x", 59)+".", 4), i))
		}
		return list
	}
	p.Gossip.Peers = nil
	for i := range view.MaxServers + view.MaxFallen + view.MaxClients {
		p.Gossip.Peers = append(p.Gossip.Peers, gossip.Peer{Entry: view.Entry{Contact: &view.Contact{
			ID: pki.ID{byte(i >> 8), byte(i)}, Name: strings.Repeat("n", pki.MaxName), Mode: pki.Server, Chain: chain,
			Addresses: long(view.MaxAddresses), Services: long(4),
		}}})
	}
	return p
}

func TestFullSnapshotFits(t *testing.T) {
	s := snapshotOf(newWorld(t).full(t))
	if size := proto.Size(s); size > MaxMessage {
		t.Errorf("%d bytes are over the bound of %d", size, MaxMessage)
	}
	if got := len(s.GetPeers()); got != 1536 {
		t.Errorf("%d peers are left", got)
	}
	p := s.GetPeers()[0]
	if len(p.GetAddresses()) != 1 || p.GetNominatedBy() == "" || p.GetDepth() != pki.MaxDepth {
		t.Errorf("too little is left: %s", prototext.Format(p))
	}
}

func TestFullTokensFit(t *testing.T) {
	w := newWorld(t)
	p := w.picture(t)
	n := w.nomination(w.serverToken)
	n.Label, n.Users, p.Gossip.Peers = strings.Repeat("x", pki.MaxLabel), nil, nil
	for i := range pki.MaxUsers {
		id := pki.ID{byte(i)}
		n.Users = append(n.Users, pki.TokenUse{Joiner: id, At: noon.Unix()})
		p.Gossip.Peers = append(p.Gossip.Peers, gossip.Peer{Entry: view.Entry{Contact: &view.Contact{ID: id, Name: strings.Repeat("n", pki.MaxName)}}})
	}
	for _, c := range []struct{ count, users int }{{500, pki.MaxUsers}, {gossip.MaxNominations, 0}} {
		p.Gossip.Nominations = slices.Repeat([]gossip.SealedNomination{{Nomination: n}}, c.count)
		r := tokensOf(p)
		if size := proto.Size(r); size > MaxMessage || len(r.GetNominations()) != c.count || len(r.GetNominations()[0].GetUsers()) != c.users {
			t.Errorf("%d nominations with %d users in %d bytes, want %d with %d", len(r.GetNominations()), len(r.GetNominations()[0].GetUsers()), size, c.count, c.users)
		}
	}
}
