package node

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/g2g-net/g2g/node/fanout"
	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/gossippb"
)

// answers are the bodies and names of a result, ordered.
func answers(r fanout.Result) string {
	var out []string
	for _, a := range r.Answers {
		out = append(out, strings.TrimSpace(a.Name+" "+string(a.Body)))
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// A question gets to every node, over nodes that ask in turn, in time: also to those that were never called before, and past those that die.
func TestQuery(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		nodes := []*actor{w.founder(withEcho)}
		for i := 1; i < 7; i++ {
			nodes = append(nodes, w.joiner(i, nodes[0]))
		}
		w.allAlive(30*time.Second, nodes, 6)
		began := time.Now()
		r, err := nodes[1].Query(context.Background(), fanout.Query{Fanout: 2})
		if got, want := answers(r), "n0, n1, n2, n3, n4, n5, n6"; err != nil || got != want || time.Since(began) > fanout.DefaultBudget {
			t.Errorf("%v, %s, want %s, after %s: %+v", err, got, want, time.Since(began), r)
		}
		for i, a := range r.Answers {
			if (a.Hops == 0) != (i == 0) || a.Elapsed > time.Since(began) || a.Hops > 0 && a.Elapsed < 5*time.Millisecond {
				t.Errorf("%+v", a)
			}
		}
		for _, i := range []int{2, 4} { // the others pass it on
			if err := nodes[i].HandleQuery("double", func(_ context.Context, q []byte) ([]byte, error) { return append(q, q...), nil }); err != nil {
				t.Error(err)
			}
		}
		guest := w.client(9, nodes[0])
		w.until(30*time.Second, "the guest knows whom to ask", func() bool { return len(guest.Order()) == 7 })
		r, err = guest.Query(context.Background(), fanout.Query{Name: "double", Question: []byte("ab")})
		if got := answers(r); err != nil || got != "n2 abab, n4 abab" {
			t.Errorf("%v, %s: %+v", err, got, r)
		}
		nodes[3].kill()
		began = time.Now()
		r, err = nodes[1].Query(context.Background(), fanout.Query{})
		if got, want := answers(r), "n0, n1, n2, n4, n5, n6"; err != nil || got != want || time.Since(began) > fanout.DefaultBudget {
			t.Errorf("%v, %s, want %s, after %s: %+v", err, got, want, time.Since(began), r)
		}
		w.pass(time.Minute) // all are measured, and the order says so
		r, err = nodes[1].Query(context.Background(), fanout.Query{Name: "map", Links: true})
		if err != nil || len(r.Answers) != 6 || !r.Answers[0].Unknown || len(r.Answers[0].Links) < 2 || r.Answers[0].Links[0].Latency != 10*time.Millisecond {
			t.Errorf("%v: %+v", err, r)
		}
		lone := w.actor(10)
		lone.start()
		if _, err := lone.Query(context.Background(), fanout.Query{}); !errors.Is(err, ErrNoNetwork) {
			t.Errorf("without a network: %v", err)
		}
		if _, err := nodes[1].Query(context.Background(), fanout.Query{Budget: -time.Second}); !errors.Is(err, fanout.ErrQuery) {
			t.Errorf("a time that is over: %v", err)
		}
		haltAll(append(slices.Delete(nodes, 3, 4), guest, lone))
	})
}

// What no honest node sends is refused, with the reason, and costs nothing else.
func TestHostileQueries(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		f := w.founder(withEcho)
		n1 := w.joiner(1, f)
		w.allAlive(10*time.Second, []*actor{f, n1}, 1)
		good := func() *gossippb.QueryRequest {
			return &gossippb.QueryRequest{Id: make([]byte, 16), Name: "who", Fanout: 3, BudgetUs: 1_000_000, Hops: 1}
		}
		for want, change := range map[string]func(*gossippb.QueryRequest){
			"InvalidArgument read query: 4294967295 hops where 1 to 16 are allowed":               func(q *gossippb.QueryRequest) { q.Hops = math.MaxUint32 },
			"InvalidArgument read query: fan-out of 4294967295 where 1 to 16 are allowed":         func(q *gossippb.QueryRequest) { q.Fanout = math.MaxUint32 },
			"InvalidArgument read query: time of 0s where more than 0 and at most 30s is allowed": func(q *gossippb.QueryRequest) { q.BudgetUs = 0 },
			"InvalidArgument read query: time of 2562047h47m16.854775s where more than 0 and at most 30s is allowed": func(q *gossippb.QueryRequest) {
				q.BudgetUs = math.MaxUint64
			},
			"InvalidArgument read query: question of 5000 bytes is over the bound of 4096":       func(q *gossippb.QueryRequest) { q.Question = make([]byte, 5000) },
			"InvalidArgument read query: ID of 15 bytes where 16 are needed":                     func(q *gossippb.QueryRequest) { q.Id = q.Id[1:] },
			`InvalidArgument read query: query name "a b": only a-z 0-9 - and . may stand in it`: func(q *gossippb.QueryRequest) { q.Name = "a b" },
			"ResourceExhausted grpc: received message larger than max (1000035 vs. 65536)":       func(q *gossippb.QueryRequest) { q.Question = make([]byte, 1_000_000) },
			"OK ": func(*gossippb.QueryRequest) {},
		} {
			q := good()
			change(q)
			stream, err := gossippb.NewGossipClient(n1.program("n0")).Query(context.Background(), q)
			if err != nil {
				t.Fatal(err)
			}
			_, err = stream.Recv()
			if s := status.Convert(err); s.Code().String()+" "+s.Message() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		}
		r, err := n1.Query(context.Background(), fanout.Query{})
		if err != nil || len(r.Answers) != 2 {
			t.Errorf("afterwards: %v, %+v", err, r)
		}
		haltAll([]*actor{f, n1})
	})
}

// A peer that brings many queries at once is refused the rest, with the reason.
func TestFloodOfQueries(t *testing.T) {
	inWorld(t, time.Millisecond, func(w *world) {
		f := w.founder(withEcho)
		n1 := w.joiner(1, f)
		w.allAlive(10*time.Second, []*actor{f, n1}, 1)
		if err := f.HandleQuery("hang", func(ctx context.Context, _ []byte) ([]byte, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}); err != nil {
			t.Fatal(err)
		}
		ended := map[codes.Code]int{}
		results := make(chan error)
		const n = 2 * fanout.MaxRunningPeer
		for i := range n {
			go func() {
				q := &gossippb.QueryRequest{Id: []byte(fmt.Sprintf("%016d", i)), Name: "hang", Fanout: 3, BudgetUs: 1_000_000, Hops: 1}
				stream, err := gossippb.NewGossipClient(n1.program("n0")).Query(context.Background(), q)
				for err == nil {
					_, err = stream.Recv()
				}
				results <- err
			}()
		}
		for range n {
			ended[status.Code(<-results)]++
		}
		if ended[codes.ResourceExhausted] != n-fanout.MaxRunningPeer {
			t.Errorf("ended with %v", ended)
		}
		var none pki.ID
		if r, err := f.Query(context.Background(), fanout.Query{}); err != nil || len(r.Answers) != 2 || r.Answers[1].ID == none {
			t.Errorf("afterwards: %v, %+v", err, r)
		}
		haltAll([]*actor{f, n1})
	})
}
