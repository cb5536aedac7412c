package pki

import (
	"crypto"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

const pemType = "PRIVATE KEY"

// An Identity is a long-lived key: a node's, or the founder's. Only it can seal in its name. It prints as its ID.
type Identity struct {
	signer crypto.Signer
	key    Key
}

// NewIdentity makes an Ed25519 identity. The randomness must be the system's outside of tests.
func NewIdentity(random io.Reader) (*Identity, error) {
	_, private, err := ed25519.GenerateKey(random)
	if err != nil {
		return nil, fmt.Errorf("make identity: %w", err)
	}
	return IdentityFrom(private)
}

// IdentityFrom wraps a key that lives elsewhere, for example in a TPM. It must be an Ed25519 key.
func IdentityFrom(signer crypto.Signer) (*Identity, error) {
	public, ok := signer.Public().(ed25519.PublicKey)
	if !ok {
		return nil, fmt.Errorf("identity: a %T where an Ed25519 key is needed", signer.Public())
	}
	key, err := KeyFrom(public)
	if err != nil {
		return nil, fmt.Errorf("identity: %w", err)
	}
	if private, ok := signer.(ed25519.PrivateKey); ok {
		signer = newKeySigner(private)
	}
	return &Identity{signer: signer, key: key}, nil
}

// ParseIdentity reads the PEM form (PKCS #8) that MarshalPEM writes. Its error never quotes the input.
func ParseIdentity(data []byte) (*Identity, error) {
	block, _ := pem.Decode(data)
	if block == nil || block.Type != pemType {
		return nil, errors.New("parse identity: no PEM block of type " + pemType)
	}
	private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("parse identity: not a PKCS #8 key")
	}
	signer, ok := private.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("parse identity: a %T where an Ed25519 key is needed", private)
	}
	return IdentityFrom(signer)
}

// MarshalPEM gives the private key in PEM (PKCS #8). It fails for a key that lives elsewhere.
func (i *Identity) MarshalPEM() ([]byte, error) {
	signer, ok := i.signer.(keySigner)
	if !ok {
		return nil, errors.New("marshal identity: the key does not leave its place")
	}
	der, err := x509.MarshalPKCS8PrivateKey(signer.key())
	if err != nil {
		return nil, fmt.Errorf("marshal identity: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: der}), nil
}

// ID names the identity.
func (i *Identity) ID() ID { return i.key.ID() }

// Key is the public half.
func (i *Identity) Key() Key { return i.key }

// Seal puts the payload into an envelope. The payload must be at most MaxPayload bytes.
func (i *Identity) Seal(d Domain, network NetworkID, payload []byte) (Envelope, error) {
	if len(payload) > MaxPayload {
		return Envelope{}, fmt.Errorf("seal for %s: payload of %d bytes is over the bound of %d", d, len(payload), MaxPayload)
	}
	seal, err := sealWith(i.signer, d, network, payload)
	if err != nil {
		return Envelope{}, err
	}
	return Envelope{Key: i.key, Payload: payload, Seal: seal}, nil
}

// String prints the ID, never the key.
func (i *Identity) String() string { return i.ID().String() }

// GoString prints the ID, never the key.
func (i *Identity) GoString() string { return i.String() }

// Format keeps every verb, %#v and %x among them, from reaching the key.
func (i *Identity) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, i.String()) }

// LogValue logs the ID, never the key.
func (i *Identity) LogValue() slog.Value { return slog.StringValue(i.String()) }
