package gossip

import (
	"slices"
	"time"

	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

// maxAcquittals is how many wait to be told.
const maxAcquittals = 256

// An acquittal is the word for one who hinted at a peer that it answered here.
type acquittal struct{ to, of pki.ID }

// vindicate has those who hinted at a peer told that it answered. That somebody else brought its beat is not worth a message: it comes to
// them, too. What is found out in a short time goes together: when a trouble ends in which many were, all of them answer at once.
func (m *Machine) vindicate(now time.Time, e *view.Entry, hinters []pki.ID) {
	if m.left || m.mode() != pki.Server {
		return
	}
	for _, id := range hinters {
		if len(m.acquittals) < maxAcquittals && id != e.ID {
			m.acquittals = append(m.acquittals, acquittal{id, e.ID})
			m.hintSoon(now)
		}
	}
}

// acquit tells what has gathered, in as few messages as there are hearers.
func (m *Machine) acquit(now time.Time) {
	waiting := m.acquittals
	m.acquittals = nil
	for len(waiting) > 0 {
		first := waiting[0]
		req := PushRequest{Reached: true}
		var later []acquittal
		for _, a := range waiting {
			switch {
			case a.to != first.to:
				later = append(later, a)
			case !slices.ContainsFunc(req.Contacts, func(c *view.Contact) bool { return c.ID == a.of }):
				req.testify(now, m.view.Get(a.of))
			}
		}
		waiting = later
		if h := m.view.Get(first.to); len(req.Contacts) > 0 && h != nil && h.Mode == pki.Server && !h.State.Fallen() {
			m.send(now, first.to, req)
		}
	}
}

// testify adds a peer's newest beat, with the contact that it belongs to, as far as a message carries them.
func (r *PushRequest) testify(now time.Time, e *view.Entry) {
	if e == nil || e.State.Fallen() || e.BeatSequence == 0 || !e.Current(now) || len(r.Contacts) == MaxPushed || full(r.Contacts) {
		return
	}
	r.Beats = append(r.Beats, IndexedBeat{Index: len(r.Contacts), Contact: uint16(e.Sequence), Beat: e.Beat(now)}) //nolint:gosec // low bits are meant
	r.Contacts = append(r.Contacts, e.Contact)
}
