package tui

import (
	"fmt"
	"math"
	"slices"

	"github.com/g2g-net/g2g/proto/adminpb"
)

// edges part the distances into the bars of the histogram.
var edges = []float64{0.1, 0.5}

// drawDistance shows how far the peers' signatures are from this node's, now and over the last minute.
func drawDistance(a area, s *scene, framed bool) {
	known, far := compared(s.pic.GetPeers())
	in := panel(a, framed, "signature distance", []word{{dim, "exchange -"}})
	mean := meanDistance(s.pic.Snapshot)
	if math.IsNaN(mean) {
		in.put(0, 0, dim, "no signature to compare with")
		return
	}
	word, arrow, st := s.converging()
	line := s.past.mean.window(s.slot(), minute)
	spark := sparkline(condense(line, min(20, max(8, in.w-34))))
	x := in.put(0, 0, plain, "mean ")
	x = in.put(x, 0, bold, distance(mean))
	if far != nil {
		x = in.put(x, 0, dim, "  max ")
		in.put(x, 0, plain, distance(far.GetDistance())+" "+fit(name(far), 10))
	}
	in.right(in.w, 0, dim, spark)
	drawHistogram(in.at(0, 1, in.w-14, in.h-1), known)
	in.right(in.w, 1, bold|st, word+" "+arrow)
	if n := s.pic.GetSelf().GetSignature().GetCount(); n > 0 {
		in.right(in.w, 2, dim, "of "+thousands(n))
	}
}

// compared are the distances that are known, and the peer with the greatest.
func compared(peers []*adminpb.Peer) (known []float64, far *adminpb.Peer) {
	for _, p := range peers {
		if p.Distance == nil || math.IsNaN(p.GetDistance()) {
			continue
		}
		known = append(known, p.GetDistance())
		if far == nil || p.GetDistance() > far.GetDistance() {
			far = p
		}
	}
	return known, far
}

// drawHistogram counts the peers that are alike, near and far. The last line takes what there is no line for.
func drawHistogram(a area, known []float64) {
	counts := make([]int, len(edges)+1)
	for _, d := range known {
		i := 0
		for i < len(edges) && d >= edges[i] {
			i++
		}
		counts[i]++
	}
	labels := []string{"0.0-0.1", "0.1-0.5", "≥0.5"}
	if a.h < len(labels) {
		counts[1] += counts[2]
		counts, labels = counts[:2], []string{"0.0-0.1", "≥0.1"}
	}
	room := max(1, a.w-8-4)
	most := max(1, slices.Max(counts))
	for i, n := range counts {
		st := good
		if i == len(counts)-1 {
			st = warn
		}
		a.put(0, i, dim, labels[i])
		bars := 0
		if n > 0 {
			bars = max(1, n*room/most)
			if most < room {
				bars = n
			}
		}
		a.fill(8, i, bars, st, '█')
		if bars > 0 {
			bars++
		}
		a.put(8+bars, i, plain, fmt.Sprint(n))
	}
}

// thousands is a count of samples in three digits.
func thousands(n uint64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d samples", n)
	case n < 1_000_000:
		return fmt.Sprintf("%dk samples", n/1000)
	}
	return fmt.Sprintf("%dM samples", n/1_000_000)
}
