package transport

import (
	"net"
	"sync"
)

// hooked is a raw connection that tells of its close. gRPC closes the raw one, and not what the handshake made of it, where a
// connection breaks between the TLS handshake and the first HTTP/2 frames.
type hooked struct {
	net.Conn

	mu     sync.Mutex
	closed bool
	then   func()
}

// raw is a hooked connection, or one that embeds it.
type raw interface {
	net.Conn
	whenClosed(then func())
}

// hook makes a connection tell of its close, if it does not yet.
func hook(c net.Conn) raw {
	if r, ok := c.(raw); ok {
		return r
	}
	return &hooked{Conn: c}
}

// whenClosed sets what the close calls, once; on a closed connection it is called at once.
func (h *hooked) whenClosed(then func()) {
	h.mu.Lock()
	closed := h.closed
	h.then = then
	h.mu.Unlock()
	if closed {
		then()
	}
}

func (h *hooked) Close() error {
	h.mu.Lock()
	then := h.then
	first := !h.closed
	h.closed = true
	h.mu.Unlock()
	if first && then != nil {
		then()
	}
	return h.Conn.Close()
}
