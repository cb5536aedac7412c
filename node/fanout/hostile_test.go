package fanout

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/g2g-net/g2g/pki"
)

func TestRequestRefusals(t *testing.T) {
	good := Request{Query: Query{Name: "who", Fanout: 3, Budget: time.Second}, Hops: 1}
	for want, change := range map[string]func(*Request){
		"": func(*Request) {},
		"4294967295 hops where 1 to 16 are allowed":                     func(r *Request) { r.Hops = math.MaxUint32 },
		"0 hops where 1 to 16 are allowed":                              func(r *Request) { r.Hops = 0 },
		"time of -5s where more than 0 and at most 30s is allowed":      func(r *Request) { r.Budget = -5 * time.Second },
		"time of 0s where more than 0 and at most 30s is allowed":       func(r *Request) { r.Budget = 0 },
		"time of 720h0m0s where more than 0 and at most 30s is allowed": func(r *Request) { r.Budget = 720 * time.Hour },
		"fan-out of 0 where 1 to 16 are allowed":                        func(r *Request) { r.Fanout = 0 },
		"fan-out of 4294967295 where 1 to 16 are allowed":               func(r *Request) { r.Fanout = math.MaxUint32 },
		`query name "": 1 to 63 characters are needed`:                  func(r *Request) { r.Name = "" },
	} {
		r := good
		change(&r)
		if err := r.Check(); (err == nil) != (want == "") || err != nil && err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// What a peer answers that cannot be is refused whole, and the peer counts as one that failed.
func TestForgedAnswers(t *testing.T) {
	many := func(n, size int) (out []Answer) {
		for i := range n {
			out = append(out, Answer{ID: pki.ID{9, byte(i >> 8), byte(i)}, Name: "x", Hops: 2, Body: make([]byte, size)})
		}
		return out
	}
	for name, c := range map[string]struct {
		forge  func(a *node, r Response) Response
		others int // answers that count beside the asker's own
		failed int
	}{
		"honest":    {func(_ *node, r Response) Response { return r }, 1, 0},
		"hop count": {func(_ *node, r Response) Response { r.Answers[0].Hops = math.MaxUint32; return r }, 0, 1},
		"no hops":   {func(_ *node, r Response) Response { r.Answers[0].Hops = 0; return r }, 0, 1},
		"negative":  {func(_ *node, r Response) Response { r.Answers[0].Elapsed = -time.Hour; return r }, 0, 1},
		"long ago":  {func(_ *node, r Response) Response { r.Answers[0].Elapsed = MaxBudget; return r }, 1, 0},
		"nobody":    {func(_ *node, r Response) Response { r.Answers[0].ID = pki.ID{}; return r }, 0, 1},
		"name":      {func(_ *node, r Response) Response { r.Answers[0].Name = "a\x1b[2J"; return r }, 0, 1},
		"huge":      {func(_ *node, r Response) Response { r.Answers[0].Body = make([]byte, MaxAnswer+1); return r }, 0, 1},
		"links":     {func(_ *node, r Response) Response { r.Answers[0].Links = make([]Link, MaxLinks+1); return r }, 0, 1},
		"many":      {func(*node, Response) Response { return Response{Answers: many(MaxAnswers+1, 0)} }, 0, 1},
		"bytes":     {func(*node, Response) Response { return Response{Answers: many(20, MaxAnswer)} }, 0, 1},
		"left out":  {func(_ *node, r Response) Response { r.LeftOut = -1; return r }, 0, 1},
		"twice":     {func(_ *node, r Response) Response { r.Answers = append(r.Answers, r.Answers...); return r }, 1, 0},
		"for the asker": {func(a *node, r Response) Response {
			r.Answers = append(r.Answers, Answer{ID: a.id, Name: "forged", Hops: 2})
			return r
		}, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, 2, 1, 1, time.Millisecond, func(w *world) {
				a, b := w.nodes[w.ids[0]], w.nodes[w.ids[1]]
				b.forges = func(_ Request, r Response) Response { return c.forge(a, r) }
				r, err := a.engine.Query(context.Background(), Query{Budget: 100 * time.Millisecond})
				if err != nil || len(r.Answers) != 1+c.others || r.Failed != c.failed {
					t.Fatalf("%v: %d answers, %+v", err, len(r.Answers), r)
				}
				for _, answer := range r.Answers {
					if answer.Elapsed > 100*time.Millisecond || answer.Name == "forged" {
						t.Errorf("%+v", answer)
					}
				}
			})
		})
	}
}

// Others may say what they like of a peer: what it says itself counts.
func TestOwnAnswerCounts(t *testing.T) {
	h := heap{self: pki.ID{1}, most: 10, bytes: 1000}
	h.add(Answer{ID: pki.ID{2}, Name: "forged"}, false)
	h.add(Answer{ID: pki.ID{2}, Name: "true"}, true)
	h.add(Answer{ID: pki.ID{2}, Name: "forged"}, false)
	h.add(Answer{ID: pki.ID{2}, Name: "forged"}, true)
	if len(h.answers) != 1 || h.answers[0].Name != "true" || h.size != h.answers[0].size() {
		t.Errorf("%+v", h)
	}
}

// No answer makes a response too long, whatever comes in which order, and what is left out is counted.
func TestResponsesAreBounded(t *testing.T) {
	h := heap{self: pki.ID{1}, most: MaxAnswers, bytes: MaxBytes}
	n := 0
	for i := range 3000 {
		a := Answer{ID: pki.ID{2, byte(i >> 8), byte(i)}, Name: "x", Hops: 1, Body: make([]byte, (i*37)%200)}
		h.add(a, false)
		if n++; i%3 == 0 {
			a.Body = make([]byte, MaxAnswer)
			h.add(a, true)
		}
		total := 0
		for _, a := range h.answers {
			total += a.size()
		}
		if total != h.size || total > MaxBytes || len(h.at) != len(h.answers) {
			t.Fatalf("%d bytes, %d counted", total, h.size)
		}
	}
	r := h.response()
	if err := r.Check(Request{Hops: 1}); err != nil || r.LeftOut == 0 || len(r.Answers) == 0 {
		t.Errorf("%v, %d answers, %d left out", err, len(r.Answers), r.LeftOut)
	}
}

// A peer that floods a node with queries takes neither the places of others nor the memory that keeps their questions from going round.
func TestFlood(t *testing.T) {
	inWorld(t, 1, 0, 1, 0, func(w *world) {
		e := w.nodes[w.ids[0]].engine
		flooder, other := pki.ID{7}, pki.ID{8}
		if err := e.Handle("hang", func(ctx context.Context, _ []byte) ([]byte, error) { <-ctx.Done(); return nil, nil }); err != nil {
			t.Fatal(err)
		}
		id := func(i int) ID { return ID{byte(i >> 8), byte(i)} }
		serve := func(from pki.ID, i int, name string) (seen bool, err error) {
			r := Request{Query: Query{Name: name, Fanout: 3, Budget: 10 * time.Second}, ID: id(i), Hops: 1}
			_, err = e.Serve(context.Background(), from, r, func(s bool) error { seen = s; return nil })
			return seen, err
		}
		refused := 0
		for i := range 3 * MaxSeenPeer {
			if _, err := serve(flooder, i, Who); errors.Is(err, ErrBusy) {
				refused++
			}
		}
		if refused != 2*MaxSeenPeer || e.remembered() != MaxSeenPeer {
			t.Errorf("%d of %d refused, %d remembered", refused, 3*MaxSeenPeer, e.remembered())
		}
		if seen, err := serve(other, 0, Who); !seen || err != nil {
			t.Errorf("the first question was forgotten: %v, %v", seen, err)
		}
		if seen, err := serve(other, 60000, Who); seen || err != nil {
			t.Errorf("another's question: %v, %v", seen, err)
		}
		time.Sleep(12 * time.Second)
		for i := range 2 * MaxRunningPeer {
			go func() { _, _ = serve(flooder, i, "hang") }()
		}
		synctest.Wait()
		if n, _ := e.underWay(); n != MaxRunningPeer {
			t.Errorf("%d under way", n)
		}
		if _, err := serve(other, 60001, Who); err != nil {
			t.Errorf("another's question: %v", err)
		}
		for peer := range 2 * MaxRunning / MaxRunningPeer {
			for i := range MaxRunningPeer {
				go func() { _, _ = serve(pki.ID{9, byte(peer)}, 1000+peer*MaxRunningPeer+i, "hang") }()
			}
		}
		synctest.Wait()
		n, _ := e.underWay()
		if _, err := serve(other, 60002, Who); !errors.Is(err, ErrBusy) || n != MaxRunning {
			t.Errorf("%d under way, and another: %v", n, err)
		}
		time.Sleep(12 * time.Second)
		if n, peers := e.underWay(); n != 0 || peers != 0 {
			t.Errorf("%d under way at the end", n)
		}
	})
}

// A question that goes round comes to nobody twice, and one whose ID is changed on the way ends at the last hop.
func TestLoop(t *testing.T) {
	inWorld(t, 2, 1, 1, time.Millisecond, func(w *world) {
		a, b := w.nodes[w.ids[0]], w.nodes[w.ids[1]]
		r, err := a.engine.Query(context.Background(), Query{})
		if err != nil || len(r.Answers) != 2 || a.calls.Load() != 0 || b.calls.Load() != 1 {
			t.Errorf("%v, %+v, worked on %d and %d times", err, r, a.calls.Load(), b.calls.Load())
		}
		last := Request{Query: Query{Name: Who, Fanout: 3, Budget: time.Second}, ID: ID{1}, Hops: MaxHops}
		out, err := b.engine.Serve(context.Background(), pki.ID{5}, last, func(bool) error { return nil })
		if err != nil || len(out.Answers) != 1 || a.calls.Load() != 0 {
			t.Errorf("%v, %+v: passed on from the last hop", err, out)
		}
	})
}

func TestLinksAreGiven(t *testing.T) {
	inWorld(t, 3, 2, 1, time.Millisecond, func(w *world) {
		r, err := w.nodes[w.ids[0]].engine.Query(context.Background(), Query{Name: "none", Links: true})
		if err != nil || len(r.Answers) != 3 {
			t.Fatalf("%v, %+v", err, r)
		}
		for _, a := range r.Answers {
			if !a.Unknown || len(a.Links) != 2 || !strings.HasPrefix(a.Name, "n") {
				t.Errorf("%+v", a)
			}
		}
		if got := fmt.Sprint(r.Answers[0].Links[0].Latency); got != "2ms" {
			t.Errorf("latency %s", got)
		}
	})
}
