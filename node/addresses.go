package node

import (
	"net"
	"net/netip"
	"slices"

	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

// advertised are the Gossip addresses to tell: the configured ones, else the one bound, else for all interfaces the global
// ones, else loopback.
func advertised(configured []string, bound string) []string {
	if len(configured) > 0 {
		return configured
	}
	a, err := netip.ParseAddrPort(bound)
	if err != nil {
		return nil
	}
	if ip := a.Addr().Unmap(); !ip.IsUnspecified() {
		return []string{netip.AddrPortFrom(ip.WithZone(""), a.Port()).String()}
	}
	return withPort(interfaceHosts(), a.Port())
}

// interfaceHosts are the global unicast addresses of this host, IPv4 first, or loopback if there is none.
func interfaceHosts() []netip.Addr {
	var hosts []netip.Addr
	nets, _ := net.InterfaceAddrs() // without them loopback is what is left
	for _, a := range nets {
		p, err := netip.ParsePrefix(a.String())
		if err == nil && p.Addr().Unmap().IsGlobalUnicast() {
			hosts = append(hosts, p.Addr().Unmap())
		}
	}
	slices.SortStableFunc(hosts, func(a, b netip.Addr) int { return a.BitLen() - b.BitLen() })
	if len(hosts) == 0 {
		hosts = []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1})}
	}
	return hosts[:min(len(hosts), view.MaxAddresses)]
}

func withPort(hosts []netip.Addr, port uint16) (out []string) {
	for _, h := range hosts {
		out = append(out, netip.AddrPortFrom(h, port).String())
	}
	return out
}

// registerAddresses are the advertised hosts with the Registration port: what a token carries.
func registerAddresses(advertised []string, bound string) (out []string) {
	_, port, err := net.SplitHostPort(bound)
	if err != nil {
		return nil
	}
	for _, a := range advertised {
		host, _, err := net.SplitHostPort(a)
		at := net.JoinHostPort(host, port)
		if err == nil && !slices.Contains(out, at) && len(out) < pki.MaxTokenAddresses {
			out = append(out, at)
		}
	}
	return out
}
