package fanout

import (
	"cmp"
	"slices"

	"github.com/g2g-net/g2g/pki"
)

// heap is the answers that have come so far, one a node.
//
//  1. There are at most most of them, with at most bytes by size.
//  2. What a peer says of itself takes the place of what others said of it, never the other way round.
type heap struct {
	self  pki.ID
	most  int
	bytes int

	answers []Answer
	at      map[pki.ID]int // place in answers
	direct  map[pki.ID]bool
	size    int
	leftOut int
}

// add takes an answer. Direct says that it comes from its node itself.
func (h *heap) add(a Answer, direct bool) {
	if h.at == nil {
		h.at, h.direct = map[pki.ID]int{}, map[pki.ID]bool{}
	}
	if a.ID == h.self && !direct {
		return // others can say nothing of this node
	}
	i, known := h.at[a.ID]
	switch {
	case known && (!direct || h.direct[a.ID]):
		return
	case known:
		h.size -= h.answers[i].size()
		h.answers[i], h.direct[a.ID] = a, true
		h.size += a.size()
		h.shrink()
		return
	case len(h.answers) >= h.most || h.size+a.size() > h.bytes:
		h.leftOut++
		return
	}
	h.at[a.ID], h.direct[a.ID] = len(h.answers), direct
	h.answers = append(h.answers, a)
	h.size += a.size()
}

// shrink drops the last answers that are over the bound.
func (h *heap) shrink() {
	for h.size > h.bytes {
		last := h.answers[len(h.answers)-1]
		h.answers = h.answers[:len(h.answers)-1]
		h.size -= last.size()
		delete(h.at, last.ID)
		delete(h.direct, last.ID)
		h.leftOut++
	}
}

func (h *heap) response() Response {
	return Response{Answers: h.answers, LeftOut: min(h.leftOut, MaxLeftOut)}
}

// sorted is by hops, then as they came.
func (h *heap) sorted() []Answer {
	out := slices.Clone(h.answers)
	slices.SortStableFunc(out, func(a, b Answer) int { return cmp.Or(cmp.Compare(a.Hops, b.Hops), cmp.Compare(a.Elapsed, b.Elapsed)) })
	return out
}
