package sim

// An event is one thing that happens at one moment. Of two at the same moment the one that was put first comes first.
type event struct {
	at    int64 // nanoseconds since the world began
	order uint64
	kind  kind
	node  *node
	call  *flight
	do    func()
}

// kind tells the events apart that there are millions of from those that are a function.
type kind uint8

const (
	function kind = iota
	timer
	request
	answer
	timeout
	refused
)

// A queue is a heap of events, four children a node: half as deep as one with two, and one cache line a step. A heap of this
// package's own, because container/heap boxes every event.
type queue struct {
	events []event
	count  uint64
}

func (e *event) before(other *event) bool {
	return e.at < other.at || e.at == other.at && e.order < other.order
}

func (q *queue) put(e event) {
	q.count++
	e.order = q.count
	q.events = append(q.events, e)
	i := len(q.events) - 1
	for i > 0 {
		parent := (i - 1) / 4
		if !e.before(&q.events[parent]) {
			break
		}
		q.events[i] = q.events[parent]
		i = parent
	}
	q.events[i] = e
}

// next is the event to come, or nil.
func (q *queue) next() *event {
	if len(q.events) == 0 {
		return nil
	}
	return &q.events[0]
}

func (q *queue) take() event {
	first := q.events[0]
	n := len(q.events) - 1
	last := q.events[n]
	q.events[n] = event{}
	q.events = q.events[:n]
	if n > 0 {
		q.sink(last)
	}
	return first
}

// sink puts an event where the first was, and moves it down to its place.
func (q *queue) sink(e event) {
	n := len(q.events)
	i := 0
	for {
		least := 4*i + 1
		if least >= n {
			break
		}
		for c := least + 1; c < min(4*i+5, n); c++ {
			if q.events[c].before(&q.events[least]) {
				least = c
			}
		}
		if !q.events[least].before(&e) {
			break
		}
		q.events[i] = q.events[least]
		i = least
	}
	q.events[i] = e
}
