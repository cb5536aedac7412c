package gossip

import (
	"errors"
	"fmt"
	"time"

	"github.com/g2g-net/g2g/node/signature"
	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

const (
	publishSpacing = 50 * time.Millisecond // between two signatures: half of the shortest signature.period
	summarySpacing = 2 * time.Second       // between two tellings of this node's signature to one peer
	lastSummary    = time.Minute           // the most that summarySpacing grows to with a peer that does not take it
)

// ErrHasty is a signature that was published too soon after the last one. Nothing was changed.
var ErrHasty = fmt.Errorf("a signature was published less than %s ago", publishSpacing)

// published is what this node last said of its data.
type published struct {
	signature.Signature
	version uint64
	short   *view.Summary // told to those that are exchanged with; nil before the first
	full    *view.Summary // told to who asks
}

// Publish says that this node has done its work once more, and what its data come to now. Nothing else advances its beat, where
// the machine is told OnlyPublish. The same signature as before is no news but the beat. An error means that nothing was changed.
// The sequence is that of the beat.
func (m *Machine) Publish(now time.Time, s signature.Signature) (sequence uint64, err error) {
	m.tick(now) // before together moves on what was due
	if err := m.publishSignature(now, s); err != nil {
		return 0, fmt.Errorf("publish signature: %w", err)
	}
	m.together(now)
	return m.beat.Sequence, nil
}

func (m *Machine) publishSignature(now time.Time, s signature.Signature) error {
	switch {
	case m.left:
		return errors.New("this node has said goodbye")
	case !m.published.IsZero() && now.Sub(m.published) < publishSpacing:
		return ErrHasty
	}
	if err := s.Check(); err != nil {
		return err
	}
	before := m.said
	if m.said.short == nil || !m.said.Equal(s) {
		if err := m.say(s); err != nil {
			return err
		}
	}
	if err := m.advanceBeat(now); err != nil {
		m.said = before
		return err
	}
	return nil
}

// say seals a signature of another content, in both forms.
func (m *Machine) say(s signature.Signature) error {
	next := published{Signature: s, version: m.said.version + 1}
	var err error
	if next.full, err = m.cfg.SealSummary(signature.Statement{Incarnation: m.own.Incarnation, Version: next.version, Signature: s}); err != nil {
		return err
	}
	next.short = next.full
	if short := s.Short(); short.IsShort() {
		next.short, err = m.cfg.SealSummary(signature.Statement{Incarnation: m.own.Incarnation, Version: next.version, Signature: short})
		if err != nil {
			return err
		}
	}
	m.said = next
	return nil
}

// summaryFor is this node's signature for a message to a peer that holds another one, where it is time to tell it. A client-mode member
// tells none: nobody compares with it.
func (m *Machine) summaryFor(now time.Time, to pki.ID, held uint64) *view.Summary {
	s := m.said.short
	if s == nil || held == s.Hash || m.mode() == pki.Client {
		return nil
	}
	a := m.attempt(to)
	wait := summarySpacing
	if a.toldSummary == s.Hash {
		wait = min(max(summarySpacing, 2*a.summaryWait), lastSummary)
	}
	if !a.toldAt.IsZero() && now.Sub(a.toldAt) < wait {
		return nil
	}
	a.toldSummary, a.toldAt, a.summaryWait = s.Hash, now, wait
	return s
}

// summaryTold takes what a partner says of its own signature, and which of this node's it holds. What it says of others' is not believed.
func (m *Machine) summaryTold(from pki.ID, s *view.Summary, held uint64) {
	m.attempt(from).summaryHeld = held
	if e := m.view.Get(from); e != nil && e.Mode == pki.Server && s != nil {
		e.TakeSummary(s)
	}
}

// heldSummary is the hash of a peer's signature that is held here.
func (m *Machine) heldSummary(id pki.ID) uint64 {
	if e := m.view.Get(id); e != nil {
		return e.SummaryHeld()
	}
	return 0
}

// distance is how far a peer's data are from this node's, as far as both have said.
func (m *Machine) distance(e *view.Entry) (d float64, comparable bool) {
	if m.said.short == nil || e.Summary == nil {
		return 0, false
	}
	return signature.Distance(m.said.short.Signature, e.Summary.Signature)
}
