package node

import (
	"context"
	"fmt"
	"time"

	"github.com/g2g-net/g2g/node/config"
	"github.com/g2g-net/g2g/node/gossip"
)

// Reload makes the settings count that can change while the node runs (config.Key.Live). The others wait for its next start.
// On error nothing has changed.
func (n *Node) Reload(ctx context.Context, cfg config.Config) error {
	if err := cfg.Validate(); err != nil {
		return fmt.Errorf("reload: %w", err)
	}
	var fault error
	if err := n.do(ctx, func(now time.Time, machine *gossip.Machine) { fault = n.configure(now, machine, cfg) }); err != nil {
		return fmt.Errorf("reload: %w", err)
	}
	if fault != nil {
		return fmt.Errorf("reload: %w", fault)
	}
	return nil
}

// configure is the loop's, so that no two run at once.
func (n *Node) configure(now time.Time, machine *gossip.Machine, cfg config.Config) error {
	next := n.cfg.Load().WithLive(cfg)
	if err := next.Validate(); err != nil { // what waits and what counts may not go together
		return err
	}
	if m := n.member.Load(); machine != nil && m != nil {
		s := m.settings(next)
		if err := machine.Configure(now, s); err != nil {
			return err
		}
		m.tokensCarry(s.Addresses)
	}
	n.cfg.Store(&next)
	return nil
}

// settings are what a configuration says to a machine with the ports of this member.
func (m *member) settings(cfg config.Config) gossip.Settings {
	s := gossip.Settings{
		Name: cfg.Name, Services: cfg.Services, Observe: len(cfg.Gossip.Advertise) == 0, Interval: cfg.Gossip.Interval,
	}
	if m.gossipAt != "" {
		s.Addresses, s.Serves = advertised(cfg.Gossip.Advertise, m.gossipAt), m.serves
	}
	return s
}

// tokensCarry tells where the Registration port can be reached, by the Gossip addresses.
func (m *member) tokensCarry(gossip []string) {
	if m.registerAt != "" {
		hosts := registerAddresses(gossip, m.registerAt)
		m.tokenHosts.Store(&hosts)
	}
}
