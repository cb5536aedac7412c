package wire

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/gossippb"
)

// Envelope puts a sealed statement on the wire.
func Envelope(e pki.Envelope) *gossippb.Envelope {
	return &gossippb.Envelope{Key: e.Key[:], Payload: e.Payload, Seal: e.Seal}
}

// ParseEnvelope takes a sealed statement from the wire, as a copy. It checks lengths, no seal.
func ParseEnvelope(pb *gossippb.Envelope) (pki.Envelope, error) {
	if pb == nil {
		return pki.Envelope{}, errors.New("there is no envelope")
	}
	key, err := pki.KeyFrom(pb.GetKey())
	if err != nil {
		return pki.Envelope{}, fmt.Errorf("envelope: %w", err)
	}
	if n := len(pb.GetPayload()); n > pki.MaxPayload {
		return pki.Envelope{}, fmt.Errorf("envelope: payload of %d bytes is over the bound of %d", n, pki.MaxPayload)
	}
	if n := len(pb.GetSeal()); n != pki.SealSize {
		return pki.Envelope{}, fmt.Errorf("envelope: seal of %d bytes where %d are needed", n, pki.SealSize)
	}
	return pki.Envelope{Key: key, Payload: bytes.Clone(pb.GetPayload()), Seal: bytes.Clone(pb.GetSeal())}, nil
}

// envelopeHash covers all of an envelope. Key and seal are of fixed length, so no two envelopes have the same bytes.
func envelopeHash(e pki.Envelope) [sha256.Size]byte {
	h := sha256.New()
	h.Write(e.Key[:])
	h.Write(e.Seal)
	h.Write(e.Payload)
	return [sha256.Size]byte(h.Sum(nil))
}

// parseMode takes a mode from the wire.
func parseMode(m gossippb.Mode) (pki.Mode, error) {
	switch m {
	case gossippb.Mode_MODE_SERVER:
		return pki.Server, nil
	case gossippb.Mode_MODE_CLIENT:
		return pki.Client, nil
	}
	return 0, fmt.Errorf("mode %d is unknown", int32(m))
}

// mode puts a valid mode on the wire.
func mode(m pki.Mode) gossippb.Mode {
	if m == pki.Client {
		return gossippb.Mode_MODE_CLIENT
	}
	return gossippb.Mode_MODE_SERVER
}
