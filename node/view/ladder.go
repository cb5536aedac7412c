package view

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"github.com/g2g-net/g2g/pki"
)

const (
	// LadderLength is how many beats one contact can prove. The next needs a new ladder, so a new contact.
	LadderLength = 4096
	rungSpacing  = 64
)

// A Link proves one beat: hashed as often as the beat's sequence says, it gives the anchor in the sealed contact (a hash
// chain after Lamport, Password authentication with insecure communication, CACM 1981).
type Link [16]byte

// next is one step towards the anchor.
func (l Link) next(id pki.ID, incarnation uint64) Link {
	var b [len("g2g/ladder/v1") + 32 + 8 + 16]byte
	n := copy(b[:], "g2g/ladder/v1")
	n += copy(b[n:], id[:])
	binary.BigEndian.PutUint64(b[n:], incarnation)
	copy(b[n+8:], l[:])
	sum := sha256.Sum256(b[:])
	return Link(sum[:16])
}

// steps hashes the link n times.
func (l Link) steps(id pki.ID, incarnation, n uint64) Link {
	for range n {
		l = l.next(id, incarnation)
	}
	return l
}

// A Ladder is the owner's side: it can make every link from 1 to LadderLength. It keeps one rung in rungSpacing.
type Ladder struct {
	id          pki.ID
	incarnation uint64
	rungs       [LadderLength/rungSpacing + 1]Link // rungs[i] is the link of sequence i*rungSpacing; rungs[0] is the anchor
	near        [rungSpacing]Link                  // those up to rung above
	above       uint64                             // 0 before the first
}

// NewLadder draws a ladder. The randomness must be the system's outside of tests and simulations.
func NewLadder(random io.Reader, id pki.ID, incarnation uint64) (*Ladder, error) {
	l := &Ladder{id: id, incarnation: incarnation}
	top := &l.rungs[len(l.rungs)-1]
	if _, err := io.ReadFull(random, top[:]); err != nil {
		return nil, fmt.Errorf("draw ladder: %w", err)
	}
	for i := len(l.rungs) - 2; i >= 0; i-- {
		l.rungs[i] = l.rungs[i+1].steps(id, incarnation, rungSpacing)
	}
	return l, nil
}

// Anchor is what the contact carries.
func (l *Ladder) Anchor() Link { return l.rungs[0] }

// Link proves the sequence, which is 1 to LadderLength. The links below one rung are made together: their owner goes up one by one.
func (l *Ladder) Link(sequence uint64) Link {
	above := (sequence + rungSpacing - 1) / rungSpacing
	if l.above != above {
		l.above = above
		link := l.rungs[above]
		for i := len(l.near) - 1; i >= 0; i-- {
			l.near[i] = link
			link = link.next(l.id, l.incarnation)
		}
	}
	return l.near[(sequence-1)%rungSpacing]
}

// A Beat is the fast record of a peer's progress, as it travels beside the version of a contact. Only publishing a signature
// makes a new one.
type Beat struct {
	Sequence uint64 // 1 to LadderLength
	Age      time.Duration
	Link     Link
}

// proofs are those links of one contact's ladder that were proved last, each at its sequence modulo their number.
type proofs [256]proof

type proof struct {
	sequence uint64 // 0 for none
	link     Link
}

// Proved takes the owner's own link for proved, where proofs are shared.
func (c *Contact) Proved(b Beat) {
	if c.proofs != nil {
		*c.proofs.at(b) = proof{b.Sequence, b.Link}
	}
}

// at is where a beat's proof would be.
func (p *proofs) at(b Beat) *proof { return &p[b.Sequence%uint64(len(p))] }

// proves tells whether a beat's link leads to the last one that was held, and so to the anchor.
func (e *Entry) proves(b Beat) bool {
	if e.proofs != nil && *e.proofs.at(b) == (proof{b.Sequence, b.Link}) {
		return true
	}
	if b.Link.steps(e.ID, e.Incarnation, b.Sequence-e.BeatSequence) != e.link {
		return false
	}
	e.Proved(b)
	return true
}
