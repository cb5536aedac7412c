package config

import (
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/g2g-net/g2g/pki"
)

// MaxRoutes and MaxForwards bound the two lists; the names of what is routed stand in the contact.
const (
	MaxRoutes   = 64
	MaxForwards = 64
)

// A Passage is one [[route]] or [[forward]]: a gRPC service of any program, and the plaintext address on this host where it is served, or
// where it can be called. As a text it is service=address.
type Passage struct {
	Service string // full name
	Address string // host:port: the backend of a route, what a forward listens on
}

func (p Passage) text() string { return p.Service + "=" + p.Address }

// parsePassage reads what text wrote. Whether the parts keep the rules is for Validate.
func parsePassage(text string) (Passage, bool) {
	service, address, ok := strings.Cut(text, "=")
	return Passage{service, address}, ok
}

// serviceKey is the first key of each [[route]] and [[forward]].
const serviceKey = "service"

const passageRule = "at most 64, service the full name of a gRPC service such as pkg.Service, outside of the packages g2g and g2g.*, "

const (
	routeRule   = passageRule + "none twice, backend " + addressRule
	forwardRule = passageRule + "listen 127.0.0.1, [::1] or another loopback address with a port 0 (any) to 65535, none twice"
)

// checkPassage says why a text is no passage whose address is good; empty when it is one.
func checkPassage(checkAddress func(string) string) func(string) string {
	return func(text string) string {
		p, ok := parsePassage(text)
		if !ok {
			return "no service=host:port" // cannot happen: texts come from a Passage
		}
		if err := pki.CheckServiceName(p.Service); err != nil {
			return err.Error()
		}
		return checkAddress(p.Address)
	}
}

// checkLoopback says why text is no address that this host alone can reach; empty when it is one. Whoever reaches a plaintext port
// of a node calls as that node, so one that other hosts reach would hand out membership.
func checkLoopback(text string) string {
	host, _, reason := splitAddress(text)
	if reason != "" {
		return reason
	}
	ip, err := netip.ParseAddr(host)
	if err != nil || !ip.IsLoopback() {
		return "not a loopback address: whoever could reach it would call as this node"
	}
	return ""
}

// crossRoutes refuses two backends for one service, and a backend that is a forward of this node, which could send a call round
// for ever.
func crossRoutes(k Key, c Config) (faults []fault) {
	for i, r := range c.Routes {
		name := fmt.Sprintf("%s[%d]", k.Path, i)
		for _, other := range c.Routes[:i] {
			if other.Service == r.Service {
				faults = append(faults, k.fault(name, r.text(), "the service has another backend already"))
			}
		}
		for _, f := range c.Forwards {
			if meet(r.Address, f.Address) {
				faults = append(faults, k.fault(name, r.text(), "the backend is the port of a forward of this node"))
			}
		}
	}
	return faults
}

// crossForwards refuses one port for two services.
func crossForwards(k Key, c Config) (faults []fault) {
	for i, f := range c.Forwards {
		for _, other := range c.Forwards[:i] {
			if meet(f.Address, other.Address) {
				faults = append(faults, k.fault(fmt.Sprintf("%s[%d]", k.Path, i), f.text(), "the port has another service already"))
			}
		}
	}
	return faults
}

// meet tells whether two addresses are one port of this host. Port 0 is a new one each time.
func meet(a, b string) bool {
	hostA, portA, _ := net.SplitHostPort(a) // both were checked
	hostB, portB, _ := net.SplitHostPort(b)
	if portA != portB || portA == "0" {
		return false
	}
	return hostA == hostB || hostA == "localhost" || hostB == "localhost"
}
