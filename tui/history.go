package tui

import (
	"math"
	"slices"
	"time"

	"github.com/g2g-net/g2g/proto/adminpb"
)

const (
	// step is the time between two samples of a history.
	step = time.Second
	// kept is how many samples a history holds of each peer.
	kept = 600
	// minute is how many of them the first picture of a node brings, and how many a sparkline shows.
	minute = int(time.Minute / step)
	// maxSeries bounds the peers that a history knows.
	maxSeries = 4096
)

// A metric is one of the quantities that a history keeps.
type metric int

const (
	latencies metric = iota
	ages
	distances
	metrics
)

// A history is what pictures have shown, one sample a step.
//
//  1. A sample that is missing is NaN.
//  2. What Window gives for a time never changes with what is added later, until it is older than kept.
type history struct {
	peers map[string]*[metrics]series
	mean  series // of the distances to all
}

// A series holds the samples of consecutive slots, of which the last is end-1. A slot is Unix time by step.
type series struct {
	end    int64
	values []float32
}

func newHistory() *history { return &history{peers: map[string]*[metrics]series{}} }

var missing = float32(math.NaN())

func slotOf(ms int64) int64 { return ms / step.Milliseconds() }

// set keeps a sample; the last of a slot counts, and what is older than the newest slot is not looked at.
func (s *series) set(slot int64, v float64) {
	switch {
	case len(s.values) > 0 && slot < s.end-1:
		return
	case len(s.values) > 0 && slot == s.end-1:
		s.values[len(s.values)-1] = float32(v)
		return
	case len(s.values) > 0 && slot-s.end >= kept:
		s.values = s.values[:0]
	}
	for len(s.values) > 0 && s.end < slot {
		s.push(missing)
		s.end++
	}
	s.push(float32(v))
	s.end = slot + 1
}

// push makes room by halves, so that it seldom copies.
func (s *series) push(v float32) {
	if len(s.values) >= 2*kept {
		s.values = append(s.values[:0], s.values[len(s.values)-kept:]...)
	}
	s.values = append(s.values, v)
}

// window is the last n samples up to a slot, that one included.
func (s *series) window(slot int64, n int) []float32 {
	out := make([]float32, n)
	first := s.end - int64(len(s.values))
	for i := range out {
		at := slot - int64(n-1-i)
		out[i] = missing
		if at >= first && at < s.end {
			out[i] = s.values[at-first]
		}
	}
	return out
}

// add keeps what a picture shows, and what it says about the time before it.
func (h *history) add(s *adminpb.Snapshot) {
	slot := slotOf(s.GetTimeMs())
	h.load(s.GetHistory(), slot)
	for _, p := range s.GetPeers() {
		of := h.of(p.GetId())
		if of == nil {
			continue
		}
		of[latencies].set(slot, latencyOf(p))
		of[ages].set(slot, float64(p.GetAgeMs()))
		of[distances].set(slot, distanceOf(p))
	}
	h.mean.set(slot, meanDistance(s))
	if len(h.peers) > 2*len(s.GetPeers())+64 {
		h.forget(slot)
	}
}

// of is the series of a peer, or nil where there is no place for one more.
func (h *history) of(id string) *[metrics]series {
	if of, ok := h.peers[id]; ok {
		return of
	}
	if len(h.peers) >= maxSeries {
		return nil
	}
	of := &[metrics]series{}
	h.peers[id] = of
	return of
}

// forget drops the peers that have long not been in a picture.
func (h *history) forget(slot int64) {
	for id, of := range h.peers {
		if slot-of[ages].end >= kept {
			delete(h.peers, id)
		}
	}
}

// load takes what a node kept before the first picture; it is older than anything that is here already, or not needed.
func (h *history) load(past *adminpb.History, slot int64) {
	if past == nil || past.GetStepMs() <= 0 {
		return
	}
	stretch := past.GetStepMs()
	fill := func(s *series, values []float32) {
		values = values[max(0, len(values)-kept):]
		for i, v := range values {
			s.set(slot-int64(len(values)-1-i)*stretch/step.Milliseconds(), float64(v))
		}
	}
	fill(&h.mean, past.GetMeanDistance())
	for _, p := range past.GetPeers() {
		if of := h.of(p.GetId()); of != nil {
			fill(&of[latencies], p.GetLatencyMs())
			fill(&of[ages], p.GetAgeMs())
			fill(&of[distances], p.GetDistance())
		}
	}
}

// window is the last n samples of a peer up to a slot.
func (h *history) window(id string, m metric, slot int64, n int) []float32 {
	of := h.peers[id]
	if of == nil {
		return slices.Repeat([]float32{missing}, n)
	}
	return of[m].window(slot, n)
}

// A trend says where the mean distance goes.
type trend int

const (
	unknown trend = iota
	falling
	steady
	rising
)

// trend compares the first third of the last minute with the last third. Less than a twentieth is no movement.
func (h *history) trend(slot int64) trend {
	w := h.mean.window(slot, minute)
	before, after := mean(w[:minute/3]), mean(w[minute-minute/3:])
	if math.IsNaN(before) {
		before = mean(w[:minute-minute/3])
	}
	margin := max(before/20, 0.002)
	switch {
	case math.IsNaN(before) || math.IsNaN(after):
		return unknown
	case after < before-margin:
		return falling
	case after > before+margin:
		return rising
	}
	return steady
}

// mean is that of the samples which are there, or NaN.
func mean(w []float32) float64 {
	sum, n := 0.0, 0
	for _, v := range w {
		if !math.IsNaN(float64(v)) {
			sum += float64(v)
			n++
		}
	}
	if n == 0 {
		return math.NaN()
	}
	return sum / float64(n)
}

// condense makes n samples of many: each the mean of its share.
func condense(w []float32, n int) []float32 {
	if len(w) <= n {
		return w
	}
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(mean(w[i*len(w)/n : (i+1)*len(w)/n]))
	}
	return out
}

// bounds are the least and the greatest of the samples which are there; NaN for none.
func bounds(w []float32) (lo, hi float64) {
	lo, hi = math.NaN(), math.NaN()
	for _, v := range w {
		f := float64(v)
		if math.IsNaN(f) || math.IsInf(f, 0) {
			continue
		}
		if math.IsNaN(lo) || f < lo {
			lo = f
		}
		if math.IsNaN(hi) || f > hi {
			hi = f
		}
	}
	return lo, hi
}

// blocks are the heights of a sparkline.
var blocks = []rune("▁▂▃▄▅▆▇█")

// sparkline draws samples between their own least and greatest, or what is a tenth more than the least if they lie closer: what moves
// by a hundredth shall not look as if it leaped. One that is missing is a blank: the lowest block would say that the peer was fast.
func sparkline(w []float32) string {
	lo, hi := bounds(w)
	hi = max(hi, lo*1.1)
	out := make([]rune, len(w))
	for i, v := range w {
		f := float64(v)
		switch {
		case math.IsNaN(f) || math.IsInf(f, 0):
			out[i] = ' '
		case hi-lo < 1e-9 || hi <= 0:
			out[i] = blocks[0]
		default:
			out[i] = blocks[min(len(blocks)-1, int((f-lo)/(hi-lo)*float64(len(blocks))))]
		}
	}
	return string(out)
}

func latencyOf(p *adminpb.Peer) float64 {
	if p.LatencyMs == nil {
		return math.NaN()
	}
	return p.GetLatencyMs()
}

func distanceOf(p *adminpb.Peer) float64 {
	if p.Distance == nil {
		return math.NaN()
	}
	return p.GetDistance()
}

func meanDistance(s *adminpb.Snapshot) float64 {
	if sig := s.GetSelf().GetSignature(); sig != nil && sig.MeanDistance != nil {
		return sig.GetMeanDistance()
	}
	return math.NaN()
}
