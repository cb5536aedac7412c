package pki

import (
	"crypto"
	"crypto/ed25519"
	"io"
)

// A secret keeps bytes out of print-outs. It is held by pointer and holds another: with any verb, however deep in a value,
// in fields where fmt calls no method and in JSON, nothing but an address comes out.
type secret struct{ bytes *[]byte }

func newSecret(b []byte) *secret { return &secret{bytes: &b} }

// reveal gives the bytes; there are none in the secret that was never made.
func (s *secret) reveal() []byte {
	if s == nil {
		return nil
	}
	return *s.bytes
}

// A keySigner is an Ed25519 private key in memory.
type keySigner struct{ private *secret }

func newKeySigner(private ed25519.PrivateKey) keySigner { return keySigner{newSecret(private)} }

func (k keySigner) key() ed25519.PrivateKey { return k.private.reveal() }

// Public is the public half.
func (k keySigner) Public() crypto.PublicKey { return k.key().Public() }

// Sign signs as an Ed25519 key does.
func (k keySigner) Sign(random io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	return k.key().Sign(random, message, opts)
}
