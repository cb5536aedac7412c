package fanout

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/g2g-net/g2g/pki"
)

// Whatever the network: who answers does so once, nobody is asked twice by one node in one query, nobody is over its hops, everything is back in
// time, and a network in which every message comes is answered by nearly all.
func TestQueriesReachTheNetwork(t *testing.T) {
	for seed := range uint64(6) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 7))
			n := 20 + random.IntN(60)
			w := newWorld(n, 12, random, func(a, b pki.ID) time.Duration { return time.Duration(1+(a[2]^b[2])%40) * time.Millisecond })
			lossy := seed%2 == 1
			for i, id := range w.ids {
				if lossy && i > 0 && i%5 == 0 {
					w.nodes[id].lost = func(to pki.ID) bool { return to[2]%3 == 0 }
				}
			}
			const budget = 800 * time.Millisecond
			began := time.Now()
			r, err := w.nodes[w.ids[0]].engine.Query(context.Background(), Query{Fanout: 4, Budget: budget})
			if took := time.Since(began); err != nil || took > budget {
				t.Errorf("%v after %s", err, took)
			}
			seen := map[pki.ID]bool{}
			for _, a := range r.Answers {
				if seen[a.ID] || a.Elapsed > budget || a.Hops > w.most || (a.Hops == 0) != (a.ID == w.ids[0]) {
					t.Errorf("%+v", a)
				}
				seen[a.ID] = true
			}
			if least := map[bool]int{false: n * 95 / 100, true: n / 2}[lossy]; len(r.Answers) < least {
				t.Errorf("seed %d: %d of %d have answered, %+v", seed, len(r.Answers), n, r)
			}
			for who, times := range w.asked {
				if times > 1 {
					t.Errorf("%s: asked %d times", who, times)
				}
			}
			for _, a := range w.nodes {
				if a.calls.Load() > 1 {
					t.Errorf("%s worked on it %d times", a.Name(), a.calls.Load())
				}
			}
			t.Logf("%d of %d answered, at most %d hops, %d of %d asked had it", len(r.Answers), n, w.most, r.Seen, r.Asked)
		})
	}
}

// A peer that says nothing costs no more than the time expected of it: the next one is asked.
func TestSlowPeersAreHedged(t *testing.T) {
	inWorld(t, 6, 5, 1, 5*time.Millisecond, func(w *world) {
		root := w.nodes[w.ids[0]]
		silent := map[pki.ID]bool{}
		for i, p := range root.peers {
			silent[p.ID] = i < 2
		}
		for _, a := range w.nodes {
			a.lost = func(to pki.ID) bool { return silent[to] }
			if a != root {
				a.peers = nil
			}
		}
		root.engine.cfg.Random = rand.New(rand.NewPCG(4, 4))
		for i := range root.peers {
			root.peers[i].Rank = 0 // one group: the order is not rotated
		}
		r, err := root.engine.Query(context.Background(), Query{Fanout: 3, Budget: time.Second})
		if err != nil || len(r.Answers) != 4 || r.Asked != 5 || r.Instead != 2 || r.Failed != 2 {
			t.Fatalf("%v: %+v", err, r)
		}
		patience := root.peers[0].patience(true)
		for _, a := range r.Answers[1:] {
			if want := []time.Duration{5 * time.Millisecond, patience + 5*time.Millisecond}; a.Elapsed != want[0] && a.Elapsed != want[1] {
				t.Errorf("an answer was given after %s, want one of %s", a.Elapsed, want)
			}
		}
	})
}

// Each hop has less time, by the round trip and a margin; who is too far away is not asked, and there is no time that is over.
func TestTimeIsSubtracted(t *testing.T) {
	inWorld(t, 3, 2, 1, 40*time.Millisecond, func(w *world) {
		a, b, c := w.nodes[w.ids[0]], w.nodes[w.ids[1]], w.nodes[w.ids[2]]
		to := func(n *node) []Peer {
			return []Peer{{ID: n.id, Distance: 80 * time.Millisecond, P99: 80 * time.Millisecond}}
		}
		a.peers, b.peers, c.peers = to(b), to(c), nil
		left := map[string]time.Duration{}
		for _, n := range []*node{a, b, c} {
			if err := n.engine.Handle("left", func(ctx context.Context, _ []byte) ([]byte, error) {
				deadline, _ := ctx.Deadline()
				w.mu.Lock()
				defer w.mu.Unlock()
				left[n.Name()] = time.Until(deadline)
				return nil, nil
			}); err != nil {
				t.Fatal(err)
			}
		}
		for budget, want := range map[time.Duration]string{
			250 * time.Millisecond: "map[n0:250ms n1:145ms n2:40ms] 3",
			150 * time.Millisecond: "map[n0:150ms n1:45ms] 2",
			100 * time.Millisecond: "map[n0:100ms] 1",
		} {
			w.mu.Lock()
			clear(left)
			w.mu.Unlock()
			began := time.Now()
			r, err := a.engine.Query(context.Background(), Query{Name: "left", Budget: budget})
			w.mu.Lock()
			got := fmt.Sprint(left, " ", len(r.Answers))
			w.mu.Unlock()
			if err != nil || got != want || time.Since(began) > budget {
				t.Errorf("%s: %s, want %s (%v, %s)", budget, got, want, err, time.Since(began))
			}
		}
	})
}

// A handler that does not end in time keeps its place until it does, and nothing else.
func TestSlowHandlers(t *testing.T) {
	inWorld(t, 1, 0, 1, 0, func(w *world) {
		e := w.nodes[w.ids[0]].engine
		if err := e.Handle("slow", func(ctx context.Context, _ []byte) ([]byte, error) {
			<-ctx.Done()
			time.Sleep(time.Second)
			return []byte("late"), nil
		}); err != nil {
			t.Fatal(err)
		}
		r, err := e.Query(context.Background(), Query{Name: "slow", Budget: 50 * time.Millisecond})
		if n, _ := e.underWay(); err != nil || len(r.Answers) != 0 || n != 1 {
			t.Errorf("%v, %+v, %d under way", err, r, n)
		}
		time.Sleep(2 * time.Second)
		if n, peers := e.underWay(); n != 0 || peers != 0 {
			t.Errorf("%d under way", n)
		}
	})
}

func TestHandlersSayWhatIsWrong(t *testing.T) {
	inWorld(t, 1, 0, 1, 0, func(w *world) {
		e := w.nodes[w.ids[0]].engine
		for name, answer := range map[string]string{"error": "", "long": strings.Repeat("a", MaxAnswer+1), "good": "yes"} {
			if err := e.Handle(name, func(context.Context, []byte) ([]byte, error) {
				if answer == "" {
					return nil, errors.New("no\xff" + strings.Repeat("o", 2*MaxAnswer))
				}
				return []byte(answer), nil
			}); err != nil {
				t.Fatal(err)
			}
		}
		for name, want := range map[string]string{"error": "no" + strings.Repeat("o", MaxAnswer-3), "long": "the answer is too long", "good": "yes"} {
			r, err := e.Query(context.Background(), Query{Name: name})
			if err != nil || len(r.Answers) != 1 || r.Answers[0].Error+string(r.Answers[0].Body) != want {
				t.Errorf("%s: %v, %+v", name, err, r)
			}
		}
		if r, err := e.Query(context.Background(), Query{Name: "none"}); err != nil || len(r.Answers) != 0 {
			t.Errorf("a name that nobody knows: %v, %+v", err, r)
		}
		for want, err := range map[string]error{
			`handle query: name "A": only a-z 0-9 - and . may stand in it`: e.Handle("A", e.handlers[Who]),
			`handle query "who": there is a handler already`:               e.Handle(Who, e.handlers[Who]),
			`handle query "x": there is no handler`:                        e.Handle("x", nil),
		} {
			if err == nil || err.Error() != want {
				t.Errorf("got %v, want %s", err, want)
			}
		}
		for i := range MaxHandlers - 3 {
			if err := e.Handle(fmt.Sprint("h", i), e.handlers[Who]); err != nil {
				t.Fatal(err)
			}
		}
		if err := e.Handle("more", e.handlers[Who]); err == nil || !strings.Contains(err.Error(), "at most 64 handlers") {
			t.Errorf("got %v", err)
		}
	})
}

// What is wrong is refused before anybody is asked.
func TestWrongQueries(t *testing.T) {
	inWorld(t, 1, 0, 1, 0, func(w *world) {
		e := w.nodes[w.ids[0]].engine
		for want, q := range map[string]Query{
			`wrong query: query name "A/b": only a-z 0-9 - and . may stand in it`:    {Name: "A/b"},
			"wrong query: fan-out of -1 where 1 to 16 are allowed":                   {Fanout: -1},
			"wrong query: fan-out of 17 where 1 to 16 are allowed":                   {Fanout: 17},
			"wrong query: time of -1ns where more than 0 and at most 30s is allowed": {Budget: -1},
			"wrong query: time of 31s where more than 0 and at most 30s is allowed":  {Budget: 31 * time.Second},
			"wrong query: question of 4097 bytes is over the bound of 4096":          {Question: make([]byte, MaxQuestion+1)},
		} {
			if _, err := e.Query(context.Background(), q); !errors.Is(err, ErrQuery) || err.Error() != want {
				t.Errorf("got %v, want %s", err, want)
			}
		}
		over, cancel := context.WithTimeout(context.Background(), -time.Second)
		defer cancel()
		if _, err := e.Query(over, Query{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}
