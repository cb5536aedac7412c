package pki

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// MaxAddress bounds an address, in characters: a DNS name of 253, a colon, a port.
const MaxAddress = 253 + 1 + 5

// CheckAddress reports what is wrong with a host:port that somebody can dial. The host is an IPv4 address, an IPv6 address
// in brackets or a DNS name, the port 1 to 65535; the form is canonical, so that equal addresses are equal strings.
func CheckAddress(s string) error {
	if len(s) > MaxAddress {
		return fmt.Errorf("address of %d characters is over the bound of %d", len(s), MaxAddress)
	}
	_, _, err := splitAddress(s)
	if err != nil {
		return fmt.Errorf("address %q: %w", s, err)
	}
	return nil
}

func splitAddress(s string) (host string, port uint16, err error) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return "", 0, fmt.Errorf("no port")
	}
	p, err := strconv.ParseUint(s[i+1:], 10, 16)
	if err != nil || p == 0 || strconv.FormatUint(p, 10) != s[i+1:] {
		return "", 0, fmt.Errorf("port %q is not 1 to 65535", s[i+1:])
	}
	host = s[:i]
	if inner, ok := strings.CutPrefix(host, "["); ok {
		a, err := netip.ParseAddr(strings.TrimSuffix(inner, "]"))
		if err != nil || !strings.HasSuffix(inner, "]") || !a.Is6() || a.Is4In6() || "["+a.String()+"]" != host {
			return "", 0, fmt.Errorf("host %q is no IPv6 address in its short form", host)
		}
		return a.String(), uint16(p), checkIP(a)
	}
	if a, err := netip.ParseAddr(host); err == nil {
		if !a.Is4() {
			return "", 0, fmt.Errorf("an IPv6 host needs brackets")
		}
		return host, uint16(p), checkIP(a)
	}
	return host, uint16(p), checkHostName(host)
}

// checkIP refuses what names nobody on another machine. A zone could also hold any characters.
func checkIP(a netip.Addr) error {
	switch {
	case a.Zone() != "":
		return errors.New("a zone means nothing on another machine")
	case a.IsUnspecified() || a.IsMulticast():
		return errors.New("it cannot be dialled")
	}
	return nil
}

func checkHostName(host string) error {
	if host == "" || len(host) > 253 {
		return fmt.Errorf("a host name has 1 to 253 characters")
	}
	labels := strings.Split(host, ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return fmt.Errorf("host %q is no DNS name", host)
		}
		for _, c := range []byte(label) {
			if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
				return fmt.Errorf("host %q is no DNS name in lower case", host)
			}
		}
	}
	// A number in the last place would be read as an IPv4 address by some resolvers and as a name by others.
	last := labels[len(labels)-1]
	if hex, ok := strings.CutPrefix(last, "0x"); strings.Trim(last, "0123456789") == "" || ok && strings.Trim(hex, "0123456789abcdef") == "" {
		return fmt.Errorf("host %q is neither an IPv4 address nor a DNS name", host)
	}
	return nil
}

const (
	hostIPv4 = 4
	hostIPv6 = 6
	hostName = 1
)

// address appends the short binary form: kind, host, port. The address has passed CheckAddress.
func (w *writer) address(s string) {
	host, port, _ := splitAddress(s)
	a, err := netip.ParseAddr(host)
	switch {
	case err != nil:
		w.u8(hostName)
		w.short([]byte(host))
	case a.Is4():
		w.u8(hostIPv4)
		w.raw(a.AsSlice())
	default:
		w.u8(hostIPv6)
		w.raw(a.AsSlice())
	}
	w.u16(port)
}

// address takes an address; only the bytes that the writer would write are canonical. Its errors do not quote it.
func (r *reader) address() string {
	before := r.b
	var host string
	switch kind := r.u8(); kind {
	case hostName:
		host = string(r.short())
	case hostIPv4:
		host = netip.AddrFrom4([4]byte(r.raw(4))).String()
	case hostIPv6:
		host = "[" + netip.AddrFrom16([16]byte(r.raw(16))).String() + "]"
	default:
		r.fail(fmt.Errorf("address kind %d is unknown", kind))
	}
	s := host + ":" + strconv.Itoa(int(r.u16()))
	if r.err != nil {
		return ""
	}
	var w writer
	if CheckAddress(s) == nil {
		w.address(s)
	}
	if !bytes.Equal(before[:len(before)-len(r.b)], w) {
		r.fail(errors.New("an address is not well formed"))
	}
	return s
}
