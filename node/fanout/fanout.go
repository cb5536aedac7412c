// Package fanout asks a network a question by passing it on from node to node along their query orders, and brings the answers back in time.
//
// A node that is asked answers for itself and asks some peers of its own query order, which do the same. Each hop has less time than the one
// before, by the measured round trip to the peer and a margin, so that what comes back comes in time; a peer that is too far away for that is
// not asked. A question has an ID: whoever has seen it says so and does nothing, and the next of the order is asked instead. The next is
// also asked where a peer fails, or has not said within the time expected of it that it took the question.
//
// Programs answer questions by name with node.HandleQuery and ask them with node.Query.
package fanout

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/g2g-net/g2g/pki"
)

// Bounds of a query, whoever begins it.
const (
	MaxFanout   = 16               // peers that one node asks at first; with those asked instead of others, twice as many
	MaxHops     = 16               // from the node that begins it
	MaxBudget   = 30 * time.Second // from its begin to the last answer
	MaxQuestion = 4 << 10          // bytes of what is asked
	MaxAnswer   = 4 << 10          // bytes of one node's answer, and characters of its error
	MaxAnswers  = 1024             // in one response
	MaxBytes    = 56 << 10         // of the answers in one response, as size counts them
	MaxLinks    = 32               // that one answer names
	MaxLeftOut  = 1 << 20          // as far as is counted what was left out
	// MaxRunning bounds the queries that a node works on at once, and MaxRunningPeer those of them that one peer brought.
	MaxRunning     = 256
	MaxRunningPeer = 32
	// MaxSeen bounds the IDs that are remembered, each until its query is over, and MaxSeenPeer those of them that one peer brought.
	MaxSeen     = 8192
	MaxSeenPeer = 1024
	// MaxHandlers bounds the names that a node answers to.
	MaxHandlers = 64

	// DefaultFanout and DefaultBudget are of a query that says nothing else.
	DefaultFanout = 3
	DefaultBudget = 2 * time.Second

	// maxResult and maxResultBytes are what the node that began a query keeps of it, which is not sent on.
	maxResult      = 16 * MaxAnswers
	maxResultBytes = 16 * MaxBytes
)

// Who is the name that every node answers to, with nothing but what stands in every answer: who it is, and how it was reached.
const Who = "who"

// What an asker may branch on.
var (
	// ErrQuery is a query that is wrong. Nobody was asked.
	ErrQuery = errors.New("wrong query")
	// ErrBusy is a node that works on too many queries. It has changed nothing.
	ErrBusy = errors.New("too many queries are under way")
)

// A Query is a question to the network.
type Query struct {
	Name     string // of the handler
	Question []byte
	Fanout   int           // peers that each node asks; zero for DefaultFanout
	Budget   time.Duration // until the last answer; zero for DefaultBudget
	Links    bool          // each answer names whom its node is connected to
}

// normal is the query with what it leaves open.
func (q Query) normal() (Query, error) {
	if q.Name == "" {
		q.Name = Who
	}
	if q.Fanout == 0 {
		q.Fanout = DefaultFanout
	}
	if q.Budget == 0 {
		q.Budget = DefaultBudget
	}
	r := Request{Query: q, Hops: 1}
	if err := r.Check(); err != nil {
		return q, fmt.Errorf("%w: %w", ErrQuery, err)
	}
	return q, nil
}

// ID is a query's, made at random.
type ID [16]byte

// A Request is a query as one node passes it on to another.
type Request struct {
	Query // with the budget that is left for whoever is asked
	ID    ID
	Hops  int // to whoever is asked
}

// Check reports what is wrong with a request.
func (r Request) Check() error {
	switch {
	case pki.CheckName(r.Name) != nil:
		return fmt.Errorf("query %w", pki.CheckName(r.Name))
	case r.Fanout < 1 || r.Fanout > MaxFanout:
		return fmt.Errorf("fan-out of %d where 1 to %d are allowed", r.Fanout, MaxFanout)
	case r.Budget <= 0 || r.Budget > MaxBudget:
		return fmt.Errorf("time of %s where more than 0 and at most %s is allowed", r.Budget, MaxBudget)
	case len(r.Question) > MaxQuestion:
		return fmt.Errorf("question of %d bytes is over the bound of %d", len(r.Question), MaxQuestion)
	case r.Hops < 1 || r.Hops > MaxHops:
		return fmt.Errorf("%d hops where 1 to %d are allowed", r.Hops, MaxHops)
	}
	return nil
}

// A Response is what comes back for a request: the answers of the peer and of all that it asked.
type Response struct {
	Answers []Answer
	LeftOut int // answers for which there was no room
}

// An Answer is one node's. Who it is from is proven for the peers that this node asked itself; further answers are as these tell them.
type Answer struct {
	ID      pki.ID
	Name    string // of the node, chosen by itself
	Hops    int    // from the node that began the query, which has 0
	Elapsed time.Duration
	Body    []byte
	Error   string // of its handler; empty for none
	Unknown bool   // it has no handler for the query's name; such answers are given where Links are asked for
	Links   []Link // whom it is connected to, where the query asks for it
}

// A Link is a peer that a node keeps a connection to.
type Link struct {
	Peer    [8]byte       // the first bytes of its ID
	Latency time.Duration // zero where it was not measured
}

// size is what an answer takes in a message, or a little more.
func (a Answer) size() int {
	const frame, link = 28, 12
	return frame + len(a.ID) + len(a.Name) + len(a.Body) + len(a.Error) + link*len(a.Links)
}

// Check reports what is wrong with an answer to a request of so many hops.
func (a Answer) Check(hops int) error {
	switch {
	case a.ID.IsZero():
		return errors.New("answer of nobody")
	case pki.CheckName(a.Name) != nil:
		return fmt.Errorf("answer: %w", pki.CheckName(a.Name))
	case a.Hops < hops || a.Hops > MaxHops:
		return fmt.Errorf("answer over %d hops where %d to %d are possible", a.Hops, hops, MaxHops)
	case a.Elapsed < 0 || a.Elapsed > MaxBudget:
		return fmt.Errorf("answer after %s where at most %s is possible", a.Elapsed, MaxBudget)
	case len(a.Body) > MaxAnswer || len(a.Error) > MaxAnswer:
		return fmt.Errorf("answer of %d bytes is over the bound of %d", max(len(a.Body), len(a.Error)), MaxAnswer)
	case len(a.Links) > MaxLinks:
		return fmt.Errorf("%d links are over the bound of %d", len(a.Links), MaxLinks)
	}
	return nil
}

// Check reports what is wrong with a response to a request.
func (r Response) Check(req Request) error {
	total := 0
	for _, a := range r.Answers {
		if err := a.Check(req.Hops); err != nil {
			return err
		}
		total += a.size()
	}
	switch {
	case len(r.Answers) > MaxAnswers:
		return fmt.Errorf("%d answers are over the bound of %d", len(r.Answers), MaxAnswers)
	case total > MaxBytes:
		return fmt.Errorf("answers of %d bytes are over the bound of %d", total, MaxBytes)
	case r.LeftOut < 0:
		return errors.New("fewer than no answers are left out")
	}
	return nil
}

// A Result is what a query brought to the node that began it.
type Result struct {
	Answers []Answer // by hops, then by the time; this node's own comes first
	LeftOut int      // answers for which there was no room
	Asked   int      // peers that this node asked
	Seen    int      // of these, how many had the question already
	Failed  int      // of these, how many brought nothing
	Instead int      // of these, how many were asked instead of others, or beside slow ones
}

// A Handler answers a question. It must return when its context ends, which is when there is no more time: it takes a place among those
// that may run until it does. What it returns then is lost. It is called from many goroutines.
type Handler func(ctx context.Context, question []byte) ([]byte, error)

// A Peer is somebody to ask, as the query order has it.
type Peer struct {
	ID       pki.ID
	Rank     int           // of its group, the farthest being 0; order.Unmeasured without one
	Distance time.Duration // zero where it was not measured
	P99      time.Duration
}

// A Carrier is the node around: it knows whom to ask, and asks.
type Carrier interface {
	// Peers is the query order of now.
	Peers() []Peer
	// Warm tells whether there is a connection to a peer.
	Warm(pki.ID) bool
	// Ask sends a request. It calls accepted once the peer has said whether it takes it, and returns when the response is there, or the
	// context has ended.
	Ask(ctx context.Context, to pki.ID, r Request, accepted func(seen bool)) (Response, error)
	// Links are whom the node is connected to.
	Links() []Link
	// Name is the node's.
	Name() string
}
