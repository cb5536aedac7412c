package gossip

import (
	"slices"
	"time"

	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

// Active tells whether a connection to the peer is kept warm.
func (m *Machine) Active(id pki.ID) bool {
	return m.link(id) != nil
}

// ascending is an ordered list that is asked for IDs in their order: it goes along with the view in one walk.
type ascending []pki.ID

func (a *ascending) has(id pki.ID) bool {
	for len(*a) > 0 {
		c := (*a)[0].Compare(id)
		if c >= 0 {
			return c == 0
		}
		*a = (*a)[1:]
	}
	return false
}

// A link is what is looked up of an active peer, so that nobody has to again and again.
type link struct {
	attempt *attempt    // which stands as long as the peer is active
	entry   *view.Entry // as it was looked up last

	heard    time.Time // when the peer last asked or answered, or was asked because it had not
	told     time.Time // the same of its own beat
	answered time.Time // the same of answers alone: its questions do not show that it can be reached from here
}

// link is that with an active peer, or nil. It is good until the next peer comes or goes.
func (m *Machine) link(id pki.ID) *link {
	if i, ok := slices.BinarySearchFunc(m.active, id, pki.ID.Compare); ok {
		return &m.links[i]
	}
	return nil
}

// linked is what the view holds of the active peer at a place, or nil.
func (m *Machine) linked(i int) *view.Entry {
	l := &m.links[i]
	if l.entry = m.view.Still(l.entry); l.entry == nil {
		l.entry = m.view.Get(m.active[i])
	}
	return l.entry
}

func (m *Machine) activate(id pki.ID) {
	i, ok := slices.BinarySearchFunc(m.active, id, pki.ID.Compare)
	if ok {
		return
	}
	a := m.attempt(id)
	a.mutual = false
	m.active = slices.Insert(m.active, i, id)
	m.links = slices.Insert(m.links, i, link{attempt: a, heard: m.spoken, told: m.spoken, answered: m.spoken})
	m.distances.active = time.Time{} // it is measured soon
	if e := m.view.Get(id); e != nil {
		e.Active = true
	}
}

func (m *Machine) deactivate(id pki.ID) {
	i, ok := slices.BinarySearchFunc(m.active, id, pki.ID.Compare)
	if !ok {
		return
	}
	m.active = slices.Delete(m.active, i, i+1)
	m.links = slices.Delete(m.links, i, i+1)
	if e := m.view.Get(id); e != nil {
		e.Active = false
	}
}

// unlink makes those active no more that the view does not hold, such as one that never beat.
func (m *Machine) unlink() {
	for i := len(m.active) - 1; i >= 0; i-- {
		if m.linked(i) == nil {
			m.deactivate(m.active[i])
		}
	}
}

// lose makes a peer active no more that cannot be told so, since it does not answer: it may have this node active all the while.
func (m *Machine) lose(e *view.Entry) {
	if m.Active(e.ID) {
		m.attempt(e.ID).lost = e.Incarnation
	}
	m.deactivate(e.ID)
}

// regain makes a peer that was lost active again once it is there: it may not know that it was. Where there is no place for it any more
// it is told so. One that started anew knows nothing of the link.
func (m *Machine) regain(now time.Time, e *view.Entry) {
	a := m.attempts[e.ID]
	if a == nil || a.lost == 0 {
		return
	}
	had := a.lost
	a.lost = 0
	switch {
	case had != e.Incarnation || e.Mode != pki.Server || m.mode() != pki.Server || e.State.Fallen() || m.Active(e.ID):
	case len(m.active) < MaxActive:
		m.activate(e.ID)
		m.exchangeAtOnce(now, e.ID)
	default:
		m.part(now, e.ID)
	}
}

// part makes a peer active no more, and tells it: it would go on with what goes one way only.
func (m *Machine) part(now time.Time, id pki.ID) {
	m.deactivate(id)
	m.send(now, id, PushRequest{Parted: true})
}

// parted takes the word of a peer that it has this node active no more. It is not asked again for a while.
func (m *Machine) parted(now time.Time, from pki.ID) {
	if !m.Active(from) || m.mode() != pki.Server {
		return
	}
	m.deactivate(from)
	m.attempt(from).next = now.Add(m.spread(lastRetry))
	if len(m.active) < soonActive {
		m.seek(now)
	}
}

// claimed takes the word of a peer that it has this node active, and tells whether to refuse: links go both ways. One that is not known
// here is to join anew. One that cannot be reached from here, or is not believed to be back yet, keeps its link until that changes: it
// may have no other. The former is asked at once, since whatever lay between may be gone.
func (m *Machine) claimed(now time.Time, from pki.ID) (refused bool) {
	e := m.view.Get(from)
	switch {
	case m.mode() != pki.Server:
		return false
	case e == nil:
		return true
	case e.Mode != pki.Server || e.State.Fallen():
		return false
	case e.Unreachable:
		m.recall(now, e)
		return false
	}
	refused = !m.admitActive(now, from, false)
	m.attempt(from).mutual = !refused
	return refused
}

// confirmed takes from the answer to an exchange whether the link that this node claimed goes both ways.
func (m *Machine) confirmed(now time.Time, id pki.ID, resp ExchangeResponse) {
	if m.attempt(id).mutual = !resp.Passive; resp.Passive {
		m.parted(now, id)
	}
}

// recall asks a peer that speaks to this node, and could not be reached from here.
func (m *Machine) recall(now time.Time, e *view.Entry) {
	if a := m.attempt(e.ID); judgeable(e) && !a.joining && now.Sub(a.recalled) >= askSpacing {
		a.recalled = now
		m.sendProbe(now, e)
	}
}
