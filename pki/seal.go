package pki

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"errors"
	"fmt"
)

// SealSize is the length of a seal in bytes: an Ed25519 signature (RFC 8032).
const SealSize = ed25519.SignatureSize

// MaxPayload bounds the payload of any envelope, in bytes.
const MaxPayload = 6 << 10

// A Domain separates the kinds of statements: a seal made for one never fits another.
type Domain string

// The domains in use. docs/protocol.md lists what each payload holds.
const (
	DomainGenesis          Domain = "g2g/genesis/v1"
	DomainAdmission        Domain = "g2g/admission/v1"
	DomainLeaf             Domain = "g2g/leaf/v1"
	DomainNomination       Domain = "g2g/nomination/v1"
	DomainContact          Domain = "g2g/contact/v1"
	DomainSignature        Domain = "g2g/signature/v1"
	DomainRegisterToken    Domain = "g2g/register-token/v1"
	DomainRegisterIdentity Domain = "g2g/register-identity/v1"
)

// ErrSeal is a seal that does not fit its bytes, its key, its domain or its network. Nothing was changed; the fault is the sender's.
var ErrSeal = errors.New("the seal does not fit")

// An Envelope carries a payload with the seal over the bytes as sent. Verify first, then parse.
type Envelope struct {
	Key     Key
	Payload []byte
	Seal    []byte
}

// sealed is the message under a seal.
func sealed(d Domain, network NetworkID, payload []byte) []byte {
	w := make(writer, 0, len(d)+len(network)+len(payload)+16)
	w.raw([]byte("g2g/seal/v1"))
	w.short([]byte(d))
	w.raw(network[:])
	w.u32(uint32(len(payload))) //nolint:gosec // at most MaxPayload
	w.raw(payload)
	return w
}

// verifySeal reports ErrSeal unless the holder of key, and nobody else, sealed exactly this.
func verifySeal(key Key, d Domain, network NetworkID, payload, seal []byte) error {
	if len(seal) != SealSize || key.weak() || !ed25519.Verify(key[:], sealed(d, network, payload), seal) {
		return ErrSeal
	}
	return nil
}

// Verify reports ErrSeal unless the envelope's key sealed its payload for this domain and network.
func (e Envelope) Verify(d Domain, network NetworkID) error {
	if len(e.Payload) > MaxPayload {
		return fmt.Errorf("payload of %d bytes is over the bound of %d", len(e.Payload), MaxPayload)
	}
	return verifySeal(e.Key, d, network, e.Payload, e.Seal)
}

// AppendBinary appends the envelope in the form that ParseEnvelope reads: key, payload length (2 bytes), payload, seal.
func (e Envelope) AppendBinary(b []byte) []byte {
	w := writer(b)
	w.raw(e.Key[:])
	w.u16(uint16(len(e.Payload))) //nolint:gosec // at most MaxPayload
	w.raw(e.Payload)
	w.raw(e.Seal)
	return w
}

// ParseEnvelope is the inverse of AppendBinary. It verifies no seal. The envelope keeps nothing of b.
func ParseEnvelope(b []byte) (Envelope, error) {
	r := reader{b: b}
	e := Envelope{Key: r.key()}
	n := int(r.u16())
	if n > MaxPayload {
		r.fail(fmt.Errorf("payload of %d bytes is over the bound of %d", n, MaxPayload))
		n = 0
	}
	e.Payload, e.Seal = bytes.Clone(r.raw(n)), bytes.Clone(r.raw(SealSize))
	if err := r.done(); err != nil {
		return Envelope{}, fmt.Errorf("parse envelope: %w", err)
	}
	return e, nil
}

// sealWith makes a seal with any Ed25519 signer.
func sealWith(s crypto.Signer, d Domain, network NetworkID, payload []byte) ([]byte, error) {
	seal, err := s.Sign(nil, sealed(d, network, payload), crypto.Hash(0))
	if err != nil {
		return nil, fmt.Errorf("seal for %s: %w", d, err)
	}
	return seal, nil
}
