package pki

import (
	"strings"
	"testing"
)

func TestAddressesAccepted(t *testing.T) {
	for _, s := range []string{
		"192.0.2.1:1", "255.255.255.255:65535", "127.0.0.1:7401", "[2001:db8::1]:7401", "[::1]:80", "[fe80::1]:80", "localhost:80",
		"a.example:80", "a_b.example:80", "_srv.example:80", "1a:80", "10.example:80", "0xg:80", "xn--bcher-kva.example:80",
		strings.Repeat("a", 63) + ".example:80", longest + ":65535",
	} {
		if err := CheckAddress(s); err != nil {
			t.Error(err)
			continue
		}
		var w writer
		w.address(s)
		r := reader{b: w}
		if got := r.address(); got != s || r.done() != nil {
			t.Errorf("%q encodes as %x, which reads as %q, %v", s, w, got, r.err)
		}
	}
}

// longest is a DNS name of 253 characters.
var longest = strings.Repeat(strings.Repeat("a", 62)+".", 4) + "b"

func TestAddressesRefused(t *testing.T) {
	for _, c := range []struct{ address, want string }{
		{"", `address "": no port`},
		{"a.example", `address "a.example": no port`},
		{"a.example:", `address "a.example:": port "" is not 1 to 65535`},
		{"a.example:0", `address "a.example:0": port "0" is not 1 to 65535`},
		{"a.example:65536", `address "a.example:65536": port "65536" is not 1 to 65535`},
		{"a.example:+80", `address "a.example:+80": port "+80" is not 1 to 65535`},
		{"a.example:080", `address "a.example:080": port "080" is not 1 to 65535`},
		{"a.example:http", `address "a.example:http": port "http" is not 1 to 65535`},
		{":80", `address ":80": a host name has 1 to 253 characters`},
		{longest + "b:80", `address "` + longest + `b:80": a host name has 1 to 253 characters`},
		{strings.Repeat("a", 254) + ":65535", `address of 260 characters is over the bound of 259`},
		{"A.example:80", `address "A.example:80": host "A.example" is no DNS name in lower case`},
		{"a b:80", `address "a b:80": host "a b" is no DNS name in lower case`},
		{"é.example:80", `address "é.example:80": host "é.example" is no DNS name in lower case`},
		{"a.example.:80", `address "a.example.:80": host "a.example." is no DNS name`},
		{"a..b:80", `address "a..b:80": host "a..b" is no DNS name`},
		{"-a:80", `address "-a:80": host "-a" is no DNS name`},
		{"a-:80", `address "a-:80": host "a-" is no DNS name`},
		{strings.Repeat("a", 64) + ":80", `address "` + strings.Repeat("a", 64) + `:80": host "` + strings.Repeat("a", 64) + `" is no DNS name`},
		{"1.2.3:80", `address "1.2.3:80": host "1.2.3" is neither an IPv4 address nor a DNS name`},
		{"256.1.1.1:80", `address "256.1.1.1:80": host "256.1.1.1" is neither an IPv4 address nor a DNS name`},
		{"0x7f000001:80", `address "0x7f000001:80": host "0x7f000001" is neither an IPv4 address nor a DNS name`},
		{"127.0.0.0x1:80", `address "127.0.0.0x1:80": host "127.0.0.0x1" is neither an IPv4 address nor a DNS name`},
		{"0x:80", `address "0x:80": host "0x" is neither an IPv4 address nor a DNS name`},
		{"0.0.0.0:80", `address "0.0.0.0:80": it cannot be dialled`},
		{"224.0.0.1:80", `address "224.0.0.1:80": it cannot be dialled`},
		{"[::]:80", `address "[::]:80": it cannot be dialled`},
		{"[ff02::1]:80", `address "[ff02::1]:80": it cannot be dialled`},
		{"2001:db8::1:80", `address "2001:db8::1:80": an IPv6 host needs brackets`},
		{"::1%x:80", `address "::1%x:80": an IPv6 host needs brackets`},
		{"[2001:db8::1:80", `address "[2001:db8::1:80": host "[2001:db8::1" is no IPv6 address in its short form`},
		{"[2001:DB8::1]:80", `address "[2001:DB8::1]:80": host "[2001:DB8::1]" is no IPv6 address in its short form`},
		{"[2001:db8:0::1]:80", `address "[2001:db8:0::1]:80": host "[2001:db8:0::1]" is no IPv6 address in its short form`},
		{"[192.0.2.1]:80", `address "[192.0.2.1]:80": host "[192.0.2.1]" is no IPv6 address in its short form`},
		{"[::ffff:127.0.0.1]:80", `address "[::ffff:127.0.0.1]:80": host "[::ffff:127.0.0.1]" is no IPv6 address in its short form`},
		{"[a.example]:80", `address "[a.example]:80": host "[a.example]" is no IPv6 address in its short form`},
		{"[]:80", `address "[]:80": host "[]" is no IPv6 address in its short form`},
		{"[fe80::1%eth0]:80", `address "[fe80::1%eth0]:80": a zone means nothing on another machine`},
		{"[fe80::1%\x1b[2J]:80", `address "[fe80::1%\x1b[2J]:80": a zone means nothing on another machine`},
	} {
		refused(t, nil, CheckAddress(c.address), c.want)
	}
}

// An address has one binary form only, or two tokens could say the same.
func TestAddressBytesRefused(t *testing.T) {
	const malformed = "an address is not well formed"
	for _, c := range []struct {
		bytes, want string
	}{
		{"", "cut short: 0 bytes where 1 are needed"},
		{"\x00", "address kind 0 is unknown"},
		{"\x05\x00\x50", "address kind 5 is unknown"},
		{"\x04\xc0\x00\x02", "cut short: 3 bytes where 4 are needed"},
		{"\x04\xc0\x00\x02\x01\x00", "cut short: 1 bytes where 2 are needed"},
		{"\x06\x20\x01\x0d\xb8", "cut short: 4 bytes where 16 are needed"},
		{"\x01\x05abcd", "cut short: 4 bytes where 5 are needed"},
		{"\x04\xc0\x00\x02\x01\x00\x00", malformed},
		{"\x04\x00\x00\x00\x00\x00\x50", malformed},
		{"\x06\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\x7f\x00\x00\x01\x00\x50", malformed},
		{"\x01\x00\x00\x50", malformed},
		{"\x01\x09Example.a\x00\x50", malformed},
		{"\x01\x09192.0.2.1\x00\x50", malformed},
		{"\x01\x05[::1]\x00\x50", malformed},
		{"\x01\x09a:1.b.c.d\x00\x50", malformed},
		{"\x01\x04\x1b[2J\x00\x50", malformed},
	} {
		r := reader{b: []byte(c.bytes)}
		r.address()
		refused(t, nil, r.done(), c.want)
	}
}
