package view

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/g2g-net/g2g/node/signature"
	"github.com/g2g-net/g2g/pki"
)

// A Summary is the signature that a node sealed about itself, in its short or its full form. It is immutable once made, and
// passed by pointer.
//
//  1. wire has verified its seal and every bound.
//  2. ID is that of the key that sealed it.
type Summary struct {
	ID pki.ID
	signature.Statement
	Hash   uint64 // of the payload: what is told of a summary that is held
	Sealed pki.Envelope
}

// NewSummary puts a sealed statement together.
func NewSummary(s signature.Statement, sealed pki.Envelope) *Summary {
	hash := sha256.Sum256(sealed.Payload)
	return &Summary{ID: sealed.Key.ID(), Statement: s, Hash: binary.BigEndian.Uint64(hash[:]), Sealed: sealed}
}

// TakeSummary keeps a newer signature of a peer.
func (e *Entry) TakeSummary(s *Summary) {
	if s.ID == e.ID && (e.Summary == nil || s.Newer(e.Summary.Statement)) {
		e.Summary = s
	}
}

// SummaryHeld is the hash of the peer's signature that is held; 0 for none.
func (e *Entry) SummaryHeld() uint64 {
	if e.Summary == nil {
		return 0
	}
	return e.Summary.Hash
}
