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
	return gossip.ProbeRequest{Contact: uint16(pb.GetContact())}, nil //nolint:gosec // checked above
}

func (g *Gate) probeResponse(now time.Time, pb *gossippb.ProbeResponse) (m gossip.ProbeResponse, err error) {
	beats, err := parseBeats(pb.GetBeat(), 1)
	if err != nil {
		return m, err
	}
	if pb.GetContact() != nil {
		if m.Contact, err = g.Contact(now, pb.GetContact()); err != nil {
			return m, err
		}
	}
	if len(beats) == 0 {
		return m, nil
	}
	m.Beat = beats[0]
	if m.Contact != nil {
		return m, checkPlaces(beats, 0, []*view.Contact{m.Contact})
	}
	return m, nil
}

func probeResponseBytes(m gossip.ProbeResponse) *gossippb.ProbeResponse {
	pb := &gossippb.ProbeResponse{}
	if m.Beat.Sequence > 0 {
		pb.Beat = beatBytes([]gossip.IndexedBeat{m.Beat})
	}
	if m.Contact != nil {
		pb.Contact = Envelope(m.Contact.Sealed)
	}
	return pb
}
