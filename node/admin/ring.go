package admin

import (
	"sync"
	"time"

	"github.com/g2g-net/g2g/node/gossip"
)

const (
	// RingSize is how many of the latest events a node keeps.
	RingSize = 10_000
	// MaxDetail bounds an event's detail, in bytes. What is longer is cut.
	MaxDetail = 1 << 10
)

// An Event is a notice with its place and time.
type Event struct {
	gossip.Notice
	Seq  uint64 // from 1, without gaps
	Time time.Time
}

// A Ring keeps the latest RingSize events. Its methods may be called from many goroutines at once.
//
//  1. events[(seq-1)%RingSize] is the event seq, for the last RingSize of them.
//  2. Add never waits for a reader: one that is too slow finds that events are gone, and how many.
type Ring struct {
	mu     sync.Mutex
	events []Event
	last   uint64        // seq of the latest event; 0 for none
	added  chan struct{} // closed and renewed at each event
	done   chan struct{} // closed by Close
	closer sync.Once
}

// NewRing makes an empty ring.
func NewRing() *Ring { return &Ring{added: make(chan struct{}), done: make(chan struct{})} }

// Add keeps the notice, in place of the oldest event if the ring is full.
func (r *Ring) Add(now time.Time, n gossip.Notice) {
	n.Detail = utf8Of(n.Detail[:min(len(n.Detail), MaxDetail)])
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last++
	e := Event{Notice: n, Seq: r.last, Time: now}
	if len(r.events) < RingSize {
		r.events = append(r.events, e)
	} else {
		r.events[(r.last-1)%RingSize] = e
	}
	close(r.added)
	r.added = make(chan struct{})
}

// Close tells that no more events come, which ends the streams of the server. What is kept stays readable.
func (r *Ring) Close() { r.closer.Do(func() { close(r.done) }) }

// Since gives the events kept that are younger than age at now, oldest first; all of them for an age of 0.
func (r *Ring) Since(age time.Duration, now time.Time) []Event {
	oldest, _ := r.bounds()
	kept, _, _ := r.next(oldest-1, RingSize)
	var young []Event
	for _, e := range kept {
		if e.younger(age, now) {
			young = append(young, e)
		}
	}
	return young
}

// younger judges each event by itself: a clock that was set back leaves their times unordered.
func (e Event) younger(age time.Duration, now time.Time) bool {
	return age == 0 || now.Sub(e.Time) < age
}

// bounds are the seq of the oldest event kept and of the latest. Of an empty ring they are 1 and 0.
func (r *Ring) bounds() (oldest, latest uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.oldest(), r.last
}

func (r *Ring) oldest() uint64 { return r.last - uint64(len(r.events)) + 1 }

// next gives up to limit events after seq, how many of those after seq are gone already, and a channel that is closed when
// one more has come.
func (r *Ring) next(seq uint64, limit int) (events []Event, gone uint64, more <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if before := r.oldest() - 1; seq < before {
		gone, seq = before-seq, before
	}
	for ; seq < r.last && len(events) < limit; seq++ {
		events = append(events, r.events[seq%RingSize])
	}
	return events, gone, r.added
}
