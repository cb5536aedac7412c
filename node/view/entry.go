package view

import (
	"slices"
	"time"

	"github.com/g2g-net/g2g/pki"
)

// State is what this node holds of a peer.
type State uint8

// claimsKept is how many claims of a peer's age the median stands on.
const claimsKept = 9

// The states. Unheard is a peer whose contact came without a beat: it is on nobody's list yet.
const (
	Unheard State = iota
	Alive
	Late
	Dead
	Left
)

// String is the word for people and JSON.
func (s State) String() string {
	return [...]string{"unheard", "alive", "late", "dead", "left"}[s]
}

// Fallen tells the states that are no longer passed on as live.
func (s State) Fallen() bool { return s == Dead || s == Left }

// An Entry is one peer as this node knows it.
//
// What whole views are walked for stands first, in one line of the processor's cache.
type Entry struct {
	*Contact
	BeatSequence uint64    // of the last verified beat; 0 for none
	Seen         time.Time // when the last beat was first seen here, or the contact if there is none
	claimed      time.Duration
	low          uint32 // what a digest carries of the contact's sequence
	State        State
	Unreachable  bool
	Active       bool // an active peer of the owner's makes place for nobody
	heard        bool // a beat advanced since the entry was made
	gone         bool // the view holds it no more
	Instead      bool // it took the place of another in a full view, and no newer contact of it came since
	server       bool // as the contact says

	claimCount uint32
	usual      time.Duration             // the median of the claims; 0 without any
	link       Link                      // of the last beat; the anchor before the first
	Place      int                       // where else the peer is remembered, for whoever keeps that here; it may be wrong
	claims     [claimsKept]time.Duration // the latest that came with answers to this node's own calls
	ordered    [claimsKept]uint8         // their places, the smallest first

	Since        time.Time
	FirstSeen    time.Time
	LastExchange time.Time // zero for never
	Reason       string    // of a dead peer: stalled or silent
	UnreachedAt  time.Time // since when
	AliveHash    uint64    // of its alive set, when it was last told
	HashAt       time.Time
	Summary      *Summary // its newest signature, as it told it to this node; nil before that
	twig         *twig    // its place in the tree of admissions; nil where it is not among the servers
	beside       *Entry   // the next there
	minEpoch     uint64   // the highest that a contact of the peer named: it holds, whatever a restored backup says
	budget       float64  // of new contacts
	budgetAt     time.Time
}

// holds gives an entry its contact.
func (e *Entry) holds(c *Contact) { e.Contact, e.low, e.server = c, c.low(), c.Mode == pki.Server }

// Server tells whether the peer is in server mode.
func (e *Entry) Server() bool { return e.server }

// Age is the time since the peer's signature is known to have advanced.
func (e *Entry) Age(now time.Time) time.Duration { return now.Sub(e.Seen) + e.claimed }

// Relied notes that the claim of the last beat came with an answer to a call of this node's own. What others send unasked, as often
// as they like, says nothing about how long news takes to come.
func (e *Entry) Relied() {
	place := uint8(e.claimCount % claimsKept)
	last := min(int(e.claimCount), claimsKept-1)
	at := last
	if e.claimCount >= claimsKept {
		at = slices.Index(e.ordered[:], place) // of the oldest, which makes place
	}
	e.claims[place] = e.claimed
	e.claimCount++
	for ; at > 0 && e.claims[e.ordered[at-1]] > e.claimed; at-- {
		e.ordered[at] = e.ordered[at-1]
	}
	for ; at < last && e.claims[e.ordered[at+1]] < e.claimed; at++ {
		e.ordered[at] = e.ordered[at+1]
	}
	e.ordered[at] = place
	e.usual = e.claims[e.ordered[(last+1)/2]]
}

// Completed is the age just before a newer beat is taken, as a sample of how old the peer gets while it is well: the time since the
// last one came, on this node's clock, and the median of what it took to come here. A relay that claims too much moves one of
// several claims.
func (e *Entry) Completed(now time.Time) time.Duration {
	return now.Sub(e.Seen) + e.usual
}

// Born is when the last beat was made, as far as its age tells: later than it was by the latency of its path.
func (e *Entry) Born() time.Time { return e.Seen.Add(-e.claimed) }

// Beat is the last verified beat as it is passed on at now.
func (e *Entry) Beat(now time.Time) Beat {
	return Beat{Sequence: e.BeatSequence, Link: e.link, Age: e.Age(now)}
}

// Touch reads what Advance and Relied will need. The number means nothing.
func (e *Entry) Touch() uint64 {
	return e.BeatSequence + uint64(e.link[0]) + uint64(e.claims[claimsKept-1]) + e.Incarnation //nolint:gosec // any number will do
}

// TouchProof reads what proves will need of a beat, where proofs are shared.
func (e *Entry) TouchProof(b Beat) uint64 {
	if e.proofs == nil {
		return 0
	}
	return e.proofs.at(b).sequence
}

// OwnEntry is the owner's own record in the form that a delta takes.
func OwnEntry(c *Contact, b Beat, published time.Time) Entry {
	e := Entry{BeatSequence: b.Sequence, link: b.Link, Seen: published, heard: true, State: Alive}
	e.holds(c)
	return e
}

// refilled is the peer's budget of new contacts: a token bucket of contactBurst, one more each contactSpacing.
func (e *Entry) refilled(now time.Time) float64 {
	return min(contactBurst, e.budget+now.Sub(e.budgetAt).Seconds()/contactSpacing.Seconds())
}
