// Package view holds what this node knows of its peers, within bounds.
package view

import (
	"bytes"
	"time"

	"github.com/g2g-net/g2g/pki"
)

// Bounds of a contact. wire refuses what is over them.
const (
	MaxAddresses = 16
	MaxServices  = 64
	MaxServes    = 64
	// MinPeriod and MaxPeriod bound the declared time between beats.
	MinPeriod = 10 * time.Millisecond
	MaxPeriod = 24 * time.Hour
)

// A Contact is the slow record that a peer seals about itself. It is immutable once made, and passed by pointer. What is asked for
// with every beat stands first.
//
//  1. wire has verified its seal, its chain (whose subject is Key) and every bound; view checks none of them again.
//  2. ID is Key's. Mode is the chain's.
//  3. Sequence grows at each change and is kept on disk by its owner.
type Contact struct {
	ID          pki.ID
	Incarnation uint64
	proofs      *proofs  // nil outside of simulations
	located     *Located // likewise
	NotAfter    int64    // Unix seconds, checked with pki.Tolerance; afterwards the contact is no longer believed
	Sequence    uint64
	Period      time.Duration // declared time between beats
	Key         pki.Key
	Name        string
	Mode        pki.Mode
	Epoch       uint64
	MinEpoch    uint64
	Anchor      Link
	Addresses   []string     // Gossip addresses, host:port
	Services    []string     // shared rendezvous addresses, host:port
	Serves      []string     // full names of the gRPC services on its Gossip port, ordered
	Chain       pki.Chain    // zero only in the contact of a joiner
	Left        bool         // its owner said goodbye
	Sealed      pki.Envelope // as sent, to be relayed
}

// Located is where a contact's owner can be reached, and the hash of the chain that was verified with it: what is kept of a member that is
// not in the view. It is immutable.
type Located struct {
	ID        pki.ID
	Addresses []string
	Chain     [32]byte // pki.Chain.Hash: its seals need not be verified again; zero where none was
}

// Located is that of the contact's owner.
func (c *Contact) Located() *Located {
	if c.located != nil {
		return c.located
	}
	return &Located{c.ID, c.Addresses, c.Chain.Hash()}
}

// Share has all holders of this contact keep one Located, and take a link of its ladder that one of them has proved without another hash. It
// is for simulations, in which thousands hold one contact in one goroutine, and prove each link thousands of times.
func (c *Contact) Share() { c.proofs, c.located = new(proofs), c.Located() }

// low is what a digest carries of the sequence.
func (c *Contact) low() uint32 { return uint32(c.Sequence) } //nolint:gosec // low bits are meant

// same tells whether two contacts of equal sequence are one.
func (c *Contact) same(other *Contact) bool {
	return c == other || bytes.Equal(c.Sealed.Payload, other.Sealed.Payload)
}

// Size bounds what the contact takes in a message, in bytes.
func (c *Contact) Size() int {
	return len(c.Sealed.Payload) + len(c.Sealed.Key) + len(c.Sealed.Seal) + envelopeFrame
}

// envelopeFrame is what a message adds to an envelope's three parts: tags and lengths.
const envelopeFrame = 16

// Expired tells whether the contact is past its life at now.
func (c *Contact) Expired(now time.Time) bool {
	return now.Add(-pki.Tolerance).Unix() > c.NotAfter
}

// Current tells whether the contact may be passed on at now: everybody whose clock is within pki.Tolerance still takes it.
func (c *Contact) Current(now time.Time) bool { return now.Unix() <= c.NotAfter }
