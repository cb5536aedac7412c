package wire

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/signature"
	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/gossippb"
)

// Request accepts a request of Gossip. It returns one of the request values of package gossip.
func (g *Gate) Request(now time.Time, m proto.Message) (gossip.Message, error) {
	switch m := m.(type) {
	case *gossippb.JoinRequest:
		return accept("join", func() (gossip.Message, error) { return g.joinRequest(now, m) })
	case *gossippb.ExchangeRequest:
		return accept("exchange", func() (gossip.Message, error) { return g.exchangeRequest(m) })
	case *gossippb.PushRequest:
		return accept("push", func() (gossip.Message, error) { return g.pushRequest(now, m) })
	case *gossippb.NominationsRequest:
		return accept("nominations", func() (gossip.Message, error) { return nominationsRequest(m) })
	case *gossippb.ProbeRequest:
		return accept("probe", func() (gossip.Message, error) { return probeRequest(m) })
	case *gossippb.HintRequest:
		return accept("hint", func() (gossip.Message, error) { return hintRequest(m) })
	case *gossippb.SignatureRequest:
		return gossip.SignatureRequest{}, nil
	case *gossippb.ReachRequest:
		return accept("reach", func() (gossip.Message, error) {
			return gossip.ReachRequest{Address: m.GetAddress()}, pki.CheckAddress(m.GetAddress())
		})
	}
	return nil, fmt.Errorf("read request: %T is none", m)
}

// Response accepts the answer to sent, which is the request value that was encoded.
func (g *Gate) Response(now time.Time, m proto.Message, sent gossip.Message) (gossip.Message, error) {
	switch m := m.(type) {
	case *gossippb.JoinResponse:
		if _, ok := sent.(gossip.JoinRequest); ok {
			return accept("answer to join", func() (gossip.Message, error) { return g.joinResponse(now, m) })
		}
	case *gossippb.ExchangeResponse:
		if sent, ok := sent.(gossip.ExchangeRequest); ok {
			return accept("answer to exchange", func() (gossip.Message, error) { return g.exchangeResponse(now, m, len(sent.Digest)) })
		}
	case *gossippb.PushResponse:
		if _, ok := sent.(gossip.PushRequest); ok {
			return gossip.PushResponse{}, nil
		}
	case *gossippb.NominationsResponse:
		if _, ok := sent.(gossip.NominationsRequest); ok {
			return accept("answer to nominations", func() (gossip.Message, error) { return g.nominationsResponse(m) })
		}
	case *gossippb.ProbeResponse:
		if _, ok := sent.(gossip.ProbeRequest); ok {
			return accept("answer to probe", func() (gossip.Message, error) { return g.probeResponse(now, m) })
		}
	case *gossippb.HintResponse:
		if sent, ok := sent.(gossip.HintRequest); ok {
			return accept("answer to hint", func() (gossip.Message, error) { return g.hintResponse(now, m, len(sent.Hints)) })
		}
	case *gossippb.SignatureResponse:
		if _, ok := sent.(gossip.SignatureRequest); ok {
			return accept("answer to signature", func() (gossip.Message, error) { return g.signatureResponse(m) })
		}
	case *gossippb.ReachResponse:
		if _, ok := sent.(gossip.ReachRequest); ok {
			return accept("answer to reach", func() (gossip.Message, error) { return reachResponse(m) })
		}
	}
	return nil, fmt.Errorf("read answer: %T does not answer %T", m, sent)
}

// accept keeps a half-read message from getting out with its error.
func accept(what string, read func() (gossip.Message, error)) (gossip.Message, error) {
	m, err := read()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", what, err)
	}
	return m, nil
}

func (g *Gate) joinRequest(now time.Time, pb *gossippb.JoinRequest) (m gossip.JoinRequest, err error) {
	m.Active, m.Urgent = pb.GetActive(), pb.GetUrgent()
	if m.Contact, err = g.Contact(now, pb.GetContact()); err != nil {
		return m, err
	}
	m.Beat, err = parseOwnBeat(pb.GetBeat(), m.Contact)
	return m, err
}

func (g *Gate) joinResponse(now time.Time, pb *gossippb.JoinResponse) (m gossip.JoinResponse, err error) {
	m.Active, m.Observed = pb.GetActive(), pb.GetObservedAddress()
	if err := ParseObserved(m.Observed); err != nil {
		return m, err
	}
	if m.Contacts, err = g.introduced(now, pb.GetContacts()); err != nil {
		return m, err
	}
	if m.Contact, err = g.Contact(now, pb.GetContact()); err != nil {
		return m, err
	}
	m.Beat, err = parseOwnBeat(pb.GetBeat(), m.Contact)
	return m, err
}

// ParseObserved reports what is wrong with the address of a caller as somebody else saw it: an IP address in its shortest
// form, without port and zone, or nothing where it is not known.
func ParseObserved(s string) error {
	if s == "" {
		return nil
	}
	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" || a.Unmap().String() != s {
		return fmt.Errorf("observed address %.64q is no IP address in its short form", s)
	}
	return nil
}

// contactList accepts contacts up to a bound. The count is checked before the first seal. One that is good but for the clock is
// nil: two clocks that are apart must not cost the rest of the message.
func (g *Gate) contactList(now time.Time, list []*gossippb.Envelope, bound int) ([]*view.Contact, error) {
	if len(list) > bound {
		return nil, fmt.Errorf("%d contacts are over the bound of %d", len(list), bound)
	}
	contacts := make([]*view.Contact, 0, len(list))
	for _, pb := range list {
		c, err := g.Contact(now, pb)
		if _, late := errors.AsType[untimely](err); err != nil && !late {
			return nil, err
		}
		contacts = append(contacts, c)
	}
	return contacts, nil
}

// introduced accepts the contacts of others, without beats, that a newcomer is given.
func (g *Gate) introduced(now time.Time, list []*gossippb.Envelope) ([]*view.Contact, error) {
	_, contacts, err := g.told(now, nil, 0, list, gossip.MaxIntroduced)
	return contacts, err
}

// told accepts contacts up to a bound, with the beats that stand beside them from place first on.
func (g *Gate) told(now time.Time, beats []gossip.IndexedBeat, first int, list []*gossippb.Envelope, bound int) ([]gossip.IndexedBeat, []*view.Contact, error) {
	contacts, err := g.contactList(now, list, bound)
	if err != nil {
		return nil, nil, err
	}
	beats, contacts = timely(beats, first, contacts)
	return beats, contacts, checkPlaces(beats, first, contacts)
}

// timely leaves out the contacts that contactList has no value for, with their beats. Beats below first are the digest's.
func timely(beats []gossip.IndexedBeat, first int, contacts []*view.Contact) ([]gossip.IndexedBeat, []*view.Contact) {
	if !slices.Contains(contacts, nil) {
		return beats, contacts
	}
	places := make([]int, len(contacts)) // of the contacts that stay, -1 for the others
	var kept []*view.Contact
	for i, c := range contacts {
		places[i] = -1
		if c != nil {
			places[i] = first + len(kept)
			kept = append(kept, c)
		}
	}
	var out []gossip.IndexedBeat
	for _, b := range beats {
		if b.Index >= first {
			b.Index = places[b.Index-first]
		}
		if b.Index >= 0 {
			out = append(out, b)
		}
	}
	return out, kept
}

func (g *Gate) exchangeRequest(pb *gossippb.ExchangeRequest) (m gossip.ExchangeRequest, err error) {
	m.Salt, m.AliveHash, m.NominationsHash, m.SummaryHeld, m.Full = pb.GetSalt(), pb.GetAliveHash(), pb.GetNominationsHash(), pb.GetSignatureHeld(), pb.GetFull()
	m.Active = pb.GetActive()
	if m.Digest, err = parseDigest(pb.GetDigest()); err != nil {
		return m, err
	}
	if m.Beats, err = parseBeats(pb.GetBeats(), len(m.Digest)); err != nil {
		return m, err
	}
	if m.Hints, err = parseHints(pb.GetHints()); err != nil {
		return m, err
	}
	m.Summary, err = g.summary(pb.GetSignature(), signature.ParseShort)
	return m, err
}

func (g *Gate) exchangeResponse(now time.Time, pb *gossippb.ExchangeResponse, digest int) (m gossip.ExchangeResponse, err error) {
	m.AliveHash, m.NominationsHash, m.SummaryHeld, m.Passive = pb.GetAliveHash(), pb.GetNominationsHash(), pb.GetSignatureHeld(), pb.GetPassive()
	if m.Beats, err = parseBeats(pb.GetBeats(), digest+len(pb.GetContacts())); err != nil {
		return m, err
	}
	if m.Beats, m.Contacts, err = g.told(now, m.Beats, digest, pb.GetContacts(), gossip.MaxContacts); err != nil {
		return m, err
	}
	if m.Hints, err = parseHints(pb.GetHints()); err != nil {
		return m, err
	}
	m.Summary, err = g.summary(pb.GetSignature(), signature.ParseShort)
	return m, err
}

func (g *Gate) pushRequest(now time.Time, pb *gossippb.PushRequest) (m gossip.PushRequest, err error) {
	m.Reached, m.Parted = pb.GetReached(), pb.GetParted()
	if m.Beats, err = parseBeats(pb.GetBeats(), len(pb.GetContacts())); err != nil {
		return m, err
	}
	m.Beats, m.Contacts, err = g.told(now, m.Beats, 0, pb.GetContacts(), gossip.MaxPushed)
	return m, err
}

func nominationsRequest(pb *gossippb.NominationsRequest) (m gossip.NominationsRequest, err error) {
	if n := len(pb.GetVersions()); n > gossip.MaxVersions {
		return m, fmt.Errorf("%d versions are over the bound of %d", n, gossip.MaxVersions)
	}
	m.Versions = make([]gossip.NominationVersion, 0, len(pb.GetVersions()))
	for _, v := range pb.GetVersions() {
		if n := len(v.GetTokenId()); n != len(pki.TokenID{}) {
			return m, fmt.Errorf("token ID of %d bytes where %d are needed", n, len(pki.TokenID{}))
		}
		m.Versions = append(m.Versions, gossip.NominationVersion{Token: pki.TokenID(v.GetTokenId()), Version: v.GetVersion()})
	}
	return m, nil
}

func (g *Gate) nominationsResponse(pb *gossippb.NominationsResponse) (m gossip.NominationsResponse, err error) {
	if n := len(pb.GetNominations()); n > gossip.MaxNominationBatch {
		return m, fmt.Errorf("%d nominations are over the bound of %d", n, gossip.MaxNominationBatch)
	}
	m.Nominations = make([]gossip.SealedNomination, 0, len(pb.GetNominations()))
	for _, pb := range pb.GetNominations() {
		e, err := ParseEnvelope(pb)
		if err != nil {
			return m, err
		}
		n, err := pki.OpenNomination(e, g.network)
		if err != nil {
			return m, err
		}
		m.Nominations = append(m.Nominations, gossip.SealedNomination{Nomination: n, Sealed: e})
	}
	return m, nil
}

func reachResponse(m *gossippb.ReachResponse) (gossip.Message, error) {
	if m.GetError() == "" {
		return gossip.ReachResponse{}, nil
	}
	why, err := text("reason", m.GetError())
	return gossip.ReachResponse{Error: why}, err
}
