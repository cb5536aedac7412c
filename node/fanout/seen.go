package fanout

import (
	"time"

	"github.com/g2g-net/g2g/pki"
)

// seen remembers queries until they are over, so that each is worked on once.
//
//  1. It holds at most MaxSeen, of one peer at most as many as add was told; of those counts has the sums.
//  2. What is not over is never forgotten to make room: a peer that brings many could else have others' questions go round.
type seen struct {
	until  map[ID]entry
	counts map[pki.ID]int
	swept  time.Time
}

type entry struct {
	until time.Time
	from  pki.ID
}

func newSeen() *seen { return &seen{until: map[ID]entry{}, counts: map[pki.ID]int{}} }

// sweepEvery is how often memory is looked through for what is over.
const sweepEvery = time.Second

// add takes a query that a peer brought, who may have most of them here, and tells whether it was there. It fails where there is no room.
func (s *seen) add(now time.Time, id ID, from pki.ID, most int, until time.Time) (known bool, err error) {
	if s.knows(now, id) {
		return true, nil
	}
	if now.Sub(s.swept) >= sweepEvery {
		s.sweep(now)
	}
	s.drop(id)
	if len(s.until) >= MaxSeen || s.counts[from] >= most {
		return false, ErrBusy
	}
	s.until[id] = entry{until, from}
	s.counts[from]++
	return false, nil
}

func (s *seen) knows(now time.Time, id ID) bool {
	e, ok := s.until[id]
	return ok && now.Before(e.until)
}

func (s *seen) sweep(now time.Time) {
	s.swept = now
	for id, e := range s.until { // the order decides nothing: each is judged alone
		if !now.Before(e.until) {
			s.drop(id)
		}
	}
}

func (s *seen) drop(id ID) {
	e, ok := s.until[id]
	if !ok {
		return
	}
	delete(s.until, id)
	if s.counts[e.from]--; s.counts[e.from] == 0 {
		delete(s.counts, e.from)
	}
}
