package node

import (
	"sync/atomic"

	"github.com/g2g-net/g2g/node/admin"
	"github.com/g2g-net/g2g/node/transport"
)

// work counts the loop's turns and what they led to.
type work struct {
	timers atomic.Uint64 // turns because something was due
	jobs   atomic.Uint64 // turns because somebody asked or answered
	saves  atomic.Uint64 // transactions
}

// Counters tells how much of what the node did since it started, in a fixed order.
func (n *Node) Counters() []admin.Counter {
	out := []admin.Counter{
		{Name: "loop_timers", Value: n.work.timers.Load()},
		{Name: "loop_jobs", Value: n.work.jobs.Load()},
		{Name: "saves", Value: n.work.saves.Load()},
	}
	m := n.member.Load()
	if m == nil {
		return out
	}
	verified := m.gate.Counts()
	t := m.registry.Traffic()
	out = append(out,
		admin.Counter{Name: "contacts_verified", Value: verified.Contacts},
		admin.Counter{Name: "contacts_known", Value: verified.Known},
		admin.Counter{Name: "chains_verified", Value: verified.Chains},
		admin.Counter{Name: "handshakes_dialled", Value: t.Dialled},
		admin.Counter{Name: "handshakes_accepted", Value: t.Accepted},
		admin.Counter{Name: "handshakes_failed", Value: t.Failed},
	)
	out = append(out, flowCounters("handshake", t.Handshake)...)
	out = append(out, flowCounters("socket", t.Socket)...)
	for _, m := range t.Methods {
		out = append(out, callCounters("asked", m.Method, m.Asked)...)
		out = append(out, callCounters("answered", m.Method, m.Answered)...)
	}
	return out
}

func flowCounters(what string, f transport.Flow) []admin.Counter {
	return []admin.Counter{
		{Name: what + "_reads", Value: f.Reads},
		{Name: what + "_read_bytes", Value: f.Read},
		{Name: what + "_writes", Value: f.Writes},
		{Name: what + "_written_bytes", Value: f.Written},
	}
}

func callCounters(what, method string, c transport.Calls) []admin.Counter {
	return []admin.Counter{
		{Name: what, Method: method, Value: c.Count},
		{Name: what + "_sent_bytes", Method: method, Value: c.Sent},
		{Name: what + "_received_bytes", Method: method, Value: c.Received},
	}
}
