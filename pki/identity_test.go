package pki

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"io"
	"strings"
	"testing"
)

func TestIdentityInPEM(t *testing.T) {
	i := someone(t, "a")
	data, err := i.MarshalPEM()
	must(t, err)
	got, err := ParseIdentity(data)
	must(t, err)
	if got.Key() != i.Key() || got.ID() != i.Key().ID() {
		t.Errorf("parsed as %s, want %s", got, i)
	}
	again, err := got.MarshalPEM()
	if err != nil || !bytes.Equal(again, data) {
		t.Errorf("marshals as %q, %v", again, err)
	}
}

func TestParseIdentityRefuses(t *testing.T) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), chance("ecdsa"))
	must(t, err)
	other, err := x509.MarshalPKCS8PrivateKey(private)
	must(t, err)
	block := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	for _, c := range []struct {
		data []byte
		want string
	}{
		{nil, "parse identity: no PEM block of type PRIVATE KEY"},
		{[]byte("secret"), "parse identity: no PEM block of type PRIVATE KEY"},
		{block("EC PRIVATE KEY", other), "parse identity: no PEM block of type PRIVATE KEY"},
		{block("PRIVATE KEY", []byte("secret")), "parse identity: not a PKCS #8 key"},
		{block("PRIVATE KEY", other), "parse identity: a *ecdsa.PrivateKey where an Ed25519 key is needed"},
	} {
		got, err := ParseIdentity(c.data)
		refused(t, got, err, c.want)
	}
}

// public is a signer that shows whatever public key it was given.
type public struct{ key crypto.PublicKey }

func (p public) Public() crypto.PublicKey { return p.key }

func (public) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return nil, nil }

func TestIdentityFromRefuses(t *testing.T) {
	for _, c := range []struct {
		key  crypto.PublicKey
		want string
	}{
		{nil, "identity: a <nil> where an Ed25519 key is needed"},
		{&ecdsa.PublicKey{}, "identity: a *ecdsa.PublicKey where an Ed25519 key is needed"},
		{ed25519.PublicKey(make([]byte, 31)), "identity: public key: 31 bytes where 32 are needed"},
		{ed25519.PublicKey(nil), "identity: public key: 0 bytes where 32 are needed"},
	} {
		got, err := IdentityFrom(public{c.key})
		refused(t, got, err, c.want)
	}
	got, err := NewIdentity(strings.NewReader("short"))
	refused(t, got, err, "make identity: unexpected EOF")
}

// A key in hardware seals as one in memory does, does not leave its place, and its failures leave nothing half made.
func TestIdentityElsewhere(t *testing.T) {
	i := someone(t, "a")
	elsewhere, err := IdentityFrom(struct{ crypto.Signer }{i.signer})
	must(t, err)
	e, err := elsewhere.Seal(DomainContact, NetworkID{}, []byte("x"))
	must(t, err)
	must(t, e.Verify(DomainContact, NetworkID{}))
	data, err := elsewhere.MarshalPEM()
	refused(t, data, err, "marshal identity: the key does not leave its place")

	w := newWorld(t, "hardware")
	envelope, err := broken(i).Seal(DomainContact, NetworkID{}, nil)
	refused(t, envelope, err, "seal for g2g/contact/v1: no answer")
	genesis, err := Found(chance("x"), broken(i), "name", noon)
	refused(t, genesis, err, "found network: seal for g2g/genesis/v1: no answer")
	chain, err := AdmitRoot(broken(w.founder), w.genesis, i.Key(), noon)
	refused(t, chain, err, "seal for g2g/admission/v1: no answer")
	leaf, err := MintLeaf(chance("x"), broken(i), w.genesis.Network(), Chain{}, 1, noon, LeafBackdate)
	refused(t, leaf, err, "mint leaf: seal for g2g/leaf/v1: no answer")
	token, err := NewToken(chance("x"), Server, noon, w.genesis.Network(), i.ID(), nil)
	must(t, err)
	tokenSeal, identitySeal, err := token.Claim(broken(i), Binding{})
	refused(t, tokenSeal, err, "seal for g2g/register-identity/v1: no answer")
	refused(t, identitySeal, err, "seal for g2g/register-identity/v1: no answer")
}

func TestIdentitySealsWithinItsBound(t *testing.T) {
	i := someone(t, "a")
	e, err := i.Seal(DomainContact, NetworkID{1}, make([]byte, MaxPayload))
	must(t, err)
	must(t, e.Verify(DomainContact, NetworkID{1}))
	e, err = i.Seal(DomainContact, NetworkID{1}, make([]byte, MaxPayload+1))
	refused(t, e, err, "seal for g2g/contact/v1: payload of 6145 bytes is over the bound of 6144")
}
