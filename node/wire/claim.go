package wire

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/gossippb"
)

// Bind names all that both seals of a joiner cover: the connection, the parties, the token with its nominator, and the contact as sent.
func Bind(network pki.NetworkID, acceptor pki.ID, exporter [pki.ExporterSize]byte, nonce [pki.NonceSize]byte, token pki.TokenID, contact *view.Contact) pki.Binding {
	return pki.Binding{
		Exporter: exporter,
		Nonce:    nonce,
		Network:  network,
		Acceptor: acceptor,
		Joiner:   contact.ID,
		Token:    token,
		Mode:     contact.Mode,
		Contact:  sha256.Sum256(contact.Sealed.Payload),
	}
}

// Claim accepts, at the nominator whose pin this is, what an acceptor saw of a joiner. The two seals of the claim are of the right length and
// no more: pki.Claim.Verify judges them, since its verdict decides what the joiner may be told.
func (g *Gate) Claim(now time.Time, pb *gossippb.ClaimRequest, acceptor pki.ID, nominator pki.Pin) (pki.Claim, *view.Contact, error) {
	if n := len(pb.GetExporter()); n != pki.ExporterSize {
		return pki.Claim{}, nil, fmt.Errorf("read claim: exporter of %d bytes where %d are needed", n, pki.ExporterSize)
	}
	if n := len(pb.GetNonce()); n != pki.NonceSize {
		return pki.Claim{}, nil, fmt.Errorf("read claim: nonce of %d bytes where %d are needed", n, pki.NonceSize)
	}
	exporter, nonce := [pki.ExporterSize]byte(pb.GetExporter()), [pki.NonceSize]byte(pb.GetNonce())
	claim, contact, err := g.claim(now, pb, acceptor, nominator, exporter, nonce)
	if err != nil {
		return pki.Claim{}, nil, fmt.Errorf("read claim: %w", err)
	}
	return claim, contact, nil
}

// claimer is what the two messages that carry a claim have in common.
type claimer interface {
	GetTokenKey() []byte
	GetMode() gossippb.Mode
	GetContact() *gossippb.Envelope
	GetTokenSeal() []byte
	GetIdentitySeal() []byte
}

func (g *Gate) claim(now time.Time, pb claimer, acceptor pki.ID, nominator pki.Pin, exporter [pki.ExporterSize]byte, nonce [pki.NonceSize]byte) (pki.Claim, *view.Contact, error) {
	key, err := pki.KeyFrom(pb.GetTokenKey())
	if err != nil {
		return pki.Claim{}, nil, fmt.Errorf("token: %w", err)
	}
	if a, b := len(pb.GetTokenSeal()), len(pb.GetIdentitySeal()); a != pki.SealSize || b != pki.SealSize {
		return pki.Claim{}, nil, fmt.Errorf("seals of %d and %d bytes where %d are needed", a, b, pki.SealSize)
	}
	m, err := parseMode(pb.GetMode())
	if err != nil {
		return pki.Claim{}, nil, err
	}
	contact, err := g.JoinerContact(now, pb.GetContact())
	if err != nil {
		return pki.Claim{}, nil, err
	}
	if contact.Mode != m {
		return pki.Claim{}, nil, fmt.Errorf("it asks for %s mode, its contact says %s mode", m, contact.Mode)
	}
	return pki.Claim{
		Binding:      Bind(g.network, acceptor, exporter, nonce, key.TokenID(nominator), contact),
		Nominator:    nominator,
		TokenKey:     key,
		JoinerKey:    contact.Key,
		TokenSeal:    bytes.Clone(pb.GetTokenSeal()),
		IdentitySeal: bytes.Clone(pb.GetIdentitySeal()),
	}, contact, nil
}

// EncodeClaim puts a claim on the wire to the nominator.
func EncodeClaim(c pki.Claim, contact *view.Contact) *gossippb.ClaimRequest {
	return &gossippb.ClaimRequest{
		TokenKey: c.TokenKey[:], Mode: mode(c.Binding.Mode), Contact: Envelope(contact.Sealed),
		TokenSeal: c.TokenSeal, IdentitySeal: c.IdentitySeal,
		Exporter: c.Binding.Exporter[:], Nonce: c.Binding.Nonce[:],
	}
}

// Decision accepts, at the acceptor, what the nominator decided on a claim that was relayed to it. Exactly one of the three
// results is not zero. A refusal's reason is the nominator's word, bounded, and of characters that print.
func (g *Gate) Decision(pb *gossippb.ClaimResponse, claim pki.Claim, nominator pki.ID) (pki.Chain, *pki.Refusal, error) {
	if len(pb.GetChain()) == 0 {
		reason, err := text("refusal", pb.GetRefusal())
		if err != nil {
			return pki.Chain{}, nil, fmt.Errorf("read decision: %w", err)
		}
		return pki.Chain{}, &pki.Refusal{Reason: reason, Proven: pb.GetProven()}, nil
	}
	chain, err := g.admission(pb.GetChain(), claim.JoinerKey, claim.Binding.Mode, nominator.Pin())
	if err != nil {
		return pki.Chain{}, nil, fmt.Errorf("read decision: %w", err)
	}
	return chain, nil, nil
}

// admission verifies the chain of somebody who was just admitted.
func (g *Gate) admission(b []byte, joiner pki.Key, mode pki.Mode, nominator pki.Pin) (pki.Chain, error) {
	chain, err := g.chain(b)
	switch {
	case err != nil:
		return pki.Chain{}, err
	case chain.Subject() != joiner:
		return pki.Chain{}, fmt.Errorf("the chain is %s's", chain.Subject().ID().Short())
	case chain.Mode() != mode:
		return pki.Chain{}, fmt.Errorf("the chain is for %s mode, %s mode was asked for", chain.Mode(), mode)
	case chain.Nominator().Pin() != nominator:
		return pki.Chain{}, fmt.Errorf("the chain is by %s, who did not make the token", chain.Nominator().Short())
	}
	return chain, nil
}
