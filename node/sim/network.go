package sim

import (
	"time"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/latency"
)

// A flight is one call on its way there and back.
type flight struct {
	from, to *node
	life     int // of from, when it called
	send     gossip.Send
	answer   gossip.Message
	deadline int64
	ended    bool
}

// jitter is exponential: most messages are a little late, few are very late.
func (w *world) travel(from, to *node) int64 {
	half := float64(w.plan.RTT[from.region][to.region]) / 2
	return int64(half * (1 + w.plan.Jitter*w.r.ExpFloat64()))
}

// parted tells whether nothing gets from one node to the other now.
func (w *world) parted(a, b *node) bool { return a.side != b.side || a.cut || b.cut }

// lost draws whether a message gets lost.
func (w *world) lost(a, b *node) bool {
	if w.parted(a, b) {
		return true
	}
	through := (1 - w.loss) * (1 - a.loss) * (1 - b.loss)
	return through < 1 && w.r.Float64() >= through
}

// send takes a request to its peer. Without a warm connection the handshakes of TCP and TLS come first, two round trips.
func (n *node) send(s gossip.Send) {
	w := n.w
	w.checks.message(n, s.Request)
	f := &flight{from: n, to: w.byID[s.To], life: n.life, send: s, deadline: w.now + int64(s.Timeout)}
	if n.blocked {
		n.held = append(n.held, f)
		f.outcome(f.deadline, timeout)
		return
	}
	f.leave()
}

// leave takes a request on its way.
func (f *flight) leave() {
	n, s, w := f.from, f.send, f.from.w
	w.count().sent(s.Request)
	switch {
	case f.to == nil, len(s.Addresses) == 0:
		f.outcome(w.now+int64(time.Millisecond), refused)
	case w.lost(n, f.to):
		f.outcome(f.deadline, timeout)
	default:
		legs := int64(1)
		if !n.machine.Active(s.To) {
			legs = 5
		}
		w.queue.put(event{at: w.now + legs*w.travel(n, f.to), kind: request, call: f})
	}
}

// outcome comes to the caller, but not after its deadline. Nothing happens in the past: a request that waited at a stopped node may be
// looked at later than that.
func (f *flight) outcome(at int64, k kind) {
	if at > f.deadline {
		at, k = max(f.deadline, f.from.w.now), timeout
	}
	f.from.w.queue.put(event{at: at, kind: k, call: f})
}

// arrive has the peer answer. A stopped one does when it goes on, unless the caller has given up by then.
func (f *flight) arrive() {
	w, to := f.from.w, f.to
	switch {
	case to.machine == nil:
		f.outcome(w.now+w.travel(to, f.from), refused)
		return
	case w.now >= f.deadline:
		f.outcome(w.now, timeout)
		return
	case to.stopped, to.blocked:
		to.keep(event{kind: request, call: f})
		f.outcome(f.deadline, timeout)
		return
	}
	req := f.send.Request
	if r, ok := req.(gossip.JoinRequest); ok {
		r.Observed = f.from.host
		req = r
	}
	if ping, ok := req.(gossip.PingRequest); ok {
		f.outcome(w.now+w.timed(f, ping.Count), answer)
		return
	}
	w.count().turns++
	f.answer = to.machine.Receive(to.clock(), f.from.id, req)
	to.flush()
	w.checks.message(to, f.answer)
	w.count().sent(f.answer)
	if w.lost(to, f.from) {
		f.outcome(f.deadline, timeout)
		return
	}
	f.outcome(w.now+w.travel(to, f.from), answer)
}

// timed answers a measurement as a driver would, which tells the peer, too, and returns how long it takes from the first call's arrival on.
func (w *world) timed(f *flight, count int) (took int64) {
	var resp gossip.PingResponse
	for range count {
		rtt := w.travel(f.from, f.to) + w.travel(f.to, f.from)
		resp.RTTs, took = append(resp.RTTs, time.Duration(rtt)), took+rtt
	}
	if len(resp.RTTs) >= latency.Enough {
		f.to.machine.Timed(f.to.clock(), f.from.id, resp.RTTs[:latency.Enough])
		f.to.flush()
	}
	f.answer = resp
	w.count().sent(resp)
	return took
}

// end tells the caller the outcome, once. What comes to a stopped one waits; an answer that waited past the deadline is none.
func (f *flight) end(k kind) {
	n := f.from
	switch {
	case f.ended || n.machine == nil || n.life != f.life:
		return
	case n.stopped:
		n.keep(event{kind: k, call: f})
		return
	case n.blocked && k != timeout:
		n.keep(event{kind: k, call: f})
		n.w.queue.put(event{at: max(f.deadline, n.w.now), kind: timeout, call: f})
		return
	}
	f.ended = true
	n.w.count().turns++
	if k == answer && n.w.now <= f.deadline {
		n.do(func(now time.Time) { n.machine.Reply(now, f.send.Call, f.answer) })
		if req, ok := f.send.Request.(gossip.ExchangeRequest); ok {
			n.w.spare.Take(req, f.answer.(gossip.ExchangeResponse))
			f.send.Request, f.answer = nil, nil
		}
		return
	}
	how := gossip.Unanswered
	if k == refused {
		how = gossip.Absent
	}
	n.do(func(now time.Time) { n.machine.Fail(now, f.send.Call, how) })
}
