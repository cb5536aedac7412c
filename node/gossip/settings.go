package gossip

import (
	"fmt"
	"slices"
	"time"

	"github.com/g2g-net/g2g/node/view"
)

// Settings are the part of Config that may change while the machine runs.
type Settings struct {
	Name      string
	Addresses []string
	Services  []string
	Serves    []string // ordered
	Observe   bool
	Interval  time.Duration
}

// Configure makes other settings count, and tells the peers what they see of them. On error the old ones stand.
func (m *Machine) Configure(now time.Time, s Settings) error {
	cfg, base, services := m.cfg, m.base, m.services
	configured, err := services.configured(s.Services, now)
	if err != nil {
		return fmt.Errorf("configure: %w", err)
	}
	m.services = configured
	if s.Observe != cfg.Observe || !slices.Equal(s.Addresses, m.base) { // else what was found out stays
		m.base, m.cfg.Addresses = s.Addresses, s.Addresses
	}
	m.cfg.Name, m.cfg.Observe, m.cfg.Interval, m.cfg.Serves = s.Name, s.Observe, s.Interval, s.Serves
	if m.tellsOther(m.contact) {
		if err := m.publish(now); err != nil {
			m.cfg, m.base, m.services = cfg, base, services
			return fmt.Errorf("configure: %w", err)
		}
	}
	m.nextLook = now
	if soon := now.Add(m.interval(now)); soon.Before(m.nextExchange) {
		m.nextExchange = soon
	}
	return nil
}

// tellsOther tells whether the contact that was published says something else than the settings do.
func (m *Machine) tellsOther(c *view.Contact) bool {
	return c.Name != m.cfg.Name || !slices.Equal(c.Serves, m.cfg.Serves) ||
		!slices.Equal(c.Addresses, m.cfg.Addresses) || !slices.Equal(c.Services, m.services.addresses())
}

// configured is the table with other services of the configuration. Those that an operator added stay.
func (s *services) configured(addresses []string, now time.Time) (*services, error) {
	next := &services{entries: slices.DeleteFunc(slices.Clone(s.entries), func(e Service) bool {
		return e.Origin == "config" && !slices.Contains(addresses, e.Address)
	})}
	for _, a := range addresses {
		if _, ok := next.find(a); !ok && !next.add(Service{Address: a, Origin: "config", next: now}) {
			return nil, fmt.Errorf("service %q: a node has at most %d, with those that were added", a, view.MaxServices)
		}
	}
	return next, nil
}
