package node

import (
	"fmt"
	"sync"
	"time"

	"github.com/g2g-net/g2g/node/gossip"
)

// Refusals that are told to the operator: so many at once, and one more each while. They are events that others cause as often as
// they like, and would else leave no room for those of before.
const (
	refusalsAtOnce = 50
	refusalSpacing = time.Minute
)

// seldom decides which of many events are told. It is safe for concurrent use.
type seldom struct {
	mu     sync.Mutex
	spent  time.Time // until when the budget is spent: refusalsAtOnce spacings ahead of now at most
	missed int
}

// next tells whether to tell of one more, and of how many nobody was told before it.
func (s *seldom) next(now time.Time) (missed int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.spent.Before(now) {
		s.spent = now
	}
	if s.spent.Sub(now) > (refusalsAtOnce-1)*refusalSpacing {
		s.missed++
		return 0, false
	}
	s.spent = s.spent.Add(refusalSpacing)
	missed, s.missed = s.missed, 0
	return missed, true
}

// worthTelling leaves out refusals that are too many, and says with the next one how many these were. What a holder of a token causes
// and what anybody can are counted apart.
func (n *Node) worthTelling(notice *gossip.Notice) bool {
	if notice.Kind != gossip.KindRefused {
		return true
	}
	s := &n.refusals[0]
	if notice.Unproven {
		s = &n.refusals[1]
	}
	missed, ok := s.next(time.Now())
	if missed > 0 {
		notice.Detail += fmt.Sprintf(" (and %d more before it, which are not listed)", missed)
	}
	return ok
}
