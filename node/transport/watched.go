package transport

import (
	"errors"
	"sync"
	"syscall"
)

// watched is a raw connection that tells when the other side ended it: a read that fails before this side has closed.
type watched struct {
	raw
	broken func()

	mu     sync.Mutex
	closed bool
}

// Read tells of the end of the connection, once.
func (w *watched) Read(b []byte) (int, error) {
	n, err := w.raw.Read(b)
	if err != nil && w.end() {
		w.broken()
	}
	return n, err
}

// Close ends the connection from this side.
func (w *watched) Close() error {
	w.end()
	return w.raw.Close()
}

// end tells whether the connection was open until now.
func (w *watched) end() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	open := !w.closed
	w.closed = true
	return open
}

// refusedOnWindows is what Windows says where nobody listens (WSAECONNREFUSED); package syscall has no name for it elsewhere.
const refusedOnWindows = syscall.Errno(10061)

// isRefused tells whether a host answered that nobody listens at the port.
func isRefused(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, refusedOnWindows)
}
