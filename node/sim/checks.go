package sim

import (
	"fmt"
	"time"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/view"
)

const (
	// watchedNodes are those whose whole view is checked at every look: all of a small network, a sample of a large one.
	watchedNodes = 100
	// maxFailures bounds how many failed checks are kept in words. All are counted.
	maxFailures = 10
	// youth is how much younger a peer may seem than it is: what its beats lost on the way, at most a call's time at a hop.
	youth = 20 * time.Second
)

// checks is what must be so at any time, whatever breaks.
type checks struct {
	done     int
	failed   int
	failures []string
	also     func(gossip.Message) // sees every message, for tests
}

// A version is what must never go back.
type version struct{ contact, incarnation, beat uint64 }

func (c *checks) fail(n *node, format string, args ...any) {
	c.failed++
	if len(c.failures) < maxFailures {
		c.failures = append(c.failures, fmt.Sprintf("%s: %s %s", time.Duration(n.w.now), n.name, fmt.Sprintf(format, args...)))
	}
}

// ok counts a check. What is said of one that failed is made only then: there are millions.
func (c *checks) ok(is bool) bool {
	c.done++
	return is
}

// own holds what is saved to never going back.
func (c *checks) own(n *node, was, is gossip.Own) {
	if !c.ok(is.Sequence >= was.Sequence && is.Incarnation >= was.Incarnation && is.Epoch >= was.Epoch && is.MinEpoch >= was.MinEpoch) {
		c.fail(n, "saves %+v after %+v", is, was)
	}
}

// message holds what leaves a machine to what every gate lets in, and to what is on the disk.
func (c *checks) message(n *node, m gossip.Message) {
	if c.also != nil {
		c.also(m)
	}
	switch m := m.(type) {
	case gossip.JoinRequest:
		c.contacts(n, []*view.Contact{m.Contact}, 1)
	case gossip.JoinResponse:
		c.contacts(n, []*view.Contact{m.Contact}, 1)
		c.contacts(n, m.Contacts, gossip.MaxIntroduced)
	case gossip.ExchangeRequest:
		if !c.ok(len(m.Digest) <= gossip.MaxDigest) {
			c.fail(n, "sends a digest of %d", len(m.Digest))
		}
		c.beats(n, m.Beats, len(m.Digest))
	case gossip.ExchangeResponse:
		c.contacts(n, m.Contacts, gossip.MaxContacts)
		c.beats(n, m.Beats, gossip.MaxDigest+len(m.Contacts))
	case gossip.PushRequest:
		c.contacts(n, m.Contacts, gossip.MaxPushed)
		c.beats(n, m.Beats, len(m.Contacts))
	}
}

func (c *checks) contacts(n *node, contacts []*view.Contact, bound int) {
	if !c.ok(len(contacts) <= bound) {
		c.fail(n, "sends %d contacts where %d are allowed", len(contacts), bound)
	}
	for _, told := range contacts {
		if !c.ok(told.ID != n.id || told.Sequence <= n.disk.Own.Sequence) {
			c.fail(n, "tells its sequence %d, saved is %d", told.Sequence, n.disk.Own.Sequence)
		}
	}
}

func (c *checks) beats(n *node, beats []gossip.IndexedBeat, places int) {
	if !c.ok(len(beats) <= gossip.MaxBeats) {
		c.fail(n, "sends %d beats", len(beats))
	}
	for _, b := range beats {
		if !c.ok(b.Index >= 0 && b.Index < places && b.Sequence > 0 && b.Sequence <= view.LadderLength) {
			c.fail(n, "sends beat %d at place %d of %d", b.Sequence, b.Index, places)
		}
	}
}

// look holds the views of the watched nodes to the truth.
func (c *checks) look(w *world) {
	for _, n := range w.nodes[:min(watchedNodes, len(w.nodes))] {
		if !n.up() {
			continue
		}
		if !c.ok(len(n.machine.ActivePeers()) <= gossip.MaxActive) {
			c.fail(n, "has %d active peers", len(n.machine.ActivePeers()))
		}
		if !c.ok(len(n.machine.Reserve()) <= gossip.MaxReserve) {
			c.fail(n, "has %d in reserve", len(n.machine.Reserve()))
		}
		if missing := len(w.nodes) - len(n.seen); missing > 0 {
			n.seen = append(n.seen, make([]version, missing)...)
		}
		for _, e := range n.machine.Entries() {
			subject := w.byID[e.ID]
			c.version(n, subject, e)
			c.age(n, subject, e)
		}
	}
}

func (c *checks) version(n, subject *node, e *view.Entry) {
	was, is := n.seen[subject.index], version{e.Sequence, e.Incarnation, e.BeatSequence}
	back := is.contact < was.contact || is.incarnation < was.incarnation || is.incarnation == was.incarnation && is.beat < was.beat
	if !c.ok(!back) {
		c.fail(n, "goes back with %s from %+v to %+v", subject.name, was, is)
	}
	n.seen[subject.index] = is
}

// age: nobody seems younger than it is by more than its beats lost on the way, and nobody older. Clocks that run too fast or
// too slow measure something else.
func (c *checks) age(n, subject *node, e *view.Entry) {
	w := n.w
	if e.BeatSequence == 0 || e.State == view.Unheard || e.Incarnation != subject.madeOf || w.drifts {
		return
	}
	if e.BeatSequence > uint64(len(subject.made)) {
		if !c.ok(false) {
			c.fail(n, "holds beat %d of %s, which has made %d", e.BeatSequence, subject.name, len(subject.made))
		}
		return
	}
	age, truth := e.Age(n.clock()), time.Duration(w.now-subject.made[e.BeatSequence-1])
	if !c.ok(age <= truth && age >= truth-youth) {
		c.fail(n, "holds %s for %s old, the truth is %s", subject.name, age, truth)
	}
}
