package gossip

import (
	"time"

	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

// Receive answers a request of a member, whose mode the authorisation table has matched with the kind of request.
func (m *Machine) Receive(now time.Time, from pki.ID, req Message) Message {
	m.tick(now)
	m.speaks(now, from, false)
	if e := m.view.Get(from); e != nil && (e.Unreachable || e.State == view.Dead) {
		m.showLife(now)
	}
	switch req := req.(type) {
	case JoinRequest:
		return m.receiveJoin(now, from, req)
	case ExchangeRequest:
		return m.receiveExchange(now, from, req)
	case PushRequest:
		m.learnAll(now, from, req.Contacts)
		m.hearAll(now, from, false, req.Beats, nil, req.Contacts)
		if req.Reached {
			m.vouched(req.Contacts)
		}
		if req.Parted {
			m.parted(now, from)
		}
		return PushResponse{}
	case ProbeRequest:
		return m.receiveProbe(now, from, req)
	case HintRequest:
		resp := m.receiveHint(now, from, req.Hints)
		resp.Hints = m.unsaid(now, from, req.Hints)
		return resp
	case PingRequest:
		return PingResponse{} // transport answers for this node, so that a round trip waits for no turn
	case NominationsRequest:
		start := m.cfg.Random.IntN(1 + len(m.nominations.entries))
		return NominationsResponse{Nominations: m.nominations.newerThan(req.Versions, start)}
	case SignatureRequest:
		return SignatureResponse{Full: m.said.full}
	}
	panic("gossip: wire let a message through that nobody can ask")
}

// Reply takes the answer to a call.
func (m *Machine) Reply(now time.Time, id uint64, resp Message) {
	m.tick(now)
	c := m.calls[id]
	if c == nil {
		return
	}
	delete(m.calls, id)
	m.accepted = true
	m.speaks(now, c.to, true)
	m.answered(c.to, c.begun)
	a := m.attempt(c.to)
	a.known = true
	m.timed(now, c)
	if a.failures > 0 { // a peer that has enough active ones keeps the time it was given
		a.failures, a.delay, a.next = 0, 0, time.Time{}
	}
	a.warm = true
	m.reached(now, c.to)
	switch resp := resp.(type) {
	case JoinResponse:
		a.joining = false
		m.joined(now, c, resp)
	case ExchangeResponse:
		a.exchanging = false
		m.exchanged(now, c, resp)
		m.held = c.held // nobody asks for it again
	case NominationsResponse:
		if m.takeNominations(now, resp.Nominations) == 0 {
			a.vain = [2]uint64{a.lastHash, m.nominations.hash}
		} else {
			m.stir(now)
		}
	case ProbeResponse:
		m.probed(now, c, resp)
	case HintResponse:
		m.hinted(now, c, c.req.(HintRequest), resp)
	case PingResponse:
		m.pinged(now, c.to, resp.RTTs)
	case ReachResponse:
		m.reachable(now, c.req.(ReachRequest).Address, resp.Error)
	}
	m.concludeAll(now)
	m.askWaiting(now)
}

// Fail takes note of how a call failed.
func (m *Machine) Fail(now time.Time, id uint64, how Failure) {
	m.tick(now)
	c := m.calls[id]
	if c == nil {
		return
	}
	delete(m.calls, id)
	a := m.attempt(c.to)
	switch req := c.req.(type) {
	case JoinRequest:
		a.joining = false
	case ExchangeRequest:
		a.exchanging = false
		a.broughtNothing()
	case ReachRequest:
		m.reachable(now, req.Address, "no answer")
	case PingRequest:
		m.pinged(now, c.to, nil)
	}
	a.warm = false
	if how == Unanswered && (c.begun.Before(m.awoke) || m.strained()) {
		a.next = now.Add(m.spread(firstRetry))
		m.failed(now, c, how)
		return // this node slept meanwhile, or may have
	}
	a.failures++
	a.delay = min(max(m.firstRetry(how), 2*a.delay), lastRetry)
	a.next = now.Add(m.spread(a.delay))
	m.failed(now, c, how)
	if a.failures >= failuresAllowed || how != Unanswered {
		m.unreached(now, c.to)
	}
	if _, join := c.req.(JoinRequest); join && how == Absent {
		m.dialNext(now, a.next)
	}
	m.askWaiting(now)
}

// spread draws a wait around d, so that many nodes do not dial at one instant.
func (m *Machine) spread(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.5 + m.cfg.Random.Float64()))
}

func (m *Machine) reached(now time.Time, id pki.ID) {
	if e := m.view.Get(id); e != nil && e.Unreachable {
		m.showLife(now)
		e.Unreachable = false
		m.reorder()
		m.notice(KindReachable, Info, id, "a connection works again")
		m.regain(now, e)
	}
}

func (m *Machine) unreached(now time.Time, id pki.ID) {
	e := m.view.Get(id)
	if e == nil {
		m.deactivate(id)
		return
	}
	m.lose(e)
	if !e.Unreachable && !e.State.Fallen() {
		e.Unreachable, e.UnreachedAt, m.unreachable = true, now, true
		m.reorder()
		m.notice(KindUnreached, Warning, id, "no connection from here: tried %v", e.Addresses)
	}
}
