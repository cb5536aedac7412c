package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/view"
)

// A beat on the wire, big-endian: place u16, low bits of its contact's sequence u16, sequence u16, age u16, link 16 bytes.
// A version in a digest: salted hash u32, beat u16, low 32 bits of its contact less those of the version before as a zigzag varint, since
// sequences of contacts are seconds and most are near each other.
const (
	beatSize     = 2 + 2 + 2 + 2 + len(view.Link{})
	leastVersion = 4 + 2 + 1

	ageUnit = 10 * time.Millisecond
)

// parseBeats takes at most gossip.MaxBeats beats whose places are below limit, none of them twice.
func parseBeats(b []byte, limit int) ([]gossip.IndexedBeat, error) {
	n, err := countOf("beats", b, beatSize, gossip.MaxBeats)
	if err != nil || n == 0 {
		return nil, err
	}
	beats := make([]gossip.IndexedBeat, 0, n)
	seen := make(map[int]bool, n)
	for ; len(b) > 0; b = b[beatSize:] {
		beat := parseBeat(b)
		switch {
		case beat.Index >= limit:
			return nil, fmt.Errorf("beat at place %d where there are %d", beat.Index, limit)
		case seen[beat.Index]:
			return nil, fmt.Errorf("two beats at place %d", beat.Index)
		case beat.Sequence == 0 || beat.Sequence > view.LadderLength:
			return nil, fmt.Errorf("beat of sequence %d where 1 to %d are allowed", beat.Sequence, view.LadderLength)
		}
		seen[beat.Index] = true
		beats = append(beats, beat)
	}
	return beats, nil
}

func parseBeat(b []byte) gossip.IndexedBeat {
	return gossip.IndexedBeat{
		Index:   int(binary.BigEndian.Uint16(b)),
		Contact: binary.BigEndian.Uint16(b[2:]),
		Beat: view.Beat{
			Sequence: uint64(binary.BigEndian.Uint16(b[4:])),
			Age:      time.Duration(binary.BigEndian.Uint16(b[6:])) * ageUnit,
			Link:     view.Link(b[8:beatSize]),
		},
	}
}

// countOf tells how many items of a fixed size stand in b.
func countOf(what string, b []byte, size, bound int) (int, error) {
	if len(b)%size != 0 {
		return 0, fmt.Errorf("%s of %d bytes are no multiple of %d", what, len(b), size)
	}
	if n := len(b) / size; n > bound {
		return 0, fmt.Errorf("%d %s are over the bound of %d", n, what, bound)
	}
	return len(b) / size, nil
}

// checkPlaces reports a beat that stands beside a contact that it does not belong to. Beats below first are the digest's.
func checkPlaces(beats []gossip.IndexedBeat, first int, contacts []*view.Contact) error {
	for _, b := range beats {
		if b.Index >= first && b.Contact != low(contacts[b.Index-first]) {
			return fmt.Errorf("beat at place %d belongs to another contact", b.Index)
		}
	}
	return nil
}

// low is what a beat carries of its contact's sequence.
func low(c *view.Contact) uint16 { return uint16(c.Sequence) } //nolint:gosec // low bits are meant

func beatBytes(beats []gossip.IndexedBeat) []byte {
	b := make([]byte, 0, len(beats)*beatSize)
	for _, beat := range beats {
		b = binary.BigEndian.AppendUint16(b, uint16(beat.Index)) //nolint:gosec // below MaxDigest and MaxContacts
		b = binary.BigEndian.AppendUint16(b, beat.Contact)
		b = binary.BigEndian.AppendUint16(b, uint16(beat.Sequence)) //nolint:gosec // at most LadderLength
		b = binary.BigEndian.AppendUint16(b, ageUnits(beat.Age))
		b = append(b, beat.Link[:]...)
	}
	return b
}

// ageUnits rounds up, so that no relay makes a beat younger than it is, and stops at the highest.
func ageUnits(age time.Duration) uint16 {
	if age <= 0 {
		return 0
	}
	units := age / ageUnit
	if age%ageUnit > 0 {
		units++
	}
	return uint16(min(units, math.MaxUint16))
}

// parseOwnBeat takes the beat of somebody who introduces itself with its contact: one at place 0, or none.
func parseOwnBeat(b []byte, c *view.Contact) (view.Beat, error) {
	beats, err := parseBeats(b, 1)
	if err != nil || len(beats) == 0 {
		return view.Beat{}, err
	}
	if err := checkPlaces(beats, 0, []*view.Contact{c}); err != nil {
		return view.Beat{}, err
	}
	return beats[0].Beat, nil
}

func ownBeatBytes(beat view.Beat, c *view.Contact) []byte {
	if beat.Sequence == 0 {
		return nil
	}
	return beatBytes([]gossip.IndexedBeat{{Contact: low(c), Beat: beat}})
}

func parseDigest(b []byte) ([]view.Version, error) {
	digest := make([]view.Version, 0, min(len(b)/leastVersion, gossip.MaxDigest))
	var contact uint32
	for len(b) > 0 {
		if len(digest) == gossip.MaxDigest {
			return nil, fmt.Errorf("versions are over the bound of %d", gossip.MaxDigest)
		}
		if len(b) < leastVersion {
			return nil, errors.New("a version is cut off")
		}
		later, n := binary.Varint(b[leastVersion-1:])
		if n <= 0 || later != int64(int32(later)) { //nolint:gosec // that is the question
			return nil, errors.New("a version's contact is no difference of 32 bits")
		}
		contact += uint32(later) //nolint:gosec // modulo 2^32, as it was made
		digest = append(digest, view.Version{
			Hash:    binary.BigEndian.Uint32(b),
			Beat:    uint32(binary.BigEndian.Uint16(b[4:])),
			Contact: contact,
		})
		b = b[leastVersion-1+n:]
	}
	return digest, nil
}

func digestBytes(digest []view.Version) []byte {
	b := make([]byte, 0, len(digest)*(leastVersion+1))
	var contact uint32
	for _, v := range digest {
		b = binary.BigEndian.AppendUint32(b, v.Hash)
		b = binary.BigEndian.AppendUint16(b, uint16(v.Beat))        //nolint:gosec // at most LadderLength
		b = binary.AppendVarint(b, int64(int32(v.Contact-contact))) //nolint:gosec // modulo 2^32
		contact = v.Contact
	}
	return b
}

// digestSize is the length of digestBytes.
func digestSize(digest []view.Version) (n int) {
	var contact uint32
	for _, v := range digest {
		later := int32(v.Contact - contact) //nolint:gosec // modulo 2^32
		n += leastVersion - 1 + protowire.SizeVarint(protowire.EncodeZigZag(int64(later)))
		contact = v.Contact
	}
	return n
}
