package pki

import (
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/big"
	"time"
)

const (
	// MaxLeaf bounds a leaf's DER form, in bytes.
	MaxLeaf = 8 << 10
	// LeafBackdate is how far before its minting a leaf begins to be valid, for peers whose clock is behind.
	LeafBackdate = time.Hour

	leafVersion = 1
)

// The two extensions of a leaf, under the arc 2.25 by a number that was drawn at random.
var (
	oidIdentity = asn1.ObjectIdentifier{2, 25, 1793266418, 1}
	oidChain    = asn1.ObjectIdentifier{2, 25, 1793266418, 2}
)

// A Leaf is the short-lived TLS certificate and key in use. Its key exists in memory only, as a signer that does not print.
type Leaf struct {
	Certificate tls.Certificate
	Claims      LeafClaims
}

// LeafClaims is what a leaf proves by itself, about itself: the identity that vouches for it, the network, the epoch and
// the life. The chain in it is not verified yet: Trust.Judge does that.
type LeafClaims struct {
	Key       Key
	ID        ID
	Network   NetworkID // zero for a node that has none yet
	Epoch     uint64
	NotBefore time.Time
	NotAfter  time.Time
	Chain     []byte
	Hash      [sha256.Size]byte // of the certificate
}

// Fingerprint prints the certificate's hash in hex.
func (c LeafClaims) Fingerprint() string { return hex.EncodeToString(c.Hash[:]) }

// leafPayload is what the identity seals of a leaf: everything that the verifier compares with the certificate's own fields.
func leafPayload(spki []byte, notBefore, notAfter time.Time, epoch uint64, chain []byte) []byte {
	key, links := sha256.Sum256(spki), sha256.Sum256(chain)
	w := make(writer, 0, 128)
	w.u8(leafVersion)
	w.raw(key[:])
	w.time(notBefore.Unix())
	w.time(notAfter.Unix())
	w.u64(epoch)
	w.raw(links[:])
	return w
}

// MintLeaf makes a leaf with a fresh key, valid from an hour before now until life after it.
func MintLeaf(random io.Reader, identity *Identity, network NetworkID, chain Chain, epoch uint64, now time.Time, life time.Duration) (*Leaf, error) {
	public, private, err := ed25519.GenerateKey(random)
	if err != nil {
		return nil, fmt.Errorf("mint leaf: %w", err)
	}
	return mintLeaf(identity, public, private, network, chain.Bytes(), epoch, now.Add(-LeafBackdate), now.Add(life))
}

func mintLeaf(identity *Identity, public ed25519.PublicKey, private ed25519.PrivateKey, network NetworkID, chain []byte, epoch uint64, notBefore, notAfter time.Time) (*Leaf, error) {
	notBefore, notAfter = notBefore.UTC().Truncate(time.Second), notAfter.UTC().Truncate(time.Second)
	spki, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, fmt.Errorf("mint leaf: %w", err)
	}
	seal, err := sealWith(identity.signer, DomainLeaf, network, leafPayload(spki, notBefore, notAfter, epoch, chain))
	if err != nil {
		return nil, fmt.Errorf("mint leaf: %w", err)
	}
	var vouch writer
	vouch.u8(leafVersion)
	vouch.raw(identity.key[:])
	vouch.raw(network[:])
	vouch.u64(epoch)
	vouch.raw(seal)
	return signLeaf(public, private, notBefore, notAfter, epoch, vouch, chain)
}

// signLeaf makes the certificate around an identity extension.
func signLeaf(public ed25519.PublicKey, private ed25519.PrivateKey, notBefore, notAfter time.Time, epoch uint64, vouch, chain []byte) (*Leaf, error) {
	template := &x509.Certificate{
		SerialNumber:          new(big.Int).SetUint64(epoch | 1<<63), // positive and of one length
		Subject:               pkix.Name{CommonName: "g2g"},
		NotBefore:             notBefore,
		NotAfter:              notAfter,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
		ExtraExtensions:       []pkix.Extension{{Id: oidIdentity, Value: vouch}, {Id: oidChain, Value: chain}},
	}
	der, err := x509.CreateCertificate(nil, template, template, public, private)
	if err != nil {
		return nil, fmt.Errorf("mint leaf: %w", err)
	}
	claims, err := VerifyLeaf(notAfter, [][]byte{der})
	if err != nil {
		return nil, fmt.Errorf("mint leaf: %w", err)
	}
	return &Leaf{Certificate: tls.Certificate{Certificate: [][]byte{der}, PrivateKey: newKeySigner(private)}, Claims: claims}, nil
}

// VerifyLeaf verifies what a leaf says about itself: exactly one certificate, its own signature (which the TLS stack does
// not check for self-signed ones), its life within Tolerance of now, and the identity's seal over every field that is
// believed. It does not judge membership.
func VerifyLeaf(now time.Time, certificates [][]byte) (LeafClaims, error) {
	if len(certificates) != 1 {
		return LeafClaims{}, fmt.Errorf("leaf: %d certificates where exactly one is needed", len(certificates))
	}
	der := certificates[0]
	if len(der) > MaxLeaf {
		return LeafClaims{}, fmt.Errorf("leaf: %d bytes are over the bound of %d", len(der), MaxLeaf)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return LeafClaims{}, fmt.Errorf("leaf: %w", err)
	}
	claims, err := openLeaf(cert)
	if err != nil {
		return LeafClaims{}, fmt.Errorf("leaf: %w", err)
	}
	if err := claims.VerifyLife(now); err != nil {
		return LeafClaims{}, err
	}
	return claims, nil
}

// VerifyLife is what VerifyLeaf asks of the clock: the rest of its verdict holds for ever.
func (c LeafClaims) VerifyLife(now time.Time) error {
	if err := c.checkLife(now); err != nil {
		return fmt.Errorf("leaf: %w", err)
	}
	return nil
}

func openLeaf(cert *x509.Certificate) (LeafClaims, error) {
	if _, ok := cert.PublicKey.(ed25519.PublicKey); !ok {
		return LeafClaims{}, fmt.Errorf("a %T where an Ed25519 key is needed", cert.PublicKey)
	}
	if err := cert.CheckSignature(cert.SignatureAlgorithm, cert.RawTBSCertificate, cert.Signature); err != nil {
		return LeafClaims{}, errors.New("the certificate is not signed by its own key")
	}
	vouch, err := extension(cert, oidIdentity, "identity")
	if err != nil {
		return LeafClaims{}, err
	}
	chain, err := extension(cert, oidChain, "chain")
	if err != nil {
		return LeafClaims{}, err
	}
	r := reader{b: vouch}
	r.version(leafVersion)
	c := LeafClaims{
		Key: r.key(), Network: r.network(), Epoch: r.u64(), Chain: chain,
		NotBefore: cert.NotBefore, NotAfter: cert.NotAfter, Hash: sha256.Sum256(cert.Raw),
	}
	c.ID = c.Key.ID()
	seal := r.raw(SealSize)
	if err := r.done(); err != nil {
		return LeafClaims{}, fmt.Errorf("identity extension: %w", err)
	}
	payload := leafPayload(cert.RawSubjectPublicKeyInfo, cert.NotBefore, cert.NotAfter, c.Epoch, chain)
	if verifySeal(c.Key, DomainLeaf, c.Network, payload, seal) != nil {
		return LeafClaims{}, fmt.Errorf("identity extension: %w: key, life, epoch or chain are not what the identity sealed", ErrSeal)
	}
	return c, nil
}

func extension(cert *x509.Certificate, oid asn1.ObjectIdentifier, what string) ([]byte, error) {
	var found []byte
	count := 0
	for _, e := range cert.Extensions {
		if e.Id.Equal(oid) {
			count++
			found = e.Value
		}
	}
	if count != 1 {
		return nil, fmt.Errorf("%d %s extensions where exactly one is needed", count, what)
	}
	return found, nil
}

// checkLife names both clocks, since a wrong clock is the usual cause and hard to find otherwise.
func (c LeafClaims) checkLife(now time.Time) error {
	const clock = "2006-01-02 15:04:05 UTC"
	switch {
	case now.Add(Tolerance).Before(c.NotBefore):
		return fmt.Errorf("valid from %s, this clock says %s", c.NotBefore.UTC().Format(clock), now.UTC().Format(clock))
	case now.Add(-Tolerance).After(c.NotAfter):
		return fmt.Errorf("expired at %s, this clock says %s", c.NotAfter.UTC().Format(clock), now.UTC().Format(clock))
	}
	return nil
}
