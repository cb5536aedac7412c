package memnet

import (
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
)

// inFlight bounds what one direction of a connection holds, in bytes: sent and not yet read. A writer waits beyond it.
const inFlight = 1 << 20

// conn is one end of a connection.
type conn struct {
	in, out       *half
	local, remote netip.AddrPort
}

// A Latency says how long what is sent now takes. It is asked for each segment, so it may change and scatter; what was sent
// first arrives first all the same.
type Latency func() time.Duration

// pair makes the two ends of a connection; there and back are the latencies of the directions, seen from the first end.
func pair(local, remote netip.AddrPort, there, back Latency) (ours, theirs *conn) {
	out, in := newHalf(there), newHalf(back)
	return &conn{in: in, out: out, local: local, remote: remote}, &conn{in: out, out: in, local: remote, remote: local}
}

func (c *conn) Read(b []byte) (int, error)  { return c.in.read(b) }
func (c *conn) Write(b []byte) (int, error) { return c.out.write(b) }

// Close ends both directions: the other end reads what was sent, then the end; what it writes is lost.
func (c *conn) Close() error {
	if !c.in.abandon() {
		return net.ErrClosed
	}
	c.out.finish()
	return nil
}

func (c *conn) LocalAddr() net.Addr  { return net.TCPAddrFromAddrPort(c.local) }
func (c *conn) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(c.remote) }

func (c *conn) SetDeadline(t time.Time) error {
	_ = c.SetReadDeadline(t)
	return c.SetWriteDeadline(t)
}

func (c *conn) SetReadDeadline(t time.Time) error {
	c.in.setDeadline(&c.in.reading, t)
	return nil
}

func (c *conn) SetWriteDeadline(t time.Time) error {
	c.out.setDeadline(&c.out.writing, t)
	return nil
}

// half is one direction: a queue of segments, each of which is there only when it is due.
//
//  1. Segments are due in the order of the queue, the last of them at last.
type half struct {
	latency Latency

	mu        sync.Mutex
	changed   *sync.Cond
	queue     []segment
	last      time.Time
	size      int  // bytes in the queue
	finished  bool // the writer closed: an end stands last in the queue
	abandoned bool // the reader closed
	reset     bool // the writer has learnt of it
	reading   deadline
	writing   deadline
}

// segment is what one write sent. One without bytes is the end of the stream.
type segment struct {
	bytes []byte
	due   time.Time
}

type deadline struct {
	at    time.Time
	timer *time.Timer
}

func (d deadline) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

func newHalf(latency Latency) *half {
	h := &half{latency: latency}
	h.changed = sync.NewCond(&h.mu)
	return h
}

// arrival is when what is sent now arrives. The lock is held.
func (h *half) arrival(now time.Time) time.Time {
	if at := now.Add(h.latency()); at.After(h.last) {
		h.last = at
	}
	return h.last
}

// at does something, and wakes whoever waits, when it is time. Segments are stamped before their timer is set, so a timer never fires
// before its segment is due. The lock is held.
func (h *half) at(now, due time.Time, then func()) {
	if !due.After(now) {
		then()
		h.changed.Broadcast()
		return
	}
	time.AfterFunc(due.Sub(now), func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		then()
		h.changed.Broadcast()
	})
}

func (h *half) write(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for sent := 0; ; {
		switch {
		case h.finished:
			return sent, net.ErrClosed
		case h.reset:
			return sent, syscall.EPIPE
		case h.writing.passed():
			return sent, os.ErrDeadlineExceeded
		case sent == len(b):
			return sent, nil
		case h.size >= inFlight:
			h.changed.Wait()
			continue
		}
		n := min(len(b)-sent, inFlight-h.size)
		h.send(append([]byte(nil), b[sent:sent+n]...))
		sent += n
	}
}

func (h *half) send(b []byte) {
	now := time.Now()
	due := h.arrival(now)
	h.queue = append(h.queue, segment{bytes: b, due: due})
	h.size += len(b)
	h.at(now, due, func() {})
}

func (h *half) read(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch {
		case h.abandoned:
			return 0, net.ErrClosed
		case h.reading.passed():
			return 0, os.ErrDeadlineExceeded
		case len(h.queue) > 0 && !time.Now().Before(h.queue[0].due):
			return h.take(b)
		}
		h.changed.Wait()
	}
}

// take reads from the first segment; the end of the stream stays where it is.
func (h *half) take(b []byte) (int, error) {
	first := &h.queue[0]
	if first.bytes == nil {
		return 0, io.EOF
	}
	n := copy(b, first.bytes)
	first.bytes = first.bytes[n:]
	h.size -= n
	if len(first.bytes) == 0 {
		h.queue[0] = segment{}
		h.queue = h.queue[1:]
	}
	h.changed.Broadcast()
	return n, nil
}

// finish is the writer's close.
func (h *half) finish() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.finished {
		h.finished = true
		h.send(nil)
		h.changed.Broadcast()
	}
}

// abandon is the reader's close; it tells whether this was the first.
func (h *half) abandon() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.abandoned {
		return false
	}
	h.abandoned, h.queue, h.size = true, nil, 0
	h.changed.Broadcast()
	now := time.Now()
	h.at(now, h.arrival(now), func() { h.reset, h.queue = true, nil })
	return true
}

func (h *half) setDeadline(d *deadline, at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
	}
	*d = deadline{at: at}
	if wait := time.Until(at); !at.IsZero() && wait > 0 {
		d.timer = time.AfterFunc(wait, func() {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.changed.Broadcast()
		})
	}
	h.changed.Broadcast()
}
