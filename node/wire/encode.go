package wire

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/proto/gossippb"
)

// Encode puts a message of the machine, one of package gossip's values, on the wire. What the machine makes within the bounds
// of package gossip is below MaxMessage. What a request says was observed does not travel.
func Encode(m gossip.Message) proto.Message {
	switch m := m.(type) {
	case gossip.JoinRequest:
		return &gossippb.JoinRequest{
			Contact: Envelope(m.Contact.Sealed), Beat: ownBeatBytes(m.Beat, m.Contact), Active: m.Active, Urgent: m.Urgent,
		}
	case gossip.JoinResponse:
		return &gossippb.JoinResponse{
			Contact: Envelope(m.Contact.Sealed), Beat: ownBeatBytes(m.Beat, m.Contact), Active: m.Active,
			ObservedAddress: m.Observed, Contacts: envelopes(m.Contacts),
		}
	case gossip.ExchangeRequest:
		return &gossippb.ExchangeRequest{
			Salt: m.Salt, Digest: digestBytes(m.Digest), Beats: beatBytes(m.Beats),
			AliveHash: m.AliveHash, NominationsHash: m.NominationsHash, Hints: hintBytes(m.Hints), Full: m.Full, Active: m.Active,
			Signature: summaryEnvelope(m.Summary), SignatureHeld: m.SummaryHeld,
		}
	case gossip.ExchangeResponse:
		return &gossippb.ExchangeResponse{
			Beats: beatBytes(m.Beats), Contacts: envelopes(m.Contacts),
			AliveHash: m.AliveHash, NominationsHash: m.NominationsHash, Signature: summaryEnvelope(m.Summary), SignatureHeld: m.SummaryHeld,
			Passive: m.Passive, Hints: hintBytes(m.Hints),
		}
	case gossip.PushRequest:
		return &gossippb.PushRequest{Contacts: envelopes(m.Contacts), Beats: beatBytes(m.Beats), Reached: m.Reached, Parted: m.Parted}
	case gossip.PushResponse:
		return &gossippb.PushResponse{}
	case gossip.NominationsRequest:
		return &gossippb.NominationsRequest{Versions: nominationVersions(m.Versions)}
	case gossip.NominationsResponse:
		return &gossippb.NominationsResponse{Nominations: sealedNominations(m.Nominations)}
	case gossip.ProbeRequest:
		return &gossippb.ProbeRequest{Contact: uint32(m.Contact), Beat: wordBytes(m.Beat)}
	case gossip.ProbeResponse:
		return probeResponseBytes(m)
	case gossip.HintRequest:
		return &gossippb.HintRequest{Hints: hintBytes(m.Hints)}
	case gossip.HintResponse:
		return &gossippb.HintResponse{Beats: beatBytes(m.Beats), Contacts: envelopes(m.Contacts), Hints: hintBytes(m.Hints)}
	case gossip.SignatureRequest:
		return &gossippb.SignatureRequest{}
	case gossip.SignatureResponse:
		return &gossippb.SignatureResponse{Signature: summaryEnvelope(m.Full)}
	case gossip.ReachRequest:
		return &gossippb.ReachRequest{Address: m.Address}
	case gossip.ReachResponse:
		return &gossippb.ReachResponse{Error: m.Error}
	case gossip.PingRequest:
		return &gossippb.PingRequest{}
	case gossip.PingResponse:
		return &gossippb.PingResponse{} // what it took is the caller's to know
	}
	panic(fmt.Sprintf("wire: the machine made a %T", m)) // not a value of package gossip: our own fault
}

func envelopes(contacts []*view.Contact) []*gossippb.Envelope {
	list := make([]*gossippb.Envelope, 0, len(contacts))
	for _, c := range contacts {
		list = append(list, Envelope(c.Sealed))
	}
	return list
}

func nominationVersions(versions []gossip.NominationVersion) []*gossippb.NominationVersion {
	list := make([]*gossippb.NominationVersion, 0, len(versions))
	for _, v := range versions {
		list = append(list, &gossippb.NominationVersion{TokenId: v.Token[:], Version: v.Version})
	}
	return list
}

func sealedNominations(nominations []gossip.SealedNomination) []*gossippb.Envelope {
	list := make([]*gossippb.Envelope, 0, len(nominations))
	for _, n := range nominations {
		list = append(list, Envelope(n.Sealed))
	}
	return list
}
