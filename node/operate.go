package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/g2g-net/g2g/node/admin"
	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/pki"
)

// Turn grows with every turn of the loop.
func (n doors) Turn() uint64 { return n.turns.Load() }

// Picture is what the node knows now.
func (n *Node) Picture(ctx context.Context) (admin.Picture, error) {
	p := admin.Picture{
		ID: n.ID(), Name: n.cfg.Load().Name, Version: Version, Started: n.started, Now: time.Now(), AdminAddress: n.adminAt,
	}
	m := n.member.Load()
	if m == nil {
		return p, nil
	}
	p.Genesis, p.Chain, p.GossipAddress, p.RegisterAddress = m.genesis, m.chain, m.gossipAt, m.registerAt
	s, err := n.snapshot(ctx)
	if err != nil {
		return admin.Picture{}, fmt.Errorf("look at the node: %w", err)
	}
	p.Gossip, p.Leaf, p.Leaves = &s, n.leaf.Load().Claims, map[pki.ID]pki.LeafClaims{}
	for _, peer := range s.Peers {
		if leaf, ok := m.registry.Leaf(peer.ID); ok {
			p.Leaves[peer.ID] = leaf
		}
	}
	return p, nil
}

// snapshot is what the machine knows now. An order that waits is published with it: who sees a peer here finds it there.
func (n *Node) snapshot(ctx context.Context) (s gossip.Snapshot, err error) {
	err = n.do(ctx, func(now time.Time, m *gossip.Machine) { s, n.orderAt = m.Snapshot(now), time.Time{} })
	return s, err
}

// Nominate makes a token of this node.
func (n *Node) Nominate(ctx context.Context, req gossip.NominateRequest) (token pki.Token, nomination pki.Nomination, err error) {
	m := n.member.Load()
	if m == nil {
		return token, nomination, fmt.Errorf("nominate: %w", ErrNoNetwork)
	}
	if hosts := m.tokenHosts.Load(); len(req.Addresses) == 0 && hosts != nil {
		req.Addresses = *hosts
	}
	var verdict error
	if err := n.do(ctx, func(now time.Time, m *gossip.Machine) { token, nomination, verdict = m.Nominate(now, req) }); err != nil {
		return pki.Token{}, pki.Nomination{}, fmt.Errorf("nominate: %w", err)
	}
	if verdict != nil {
		return pki.Token{}, pki.Nomination{}, also{verdict, ErrRefused}
	}
	return token, nomination, nil
}

// Revoke takes a token of this node back.
func (n *Node) Revoke(ctx context.Context, id string) (nomination pki.Nomination, err error) {
	if n.member.Load() == nil {
		return nomination, fmt.Errorf("revoke: %w", ErrNoNetwork)
	}
	var verdict error
	if err := n.do(ctx, func(now time.Time, m *gossip.Machine) { nomination, verdict = m.Revoke(now, id) }); err != nil {
		return pki.Nomination{}, fmt.Errorf("revoke: %w", err)
	}
	return nomination, verdict
}

// ErrNoService is an address that is none of this node's added services. Nothing was changed.
var ErrNoService = errors.New("no such service was added here")

// Services lists this node's shared addresses, and those that peers name.
func (n *Node) Services(ctx context.Context) (list []gossip.Service, err error) {
	if n.member.Load() == nil {
		return nil, fmt.Errorf("services: %w", ErrNoNetwork)
	}
	err = n.do(ctx, func(_ time.Time, m *gossip.Machine) { list = m.Services() })
	return list, err
}

// AddService makes an address one of this node's services, for good. One that it is already changes nothing.
func (n *Node) AddService(ctx context.Context, address string) error {
	_, err := n.changeServices(ctx, func(now time.Time, m *gossip.Machine) (bool, error) { return m.AddService(now, address) })
	return err
}

// RemoveService undoes AddService. One of the configuration stays (ErrNoService).
func (n *Node) RemoveService(ctx context.Context, address string) error {
	changed, err := n.changeServices(ctx, func(now time.Time, m *gossip.Machine) (bool, error) { return m.RemoveService(now, address) })
	if err == nil && !changed {
		return fmt.Errorf("remove service %q: %w: %w", address, admin.ErrInvalid, ErrNoService)
	}
	return err
}

func (n *Node) changeServices(ctx context.Context, change func(time.Time, *gossip.Machine) (bool, error)) (changed bool, err error) {
	if n.member.Load() == nil {
		return false, fmt.Errorf("services: %w", ErrNoNetwork)
	}
	var fault error
	err = n.do(ctx, func(now time.Time, m *gossip.Machine) { changed, fault = change(now, m) })
	return changed, firstOf(err, fault)
}
