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

// loop owns the machine. Each turn: call it, then save, send and answer, publish, tell.
func (n *Node) loop(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for n.fatal == nil {
		timer.Reset(time.Until(n.deadline()))
		select {
		case j := <-n.inbox:
			n.perform(j)
		case <-timer.C:
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
	j.run(time.Now(), n.machine)
	n.turn(j)
}

func (n *Node) deadline() time.Time {
	if n.machine == nil {
		return time.Now().Add(time.Hour)
	}
	if d := n.machine.Deadline(); d.Before(n.rotateAt) {
		return d
	}
	return n.rotateAt
}

func (n *Node) advance() {
	if n.machine == nil {
		return
	}
	now := time.Now()
	if !now.Before(n.rotateAt) {
		n.rotate(now)
	}
	n.machine.Advance(now)
	n.turn(nil)
	if !now.Before(n.hostsAt) {
		n.hostsAt = now.Add(hostsEvery)
		hosts := n.machine.Hosts()
		n.hosts.Store(&hosts)
		n.member.Load().pool.Sweep(idleConnection, n.machine.Active)
	}
}

// turn performs what the machine has gathered. What cannot be saved must not be heard of: then the node stops.
func (n *Node) turn(j *job) {
	var effects gossip.Effects
	if n.machine != nil {
		effects = n.machine.Effects()
	}
	if !effects.Save.IsZero() {
		if err := n.dir.Save(effects.Save); err != nil {
			n.fatal = err
			if j != nil {
				j.err = err
				close(j.done)
			}
			return
		}
	}
	if effects.Trust {
		n.trust.Store(n.machine.Trust())
		n.enforce(n.machine.Trust())
	}
	if n.machine != nil {
		n.contact.Store(n.machine.Contact())
	}
	for _, s := range effects.Sends {
		n.send(s)
	}
	if j != nil {
		close(j.done)
	}
	n.turns.Add(1)
	for _, notice := range effects.Notices {
		n.tell(notice)
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

// send performs a call in a goroutine of its own, of which there are at most maxSends.
func (n *Node) send(s gossip.Send) {
	m := n.member.Load()
	select {
	case n.sends <- struct{}{}:
	default:
		n.machine.Fail(time.Now(), s.Call, false)
		return
	}
	n.tasks.Go(func() {
		resp, err := m.ask(s)
		<-n.sends
		n.post(func(now time.Time, machine *gossip.Machine) {
			if err != nil {
				machine.Fail(now, s.Call, transport.Refused(err))
				n.log.Debug("call failed", "peer", s.To.Short(), "error", err)
				return
			}
			machine.Reply(now, s.Call, resp)
		})
	})
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

// rotate begins a new epoch with a new leaf. Connections that are open keep the old one until they are renewed.
func (n *Node) rotate(now time.Time) {
	m := n.member.Load()
	epoch, err := n.machine.Rotate(now)
	n.turn(nil) // the epoch is on disk before a leaf carries it
	if err == nil && n.fatal == nil {
		err = n.mint(now, m.genesis, m.chain, epoch)
	}
	if err != nil {
		n.log.Error("rotate leaf", "error", err)
		n.rotateAt = now.Add(time.Minute)
	}
}

// A leaf is renewed at about two thirds of its life: from rotateFrom of it, rotateSpread more at most.
const (
	rotateFrom   = 0.62
	rotateSpread = 0.10
)

// mint makes the leaf of an epoch and sets the time of its renewal.
func (n *Node) mint(now time.Time, genesis pki.Genesis, chain pki.Chain, epoch uint64) error {
	leaf, err := pki.MintLeaf(n.opt.Random, n.identity, genesis.Network(), chain, epoch, now, n.cfg.Leaf.Life)
	if err != nil {
		return err
	}
	n.leaf.Store(leaf)
	var b [1]byte
	if _, err := n.opt.Random.Read(b[:]); err != nil {
		return err
	}
	n.rotateAt = now.Add(time.Duration(float64(n.cfg.Leaf.Life) * (rotateFrom + rotateSpread*float64(b[0])/255)))
	return nil
}
