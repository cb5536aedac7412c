package config

import (
	"strings"
	"testing"
)

func TestCheckAddress(t *testing.T) {
	const (
		noHostPort = "no host:port"
		badPort    = "the port is no number from 0 to 65535"
		badHost    = "the host is no IPv4, IPv6 or DNS name"
		undialable = "this address cannot be dialled"
	)
	label := strings.Repeat("a", 63)
	longest := label + "." + label + "." + label + "." + label[:61]
	for _, c := range []struct{ text, listen, dial string }{
		{":7401", "", "no host"},
		{":0", "", "port 0 cannot be dialled"},
		{"127.0.0.1:7401", "", ""},
		{"127.0.0.1:0", "", "port 0 cannot be dialled"},
		{"[::1]:65535", "", ""},
		{"[2001:db8::1]:1", "", ""},
		{"[fe80::1%eth0]:1", "", "a zone means nothing on another machine"},
		{"[fe80::1%e\n]:1", badHost, "a zone means nothing on another machine"},
		{"localhost:1", "", ""},
		{"host.example.org:1", "", ""},
		{"Host.Example.org:1", "", "peers compare addresses as texts: lower case, and IPv6 in its short form"},
		{"[2001:db8:0::1]:1", "", "peers compare addresses as texts: lower case, and IPv6 in its short form"},
		{"my_host-1:1", "", ""},
		{longest + ":1", "", ""},
		{longest + "a:1", badHost, badHost},
		{label + "a:1", badHost, badHost},
		{"0.0.0.0:1", "", undialable},
		{"[::]:1", "", undialable},
		{"224.0.0.1:1", "", undialable},
		{"[]:1", "brackets without an IPv6 address", "brackets without an IPv6 address"},
		{"[localhost]:1", "brackets without an IPv6 address", "brackets without an IPv6 address"},
		{"[127.0.0.1]:1", "brackets without an IPv6 address", "brackets without an IPv6 address"},
		{"[a:b]:1", badHost, badHost},
		{"::1:7401", noHostPort, noHostPort},
		{"", noHostPort, noHostPort},
		{"7401", noHostPort, noHostPort},
		{"host", noHostPort, noHostPort},
		{"http://host:1", noHostPort, noHostPort},
		{"host:", badPort, badPort},
		{"host:65536", badPort, badPort},
		{"host:-1", badPort, badPort},
		{"host:+1", badPort, badPort},
		{"host:01", badPort, badPort},
		{"host:http", badPort, badPort},
		{"host: 1", badPort, badPort},
		{"256.1.1.1:1", badHost, badHost},
		{"1.2.3:1", badHost, badHost},
		{"012.1.1.1:1", badHost, badHost},
		{"a..b:1", badHost, badHost},
		{"a.:1", badHost, badHost},
		{"-a:1", badHost, badHost},
		{"a-:1", badHost, badHost},
		{"a b:1", badHost, badHost},
		{"a,b:1", badHost, badHost},
		{"user@host:1", badHost, badHost},
		{"hôte:1", badHost, badHost},
	} {
		if got := checkListen(c.text); got != c.listen {
			t.Errorf("checkListen(%q) = %q, want %q", c.text, got, c.listen)
		}
		if got := checkAddress(c.text); got != c.dial {
			t.Errorf("checkAddress(%q) = %q, want %q", c.text, got, c.dial)
		}
	}
}
