package gossip

import (
	"github.com/g2g-net/g2g/node/latency"
	"github.com/g2g-net/g2g/node/view"
)

// maxSpare is how many messages a Spare keeps the memory of.
const maxSpare = 1 << 10

// A Spare is memory of messages that nobody reads any more, for the next ones, and what a turn works in. All machines of a simulation share one:
// what was read just now is in the processor's cache still. A nil one keeps nothing, as in every real node, whose messages may be on their way to the wire
// for longer than the machine knows.
type Spare struct {
	digests [][]view.Version
	beats   [][]IndexedBeat
	sends   [][]Send
	work    room
}

// A room is what a machine works in. Nothing in it outlasts a turn.
type room struct {
	groups latency.Room
	peers  []latency.Peer
	turns  []turn
	places []int
	ids    []byte
}

// shared is the room of all machines, or a new one.
func (s *Spare) shared() *room {
	if s == nil {
		return &room{}
	}
	return &s.work
}

// Done is told that all of a turn's requests are on their way, each with a copy of what is in the list.
func (s *Spare) Done(sends []Send) {
	if s == nil {
		return
	}
	clear(sends)
	s.sends = kept(s.sends, sends)
}

// list is room for requests, or nil.
func (s *Spare) list() []Send {
	if s == nil {
		return nil
	}
	return last(&s.sends)
}

// Take is told of an exchange that is over: its answer has been taken, and no copy of either is left.
func (s *Spare) Take(req ExchangeRequest, resp ExchangeResponse) {
	if s == nil {
		return
	}
	s.digests = kept(s.digests, req.Digest)
	s.beats = kept(kept(s.beats, req.Beats), resp.Beats)
}

func kept[T any](all [][]T, one []T) [][]T {
	if cap(one) == 0 || len(all) >= maxSpare {
		return all
	}
	return append(all, one[:0])
}

// last takes the memory that was used last.
func last[T any](all *[][]T) (one []T) {
	if n := len(*all) - 1; n >= 0 {
		one, *all = (*all)[n], (*all)[:n]
	}
	return one
}

// digest is room for one, or nil.
func (s *Spare) digest() []view.Version {
	if s == nil {
		return nil
	}
	return last(&s.digests)
}

// room is for so many beats.
func (s *Spare) room(n int) []IndexedBeat {
	if s == nil {
		return make([]IndexedBeat, 0, n)
	}
	if b := last(&s.beats); cap(b) >= n {
		return b
	}
	return make([]IndexedBeat, 0, MaxBeats)
}
