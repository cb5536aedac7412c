// Package memnet is a network in memory for tests: hosts with addresses, listeners and connections that take time.
//
// It has no goroutine of its own and waits only on timers, channels and conditions, so that it runs inside a
// testing/synctest bubble, where its latencies are exact. A network is made and used within one bubble. Time stands still there once
// the test's function has returned, so what must hear of a close over a network with latency must be waited for before.
package memnet

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"
)

const (
	// backlog is how many connections wait at a listener; a dial to a full one waits, as a lost SYN would.
	backlog = 128
	// firstEphemeral is where the ports begin that a host gives out by itself (RFC 6335).
	firstEphemeral = 49152
)

// A Network joins hosts. Everything on it is safe for concurrent use.
type Network struct {
	latency func(from, to netip.Addr) time.Duration

	mu        sync.Mutex
	listeners map[netip.AddrPort]*listener
	ports     map[netip.Addr]uint16 // the last port given out
}

// New makes a network. The latency is one way, from a host to another; it is asked for each segment, and may be nil for none.
func New(latency func(from, to netip.Addr) time.Duration) *Network {
	if latency == nil {
		latency = func(netip.Addr, netip.Addr) time.Duration { return 0 }
	}
	return &Network{latency: latency, listeners: make(map[netip.AddrPort]*listener), ports: make(map[netip.Addr]uint16)}
}

// A Host is one address on a network.
type Host struct {
	network *Network
	address netip.Addr
}

// Host gives the host of an IP address. It panics where that is none: it is a test's own mistake.
func (n *Network) Host(ip string) *Host {
	return &Host{network: n, address: netip.MustParseAddr(ip).Unmap()}
}

// Listen opens a port. The host part of the address may be empty, unspecified or the host's own; port 0 takes a free one.
func (h *Host) Listen(address string) (net.Listener, error) {
	host, port, err := split(address)
	if err != nil || host.IsValid() && !host.IsUnspecified() && host != h.address {
		return nil, h.fail("listen", address, syscall.EADDRNOTAVAIL)
	}
	n := h.network
	n.mu.Lock()
	defer n.mu.Unlock()
	if port == 0 {
		port = n.free(h.address)
	}
	at := netip.AddrPortFrom(h.address, port)
	if n.listeners[at] != nil {
		return nil, h.fail("listen", address, syscall.EADDRINUSE)
	}
	l := &listener{network: n, at: at, queue: make(chan *conn, backlog), closed: make(chan struct{})}
	n.listeners[at] = l
	return l, nil
}

// Dial opens a connection from this host, with an address that names an IP. It takes a round trip.
func (h *Host) Dial(ctx context.Context, address string) (net.Conn, error) {
	to, port, err := split(address)
	if err != nil || !to.IsValid() {
		return nil, h.fail("dial", address, fmt.Errorf("no such host"))
	}
	n := h.network
	there := func() time.Duration { return n.latency(h.address, to) }
	back := func() time.Duration { return n.latency(to, h.address) }
	if err := wait(ctx, there()+back()); err != nil {
		return nil, h.fail("dial", address, err)
	}
	n.mu.Lock()
	l := n.listeners[netip.AddrPortFrom(to, port)]
	local := netip.AddrPortFrom(h.address, n.free(h.address))
	n.mu.Unlock()
	if l == nil {
		return nil, h.fail("dial", address, syscall.ECONNREFUSED)
	}
	ours, theirs := pair(local, l.at, there, back)
	select {
	case l.queue <- theirs:
		return ours, nil
	case <-l.closed:
		return nil, h.fail("dial", address, syscall.ECONNREFUSED)
	case <-ctx.Done():
		return nil, h.fail("dial", address, ctx.Err())
	}
}

func (h *Host) fail(op, address string, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Err: fmt.Errorf("%q: %w", address, err)}
}

// free gives the next port on which nobody listens. Ports of connections may come back after 16,000 others.
func (n *Network) free(host netip.Addr) uint16 {
	for {
		port := max(n.ports[host]+1, firstEphemeral)
		n.ports[host] = port
		if n.listeners[netip.AddrPortFrom(host, port)] == nil {
			return port
		}
	}
}

// split takes host:port apart; the host may be empty.
func split(address string) (netip.Addr, uint16, error) {
	if len(address) > 0 && address[0] == ':' {
		address = "0.0.0.0" + address
	}
	at, err := netip.ParseAddrPort(address)
	return at.Addr().Unmap(), at.Port(), err
}

func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
