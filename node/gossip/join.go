package gossip

import (
	"time"

	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

// receiveJoin answers a member that introduces itself.
func (m *Machine) receiveJoin(now time.Time, from pki.ID, req JoinRequest) Message {
	resp := JoinResponse{Contact: m.contact, Beat: m.ownBeat(now), Observed: req.Observed}
	if req.Contact.ID != from {
		return resp // wire has seen to it; a join introduces nobody else
	}
	if m.learn(now, from, req.Contact) == view.Full && (req.Urgent || req.Active && len(m.active) < MaxActive) {
		m.squeeze(now, from, req.Contact)
	}
	if req.Beat.Sequence > 0 {
		m.hear(now, from, false, from, IndexedBeat{Contact: uint16(req.Contact.Sequence), Beat: req.Beat}) //nolint:gosec // low bits are meant
		m.met(now, from, req.Beat)
	}
	if e := m.view.Get(from); e != nil {
		e.LastExchange = now
		resp.Active = req.Active && e.Mode == pki.Server && !e.State.Fallen() && m.admitActive(now, from, req.Urgent)
	}
	if req.Urgent {
		resp.Contacts = m.introduce(from) // others learn of peers by exchanges
	}
	return resp
}

// admitActive makes room for an active peer. One that has too few pushes out another.
func (m *Machine) admitActive(now time.Time, id pki.ID, urgent bool) bool {
	switch {
	case m.mode() != pki.Server:
		return false
	case m.Active(id) || len(m.active) < MaxActive:
	case urgent && !now.Before(m.nextUrgent):
		m.nextUrgent = now.Add(urgentSpacing) // so that many newcomers do not push out everybody else
		m.part(now, m.active[m.cfg.Random.IntN(len(m.active))])
	default:
		return false
	}
	m.activate(id)
	return true
}

// introduce draws other server-mode peers that are alive.
func (m *Machine) introduce(to pki.ID) (out []*view.Contact) {
	entries := m.view.Entries()
	for _, i := range m.cfg.Random.Perm(len(entries)) {
		e := entries[i]
		if e.ID != to && e.Mode == pki.Server && e.State == view.Alive && len(out) < MaxIntroduced && e.Current(m.nextLook) {
			out = append(out, e.Contact)
		}
	}
	return out
}

// joined takes the answer to a join.
func (m *Machine) joined(now time.Time, c *call, resp JoinResponse) {
	if m.left || resp.Contact.ID != c.to {
		return
	}
	m.observe(c.to, resp.Observed)
	m.learn(now, c.to, resp.Contact)
	if resp.Beat.Sequence > 0 {
		m.hear(now, c.to, true, c.to, IndexedBeat{Contact: uint16(resp.Contact.Sequence), Beat: resp.Beat}) //nolint:gosec // low bits are meant
		m.met(now, c.to, resp.Beat)
	}
	pending := len(m.pending)
	m.learnAll(now, c.to, resp.Contacts)
	m.oldNews(now, pending)
	e := m.view.Get(c.to)
	if e == nil {
		if resp.Active {
			m.part(now, c.to) // a full view has no place for it
		}
		return
	}
	e.LastExchange = now
	m.reached(now, c.to)
	a := m.attempt(c.to)
	switch {
	case m.mode() == pki.Client || resp.Active && !e.State.Fallen():
		if m.Active(c.to) || len(m.active) < MaxActive {
			m.activate(c.to)
		} else if m.mode() == pki.Server {
			m.part(now, c.to) // others came first
		}
	case len(m.active) < fewActive:
		a.next = now.Add(m.spread(firstRetry)) // it may only be slow to believe a contact that changes often
	default:
		a.next = now.Add(m.spread(lastRetry)) // it has enough; ask again later
	}
	m.exchangeAtOnce(now, c.to)
	if len(m.active) < soonActive {
		m.seek(now) // the next one, without waiting for a look
	}
}
