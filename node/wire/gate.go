// Package wire turns protobuf messages into values that need no second look.
//
// It is the gate: whatever comes from outside is hostile until a function here has accepted it. Counts, lengths, addresses,
// seals and chains are checked; an error refuses the whole message and comes with no value. Only the link of a beat is
// left for the view to judge, which holds the ladder's last rung. docs/protocol.md names every bound.
package wire

import (
	"crypto/sha256"
	"sync"

	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

const (
	// ProtocolVersion is the version of the protocol spoken here, the lowest and the highest.
	ProtocolVersion = 1
	// MaxMessage bounds a message of Gossip and Registration in its protobuf form, in bytes. The bounds of what stands in a
	// message keep every one below it.
	MaxMessage = 64 << 10

	maxRemembered = 1024 // contacts, and chains, that were verified lately
)

// A Gate accepts messages of one network. It is safe for concurrent use.
//
//  1. What it remembers was verified here, under a hash of all bytes that the verification read: seeing the same bytes
//     again costs no second verification and changes no outcome.
//  2. It remembers at most maxRemembered contacts and as many chains; the oldest make place.
//  3. What depends on the clock is never remembered.
type Gate struct {
	genesis  pki.Genesis
	network  pki.NetworkID
	contacts memory[*view.Contact]
	chains   memory[pki.Chain]
}

// NewGate makes the gate of the network that the genesis founds. The genesis must be verified.
func NewGate(genesis pki.Genesis) *Gate {
	return &Gate{genesis: genesis, network: genesis.Network()}
}

// chain verifies a chain in the gate's network.
func (g *Gate) chain(b []byte) (pki.Chain, error) {
	hash := sha256.Sum256(b)
	if c, ok := g.chains.get(hash); ok {
		return c, nil
	}
	c, err := pki.VerifyChain(b, g.genesis)
	if err == nil {
		g.chains.put(hash, c)
	}
	return c, err
}

// memory keeps the last maxRemembered values put into it.
type memory[V any] struct {
	mu     sync.Mutex
	values map[[sha256.Size]byte]V
	order  [maxRemembered][sha256.Size]byte // a ring: next is the oldest once it is full
	next   int
}

func (m *memory[V]) get(hash [sha256.Size]byte) (V, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.values[hash]
	return v, ok
}

func (m *memory[V]) put(hash [sha256.Size]byte, v V) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, known := m.values[hash]; known {
		return // two goroutines verified the same bytes at once
	}
	if m.values == nil {
		m.values = make(map[[sha256.Size]byte]V)
	}
	if len(m.values) == maxRemembered {
		delete(m.values, m.order[m.next])
	}
	m.values[hash] = v
	m.order[m.next] = hash
	m.next = (m.next + 1) % maxRemembered
}
