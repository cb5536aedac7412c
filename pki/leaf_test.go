package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"
)

func (w world) leaf(t testing.TB, label string) *Leaf {
	t.Helper()
	leaf, err := MintLeaf(chance(label), w.root, w.genesis.Network(), w.chain, 7, noon, 24*time.Hour)
	must(t, err)
	return leaf
}

// A draft is a certificate as an attacker would make it: every part at will.
type draft struct {
	notBefore, notAfter time.Time
	extensions          []pkix.Extension
	public              crypto.PublicKey
	signer              crypto.Signer
}

// draftOf takes a leaf apart, with its private key, as if that had been stolen.
func draftOf(t testing.TB, leaf *Leaf) draft {
	t.Helper()
	cert, err := x509.ParseCertificate(leaf.Certificate.Certificate[0])
	must(t, err)
	d := draft{notBefore: cert.NotBefore, notAfter: cert.NotAfter, public: cert.PublicKey, signer: leaf.Certificate.PrivateKey.(crypto.Signer)}
	for _, e := range cert.Extensions {
		if e.Id.Equal(oidIdentity) || e.Id.Equal(oidChain) {
			d.extensions = append(d.extensions, e)
		}
	}
	return d
}

func (d draft) der(t testing.TB) []byte {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: d.notBefore, NotAfter: d.notAfter, ExtraExtensions: d.extensions}
	der, err := x509.CreateCertificate(chance("certificate"), template, template, d.public, d.signer)
	must(t, err)
	return der
}

// set replaces the value of one of the two extensions.
func (d draft) set(n int, value []byte) draft {
	d.extensions = append([]pkix.Extension(nil), d.extensions...)
	d.extensions[n].Value = value
	return d
}

func TestLeafVerifies(t *testing.T) {
	w := newWorld(t, "home")
	leaf := w.leaf(t, "leaf")
	got, err := VerifyLeaf(noon, leaf.Certificate.Certificate)
	must(t, err)
	if got.Key != w.root.Key() || got.ID != w.root.ID() || got.Network != w.genesis.Network() || got.Epoch != 7 || string(got.Chain) != string(w.chain.Bytes()) ||
		!got.NotBefore.Equal(noon.Add(-time.Hour)) || !got.NotAfter.Equal(noon.Add(24*time.Hour)) || got.Fingerprint() != hex.EncodeToString(got.Hash[:]) {
		t.Errorf("claims %+v", got)
	}
	if got.Fingerprint() != leaf.Claims.Fingerprint() || got.Fingerprint() == w.leaf(t, "another").Claims.Fingerprint() {
		t.Error("the fingerprint does not name the leaf")
	}
	alone, err := MintLeaf(chance("leaf"), w.root, NetworkID{}, Chain{}, 0, noon, time.Hour)
	must(t, err)
	if got := alone.Claims; !got.Network.IsZero() || len(got.Chain) != 0 || got.Epoch != 0 {
		t.Errorf("claims of a leaf without a network: %+v", got)
	}
}

func TestLeafForItsWholeLife(t *testing.T) {
	w := newWorld(t, "home")
	leaf := w.leaf(t, "leaf").Certificate.Certificate
	for _, c := range []struct {
		now  time.Time
		want string
	}{
		{noon.Add(-time.Hour - 5*time.Minute), ""},
		{noon.Add(-time.Hour - 5*time.Minute - time.Nanosecond), "leaf: valid from 2026-09-21 13:13:20 UTC, this clock says 2026-09-21 13:08:19 UTC"},
		{noon.Add(-time.Hour - 30*24*time.Hour), "leaf: valid from 2026-09-21 13:13:20 UTC, this clock says 2026-08-22 13:13:20 UTC"},
		{noon.Add(24*time.Hour + 5*time.Minute), ""},
		{noon.Add(24*time.Hour + 5*time.Minute + time.Nanosecond), "leaf: expired at 2026-09-22 14:13:20 UTC, this clock says 2026-09-22 14:18:20 UTC"},
		{noon.Add(365 * 24 * time.Hour).In(time.FixedZone("east", 7200)), "leaf: expired at 2026-09-22 14:13:20 UTC, this clock says 2027-09-21 14:13:20 UTC"},
	} {
		got, err := VerifyLeaf(c.now, leaf)
		if c.want != "" {
			refused(t, got, err, c.want)
		} else if err != nil {
			t.Error(err)
		}
	}
}

func TestVerifyLeafRefuses(t *testing.T) {
	const unsealed = "leaf: identity extension: the seal does not fit: key, life, epoch or chain are not what the identity sealed"
	const unsigned = "leaf: the certificate is not signed by its own key"
	w := newWorld(t, "home")
	leaf := w.leaf(t, "leaf")
	good := draftOf(t, leaf)
	if _, err := VerifyLeaf(noon, [][]byte{good.der(t)}); err != nil {
		t.Fatal(err)
	}
	vouch, chain := good.extensions[0].Value, good.extensions[1].Value
	longer, _ := w.line(t, 2)
	other := draftOf(t, w.leaf(t, "another"))
	stranger := someone(t, "stranger").Key()
	onCurve, err := ecdsa.GenerateKey(elliptic.P256(), chance("ecdsa"))
	must(t, err)
	byRSA, err := rsa.GenerateKey(chance("rsa"), 2048)
	must(t, err)
	with := func(change func(*draft)) []byte { d := good; change(&d); return d.der(t) }
	der := leaf.Certificate.Certificate[0]
	_, garbage := x509.ParseCertificate([]byte("garbage"))
	for _, c := range []struct {
		what string
		der  []byte
		want string
	}{
		{"garbage", []byte("garbage"), "leaf: " + garbage.Error()},
		{"bytes behind it", append(der[:len(der):len(der)], 0), "leaf: x509: trailing data"},
		{"oversized", make([]byte, MaxLeaf+1), "leaf: 8193 bytes are over the bound of 8192"},
		{"broken self-signature", flipped(der, 8*len(der)-20), unsigned},
		{"changed under the self-signature", flipped(der, 8*20), unsigned},
		{"signed by another key", with(func(d *draft) { d.signer = other.signer }), unsigned},
		{"signed by a key of another kind", with(func(d *draft) { d.signer = onCurve }), unsigned},
		{"an ECDSA key", with(func(d *draft) { d.signer, d.public = onCurve, onCurve.Public() }), "leaf: a *ecdsa.PublicKey where an Ed25519 key is needed"},
		{"an RSA key", with(func(d *draft) { d.signer, d.public = byRSA, byRSA.Public() }), "leaf: a *rsa.PublicKey where an Ed25519 key is needed"},
		{"no extension", with(func(d *draft) { d.extensions = nil }), "leaf: 0 identity extensions where exactly one is needed"},
		{"no identity", with(func(d *draft) { d.extensions = d.extensions[1:] }), "leaf: 0 identity extensions where exactly one is needed"},
		{"no chain", with(func(d *draft) { d.extensions = d.extensions[:1] }), "leaf: 0 chain extensions where exactly one is needed"},
		{"two identities", with(func(d *draft) { d.extensions = append(d.extensions[:2:2], d.extensions[0]) }), `leaf: x509: certificate contains duplicate extension with OID "2.25.1793266418.1"`},
		{"two chains", with(func(d *draft) { d.extensions = append(d.extensions[:2:2], d.extensions[1]) }), `leaf: x509: certificate contains duplicate extension with OID "2.25.1793266418.2"`},
		{"unknown version", good.set(0, flipped(vouch, 1)).der(t), "leaf: identity extension: version 3 where 1 is known"},
		{"empty identity", good.set(0, nil).der(t), "leaf: identity extension: cut short: 0 bytes where 1 are needed"},
		{"short identity", good.set(0, vouch[:len(vouch)-1]).der(t), "leaf: identity extension: cut short: 63 bytes where 64 are needed"},
		{"bytes behind the identity", good.set(0, append(vouch[:len(vouch):len(vouch)], 0)).der(t), "leaf: identity extension: bytes after the end"},
		{"another identity's name", good.set(0, append(append([]byte{1}, stranger[:]...), vouch[33:]...)).der(t), unsealed},
		{"another network", good.set(0, flipped(vouch, 8*40)).der(t), unsealed},
		{"another epoch", good.set(0, flipped(vouch, 8*72)).der(t), unsealed},
		{"broken identity seal", good.set(0, flipped(vouch, 8*100)).der(t), unsealed},
		{"S + L", good.set(0, append(vouch[:73:73], malleated(vouch[73:])...)).der(t), unsealed},
		{"another chain", good.set(1, longer.Bytes()).der(t), unsealed},
		{"the chain taken out", good.set(1, nil).der(t), unsealed},
		{"bytes behind the chain", good.set(1, append(chain[:len(chain):len(chain)], 0)).der(t), unsealed},
		{"re-dated with the stolen leaf key", with(func(d *draft) { d.notAfter = noon.AddDate(50, 0, 0) }), unsealed},
		{"back-dated with the stolen leaf key", with(func(d *draft) { d.notBefore = noon.AddDate(-1, 0, 0) }), unsealed},
		{"the extensions on a key of the thief's", with(func(d *draft) { d.public, d.signer = other.public, other.signer }), unsealed},
	} {
		t.Run(c.what, func(t *testing.T) {
			got, err := VerifyLeaf(noon, [][]byte{c.der})
			refused(t, got, err, c.want)
			if strings.Contains(c.want, "seal") != errors.Is(err, ErrSeal) {
				t.Errorf("errors.Is(%q, ErrSeal) is %t", err, errors.Is(err, ErrSeal))
			}
		})
	}
	got, err := VerifyLeaf(noon, nil)
	refused(t, got, err, "leaf: 0 certificates where exactly one is needed")
	got, err = VerifyLeaf(noon, [][]byte{der, der})
	refused(t, got, err, "leaf: 2 certificates where exactly one is needed")
}

// An expired leaf is refused, and so is the same key dated anew: what libp2p's format lets pass.
func TestStolenLeafKeyOutlivesNothing(t *testing.T) {
	w := newWorld(t, "home")
	leaf := w.leaf(t, "leaf")
	later := noon.AddDate(0, 1, 0)
	got, err := VerifyLeaf(later, leaf.Certificate.Certificate)
	refused(t, got, err, "leaf: expired at 2026-09-22 14:13:20 UTC, this clock says 2026-10-21 14:13:20 UTC")
	d := draftOf(t, leaf)
	d.notAfter = later.Add(time.Hour)
	got, err = VerifyLeaf(later, [][]byte{d.der(t)})
	refused(t, got, err, "leaf: identity extension: the seal does not fit: key, life, epoch or chain are not what the identity sealed")
}

// A weak identity vouches for nobody: anybody could seal a leaf of it.
func TestLeafOfAWeakKeyIsRefused(t *testing.T) {
	w := newWorld(t, "home")
	d := draftOf(t, w.leaf(t, "leaf"))
	key := Key{1}
	spki, err := x509.MarshalPKIXPublicKey(d.public)
	must(t, err)
	seal := forge(key, sealed(DomainLeaf, w.genesis.Network(), leafPayload(spki, d.notBefore, d.notAfter, 7, d.extensions[1].Value)))
	if seal == nil {
		t.Fatal("the forgery failed, so nothing is shown")
	}
	vouch := writer{leafVersion}
	vouch.raw(key[:])
	network := w.genesis.Network()
	vouch.raw(network[:])
	vouch.u64(7)
	vouch.raw(seal)
	got, err := VerifyLeaf(noon, [][]byte{d.set(0, vouch).der(t)})
	refused(t, got, err, "leaf: identity extension: the seal does not fit: key, life, epoch or chain are not what the identity sealed")
}

func TestLeafRefusesEveryChange(t *testing.T) {
	w := newWorld(t, "home")
	der := w.leaf(t, "leaf").Certificate.Certificate[0]
	for bit := 0; bit < len(der)*8; bit++ {
		if got, err := VerifyLeaf(noon, [][]byte{flipped(der, bit)}); err == nil || got.Key != (Key{}) {
			t.Errorf("bit %d changed: accepted", bit)
		}
	}
}

func TestMintLeafRefuses(t *testing.T) {
	w := newWorld(t, "home")
	network := w.genesis.Network()
	leaf, err := MintLeaf(strings.NewReader("short"), w.root, network, w.chain, 1, noon, time.Hour)
	refused(t, leaf, err, "mint leaf: unexpected EOF")
	leaf, err = MintLeaf(chance("leaf"), w.root, network, w.chain, 1, noon, -2*time.Hour)
	refused(t, leaf, err, "mint leaf: leaf: valid from 2026-09-21 13:13:20 UTC, this clock says 2026-09-21 12:13:20 UTC")
	public, private, err := ed25519.GenerateKey(chance("leaf"))
	must(t, err)
	leaf, err = mintLeaf(w.root, public, private, network, make([]byte, MaxLeaf-256), 1, noon, noon.Add(time.Hour))
	refused(t, leaf, err, "mint leaf: leaf: 8387 bytes are over the bound of 8192")
	leaf, err = mintLeaf(w.root, public, private, network, nil, 1, noon, noon.AddDate(9000, 0, 0))
	if err == nil || leaf != nil || !strings.HasPrefix(err.Error(), "mint leaf: ") {
		t.Errorf("a leaf until the year 11026: %v", err)
	}
}

// The deepest chain fits into a leaf.
func TestDeepestLeafFits(t *testing.T) {
	w := newWorld(t, "home")
	chain, last := w.line(t, MaxDepth)
	leaf, err := MintLeaf(chance("leaf"), last, w.genesis.Network(), chain, 1<<63+5, noon, time.Hour)
	must(t, err)
	if n := len(leaf.Certificate.Certificate[0]); n > MaxLeaf/2 || leaf.Claims.Epoch != 1<<63+5 {
		t.Errorf("%d bytes, epoch %d", n, leaf.Claims.Epoch)
	}
}

// The TLS stack takes the leaf, and its key by way of the signer that does not print.
func TestLeafShakesHands(t *testing.T) {
	w := newWorld(t, "home")
	leaf := w.leaf(t, "leaf")
	here, there := net.Pipe()
	defer here.Close()
	defer there.Close()
	config := &tls.Config{
		MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{leaf.Certificate}, ClientAuth: tls.RequireAnyClientCert, InsecureSkipVerify: true,
		SessionTicketsDisabled: true,
	}
	server, client := tls.Server(there, config), tls.Client(here, config)
	done := make(chan error, 1)
	go func() { done <- server.Handshake() }()
	must(t, client.Handshake())
	must(t, <-done)
	for _, c := range []*tls.Conn{server, client} {
		got, err := VerifyLeaf(noon, [][]byte{c.ConnectionState().PeerCertificates[0].Raw})
		if err != nil || got.ID != w.root.ID() {
			t.Errorf("shook hands with %s, %v", got.ID, err)
		}
	}
}
