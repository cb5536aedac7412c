package memnet

import (
	"io"
	"net"
	"net/netip"
)

// Slow gives a connection another end that is farther away: what is written there takes a time to get to it, and what it
// brings takes one to get out. Closing the far end closes the connection once what was written has gone; when the connection
// ends, the far end reads what came before, then the end.
func Slow(c net.Conn, there, back Latency) net.Conn {
	ours, theirs := pair(addressOf(c.LocalAddr()), addressOf(c.RemoteAddr()), there, back)
	go func() {
		_, _ = io.Copy(c, theirs)
		_ = c.Close()
	}()
	go func() {
		_, _ = io.Copy(theirs, c)
		_ = theirs.Close()
	}()
	return ours
}

func addressOf(a net.Addr) netip.AddrPort {
	at, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.AddrPort{}
	}
	return at
}
