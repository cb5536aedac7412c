package pki

import (
	"errors"
	"fmt"
)

// Trust is what a node holds against a leaf to know a member from a stranger. It is immutable: a change makes a new one.
type Trust struct {
	Genesis  Genesis
	MinEpoch map[ID]uint64 // leaves of an older epoch are revoked; nobody writes to it after the Trust is published
}

// A Member is somebody whose leaf and chain were judged good.
type Member struct {
	ID    ID
	Chain Chain
	Leaf  LeafClaims
}

// Mode is the member's mode.
func (m Member) Mode() Mode { return m.Chain.Mode() }

// ErrStranger is a node that is no member: its chain is missing, broken or another network's, or its leaf was revoked.
// Nothing was changed.
var ErrStranger = errors.New("not a member of this network")

// A RevokedLeaf is why a member is a stranger for now: its leaf is of an epoch that it revoked itself. With a later one it is a
// member again.
type RevokedLeaf struct{ Epoch, Lowest uint64 }

// Error says which epoch, and which would do.
func (e *RevokedLeaf) Error() string {
	return fmt.Sprintf("leaf epoch %d is revoked, %d is the lowest accepted", e.Epoch, e.Lowest)
}

// Judge tells a member from a stranger. The claims must come from VerifyLeaf.
func (t *Trust) Judge(c LeafClaims) (Member, error) { return t.JudgeWith(c, VerifyChain) }

// JudgeWith is Judge with another way to VerifyChain: one that remembers.
func (t *Trust) JudgeWith(c LeafClaims, verify func([]byte, Genesis) (Chain, error)) (Member, error) {
	if t == nil || t.Genesis.IsZero() {
		return Member{}, fmt.Errorf("%w: this node has no network", ErrStranger)
	}
	network := t.Genesis.Network()
	if c.Network != network {
		return Member{}, fmt.Errorf("%w: its leaf is for another network", ErrStranger)
	}
	chain, err := verify(c.Chain, t.Genesis)
	if err != nil {
		return Member{}, fmt.Errorf("%w: %w", ErrStranger, err)
	}
	if chain.Subject() != c.Key {
		return Member{}, fmt.Errorf("%w: the chain is %s's", ErrStranger, chain.Subject().ID().Short())
	}
	if min := t.MinEpoch[c.ID]; c.Epoch < min {
		return Member{}, fmt.Errorf("%w: %w", ErrStranger, &RevokedLeaf{Epoch: c.Epoch, Lowest: min})
	}
	return Member{ID: c.ID, Chain: chain, Leaf: c}, nil
}
