package pki

import (
	"crypto/sha256"
	"fmt"
	"math"
	"time"
)

const (
	// ExporterLabel is the label of the TLS exporter (RFC 5705, RFC 8446 section 7.5) that binds a registration to its
	// connection, as RFC 9266 does for channel bindings.
	ExporterLabel = "EXPORTER-g2g-register-v1"
	// NonceSize is the length of the acceptor's nonce, in bytes.
	NonceSize = 32
	// ExporterSize is the length of the exported keying material, in bytes.
	ExporterSize = 32

	// Tolerance is how far two clocks may be apart before a time that one wrote is refused by the other.
	Tolerance = 5 * time.Minute
)

// A Binding is what a registration is about. Both seals of a joiner cover all of it, so that none of it can be exchanged:
// the connection (exporter and nonce), the two parties, the token, the mode and the joiner's contact.
type Binding struct {
	Exporter [ExporterSize]byte
	Nonce    [NonceSize]byte
	Network  NetworkID
	Acceptor ID
	Joiner   ID
	Token    TokenID
	Mode     Mode
	Contact  [sha256.Size]byte // hash of the joiner's contact payload as sent
}

// transcript is the payload under both seals: the hash of the fields.
func (b Binding) transcript() []byte {
	sum := sha256.Sum256(b.fields())
	return sum[:]
}

// fields begin with the role, so that nothing an acceptor says can be reflected.
func (b Binding) fields() []byte {
	w := make(writer, 0, 256)
	w.short([]byte("joiner"))
	w.raw(b.Exporter[:])
	w.raw(b.Nonce[:])
	w.raw(b.Network[:])
	w.raw(b.Acceptor[:])
	w.raw(b.Joiner[:])
	w.raw(b.Token[:])
	w.u8(uint8(b.Mode))
	w.raw(b.Contact[:])
	return w
}

// Claim makes the two seals of a joiner.
func (t Token) Claim(joiner *Identity, b Binding) (tokenSeal, identitySeal []byte, err error) {
	tokenSeal, err = sealWith(t.identity().signer, DomainRegisterToken, b.Network, b.transcript())
	if err != nil {
		return nil, nil, err
	}
	identitySeal, err = sealWith(joiner.signer, DomainRegisterIdentity, b.Network, b.transcript())
	if err != nil {
		return nil, nil, err
	}
	return tokenSeal, identitySeal, nil
}

// A Claim is a joiner's request as the nominator judges it.
type Claim struct {
	Binding      Binding
	Nominator    Pin // who made the token, and is to decide
	TokenKey     Key
	JoinerKey    Key
	TokenSeal    []byte
	IdentitySeal []byte
}

// A Refusal is why a joiner is not admitted. Proven tells that the token's seal verified: only then may the joiner be told
// the reason. Nothing was changed.
type Refusal struct {
	Reason string
	Proven bool
}

// Error gives the reason, which is for the operator, and for the joiner only if Proven.
func (r *Refusal) Error() string { return r.Reason }

// ErrUniform is all that a joiner learns until its token is proven.
const ErrUniform = "registration refused: the token is not accepted here"

// Verify reports a Refusal unless both seals are by the keys named and over the binding.
func (c Claim) Verify() error {
	b := c.Binding
	if c.TokenKey.TokenID(c.Nominator) != b.Token || verifySeal(c.TokenKey, DomainRegisterToken, b.Network, b.transcript(), c.TokenSeal) != nil {
		return &Refusal{Reason: "the token's seal does not fit this connection"}
	}
	if c.JoinerKey.ID() != b.Joiner || verifySeal(c.JoinerKey, DomainRegisterIdentity, b.Network, b.transcript(), c.IdentitySeal) != nil {
		return &Refusal{Reason: "the identity's seal does not fit this connection", Proven: true}
	}
	return nil
}

// Judge reports a Refusal unless the nomination allows the claim now, on the nominator's clock. The claim's seals must have
// been verified, so that every reason given here is for a proven holder of the token. It judges no use that the same joiner claimed before: that one is answered as it was then.
func (n Nomination) Judge(now time.Time, c Claim) error {
	b := c.Binding
	at := now.Unix()
	refuse := func(format string, args ...any) error {
		return &Refusal{Reason: fmt.Sprintf(format, args...), Proven: true}
	}
	switch {
	case n.TokenKey != c.TokenKey || n.Network != b.Network:
		return refuse("the token belongs to another nomination")
	case n.Mode != b.Mode:
		return refuse("the token admits in %s mode, %s mode was asked for", n.Mode, b.Mode)
	case !n.For.IsZero() && n.For != b.Joiner:
		return refuse("the token is for node %s, not for %s", n.For, b.Joiner)
	case n.RevokedAt != 0:
		return refuse("the token was revoked %s ago", Span(at-n.RevokedAt))
	case at < n.NotBefore-int64(Tolerance/time.Second):
		return refuse("the token is valid only in %s: is a clock wrong?", Span(n.NotBefore-at))
	case at >= n.NotAfter:
		return refuse("the token expired %s ago", Span(at-n.NotAfter))
	case n.Used >= n.Uses:
		return refuse("the token is used up: %d of %d, last by %s", n.Used, n.Uses, n.lastUser())
	}
	return nil
}

func (n Nomination) lastUser() string {
	if len(n.Users) == 0 {
		return "a node no longer known"
	}
	return n.Users[len(n.Users)-1].Joiner.String()
}

// Span prints whole seconds as people say them: "3m", "2h5m", "0s". What is over 292 years prints as 292 years.
func Span(seconds int64) string {
	const most = int64(math.MaxInt64 / time.Second)
	d := time.Duration(min(max(seconds, -most), most)) * time.Second
	s := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if len(s) > len(zero) && s[len(s)-len(zero):] == zero {
			s = s[:len(s)-len(zero)+1]
		}
	}
	return s
}
