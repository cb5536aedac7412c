package fanout

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/g2g-net/g2g/pki"
)

// world is a network of engines, in virtual time: a message takes as long as the world says.
type world struct {
	nodes  map[pki.ID]*node
	ids    []pki.ID
	oneWay func(a, b pki.ID) time.Duration

	mu    sync.Mutex
	sent  func(from, to pki.ID, r Request) // is told of each message
	took  func(*node)                      // is told of who gets a question for the first time
	asked map[string]int                   // who asked whom, in which query
	most  int                              // hops
}

type node struct {
	world  *world
	id     pki.ID
	engine *Engine
	peers  []Peer
	draw   func() []Peer // instead of peers, where they change
	calls  atomic.Int64
	lost   func(to pki.ID) bool // what it sends there never comes
	forges func(Request, Response) Response
}

func newWorld(n, view int, random *rand.Rand, oneWay func(a, b pki.ID) time.Duration) *world {
	w := &world{nodes: map[pki.ID]*node{}, oneWay: oneWay, asked: map[string]int{}}
	for i := range n {
		id := pki.ID{1, byte(i >> 8), byte(i)}
		a := &node{world: w, id: id}
		a.engine = New(Config{ID: id, Carrier: a, Random: rand.New(rand.NewPCG(uint64(i), 3)), IDs: ids{random}})
		w.nodes[id], w.ids = a, append(w.ids, id)
	}
	w.sent = func(from, to pki.ID, r Request) {
		w.asked[fmt.Sprint(from, to, r.ID)]++
		w.most = max(w.most, r.Hops)
	}
	w.took = func(a *node) { a.calls.Add(1) }
	for _, a := range w.nodes {
		for _, i := range random.Perm(n) {
			if id := w.ids[i]; id != a.id && len(a.peers) < view {
				d := 2 * oneWay(a.id, id)
				a.peers = append(a.peers, Peer{ID: id, Rank: i % 3, Distance: d, P99: d + d/10})
			}
		}
	}
	return w
}

// ids makes IDs out of a seed.
type ids struct{ random *rand.Rand }

func (r ids) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(r.random.Uint32())
	}
	return len(b), nil
}

// Peers is the query order.
func (a *node) Peers() []Peer {
	if a.draw != nil {
		return a.draw()
	}
	return a.peers
}

func (a *node) Warm(pki.ID) bool { return true }
func (a *node) Links() (l []Link) {
	for _, p := range a.peers {
		l = append(l, Link{Peer: [8]byte(p.ID[:8]), Latency: p.Distance})
	}
	return l
}
func (a *node) Name() string { return fmt.Sprintf("n%d", int(a.id[1])<<8+int(a.id[2])) }

// Ask carries a request over the world, and both parts of the answer back.
func (a *node) Ask(ctx context.Context, to pki.ID, r Request, accepted func(bool)) (Response, error) {
	w := a.world
	w.mu.Lock()
	w.sent(a.id, to, r)
	w.mu.Unlock()
	b := w.nodes[to]
	delay := w.oneWay(a.id, to)
	if a.lost != nil && a.lost(to) || b == nil {
		<-ctx.Done()
		return Response{}, ctx.Err()
	}
	if err := r.Check(); err != nil {
		return Response{}, err
	}
	if !sleep(ctx, delay) {
		return Response{}, ctx.Err()
	}
	said, gave := make(chan arrival[bool], 1), make(chan arrival[Response], 1)
	go func() {
		out, err := b.engine.Serve(ctx, a.id, r, func(seen bool) error {
			if !seen {
				w.mu.Lock()
				w.took(b)
				w.mu.Unlock()
			}
			said <- arrival[bool]{seen, nil, time.Now().Add(delay)}
			return nil
		})
		if b.forges != nil {
			out = b.forges(r, out)
		}
		gave <- arrival[Response]{out, err, time.Now().Add(delay)}
	}()
	select {
	case seen := <-said:
		if !sleep(ctx, time.Until(seen.at)) {
			return Response{}, ctx.Err()
		}
		accepted(seen.value)
	case out := <-gave: // refused
		sleep(ctx, time.Until(out.at))
		return Response{}, out.err
	case <-ctx.Done():
		return Response{}, ctx.Err()
	}
	select {
	case out := <-gave:
		if !sleep(ctx, time.Until(out.at)) {
			return Response{}, ctx.Err()
		}
		return out.value, out.err
	case <-ctx.Done():
		return Response{}, ctx.Err()
	}
}

// arrival is a part of an answer under way.
type arrival[V any] struct {
	value V
	err   error
	at    time.Time
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func inWorld(t *testing.T, n, view int, seed uint64, oneWay time.Duration, f func(w *world)) {
	t.Helper()
	synctest.Test(t, func(*testing.T) {
		f(newWorld(n, view, rand.New(rand.NewPCG(seed, 1)), func(pki.ID, pki.ID) time.Duration { return oneWay }))
	})
}

// underWay is how many queries an engine works on, and for how many peers.
func (e *Engine) underWay() (queries, peers int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.running, len(e.by)
}

// remembered is how many IDs it knows.
func (e *Engine) remembered() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.seen.until)
}
