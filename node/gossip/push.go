package gossip

import (
	"slices"
	"time"

	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

// pending is a contact that waits to be pushed.
type pending struct {
	id pki.ID
	by []pki.ID // active peers that told it meanwhile
}

// queue tells a contact, with its beat, to others within pushDelay.
func (m *Machine) queue(now time.Time, id pki.ID) {
	if m.mode() == pki.Client || len(m.pending) >= maxPending {
		return
	}
	for _, p := range m.pending {
		if p.id == id {
			return
		}
	}
	m.pending = append(m.pending, pending{id: id})
	if m.nextPush.IsZero() {
		m.nextPush = latest(now.Add(pushDelay), m.lastPush.Add(pushSpacing))
	}
}

// toldBy notes who told a contact as it is known here: it need not be told. The peer that the contact is of is told all the same: that
// call shows whether it can be reached from here.
func (m *Machine) toldBy(from, id pki.ID) {
	if from == id {
		return
	}
	for i := range m.pending {
		if p := &m.pending[i]; p.id == id && m.Active(from) && !slices.Contains(p.by, from) {
			p.by = append(p.by, from)
		}
	}
}

// news is a contact that is pushed now.
type news struct {
	pending
	entry *view.Entry
}

// push sends what is pending to fanOut active peers, but to none what it told itself.
func (m *Machine) push(now time.Time) {
	m.nextPush, m.lastPush = time.Time{}, now
	var told []news
	n, bytes := 0, MaxContactBytes
	for _, p := range m.pending {
		e := m.ownEntry()
		if p.id != m.ID() {
			e = m.view.Get(p.id)
		}
		if e == nil || e.State == view.Dead || e.State == view.Unheard || !e.Current(now) {
			n++
			continue
		}
		if bytes -= e.Size(); bytes < 0 || len(told) == MaxPushed {
			break
		}
		n++
		told = append(told, news{p, e})
	}
	m.pending = m.pending[n:]
	if len(m.pending) > 0 {
		m.nextPush = now.Add(pushDelay)
	}
	if len(told) == 0 {
		return
	}
	for _, id := range m.pushTo(now) {
		if req := newsFor(now, id, told); len(req.Contacts) > 0 {
			m.send(now, id, req)
		}
	}
}

// newsFor is the push to one peer.
func newsFor(now time.Time, to pki.ID, told []news) (req PushRequest) {
	for _, t := range told {
		if e := t.entry; !slices.Contains(t.by, to) {
			if e.BeatSequence > 0 && e.State != view.Left {
				req.Beats = append(req.Beats, IndexedBeat{Index: len(req.Contacts), Contact: uint16(e.Sequence), Beat: e.Beat(now)}) //nolint:gosec // low bits are meant
			}
			req.Contacts = append(req.Contacts, e.Contact)
		}
	}
	return req
}

// pushTo draws fanOut active peers, first among those that answered a call of this node's: a connection to the others would
// have to be made first, and while a network starts all at once that is what costs most.
func (m *Machine) pushTo(now time.Time) []pki.ID {
	drawn := make([]pki.ID, 0, len(m.active))
	for _, k := range m.cfg.Random.Perm(len(m.active)) {
		drawn = append(drawn, m.active[k])
	}
	slices.SortStableFunc(drawn, func(a, b pki.ID) int { return coldness(m.attempt(a)) - coldness(m.attempt(b)) })
	drawn = drawn[:min(fanOut, len(drawn))]
	if m.busy(now) && len(drawn) > 0 && m.attempt(drawn[0]).warm {
		drawn = slices.DeleteFunc(drawn, func(id pki.ID) bool { return !m.attempt(id).warm })
	}
	return drawn
}

func coldness(a *attempt) int {
	if a.warm {
		return 0
	}
	return 1
}
