// Package wire turns protobuf messages into values that need no second look.
//
// It is the gate: whatever comes from outside is hostile until a function here has accepted it. Counts, lengths, addresses,
// seals and chains are checked; an error refuses the whole message and comes with no value. Only the link of a beat is
// left for the view to judge, which holds the ladder's last rung. docs/protocol.md names every bound.
package wire

import (
	"crypto/sha256"
	"sync"
	"sync/atomic"

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
//  1. What it remembers was verified here, or by this node in an earlier run (Recall), under a hash of all bytes that the
//     verification read: seeing the same bytes again costs no second verification and changes no outcome.
//  2. It remembers at most maxRemembered contacts, as many chains, and as many beginnings of chains; the oldest make place.
//  3. What depends on the clock is never remembered.
type Gate struct {
	genesis  pki.Genesis
	network  pki.NetworkID
	contacts memory[*view.Contact]
	chains   memory[pki.Chain]
	links    memory[struct{}] // beginnings of chains
	counts   struct{ contacts, chains, known atomic.Uint64 }
}

// Counts tells how often a gate verified, and how often it did not have to.
type Counts struct{ Contacts, Chains, Known uint64 }

// Counts is the state of now.
func (g *Gate) Counts() Counts {
	return Counts{Contacts: g.counts.contacts.Load(), Chains: g.counts.chains.Load(), Known: g.counts.known.Load()}
}

// NewGate makes the gate of the network that the genesis founds. The genesis must be verified.
func NewGate(genesis pki.Genesis) *Gate {
	return &Gate{genesis: genesis, network: genesis.Network()}
}

// VerifyChain is pki's, and remembers what it verified of the gate's own network.
func (g *Gate) VerifyChain(b []byte, genesis pki.Genesis) (pki.Chain, error) {
	if genesis.Network() != g.network {
		return pki.VerifyChain(b, genesis)
	}
	return g.chain(b)
}

// chain verifies a chain in the gate's network.
func (g *Gate) chain(b []byte) (pki.Chain, error) {
	hash := sha256.Sum256(b)
	if c, ok := g.chains.get(hash); ok {
		return c, nil
	}
	asked := links{memory: &g.links}
	c, err := pki.VerifyChainKnowing(b, g.genesis, &asked)
	if asked.unknown {
		g.counts.chains.Add(1)
	}
	if err == nil {
		g.chains.put(hash, c)
	}
	return c, err
}

// Recall takes the hash of a chain (pki.Chain.Hash) that a gate of this network verified in an earlier run: its seals are not verified
// again. It must come from where nobody else writes. Zero is no chain's.
func (g *Gate) Recall(chain [sha256.Size]byte) {
	if chain != [sha256.Size]byte{} {
		g.links.put(chain, struct{}{})
	}
}

// links are the beginnings of chains that were verified, as the verification of one chain asks for them.
type links struct {
	*memory[struct{}]
	unknown bool // it asked for one that was not there
}

// Known is for pki.Links.
func (l *links) Known(beginning [sha256.Size]byte) bool {
	_, ok := l.get(beginning)
	l.unknown = l.unknown || !ok
	return ok
}

// Verified is for pki.Links.
func (l *links) Verified(beginning [sha256.Size]byte) { l.put(beginning, struct{}{}) }

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
