package config

import (
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/g2g-net/g2g/pki"
)

const (
	addressRule = "host:port, the host an IPv4, [IPv6] or DNS name, the port 1 to 65535"
	listenRule  = "host:port, the host empty (all interfaces), an IPv4, [IPv6] or DNS name, the port 0 (any) to 65535"
)

// checkListen says why text is no address to listen on; empty when it is one.
func checkListen(text string) string {
	host, _, reason := splitAddress(text)
	if reason != "" || host == "" {
		return reason
	}
	return checkHost(host)
}

// checkAddress says why text is no address that others could dial; empty when it is one. Loopback is allowed: a
// network on one machine is a network.
func checkAddress(text string) string {
	host, port, reason := splitAddress(text)
	switch {
	case reason != "":
		return reason
	case port == 0:
		return "port 0 cannot be dialled"
	case host == "":
		return "no host"
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		switch {
		case ip.Zone() != "":
			return "a zone means nothing on another machine"
		case ip.IsUnspecified(), ip.IsMulticast():
			return "this address cannot be dialled"
		}
	}
	if reason := checkHost(host); reason != "" {
		return reason
	}
	if pki.CheckAddress(text) != nil {
		return "peers compare addresses as texts: lower case, and IPv6 in its short form"
	}
	return ""
}

// splitAddress parts host and port. Ports are decimal numbers without sign or leading zeros: one spelling each,
// so that addresses can be compared as texts.
func splitAddress(text string) (host string, port int, reason string) {
	host, digits, err := net.SplitHostPort(text)
	if err != nil {
		return "", 0, "no host:port"
	}
	number, err := strconv.ParseUint(digits, 10, 16)
	if err != nil || strconv.FormatUint(number, 10) != digits {
		return "", 0, "the port is no number from 0 to 65535"
	}
	// Brackets are for IPv6 alone, and SplitHostPort would take "[a]:1" for a.
	if strings.HasPrefix(text, "[") && !strings.Contains(host, ":") {
		return "", 0, "brackets without an IPv6 address"
	}
	return host, int(number), ""
}

// checkHost says why host is neither an IP address nor a DNS name; empty when it is one.
func checkHost(host string) string {
	const bad = "the host is no IPv4, IPv6 or DNS name"
	if ip, err := netip.ParseAddr(host); err == nil {
		for _, r := range ip.Zone() {
			if !isHostRune(r) && r != '.' {
				return bad
			}
		}
		return ""
	}
	if len(host) > 253 {
		return bad
	}
	labels := strings.Split(host, ".")
	for _, label := range labels {
		if !isLabel(label) {
			return bad
		}
	}
	// A last label of digits alone is a mistyped IPv4 address: no top-level domain is a number.
	if strings.Trim(labels[len(labels)-1], "0123456789") == "" {
		return bad
	}
	return ""
}

// isLabel accepts what resolvers do, '_' included: container networks use it in host names.
func isLabel(label string) bool {
	if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
		return false
	}
	return !strings.ContainsFunc(label, func(r rune) bool { return !isHostRune(r) })
}

func isHostRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_'
}
