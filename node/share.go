package node

import (
	"sync"

	"github.com/g2g-net/g2g/pki"
)

// maxWaiting bounds the requests of one member that wait for the loop. A peer has a few under way at most; one that sends more takes
// no places of others.
const maxWaiting = 32

// shares counts the requests of each member that wait. The zero value has none; it is safe for concurrent use.
type shares struct {
	mu sync.Mutex
	of map[pki.ID]int // without zeros, so that nobody who went away stays in it
}

// enter takes one of a member's places, or tells that there is none.
func (s *shares) enter(id pki.ID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of[id] >= maxWaiting {
		return false
	}
	if s.of == nil {
		s.of = map[pki.ID]int{}
	}
	s.of[id]++
	return true
}

func (s *shares) leave(id pki.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of[id]--; s.of[id] <= 0 {
		delete(s.of, id)
	}
}
