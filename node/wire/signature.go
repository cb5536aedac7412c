package wire

import (
	"fmt"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/signature"
	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/gossippb"
)

// SealSummary seals a signature of this node's. It refuses what a gate would refuse.
func SealSummary(identity *pki.Identity, network pki.NetworkID, s signature.Statement) (*view.Summary, error) {
	payload := s.AppendBinary(nil)
	read := signature.Parse
	if s.IsShort() {
		read = signature.ParseShort
	}
	if _, err := read(payload); err != nil {
		return nil, fmt.Errorf("seal signature: %w", err)
	}
	sealed, err := identity.Seal(pki.DomainSignature, network, payload)
	if err != nil {
		return nil, fmt.Errorf("seal signature: %w", err)
	}
	return view.NewSummary(s, sealed), nil
}

// summary accepts a signature in the form that read takes, or none.
func (g *Gate) summary(pb *gossippb.Envelope, read func([]byte) (signature.Statement, error)) (*view.Summary, error) {
	if pb == nil {
		return nil, nil
	}
	e, err := ParseEnvelope(pb)
	if err != nil {
		return nil, fmt.Errorf("read signature: %w", err)
	}
	if err := e.Verify(pki.DomainSignature, g.network); err != nil {
		return nil, fmt.Errorf("read signature of %s: %w", e.Key.ID().Short(), err)
	}
	s, err := read(e.Payload)
	if err != nil {
		return nil, fmt.Errorf("read signature of %s: %w", e.Key.ID().Short(), err)
	}
	return view.NewSummary(s, e), nil
}

func (g *Gate) signatureResponse(pb *gossippb.SignatureResponse) (m gossip.SignatureResponse, err error) {
	m.Full, err = g.summary(pb.GetSignature(), signature.Parse)
	return m, err
}

func summaryEnvelope(s *view.Summary) *gossippb.Envelope {
	if s == nil {
		return nil
	}
	return Envelope(s.Sealed)
}
