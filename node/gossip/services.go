package gossip

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

// How often a service is visited: an eternal seed for as long as this node knows hardly anybody, now and then afterwards.
const (
	visitSoon  = 10 * time.Second
	visitLater = 60 * time.Second
	knownWell  = 3 // alive peers from which visits come now and then only
)

// A Visit asks the driver to dial an address that members share, and to introduce this node to whoever answers. Its outcome comes
// back through Machine.Visited or Machine.VisitFailed, once.
type Visit struct {
	Address string
	Request JoinRequest
	Timeout time.Duration
}

// A Service is a shared address: a Kubernetes Service, a load balancer, a DNS name.
type Service struct {
	Address string
	Origin  string    // config, added, or peers for one that only peers name
	At      time.Time // of the last visit; zero for never
	Last    pki.ID    // who answered then; this node's own where the visit came home
	Self    bool      // the last visit came home
	Error   string    // of the last visit
	Visits  int
	ToldBy  []pki.ID // peers whose contact names it

	next    time.Time
	pending bool
}

// services are the addresses that this node visits, ordered by address.
type services struct{ entries []Service }

func newServices(configured, added []string, now time.Time) *services {
	s := &services{}
	for _, a := range configured {
		s.add(Service{Address: a, Origin: "config", next: now})
	}
	for _, a := range added {
		s.add(Service{Address: a, Origin: "added", next: now})
	}
	return s
}

func (s *services) find(address string) (int, bool) {
	return slices.BinarySearchFunc(s.entries, address, func(e Service, a string) int { return strings.Compare(e.Address, a) })
}

func (s *services) add(e Service) bool {
	i, ok := s.find(e.Address)
	if !ok && len(s.entries) < view.MaxServices {
		s.entries = slices.Insert(s.entries, i, e)
		return true
	}
	return false
}

// addresses are what this node's contact names.
func (s *services) addresses() (out []string) {
	for _, e := range s.entries {
		out = append(out, e.Address)
	}
	return out
}

// added are those that an operator added, which the store keeps.
func (s *services) added() (out []string) {
	for _, e := range s.entries {
		if e.Origin == "added" {
			out = append(out, e.Address)
		}
	}
	return out
}

// visit sends out what is due. A node that reaches nobody visits what its peers named, too.
func (m *Machine) visit(now time.Time) {
	for i := range m.services.entries {
		m.visitOne(now, &m.services.entries[i])
	}
	if len(m.active) > 0 || now.Before(m.nextStray) {
		return
	}
	m.nextStray = now.Add(visitSoon)
	if named := m.named(); len(named) > 0 {
		m.effects.Visits = append(m.effects.Visits, m.visitTo(now, named[m.cfg.Random.IntN(len(named))]))
	}
}

func (m *Machine) visitOne(now time.Time, s *Service) {
	if s.pending || now.Before(s.next) {
		return
	}
	s.pending = true
	wait := visitSoon
	if m.alivePeers() >= knownWell {
		wait = visitLater
	}
	s.next = now.Add(m.spread(wait))
	m.effects.Visits = append(m.effects.Visits, m.visitTo(now, s.Address))
}

func (m *Machine) visitTo(now time.Time, address string) Visit {
	return Visit{Address: address, Request: m.Greeting(now), Timeout: CallTimeout}
}

func (m *Machine) alivePeers() (n int) {
	for _, e := range m.view.Entries() {
		if e.State == view.Alive && e.Mode == pki.Server {
			n++
		}
	}
	return n
}

// named are the services that only peers name, ordered.
func (m *Machine) named() (out []string) {
	for _, e := range m.view.Entries() {
		for _, a := range e.Services {
			if _, own := m.services.find(a); !own && !slices.Contains(out, a) {
				out = append(out, a)
			}
		}
	}
	slices.Sort(out)
	return out
}

// visited keeps what a visit found.
func (m *Machine) visited(now time.Time, address string, who pki.ID, fault string) {
	if i, ok := m.services.find(address); ok {
		s := &m.services.entries[i]
		s.pending, s.At, s.Last, s.Self, s.Error = false, now, who, who == m.ID(), fault
		s.Visits++
	}
}

// Visited takes the answer of whoever stood behind a service. A visit that came home to this very node teaches nothing; that
// address is no peer's, so it is never taken for one, and the host seen through it is not this node's to advertise.
func (m *Machine) Visited(now time.Time, address string, who pki.ID, resp JoinResponse) {
	m.visited(now, address, who, "")
	m.accepted = m.accepted || who != m.ID()
	if who == m.ID() || resp.Contact == nil || resp.Contact.ID != who {
		return
	}
	resp.Observed = ""
	m.learn(now, who, resp.Contact)
	m.joined(now, &call{to: who}, resp)
}

// VisitFailed takes note that nobody answered.
func (m *Machine) VisitFailed(now time.Time, address, why string) {
	m.visited(now, address, pki.ID{}, why)
}

// AddService makes an address one of this node's services, for good. It tells whether something changed, and fails, changing
// nothing, where there is no place.
func (m *Machine) AddService(now time.Time, address string) (bool, error) {
	if _, ok := m.services.find(address); ok {
		return false, nil
	}
	if !m.services.add(Service{Address: address, Origin: "added", next: now}) {
		return false, fmt.Errorf("add service %q: a node has at most %d", address, view.MaxServices)
	}
	return true, m.servicesChanged(now)
}

// RemoveService undoes AddService. One of the configuration stays until that is changed.
func (m *Machine) RemoveService(now time.Time, address string) (bool, error) {
	i, ok := m.services.find(address)
	if !ok || m.services.entries[i].Origin != "added" {
		return false, nil
	}
	m.services.entries = slices.Delete(m.services.entries, i, i+1)
	return true, m.servicesChanged(now)
}

func (m *Machine) servicesChanged(now time.Time) error {
	m.effects.Save.Services, m.effects.Save.ServicesChanged = m.services.added(), true
	m.nextLook = now
	return m.publish(now)
}

// Services lists this node's, then those that only peers name.
func (m *Machine) Services() []Service {
	out := slices.Clone(m.services.entries)
	for _, a := range m.named() {
		out = append(out, Service{Address: a, Origin: "peers"})
	}
	for i := range out {
		for _, e := range m.view.Entries() {
			if slices.Contains(e.Services, out[i].Address) {
				out[i].ToldBy = append(out[i].ToldBy, e.ID)
			}
		}
	}
	slices.SortFunc(out, func(a, b Service) int { return strings.Compare(a.Address, b.Address) })
	return out
}
