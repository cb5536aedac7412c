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
		c.view(n)
	}
}

// A sight is one entry of a view as it was when it was looked at last. What has not changed since is as right or wrong as it was then: the
// age that is held and the truth grow alike.
type sight struct {
	entry   *view.Entry
	contact *view.Contact // which never changes
	subject *node
	beat    uint64
	born    time.Duration // when the beat seems to have been made
	madeOf  uint64        // of the subject
	state   view.State
	drifts  bool // of the world
	checks  int  // how many it was held to; none where one failed
}

// view holds a node's view to the truth. Its entries are ordered, and so is what was seen of them.
func (c *checks) view(n *node) {
	before, k := n.sights, 0
	now := n.sightsRoom[:0]
	for _, e := range n.machine.Entries() {
		for k < len(before) && before[k].entry != e && before[k].contact.ID.Compare(e.ID) < 0 {
			k++
		}
		s := sight{entry: e}
		if k < len(before) && before[k].entry == e {
			s = before[k]
			k++
		}
		c.entry(n, &s)
		now = append(now, s)
	}
	n.sights, n.sightsRoom = now, before
}

// entry holds one entry to the truth, where anything has changed.
func (c *checks) entry(n *node, was *sight) {
	e := was.entry
	is := sight{e, e.Contact, was.subject, e.BeatSequence, e.Born().Sub(epoch), 0, e.State, n.w.drifts, was.checks}
	if is.contact != was.contact {
		is.subject = n.w.byID[e.ID]
	}
	if is.madeOf = is.subject.madeOf; is == *was && is.checks > 0 {
		c.done += is.checks
		return
	}
	done, failed := c.done, c.failed
	c.version(n, is.subject, e)
	c.age(n, is.subject, e)
	if is.checks = c.done - done; c.failed > failed {
		is.checks = 0
	}
	*was = is
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
