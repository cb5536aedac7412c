package wire

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/gossippb"
)

// maxText bounds a line of text that a peer wants shown to a person, in bytes.
const maxText = 512

// CheckHello reports a joiner that does not speak this protocol.
func CheckHello(pb *gossippb.RegisterHello) error {
	if low, high := pb.GetProtocolMin(), pb.GetProtocolMax(); !speaks(low, high) {
		return fmt.Errorf("read hello: the joiner speaks protocol %d to %d, this node %d", low, high, ProtocolVersion)
	}
	return nil
}

// A Welcome is the acceptor's network as it proved it.
type Welcome struct {
	Genesis pki.Genesis
	Contact *view.Contact // of the acceptor, a server-mode member of that network
	Nonce   [pki.NonceSize]byte
	Time    time.Time // the acceptor's clock: to explain a refusal, for nothing else
}

// ParseWelcome accepts, at the joiner, an acceptor of the network that the token names by its pin. That the contact is of the
// node behind the connection is for the caller to compare.
func ParseWelcome(now time.Time, pb *gossippb.RegisterWelcome, network pki.Pin) (Welcome, error) {
	w, err := parseWelcome(now, pb, network)
	if err != nil {
		return Welcome{}, fmt.Errorf("read welcome: %w", err)
	}
	return w, nil
}

func parseWelcome(now time.Time, pb *gossippb.RegisterWelcome, network pki.Pin) (w Welcome, err error) {
	if pb.GetProtocol() != ProtocolVersion {
		return w, fmt.Errorf("the acceptor chose protocol %d, this node speaks %d", pb.GetProtocol(), ProtocolVersion)
	}
	if n := len(pb.GetNonce()); n != pki.NonceSize {
		return w, fmt.Errorf("nonce of %d bytes where %d are needed", n, pki.NonceSize)
	}
	if w.Genesis, err = pki.ParseGenesis(pb.GetGenesis()); err != nil {
		return w, err
	}
	if w.Genesis.Network().Pin() != network {
		return w, errors.New("the acceptor is of another network than the token")
	}
	if w.Contact, err = NewGate(w.Genesis).Contact(now, pb.GetContact()); err != nil {
		return w, err
	}
	if w.Contact.Mode != pki.Server {
		return w, fmt.Errorf("the acceptor is a %s-mode member", w.Contact.Mode)
	}
	w.Nonce, w.Time = [pki.NonceSize]byte(pb.GetNonce()), time.UnixMilli(pb.GetTimeMs())
	return w, nil
}

// A Registration is a joiner's request as the acceptor takes it.
type Registration struct {
	Claim     pki.Claim     // its seals are not verified yet: pki.Claim.Verify
	Contact   *view.Contact // of the joiner, without chain
	Addresses []string      // Registration addresses of the nominator, out of the token
}

// RegisterClaim accepts, at the acceptor, a joiner's request. Exporter and nonce are the acceptor's own of this connection.
func (g *Gate) RegisterClaim(now time.Time, pb *gossippb.RegisterClaim, exporter [pki.ExporterSize]byte, nonce [pki.NonceSize]byte, acceptor pki.ID) (Registration, error) {
	if n := len(pb.GetNominator()); n != pki.PinSize {
		return Registration{}, fmt.Errorf("read claim: nominator's pin of %d bytes where %d are needed", n, pki.PinSize)
	}
	if err := checkAddresses("nominator's addresses", pb.GetNominatorAddresses(), pki.MaxTokenAddresses); err != nil {
		return Registration{}, fmt.Errorf("read claim: %w", err)
	}
	claim, contact, err := g.claim(now, pb, acceptor, pki.Pin(pb.GetNominator()), exporter, nonce)
	if err != nil {
		return Registration{}, fmt.Errorf("read claim: %w", err)
	}
	return Registration{Claim: claim, Contact: contact, Addresses: pb.GetNominatorAddresses()}, nil
}

// EncodeRegisterClaim puts a joiner's claim on the wire to the acceptor.
func EncodeRegisterClaim(c pki.Claim, contact *view.Contact, token pki.Token) *gossippb.RegisterClaim {
	return &gossippb.RegisterClaim{
		TokenKey: c.TokenKey[:], Mode: mode(c.Binding.Mode), Contact: Envelope(contact.Sealed),
		TokenSeal: c.TokenSeal, IdentitySeal: c.IdentitySeal,
		Nominator: token.Nominator[:], NominatorAddresses: token.Addresses,
	}
}

// An Admitted is the nominator's decision as the joiner takes it.
type Admitted struct {
	Chain    pki.Chain       // the joiner's own
	Observed string          // the joiner's host as the acceptor saw it
	Contacts []*view.Contact // peers to begin with
}

// Admitted accepts, at the joiner, an admission in the mode of its token, sealed by the nominator that the token names: of
// the acceptor's own word nothing is believed.
func (g *Gate) Admitted(now time.Time, pb *gossippb.RegisterAdmitted, joiner pki.Key, mode pki.Mode, nominator pki.Pin) (Admitted, error) {
	a, err := g.admitted(now, pb, joiner, mode, nominator)
	if err != nil {
		return Admitted{}, fmt.Errorf("read admission: %w", err)
	}
	return a, nil
}

func (g *Gate) admitted(now time.Time, pb *gossippb.RegisterAdmitted, joiner pki.Key, mode pki.Mode, nominator pki.Pin) (a Admitted, err error) {
	if a.Chain, err = g.admission(pb.GetChain(), joiner, mode, nominator); err != nil {
		return a, err
	}
	a.Observed = pb.GetObservedAddress()
	if err := ParseObserved(a.Observed); err != nil {
		return a, err
	}
	a.Contacts, err = g.introduced(now, pb.GetContacts())
	return a, err
}

// ParseDone accepts, at the joiner, why the acceptor could not dial back: nothing where it could.
func ParseDone(pb *gossippb.RegisterDone) (string, error) {
	if pb.GetDialBackError() == "" {
		return "", nil
	}
	why, err := text("dial-back error", pb.GetDialBackError())
	if err != nil {
		return "", fmt.Errorf("read end of registration: %w", err)
	}
	return why, nil
}

// text accepts a line that a person will read: not empty, bounded, and nothing that moves a cursor or hides.
func text(what, s string) (string, error) {
	if s == "" || len(s) > maxText {
		return "", fmt.Errorf("%s of %d bytes where 1 to %d are allowed", what, len(s), maxText)
	}
	if strings.ContainsFunc(s, func(c rune) bool { return !unicode.IsPrint(c) || c == unicode.ReplacementChar }) {
		return "", fmt.Errorf("%s %q has characters that do not print", what, s)
	}
	return s, nil
}
