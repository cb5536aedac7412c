package node

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/transport"
	"github.com/g2g-net/g2g/pki"
)

// job is one thing for the loop to do. done is closed when its effects are on disk and its sends are under way. Whoever takes
// it first has it: the loop to run it, or its caller to give it up.
type job struct {
	run   func(now time.Time, m *gossip.Machine)
	taken atomic.Bool
	err   error
	done  chan struct{}
}

func (j *job) take() bool { return j.taken.CompareAndSwap(false, true) }

// do has the loop run f with the machine, nil without a network, and returns when what f caused is on disk. A full inbox is
// a refusal. Where the context ends first, f has not run and never will.
func (n *Node) do(ctx context.Context, f func(now time.Time, m *gossip.Machine)) error {
	j := &job{run: f, done: make(chan struct{})}
	select {
	case n.inbox <- j:
	default:
		return transport.ErrBusy
	}
	return n.await(ctx, j)
}

// doFor is do for a member's request, of which only so many may wait.
func (n *Node) doFor(ctx context.Context, member pki.ID, f func(now time.Time, m *gossip.Machine)) error {
	if !n.waiting.enter(member) {
		return transport.ErrBusy
	}
	defer n.waiting.leave(member)
	return n.do(ctx, f)
}

func (n *Node) await(ctx context.Context, j *job) error {
	select {
	case <-j.done:
		return j.err
	case <-ctx.Done():
		if j.take() {
			return ctx.Err()
		}
		<-j.done // its turn has begun
		return j.err
	case <-n.stopped:
		if j.take() {
			return fmt.Errorf("the node stops")
		}
		<-j.done
		return j.err
	}
}

// post is do for the node's own results: it waits for a place, since a result that is lost is a call that never ends.
func (n *Node) post(f func(now time.Time, m *gossip.Machine)) {
	j := &job{run: f, done: make(chan struct{})}
	select {
	case n.inbox <- j:
	case <-n.stopped:
	}
}

// offer is post for what may be lost: it does not wait for a place.
func (n *Node) offer(f func(now time.Time, m *gossip.Machine)) {
	select {
	case n.inbox <- &job{run: f, done: make(chan struct{})}:
	default:
	}
}

// loop owns the machine. Each turn: call it, then save, send and answer, publish, tell.
func (n *Node) loop(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for n.fatal == nil {
		timer.Reset(time.Until(n.deadline()))
		select {
		case j := <-n.inbox:
			n.work.jobs.Add(1)
			n.perform(j)
		case <-timer.C:
			n.work.timers.Add(1)
			n.advance()
		case <-ctx.Done():
			n.goodbye()
			return
		case <-n.stop:
			n.goodbye()
			return
		}
	}
}

func (n *Node) perform(j *job) {
	if !j.take() {
		return
	}
	now := time.Now()
	n.catchUp(now)
	j.run(now, n.machine)
	n.turn(j)
}

func (n *Node) deadline() time.Time {
	if n.machine == nil {
		return time.Now().Add(time.Hour)
	}
	d := n.rotateAt
	if m := n.machine.Deadline(); m.Before(d) {
		d = m
	}
	if at := n.orderAt.Add(orderSpacing); n.reordered && at.Before(d) {
		d = at
	}
	return d
}

func (n *Node) advance() {
	if n.machine == nil {
		return
	}
	now := time.Now()
	if now.Before(n.machine.Deadline()) && now.Before(n.rotateAt) {
		n.turn(nil) // for an order that waited
		return
	}
	n.catchUp(now)
	if !now.Before(n.rotateAt) {
		_ = n.rotate(now) // logged; it is tried again
	}
	n.machine.Advance(now)
	n.turn(nil)
	if !now.Before(n.hostsAt) {
		n.hostsAt = now.Add(hostsEvery)
		hosts := n.machine.Hosts()
		n.hosts.Store(&hosts)
		n.member.Load().pool.Sweep(idleConnection, n.machine.Warm)
	}
}

// turn performs what the machine has gathered. What cannot be saved must not be heard of: then the node stops, and neither this
// turn nor a later one is told to anybody.
func (n *Node) turn(j *job) {
	var effects gossip.Effects
	if n.machine != nil {
		effects = n.machine.Effects()
	}
	if n.fatal == nil && !effects.Save.IsZero() {
		n.work.saves.Add(1)
		n.fatal = n.dir.Save(effects.Save)
	}
	if n.fatal != nil {
		if j != nil {
			j.err = n.fatal
			close(j.done)
		}
		return
	}
	if effects.Trust {
		n.trust.Store(n.machine.Trust())
		n.enforce(n.machine.Trust())
	}
	n.reordered = n.reordered || effects.Order
	if now := time.Now(); n.reordered && now.Sub(n.orderAt) >= orderSpacing {
		n.publishOrder(now)
	}
	if n.machine != nil {
		n.contact.Store(n.machine.Contact())
		n.renew(time.Now())
	}
	for _, s := range effects.Sends {
		n.send(s)
	}
	for _, v := range effects.Visits {
		n.visit(v)
	}
	if j != nil {
		close(j.done)
	}
	n.turns.Add(1)
	n.sample()
	for _, notice := range effects.Notices {
		n.tell(notice)
	}
}

// sample keeps figures of the peers for who looks at the node later, in a turn that there is anyway.
func (n *Node) sample() {
	if now := time.Now(); n.machine != nil && n.past.Due(now) {
		n.readings = n.machine.Readings(now, n.readings)
		n.past.Add(now, n.readings)
	}
}

// enforce closes what the new Trust no longer allows.
func (n *Node) enforce(t *pki.Trust) {
	if m := n.member.Load(); m != nil {
		for id, epoch := range t.MinEpoch {
			m.registry.CloseBelow(id, epoch)
		}
	}
}

func (n *Node) tell(notice gossip.Notice) {
	if !n.worthTelling(&notice) {
		return
	}
	n.ring.Add(time.Now(), notice)
	level := slog.LevelInfo
	switch notice.Severity {
	case gossip.Warning:
		level = slog.LevelWarn
	case gossip.Error:
		level = slog.LevelError
	case gossip.Info:
	}
	args := []any{"detail", notice.Detail}
	if !notice.Peer.IsZero() {
		args = append(args, "peer", notice.Peer.Short(), "name", notice.Name)
	}
	n.log.Log(context.Background(), level, string(notice.Kind), args...)
}

// send performs a call in a goroutine of its own, of which there are at most maxSends. One that has performed one and rests takes the
// next: its stack has grown to what a call needs.
func (n *Node) send(s gossip.Send) {
	select {
	case n.sends <- struct{}{}:
	default:
		n.machine.Fail(time.Now(), s.Call, gossip.Declined) // this node's own fault, not the peer's
		return
	}
	select {
	case n.errands <- s:
	default:
		n.tasks.Go(func() { n.run(s) })
	}
}

// run performs a call, and then those that it is given, unless enough others rest.
func (n *Node) run(s gossip.Send) {
	for {
		n.call(s)
		select {
		case n.resting <- struct{}{}:
		default:
			return
		}
		select {
		case s = <-n.errands:
			<-n.resting
		case <-n.stopped:
			return
		}
	}
}

func (n *Node) call(s gossip.Send) {
	m, begun := n.member.Load(), time.Now()
	resp, err := m.ask(s)
	<-n.sends
	n.post(func(now time.Time, machine *gossip.Machine) {
		if err != nil {
			machine.Fail(now, s.Call, m.failure(s.To, begun, err))
			if transport.LeafRefused(err) {
				machine.LeafRefused(now)
			}
			n.log.Debug("call failed", "peer", s.To.Short(), "error", err)
			return
		}
		machine.Reply(now, s.Call, resp)
	})
}

// visit dials a service in a goroutine of its own.
func (n *Node) visit(v gossip.Visit) {
	m := n.member.Load()
	select {
	case n.sends <- struct{}{}:
	default:
		n.machine.VisitFailed(time.Now(), v.Address, "too many calls are under way")
		return
	}
	n.tasks.Go(func() {
		who, resp, err := n.visitAt(m, v)
		<-n.sends
		n.post(func(now time.Time, machine *gossip.Machine) {
			if err != nil {
				machine.VisitFailed(now, v.Address, err.Error())
				if transport.LeafRefused(err) {
					machine.LeafRefused(now)
				}
				return
			}
			machine.Visited(now, v.Address, who, resp)
		})
	})
}

// visitAt introduces this node to whoever stands behind a service, unless that is this very node.
func (n *Node) visitAt(m *member, v gossip.Visit) (who pki.ID, resp gossip.JoinResponse, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), v.Timeout)
	defer cancel()
	conn, who, err := transport.Visit(ctx, transport.PoolConfig{Source: doors{n}, Registry: m.registry, Dial: n.opt.Dial}, v.Address)
	if err != nil {
		return pki.ID{}, resp, err
	}
	defer func() { _ = conn.Close() }()
	if who == n.ID() {
		return who, resp, nil
	}
	answer, err := transport.Ask(ctx, conn, m.gate, v.Request)
	if err != nil {
		return pki.ID{}, resp, err
	}
	resp, ok := answer.(gossip.JoinResponse)
	if !ok {
		return pki.ID{}, resp, fmt.Errorf("a %T answers no join", answer)
	}
	return who, resp, nil
}

// goodbye tells the active peers, and waits a little for them to hear it.
func (n *Node) goodbye() {
	if n.machine == nil {
		return
	}
	n.machine.Leave(time.Now())
	n.turn(nil)
	limit := time.NewTimer(goodbyeTime)
	defer limit.Stop()
	for len(n.sends) > 0 && n.fatal == nil {
		select {
		case j := <-n.inbox:
			n.perform(j)
		case <-limit.C:
			return
		}
	}
}
