package transport

import (
	"context"
	"net"
	"net/netip"

	"google.golang.org/grpc/peer"
)

// ObservedHost is the host that the other end of the call's connection has as seen from here: an IP address without zone,
// IPv4 in its own form. It is empty where the connection has none.
func ObservedHost(ctx context.Context) string {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return ""
	}
	host := hostOf(p.Addr)
	if !host.IsValid() {
		return ""
	}
	return host.String()
}

// hostOf takes the IP address out of a connection's address; it is not valid where there is none.
func hostOf(a net.Addr) netip.Addr {
	if a == nil {
		return netip.Addr{}
	}
	if t, ok := a.(*net.TCPAddr); ok {
		return plain(t.AddrPort().Addr())
	}
	at, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.Addr{}
	}
	return plain(at.Addr())
}

func plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }
