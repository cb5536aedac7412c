package fanout

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/g2g-net/g2g/pki"
)

// seenAfter is for how long a query is remembered after its time: whoever had it last may pass it on until then.
const seenAfter = time.Second

// Config is what an Engine needs of its node.
type Config struct {
	ID      pki.ID
	Carrier Carrier
	Random  *rand.Rand // draws where the order begins; guarded by the engine
	IDs     io.Reader  // makes the IDs of queries
}

// An Engine works on the queries of one node: its own, and those that peers bring.
type Engine struct {
	cfg Config

	mu       sync.Mutex
	handlers map[string]Handler
	seen     *seen
	running  int
	by       map[pki.ID]int // of running, by who brought them
}

// New makes an engine that knows Who.
func New(cfg Config) *Engine {
	e := &Engine{cfg: cfg, handlers: map[string]Handler{}, seen: newSeen(), by: map[pki.ID]int{}}
	e.handlers[Who] = func(context.Context, []byte) ([]byte, error) { return nil, nil }
	return e
}

// Handle has a handler answer to a name: 1 to 63 characters of a-z 0-9 - and . (pki.CheckName).
func (e *Engine) Handle(name string, h Handler) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case pki.CheckName(name) != nil:
		return fmt.Errorf("handle query: %w", pki.CheckName(name))
	case h == nil:
		return fmt.Errorf("handle query %q: there is no handler", name)
	case e.handlers[name] != nil:
		return fmt.Errorf("handle query %q: there is a handler already", name)
	case len(e.handlers) > MaxHandlers:
		return fmt.Errorf("handle query %q: a node has at most %d handlers", name, MaxHandlers)
	}
	e.handlers[name] = h
	return nil
}

// Query asks the network, and returns when all that were asked have answered, or when the time is over. What has come until then is the result.
func (e *Engine) Query(ctx context.Context, q Query) (Result, error) {
	q, err := q.normal()
	if err != nil {
		return Result{}, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		if q.Budget = min(q.Budget, time.Until(deadline)); q.Budget <= 0 {
			return Result{}, context.DeadlineExceeded
		}
	}
	r := Request{Query: q}
	if _, err := io.ReadFull(e.cfg.IDs, r.ID[:]); err != nil {
		return Result{}, fmt.Errorf("make a query's ID: %w", err)
	}
	w, _, err := e.begin(ctx, e.cfg.ID, r)
	if err != nil {
		return Result{}, err
	}
	defer w.end()
	w.heap = heap{self: e.cfg.ID, most: maxResult, bytes: maxResultBytes}
	w.run()
	return w.resultOf(), ctx.Err()
}

// Serve works on a request that a peer brought. It calls accepted first, and then has all answers by the time that the request gives.
func (e *Engine) Serve(ctx context.Context, from pki.ID, r Request, accepted func(seen bool) error) (Response, error) {
	w, known, err := e.begin(ctx, from, r)
	if err != nil {
		return Response{}, err
	}
	if known {
		return Response{}, accepted(true)
	}
	defer w.end()
	if err := accepted(false); err != nil {
		return Response{}, err
	}
	w.heap = heap{self: e.cfg.ID, most: MaxAnswers, bytes: MaxBytes}
	w.run()
	return w.heap.response(), nil
}

// begin takes a request that is new and for which there is a place.
func (e *Engine) begin(ctx context.Context, from pki.ID, r Request) (w *work, known bool, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	if e.seen.knows(now, r.ID) {
		return nil, true, nil
	}
	run, remember := MaxRunningPeer, MaxSeenPeer
	if from == e.cfg.ID {
		run, remember = MaxRunning, MaxSeen
	}
	if e.running >= MaxRunning || e.by[from] >= run {
		return nil, false, ErrBusy
	}
	if _, err := e.seen.add(now, r.ID, from, remember, now.Add(r.Budget+seenAfter)); err != nil {
		return nil, false, err
	}
	w = &work{engine: e, from: from, req: r, began: now, until: now.Add(r.Budget), handler: e.handlers[r.Name]}
	w.ctx, w.cancel = context.WithDeadline(ctx, w.until)
	w.parts.Store(2)
	e.running++
	e.by[from]++
	return w, false, nil
}

// give gives a query's place back.
func (e *Engine) give(from pki.ID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.running--
	if e.by[from]--; e.by[from] == 0 {
		delete(e.by, from)
	}
}

// rotated is the order to ask in.
func (e *Engine) rotated(peers []Peer) []Peer {
	e.mu.Lock()
	defer e.mu.Unlock()
	return rotate(peers, e.cfg.Random)
}
