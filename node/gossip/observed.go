package gossip

import (
	"net/netip"
	"slices"
	"time"

	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

const (
	maxObserved  = 8  // hosts
	maxWitnesses = 16 // a host
	reachAgain   = time.Minute
)

// observation is a host at which peers saw this node.
type observation struct {
	host      string
	witnesses []pki.ID
	tried     time.Time // when a peer was last asked to dial back
	asked     bool
	told      bool // that nobody reached it there
}

// observe keeps this node's host as a peer saw it on a connection of this node's own: never through a service, whose address
// says nothing of this node's. The one with the fewest witnesses makes place.
func (m *Machine) observe(witness pki.ID, host string) {
	if host == "" {
		return
	}
	i := slices.IndexFunc(m.observed, func(o observation) bool { return o.host == host })
	if i < 0 {
		if len(m.observed) == maxObserved {
			m.dropObservation()
		}
		m.observed = append(m.observed, observation{host: host})
		i = len(m.observed) - 1
	}
	o := &m.observed[i]
	if !slices.Contains(o.witnesses, witness) && len(o.witnesses) < maxWitnesses {
		o.witnesses = append(o.witnesses, witness)
	}
}

func (m *Machine) dropObservation() {
	least := 0
	for i, o := range m.observed {
		if len(o.witnesses) < len(m.observed[least].witnesses) {
			least = i
		}
	}
	m.observed = slices.Delete(m.observed, least, least+1)
}

func (m *Machine) observedHosts() (hosts []string) {
	for _, o := range m.observed {
		hosts = append(hosts, o.host)
	}
	return hosts
}

// verifyObserved asks a peer to dial this node at a host that was observed, with the port that this node listens on, before
// it is advertised. Two peers must have seen it, or the only one that there is.
func (m *Machine) verifyObserved(now time.Time) {
	if !m.cfg.Observe || m.mode() != pki.Server || len(m.active) == 0 || len(m.cfg.Addresses) == 0 {
		return
	}
	for i := range m.observed {
		o := &m.observed[i]
		address, ok := m.candidate(o.host)
		if !ok || o.asked || len(o.witnesses) < min(2, len(m.active)) || now.Sub(o.tried) < reachAgain {
			continue
		}
		o.tried, o.asked = now, true
		m.send(now, m.active[m.cfg.Random.IntN(len(m.active))], ReachRequest{Address: address})
		return
	}
}

// candidate is the address that a host would give, unless it is advertised or cannot be anybody else's way here.
func (m *Machine) candidate(host string) (string, bool) {
	ip, err := netip.ParseAddr(host)
	own, err2 := netip.ParseAddrPort(m.cfg.Addresses[0])
	if err != nil || err2 != nil || ip.IsLoopback() || ip.IsLinkLocalUnicast() || len(m.cfg.Addresses) >= view.MaxAddresses {
		return "", false
	}
	address := netip.AddrPortFrom(ip, own.Port()).String()
	return address, !slices.Contains(m.cfg.Addresses, address)
}

// reachable takes what a peer found at an address of this node's.
func (m *Machine) reachable(now time.Time, address, fault string) {
	for i := range m.observed {
		o := &m.observed[i]
		if a, _ := m.candidate(o.host); a != address {
			continue
		}
		o.asked = false
		if fault != "" && !o.told {
			o.told = true
			m.notice(KindAddress, Info, pki.ID{}, "peers see this node at %s, but one did not reach it at %s (%s): it is not advertised", o.host, address, fault)
		}
	}
	if fault != "" || m.left || slices.Contains(m.cfg.Addresses, address) {
		return
	}
	old := m.cfg.Addresses
	m.cfg.Addresses = append(slices.Clone(old), address)
	if err := m.publish(now); err != nil {
		m.cfg.Addresses = old
		m.notice(KindAddress, Error, pki.ID{}, "%v", err)
		return
	}
	m.notice(KindAddress, Info, pki.ID{}, "a peer reached this node at %s: it is advertised from now on", address)
}
