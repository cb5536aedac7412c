package admin

import (
	"context"
	"log/slog"
	"math"
	"slices"
	"sync"
	"time"

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

// A history is the last samples of the peers in the picture. A slot is Unix time by historyStep.
//
//  1. Slots from last-filled+1 to last hold samples, or NaN where one was missed or nothing was known.
//  2. Who is not in the newest sample is forgotten, so peers holds no more than a picture.
type history struct {
	mu     sync.Mutex
	last   int64
	filled int
	mean   series
	peers  map[pki.ID]*[quantities]series
}

func newHistory() *history { return &history{peers: map[pki.ID]*[quantities]series{}} }

// sample keeps pictures of a node until the context ends or nobody else can ask: then the ring is closed.
func (h *history) sample(ctx context.Context, node Node, log *slog.Logger, done <-chan struct{}) {
	tick := time.NewTicker(historyStep)
	defer tick.Stop()
	for {
		h.look(ctx, node, log)
		select {
		case <-tick.C:
		case <-done:
			return
		case <-ctx.Done():
			return
		}
	}
}

// look takes one sample. Of a node that is busy it is missed, and a panic costs no more than that.
func (h *history) look(ctx context.Context, node Node, log *slog.Logger) {
	var err error
	defer caught(log, "history", &err)
	if p, err := node.Picture(ctx); err == nil && p.Gossip != nil {
		h.add(p)
	}
}

// add samples a picture.
func (h *history) add(p Picture) {
	h.mu.Lock()
	defer h.mu.Unlock()
	at := h.turn(milli(p.Now) / historyStep.Milliseconds())
	p.Chain, p.Leaves = pki.Chain{}, nil // of no use here, and dear
	h.mean[at] = orMissing(selfOf(p).GetSignature().MeanDistance)
	present := make(map[pki.ID]bool, len(p.Gossip.Peers))
	for _, peer := range p.Gossip.Peers {
		present[peer.ID] = true
		of := h.peers[peer.ID]
		if of == nil {
			of = &[quantities]series{}
			for q := range of {
				for i := range of[q] {
					of[q][i] = missing
				}
			}
			h.peers[peer.ID] = of
		}
		contact := *peer.Contact // the peer's own is the machine's, and shared
		contact.Chain = pki.Chain{}
		peer.Contact = &contact
		shown := peerOf(p, peer)
		of[latencies][at], of[ages][at], of[distances][at] = orMissing(shown.LatencyMs), float32(shown.GetAgeMs()), orMissing(shown.Distance)
	}
	for id := range h.peers {
		if !present[id] {
			delete(h.peers, id)
		}
	}
}

// turn goes on to a slot and returns its place. Slots between are missing; a clock that was set back begins anew.
func (h *history) turn(slot int64) int {
	if h.filled == 0 || slot < h.last || slot-h.last >= HistorySize {
		h.last, h.filled = slot-1, 0
	}
	for h.last < slot {
		h.last++
		h.filled = min(h.filled+1, HistorySize)
		at := h.last % HistorySize
		h.mean[at] = missing
		for _, of := range h.peers {
			for q := range of {
				of[q][at] = missing
			}
		}
	}
	return int(h.last % HistorySize)
}

func orMissing(v *float64) float32 {
	if v == nil {
		return missing
	}
	return float32(*v)
}

// past is up to n samples of each peer, oldest first.
func (h *history) past(n int) *adminpb.History {
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
	ids := make([]pki.ID, 0, len(h.peers))
	for id := range h.peers {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, pki.ID.Compare)
	for _, id := range ids {
		of := h.peers[id]
		out.Peers = append(out.Peers, &adminpb.Series{
			Id: id.String(), LatencyMs: tail(&of[latencies]), AgeMs: tail(&of[ages]), Distance: tail(&of[distances]),
		})
	}
	return out
}
