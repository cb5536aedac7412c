package admin

import (
	"google.golang.org/protobuf/proto"

	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/adminpb"
)

// names are those of this node and of the peers that it knows.
type names map[pki.ID]string

func namesOf(p Picture) names {
	n := names{p.ID: p.Name}
	if p.Gossip != nil {
		for _, peer := range p.Gossip.Peers {
			n[peer.ID] = peer.Name
		}
	}
	return n
}

// all names every ID, those that it does not know by a short form of the ID.
func (n names) all(ids []pki.ID) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = id.Short()
		if name, ok := n[id]; ok {
			out[i] = name
		}
	}
	return out
}

// tokensOf lists what the picture holds. Where the full table and all its users are over MaxMessage, the users are left out.
func tokensOf(p Picture) *adminpb.TokensResponse {
	known := namesOf(p)
	r := &adminpb.TokensResponse{}
	for _, n := range p.Gossip.Nominations {
		r.Nominations = append(r.Nominations, nominationOf(n.Nomination, known))
	}
	if proto.Size(r) > MaxMessage {
		for _, n := range r.Nominations {
			n.Users = nil
		}
	}
	return r
}

func nominationOf(n pki.Nomination, known names) *adminpb.Nomination {
	nominator := n.Nominator.ID()
	out := &adminpb.Nomination{
		TokenId: n.TokenID().String(), Nominator: nominator.String(), NominatorName: known[nominator], Mode: n.Mode.String(),
		Uses: n.Uses, Used: n.Used, NotBefore: n.NotBefore, NotAfter: n.NotAfter, RevokedAt: n.RevokedAt, Label: n.Label,
		MayNominate: n.MayNominate,
	}
	if !n.For.IsZero() {
		out.For = n.For.String()
	}
	for _, u := range n.Users {
		out.Users = append(out.Users, &adminpb.TokenUse{Id: u.Joiner.String(), Name: known[u.Joiner], Time: u.At})
	}
	return out
}
