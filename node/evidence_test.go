package node

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/pki"
)

// nomination is what the node holds behind a token.
func (a *actor) nomination(id pki.TokenID) pki.Nomination {
	a.w.t.Helper()
	for _, n := range a.picture().Nominations {
		if n.TokenID() == id {
			return n.Nomination
		}
	}
	a.w.t.Fatalf("%s holds no nomination of token %s", a.name, id)
	return pki.Nomination{}
}

func (a *actor) picture() *gossip.Snapshot {
	a.w.t.Helper()
	p, err := a.Picture(context.Background())
	if err != nil {
		a.w.t.Fatal(err)
	}
	if p.Gossip == nil {
		return &gossip.Snapshot{}
	}
	return p.Gossip
}

// claims are the uses of its tokens that the node has on its disk.
func (a *actor) claims() []gossip.ClaimRecord {
	a.w.t.Helper()
	saved, err := a.Node.dir.Load()
	if err != nil {
		a.w.t.Fatal(err)
	}
	return saved.Claims
}

// peer is what the node lists of another, or nil.
func (a *actor) peer(id pki.ID) *gossip.Peer {
	for _, p := range a.picture().Peers {
		if p.ID == id {
			return &p
		}
	}
	return nil
}

// notices are the details of what the node told its operator of one kind.
func (a *actor) notices(kind gossip.Kind) (details []string) {
	for _, e := range a.ring.Since(24*time.Hour, time.Now()) {
		if e.Kind == kind {
			details = append(details, e.Detail)
		}
	}
	return details
}

// outsider is a node without a network, which runs.
func (w *world) outsider(i int) *actor {
	w.t.Helper()
	a := w.actor(i)
	a.start()
	return a
}

// folder tells whether the folder of a running node belongs to a network.
func (a *actor) folder() bool {
	a.w.t.Helper()
	_, _, member, err := a.Node.dir.Membership()
	if err != nil {
		a.w.t.Fatal(err)
	}
	return member
}

// contains fails the test unless the error has the text.
func contains(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// founderKey is the key that should be offline.
func (a *actor) founderKey() *pki.Identity {
	a.w.t.Helper()
	key, err := a.Node.dir.Founder()
	if err != nil {
		a.w.t.Fatal(err)
	}
	return key
}

// state is all that an attack must not change: what the node lists, what it has on its disk, and whether it is a member.
func (a *actor) state() string {
	a.w.t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "member %t %t, claims %d\n", a.Info().Member, a.folder(), len(a.claims()))
	s := a.picture()
	for _, n := range s.Nominations {
		fmt.Fprintf(&b, "token %s: version %d, used %d, %d users, revoked %t\n", n.TokenID(), n.Version, n.Used, len(n.Users), n.RevokedAt != 0)
	}
	for _, p := range s.Peers {
		fmt.Fprintf(&b, "peer %s %s %s, sequence %d, %v\n", p.ID, p.Name, p.State, p.Sequence, p.Addresses)
	}
	return b.String()
}

// unchanged compares the states of nodes before and after an attack.
func unchanged(nodes ...*actor) func() {
	before := make([]string, len(nodes))
	for i, a := range nodes {
		before[i] = a.state()
	}
	return func() {
		for i, a := range nodes {
			a.w.t.Helper()
			if after := a.state(); after != before[i] {
				a.w.t.Errorf("%s was\n%sand is\n%s", a.name, before[i], after)
			}
		}
	}
}
