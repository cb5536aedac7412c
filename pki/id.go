package pki

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Prefixes of what a person reads. The digit is the version of the format behind it.
const (
	idPrefix      = "g2gn1_"
	networkPrefix = "g2gw1_"
	checksumSize  = 4
)

// PinSize is how many leading bytes of an ID stand in a token: a second-preimage pin at the 128-bit level of Ed25519.
const PinSize = 16

// text is the alphabet of everything printed: lower-case base32 without padding (RFC 4648, section 6).
var text = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Key is an Ed25519 public key.
type Key [ed25519.PublicKeySize]byte

// ID is a node's name for ever: the hash of its identity's public key. It prints with a prefix and a checksum, and
// parses back exactly.
type ID [sha256.Size]byte

// NetworkID is the hash of the genesis payload. It stands inside every seal and every leaf.
type NetworkID [sha256.Size]byte

// Pin is the part of an ID that a token carries.
type Pin [PinSize]byte

// KeyFrom takes a public key from bytes of a peer.
func KeyFrom(b []byte) (Key, error) {
	if len(b) != len(Key{}) {
		return Key{}, fmt.Errorf("public key: %d bytes where %d are needed", len(b), len(Key{}))
	}
	return Key(b), nil
}

// ID names the holder of the key.
func (k Key) ID() ID { return sha256.Sum256(append([]byte("g2g/node-id/v1"), k[:]...)) }

// smallOrder are the y coordinates of the points of small order, in hex without the sign bit, in all encodings that a
// decoder accepts. For such a key anybody can make a signature, and one signature can fit many messages.
var smallOrder = []string{
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
}

// weak tells a key that nobody can hold alone; no seal by it is good.
func (k Key) weak() bool {
	k[len(k)-1] &= 0x7f
	return slices.Contains(smallOrder, hex.EncodeToString(k[:]))
}

// IsZero tells the key that was never set.
func (k Key) IsZero() bool { return k == Key{} }

// IsZero tells the ID that names nobody.
func (id ID) IsZero() bool { return id == ID{} }

// Pin is what a token keeps of the ID.
func (id ID) Pin() Pin { return Pin(id[:PinSize]) }

// String prints the ID in full.
func (id ID) String() string { return printHash(idPrefix, id[:]) }

// Short is for screens and logs only; it need not be unique.
func (id ID) Short() string { return id.String()[:len(idPrefix)+8] }

// Compare orders IDs as bytes.
func (id ID) Compare(other ID) int { return bytes.Compare(id[:], other[:]) }

// Prefix is how the ID begins, as a number: of two IDs, the one with the lower prefix comes first.
func (id ID) Prefix() uint64 { return binary.BigEndian.Uint64(id[:]) }

// ParseID is the inverse of ID.String.
func ParseID(s string) (ID, error) {
	b, err := parseHash("node ID", idPrefix, s)
	return ID(b), err
}

// HasPrefix reports whether s begins as the printed ID does, which is how people name peers.
func (id ID) HasPrefix(s string) bool {
	return len(s) > len(idPrefix) && strings.HasPrefix(id.String(), s)
}

// IsZero tells the network ID of no network.
func (n NetworkID) IsZero() bool { return n == NetworkID{} }

// Pin is what a token keeps of the network ID.
func (n NetworkID) Pin() Pin { return Pin(n[:PinSize]) }

// String prints the network ID in full.
func (n NetworkID) String() string { return printHash(networkPrefix, n[:]) }

// ParseNetworkID is the inverse of NetworkID.String.
func ParseNetworkID(s string) (NetworkID, error) {
	b, err := parseHash("network ID", networkPrefix, s)
	return NetworkID(b), err
}

func printHash(prefix string, hash []byte) string {
	return prefix + text.EncodeToString(append(hash[:len(hash):len(hash)], checksum(prefix, hash)...))
}

func parseHash(what, prefix, s string) (out [sha256.Size]byte, err error) {
	rest, ok := strings.CutPrefix(s, prefix)
	if !ok {
		return out, fmt.Errorf("parse %s: it does not begin with %q", what, prefix)
	}
	b, err := decodeText(rest, sha256.Size+checksumSize)
	if err != nil {
		return out, fmt.Errorf("parse %s: %w", what, err)
	}
	if len(b) != sha256.Size+checksumSize {
		return out, fmt.Errorf("parse %s: %d characters where %d are needed", what, len(rest), text.EncodedLen(sha256.Size+checksumSize))
	}
	if string(checksum(prefix, b[:sha256.Size])) != string(b[sha256.Size:]) {
		return out, fmt.Errorf("parse %s: the checksum does not fit: a character is wrong or missing", what)
	}
	return [sha256.Size]byte(b[:sha256.Size]), nil
}

// decodeText decodes canonical text of at most limit bytes: what decodes encodes back to the same characters.
func decodeText(s string, limit int) ([]byte, error) {
	if len(s) > text.EncodedLen(limit) {
		return nil, fmt.Errorf("%d characters are too long", len(s))
	}
	b, err := text.DecodeString(s)
	if err != nil || text.EncodeToString(b) != s {
		return nil, errors.New("a character is wrong or missing")
	}
	return b, nil
}

func checksum(prefix string, b []byte) []byte {
	sum := sha256.Sum256(append([]byte(prefix), b...))
	return sum[:checksumSize]
}
