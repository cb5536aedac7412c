package wire

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/gossippb"
)

// A hint on the wire, big-endian: ID 32 bytes, incarnation u64, sequence u16, kind u8.
const hintSize = len(pki.ID{}) + 8 + 2 + 1

const (
	hintSilent  = 1
	hintStalled = 2
)

// parseHints takes at most gossip.MaxHints hints.
func parseHints(b []byte) ([]gossip.Hint, error) {
	n, err := countOf("hints", b, hintSize, gossip.MaxHints)
	if err != nil || n == 0 {
		return nil, err
	}
	hints := make([]gossip.Hint, 0, n)
	for ; len(b) > 0; b = b[hintSize:] {
		rest := b[len(pki.ID{}):]
		h := gossip.Hint{
			ID: pki.ID(b[:len(pki.ID{})]), Incarnation: binary.BigEndian.Uint64(rest),
			Sequence: uint64(binary.BigEndian.Uint16(rest[8:])), Stalled: rest[10] == hintStalled,
		}
		switch {
		case rest[10] != hintSilent && rest[10] != hintStalled:
			return nil, fmt.Errorf("hint of kind %d where %d and %d are known", rest[10], hintSilent, hintStalled)
		case h.Sequence > view.LadderLength:
			return nil, fmt.Errorf("hint of sequence %d where 0 to %d are allowed", h.Sequence, view.LadderLength)
		}
		hints = append(hints, h)
	}
	return hints, nil
}

func hintBytes(hints []gossip.Hint) []byte {
	if len(hints) == 0 {
		return nil
	}
	b := make([]byte, 0, len(hints)*hintSize)
	for _, h := range hints {
		kind := byte(hintSilent)
		if h.Stalled {
			kind = hintStalled
		}
		b = append(b, h.ID[:]...)
		b = binary.BigEndian.AppendUint64(b, h.Incarnation)
		b = binary.BigEndian.AppendUint16(b, uint16(h.Sequence)) //nolint:gosec // at most LadderLength
		b = append(b, kind)
	}
	return b
}

func hintRequest(pb *gossippb.HintRequest) (m gossip.HintRequest, err error) {
	m.Hints, err = parseHints(pb.GetHints())
	return m, err
}

func (g *Gate) hintResponse(now time.Time, pb *gossippb.HintResponse, hints int) (m gossip.HintResponse, err error) {
	if m.Beats, err = parseBeats(pb.GetBeats(), hints+len(pb.GetContacts())); err != nil {
		return m, err
	}
	if m.Beats, m.Contacts, err = g.told(now, m.Beats, hints, pb.GetContacts(), gossip.MaxContacts); err != nil {
		return m, err
	}
	m.Hints, err = parseHints(pb.GetHints())
	return m, err
}

func probeRequest(pb *gossippb.ProbeRequest) (m gossip.ProbeRequest, err error) {
	if pb.GetContact() > math.MaxUint16 {
		return m, fmt.Errorf("contact %d where 16 bits are meant", pb.GetContact())
	}
	m.Contact = uint16(pb.GetContact()) //nolint:gosec // checked above
	m.Beat, err = parseWord(pb.GetBeat())
	return m, err
}

func (g *Gate) probeResponse(now time.Time, pb *gossippb.ProbeResponse) (m gossip.ProbeResponse, err error) {
	if m.Beat, err = parseWord(pb.GetBeat()); err != nil {
		return m, err
	}
	if pb.GetContact() == nil {
		return m, nil
	}
	if m.Contact, err = g.Contact(now, pb.GetContact()); err != nil || m.Beat.Sequence == 0 {
		return m, err
	}
	return m, checkPlaces([]gossip.IndexedBeat{m.Beat}, 0, []*view.Contact{m.Contact})
}

// parseWord reads the beat of a probe or of its answer: Sequence 0 for none.
func parseWord(b []byte) (word gossip.IndexedBeat, err error) {
	beats, err := parseBeats(b, 1)
	if err == nil && len(beats) > 0 {
		word = beats[0]
	}
	return word, err
}

func wordBytes(word gossip.IndexedBeat) []byte {
	if word.Sequence == 0 {
		return nil
	}
	return beatBytes([]gossip.IndexedBeat{word})
}

func probeResponseBytes(m gossip.ProbeResponse) *gossippb.ProbeResponse {
	pb := &gossippb.ProbeResponse{Beat: wordBytes(m.Beat)}
	if m.Contact != nil {
		pb.Contact = Envelope(m.Contact.Sealed)
	}
	return pb
}
