package pki

import (
	"crypto/sha256"
	"fmt"
	"io"
	"time"
)

// MaxName bounds the name of a network or a node, in characters of a-z 0-9 - and dot.
const MaxName = 63

const genesisVersion = 1

// A Genesis is the statement that founds a network. Its hash is the network ID, and the founder key that sealed it
// stands at the top of every chain.
type Genesis struct {
	Founder   Key
	CreatedAt int64 // Unix seconds on the founder's clock; for people only
	Name      string
	nonce     [16]byte
	envelope  Envelope
}

// Found makes the genesis of a new network.
func Found(random io.Reader, founder *Identity, name string, now time.Time) (Genesis, error) {
	if err := CheckName(name); err != nil {
		return Genesis{}, fmt.Errorf("found network: %w", err)
	}
	g := Genesis{Founder: founder.Key(), CreatedAt: now.Unix(), Name: name}
	if _, err := io.ReadFull(random, g.nonce[:]); err != nil {
		return Genesis{}, fmt.Errorf("found network: %w", err)
	}
	var w writer
	w.u8(genesisVersion)
	w.raw(g.Founder[:])
	w.time(g.CreatedAt)
	w.raw(g.nonce[:])
	w.short([]byte(name))
	var err error
	if g.envelope, err = founder.Seal(DomainGenesis, NetworkID{}, w); err != nil {
		return Genesis{}, fmt.Errorf("found network: %w", err)
	}
	return g, nil
}

// ParseGenesis reads and verifies the form that Bytes gives.
func ParseGenesis(b []byte) (Genesis, error) {
	e, err := ParseEnvelope(b)
	if err != nil {
		return Genesis{}, fmt.Errorf("parse genesis: %w", err)
	}
	if err := e.Verify(DomainGenesis, NetworkID{}); err != nil {
		return Genesis{}, fmt.Errorf("parse genesis: %w", err)
	}
	r := reader{b: e.Payload}
	r.version(genesisVersion)
	g := Genesis{Founder: r.key(), CreatedAt: r.time(), envelope: e}
	copy(g.nonce[:], r.raw(len(g.nonce)))
	g.Name = string(r.short())
	if err := r.done(); err != nil {
		return Genesis{}, fmt.Errorf("parse genesis: %w", err)
	}
	if g.Founder != e.Key {
		return Genesis{}, fmt.Errorf("parse genesis: %w: another key than its founder's", ErrSeal)
	}
	if err := CheckName(g.Name); err != nil {
		return Genesis{}, fmt.Errorf("parse genesis: %w", err)
	}
	return g, nil
}

// Network is the ID of the network that the genesis founds.
func (g Genesis) Network() NetworkID {
	return sha256.Sum256(append([]byte("g2g/network-id/v1"), g.envelope.Payload...))
}

// Bytes is the sealed form.
func (g Genesis) Bytes() []byte { return g.envelope.AppendBinary(nil) }

// IsZero tells the genesis of no network.
func (g Genesis) IsZero() bool { return g.Founder.IsZero() }

// CheckName reports what is wrong with the name of a node or a network.
func CheckName(name string) error {
	if name == "" || len(name) > MaxName {
		return fmt.Errorf("name %.80q: 1 to %d characters are needed", name, MaxName)
	}
	for _, c := range []byte(name) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '.' {
			return fmt.Errorf("name %q: only a-z 0-9 - and . may stand in it", name)
		}
	}
	return nil
}
