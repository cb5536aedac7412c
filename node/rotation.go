package node

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/g2g-net/g2g/node/admin"
	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/transport"
	"github.com/g2g-net/g2g/pki"
)

// A leaf is renewed a little before two thirds of its life: from rotateFrom of it, rotateSpread more at most. So a healthy one never
// has less than a third left, 8 h of 24 h.
const (
	rotateFrom   = 0.56
	rotateSpread = 0.10
)

// rotate begins a new epoch with a new leaf. Connections that are open keep the old one until they are renewed.
func (n *Node) rotate(now time.Time) error {
	n.rotateAt = now.Add(time.Minute) // when it is tried again, if this fails
	if _, err := n.machine.Rotate(now); err != nil {
		n.log.Error("rotate leaf", "error", err)
		return fmt.Errorf("rotate leaf: %w", err)
	}
	n.turn(nil) // the epoch is on disk before a leaf carries it
	return n.fatal
}

// renew mints the leaf of the machine's epoch, if it is another than the leaf's in use: after a rotation, or after peers told this
// node, in a restored backup, of a later epoch than it knew.
func (n *Node) renew(now time.Time) {
	m, leaf, epoch := n.member.Load(), n.leaf.Load(), n.machine.Epoch()
	if m == nil || leaf == nil || leaf.Claims.Epoch == epoch {
		return
	}
	if err := n.mint(now, m.genesis, m.chain, epoch); err != nil {
		n.log.Error("mint leaf", "error", err)
		return
	}
	n.tell(gossip.Notice{Kind: gossip.KindRotated, Severity: gossip.Info, Detail: fmt.Sprintf("epoch %d", epoch)})
}

// mint makes the leaf of an epoch and sets the time of its renewal.
func (n *Node) mint(now time.Time, genesis pki.Genesis, chain pki.Chain, epoch uint64) error {
	leaf, err := pki.MintLeaf(n.opt.Random, n.identity, genesis.Network(), chain, epoch, now, n.cfg.Load().Leaf.Life)
	if err != nil {
		return err
	}
	n.leaf.Store(leaf)
	var b [1]byte
	if _, err := n.opt.Random.Read(b[:]); err != nil {
		return err
	}
	n.rotateAt = now.Add(time.Duration(float64(n.cfg.Load().Leaf.Life) * (rotateFrom + rotateSpread*float64(b[0])/255)))
	return nil
}

// Rotate renews the leaf now. With revoke every older leaf of this node is refused from then on, on open connections too: the
// peers of the client set are shown the new leaf first, so that none of them loses this node.
func (n *Node) Rotate(ctx context.Context, revoke bool) (admin.Rotated, error) {
	m := n.member.Load()
	if m == nil {
		return admin.Rotated{}, fmt.Errorf("rotate: %w", ErrNoNetwork)
	}
	var fault error
	err := n.do(ctx, func(now time.Time, _ *gossip.Machine) { fault = n.rotate(now) })
	if err != nil || fault != nil {
		return admin.Rotated{}, fmt.Errorf("rotate: %w", firstOf(err, fault))
	}
	out := admin.Rotated{Leaf: n.leaf.Load().Claims}
	if !revoke {
		return out, nil
	}
	out.Redialled = n.redial(ctx, m)
	err = n.do(ctx, func(now time.Time, machine *gossip.Machine) {
		fault = machine.RevokeLeaves(now)
		out.MinEpoch = machine.Contact().MinEpoch
	})
	if err != nil || fault != nil {
		return admin.Rotated{}, fmt.Errorf("rotate: revoke: %w", firstOf(err, fault))
	}
	return out, nil
}

func firstOf(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// redial makes a new handshake with every peer of the client set, and counts those that answered over it.
func (n *Node) redial(ctx context.Context, m *member) int {
	ctx, cancel := context.WithTimeout(ctx, gossip.CallTimeout)
	defer cancel()
	var answered atomic.Int64
	var wait sync.WaitGroup
	for _, c := range m.pool.Clients() {
		m.pool.Redial(c.ID)
		wait.Go(func() {
			if _, err := n.pingOnce(ctx, m, c.ID); err == nil {
				answered.Add(1)
			}
		})
	}
	wait.Wait()
	return int(answered.Load())
}

// pingOnce times one call to a peer of the view.
func (n *Node) pingOnce(ctx context.Context, m *member, id pki.ID) (time.Duration, error) {
	var addresses []string
	if err := n.do(ctx, func(_ time.Time, machine *gossip.Machine) { addresses = machine.Addresses(id) }); err != nil {
		return 0, err
	}
	conn, err := m.pool.Conn(id, addresses)
	if err != nil {
		return 0, err
	}
	return transport.Ping(ctx, conn)
}

// Ping measures the round trip to a peer count times. The first call makes the connection warm and is not told.
func (n *Node) Ping(ctx context.Context, id pki.ID, count int, tell func(time.Duration, error) error) error {
	m := n.member.Load()
	if m == nil {
		return fmt.Errorf("ping: %w", ErrNoNetwork)
	}
	if _, err := n.pingOnce(ctx, m, id); err != nil {
		return fmt.Errorf("ping: %w: %w", ErrUnreachable, err)
	}
	for range count {
		call, cancel := context.WithTimeout(ctx, gossip.CallTimeout)
		rtt, err := n.pingOnce(call, m, id)
		cancel()
		if err := tell(rtt, err); err != nil {
			return err
		}
	}
	return nil
}
