package admin

import (
	"math"
	"sync"
	"time"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/adminpb"
)

const (
	// HistorySize is how many samples of each peer a node keeps, so that a watcher sees the last minute at once.
	HistorySize = 60
	// historyStep is the time between two of them.
	historyStep = time.Second
)

// The quantities of a peer that are sampled.
const (
	latencies = iota
	ages
	distances
	quantities
)

// series is the samples of one quantity, those of slot n at n%HistorySize.
type series [HistorySize]float32

var missing = float32(math.NaN())

// A History is the last samples of the peers. A slot is Unix time by historyStep.
//
//  1. Slots from last-filled+1 to last hold samples, or NaN where one was missed or nothing was known.
//  2. Who is not in the newest sample is forgotten, so peers holds no more than a sample. It is ordered by ID.
type History struct {
	mu     sync.Mutex
	last   int64
	filled int
	mean   series
	peers  []pastOf
	spare  []pastOf // room for the next peers
}

// pastOf is the samples of one peer.
type pastOf struct {
	id pki.ID
	of *[quantities]series
}

// NewHistory makes one that is empty.
func NewHistory() *History { return &History{} }

// Due tells whether there is no sample of now yet.
func (h *History) Due(now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.filled == 0 || slotOf(now) != h.last
}

func slotOf(now time.Time) int64 { return now.UnixMilli() / historyStep.Milliseconds() }

// Add takes a sample, ordered by ID. It is one walk: each second it goes over all that a node knows.
func (h *History) Add(now time.Time, readings []gossip.Reading) {
	h.mu.Lock()
	defer h.mu.Unlock()
	at := h.turn(slotOf(now))
	h.mean[at] = meanOf(readings)
	known, peers := h.peers, h.spare[:0]
	for _, r := range readings {
		for len(known) > 0 && known[0].id.Compare(r.ID) < 0 {
			known = known[1:]
		}
		p := pastOf{id: r.ID}
		if len(known) > 0 && known[0].id == r.ID {
			p.of = known[0].of
		} else {
			p.of = newPast()
		}
		p.of[ages][at], p.of[latencies][at], p.of[distances][at] = float32(span(r.Age)), missing, missing
		if r.Latency > 0 {
			p.of[latencies][at] = float32(fraction(r.Latency))
		}
		if r.Comparable {
			p.of[distances][at] = float32(r.Distance)
		}
		peers = append(peers, p)
	}
	clear(h.peers)
	h.peers, h.spare = peers, h.peers
}

func newPast() *[quantities]series {
	of := &[quantities]series{}
	for q := range of {
		for i := range of[q] {
			of[q][i] = missing
		}
	}
	return of
}

// meanOf is the mean distance of the peers that are neither dead nor gone.
func meanOf(readings []gossip.Reading) float32 {
	mean, n := 0.0, 0
	for _, r := range readings {
		if r.Comparable && r.Counts {
			mean, n = mean+r.Distance, n+1
		}
	}
	if n == 0 {
		return missing
	}
	return float32(mean / float64(n))
}

// turn goes on to a slot and returns its place, which is to be filled. Slots between are missing; a clock that was set back begins anew.
func (h *History) turn(slot int64) int {
	if h.filled == 0 || slot < h.last || slot-h.last >= HistorySize {
		h.last, h.filled = slot-1, 0
	}
	for h.last < slot {
		h.last++
		h.filled = min(h.filled+1, HistorySize)
		at := h.last % HistorySize
		h.mean[at] = missing
		for i := 0; h.last < slot && i < len(h.peers); i++ {
			for q := range h.peers[i].of {
				h.peers[i].of[q][at] = missing
			}
		}
	}
	return int(h.last % HistorySize)
}

// past is up to n samples of each peer, oldest first.
func (h *History) past(n int) *adminpb.History {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := &adminpb.History{StepMs: historyStep.Milliseconds()}
	n = min(n, h.filled)
	if n == 0 {
		return out
	}
	tail := func(s *series) []float32 {
		values := make([]float32, n)
		for i := range values {
			values[i] = s[(h.last-int64(n-1-i))%HistorySize]
		}
		return values
	}
	out.MeanDistance = tail(&h.mean)
	for _, p := range h.peers {
		out.Peers = append(out.Peers, &adminpb.Series{
			Id: p.id.String(), LatencyMs: tail(&p.of[latencies]), AgeMs: tail(&p.of[ages]), Distance: tail(&p.of[distances]),
		})
	}
	return out
}
