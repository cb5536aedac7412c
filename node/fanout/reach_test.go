package fanout

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/g2g-net/g2g/node/latency"
	"github.com/g2g-net/g2g/node/order"
	"github.com/g2g-net/g2g/pki"
)

// The simulation of reach: a thousand engines in six regions, in virtual time, ask their network questions. TEST_REACH is how many
// graphs are drawn; each is asked from originsPerGraph nodes. Without it there is one, asked from fewOrigins nodes where time is short.
const (
	reachNodes      = 1000
	originsPerGraph = 10
	fewOrigins      = 3
	reachBudget     = 200              // messages, for the variety
	betweenReaches  = 10 * time.Second // until nobody remembers the question before
)

var regionShares = []float64{.30, .25, .20, .10, .10, .05}

// A policy arranges the view of a node. Of places without ranks the engine leaves the order as it is.
type policy struct {
	name   string
	ranked bool
	list   func(r *rand.Rand, near []int, groups [][]int) []order.Place[int]
}

var policies = []policy{
	{"near first", false, func(_ *rand.Rand, near []int, _ [][]int) []order.Place[int] { return order.Append(nil, near) }},
	{"far first", false, func(_ *rand.Rand, near []int, _ [][]int) []order.Place[int] {
		far := slices.Clone(near)
		slices.Reverse(far)
		return order.Append(nil, far)
	}},
	{"random", false, func(r *rand.Rand, near []int, _ [][]int) []order.Place[int] {
		list := slices.Clone(near)
		r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		return order.Append(nil, list)
	}},
	{"this order", false, shuffled},
	{ours, true, shuffled},
}

// ours is what a node does.
const ours = "this order, rotated start"

func shuffled(r *rand.Rand, _ []int, groups [][]int) []order.Place[int] {
	order.Shuffle(groups, r)
	return order.Of(groups)
}

// graph is who knows whom, and how far everybody is from everybody.
type graph struct {
	region []int
	rack   []int
	rtt    func(a, b int) float64 // ms, without jitter
	near   [][]int                // the view, nearest first
	groups [][][]int              // and in the groups that node/latency finds
}

func newGraph(r *rand.Rand, view int) *graph {
	g := &graph{}
	var x, y []float64
	for range regionShares {
		x, y = append(x, r.Float64()), append(y, r.Float64())
	}
	for len(g.region) < reachNodes {
		at, region := r.Float64(), 0
		for at > regionShares[region] && region < len(regionShares)-1 {
			at -= regionShares[region]
			region++
		}
		g.region, g.rack = append(g.region, region), append(g.rack, region*10+r.IntN(10))
	}
	g.rtt = func(a, b int) float64 {
		switch {
		case g.rack[a] == g.rack[b]:
			return .15
		case g.region[a] == g.region[b]:
			return .6
		}
		d := math.Hypot(x[g.region[a]]-x[g.region[b]], y[g.region[a]]-y[g.region[b]])
		return 2 + 15 + 145*min(1, d)
	}
	for a := range reachNodes {
		var peers []latency.Peer
		for _, b := range r.Perm(reachNodes) {
			if b != a && len(peers) < view {
				d := time.Duration(g.rtt(a, b) * math.Exp(.05*r.NormFloat64()) * float64(time.Millisecond))
				peers = append(peers, latency.Peer{ID: idOf(b), Estimate: latency.Estimate{N: 20, Distance: d, Median: d, P99: d}})
			}
		}
		g.take(peers)
	}
	return g
}

func (g *graph) take(peers []latency.Peer) {
	found, _ := latency.NewGrouping(nil).Update(peers)
	var groups [][]int
	for _, f := range found {
		var members []int
		for _, p := range f.Members {
			members = append(members, numberOf(p.ID))
		}
		groups = append(groups, members)
	}
	slices.SortFunc(peers, func(a, b latency.Peer) int { return cmp.Compare(a.Distance, b.Distance) })
	var near []int
	for _, p := range peers {
		near = append(near, numberOf(p.ID))
	}
	g.near, g.groups = append(g.near, near), append(g.groups, groups)
}

// outcome is what became of one question.
type outcome struct {
	t50, t90 float64 // ms until half and nine tenths had it; infinite for never
	answered float64 // share of the nodes whose answer is back in time
	regions  float64 // regions and racks that the first reachBudget messages got to
	racks    float64
	messages float64 // of all nodes together
	leftOut  float64 // answers for which there was no room on the way
}

// ask spreads questions from some nodes over engines that follow a policy, each of which draws its list anew for each, as nodes do that
// rebuild it now and then.
func (g *graph) ask(t *testing.T, seed uint64, origins int, q Query, p policy) (all []outcome) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{nodes: map[pki.ID]*node{}}
		r := rand.New(rand.NewPCG(seed, 1))
		for i := range reachNodes {
			own := rand.New(rand.NewPCG(seed, uint64(i+2)))
			a := &node{world: w, id: idOf(i), draw: func() []Peer { return g.peers(i, own, p) }}
			a.engine = New(Config{ID: a.id, Carrier: a, Random: own, IDs: ids{r}})
			w.nodes[a.id] = a
		}
		for question := range uint64(origins) {
			w.oneWay = func(a, b pki.ID) time.Duration {
				jitter := rand.New(rand.NewPCG(seed^question<<32, uint64(numberOf(a)<<16|numberOf(b)))).ExpFloat64()
				return milliseconds(g.rtt(numberOf(a), numberOf(b)) / 2 * (1 + .1*jitter))
			}
			all = append(all, g.one(t, w, r.IntN(reachNodes), q))
			time.Sleep(betweenReaches)
		}
	})
	return all
}

// peers is the query order of a node under a policy.
func (g *graph) peers(of int, r *rand.Rand, p policy) []Peer {
	var peers []Peer
	for _, place := range p.list(r, g.near[of], g.groups[of]) {
		d := milliseconds(g.rtt(of, place.Peer))
		peer := Peer{ID: idOf(place.Peer), Rank: order.Unmeasured, Distance: d, P99: d + d/2}
		if p.ranked {
			peer.Rank = place.Group
		}
		peers = append(peers, peer)
	}
	return peers
}

// one asks from one node.
func (g *graph) one(t *testing.T, w *world, origin int, q Query) outcome {
	t.Helper()
	began := time.Now()
	var times []float64
	messages := 0
	regions, racks := map[int]bool{}, map[int]bool{}
	w.took = func(*node) { times = append(times, float64(time.Since(began))/1e6) }
	w.sent = func(_, to pki.ID, _ Request) {
		if messages++; messages <= reachBudget {
			regions[g.region[numberOf(to)]], racks[g.rack[numberOf(to)]] = true, true
		}
	}
	r, err := w.nodes[idOf(origin)].engine.Query(context.Background(), q)
	if took := time.Since(began); err != nil || took > q.Budget {
		t.Errorf("%v after %s", err, took)
	}
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	o := outcome{
		t50: math.Inf(1), t90: math.Inf(1), answered: float64(len(r.Answers)-1) / (reachNodes - 1),
		regions: float64(len(regions)), racks: float64(len(racks)), messages: float64(messages), leftOut: float64(r.LeftOut),
	}
	slices.Sort(times)
	if len(times) >= reachNodes/2 {
		o.t50 = times[reachNodes/2-1]
	}
	if len(times) >= reachNodes*9/10 {
		o.t90 = times[reachNodes*9/10-1]
	}
	return o
}

func milliseconds(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }

func idOf(n int) pki.ID      { return pki.ID{1, byte(n >> 8), byte(n)} }
func numberOf(id pki.ID) int { return int(id[1])<<8 | int(id[2]) }

// interval is a mean with its 95 % interval, over the values that are there.
type interval struct {
	mean, half float64
	n          int
}

func intervalOf(values []float64) interval {
	values = slices.DeleteFunc(slices.Clone(values), func(v float64) bool { return math.IsInf(v, 1) })
	i := interval{n: len(values)}
	for _, v := range values {
		i.mean += v / float64(len(values))
	}
	for _, v := range values {
		i.half += (v - i.mean) * (v - i.mean)
	}
	if len(values) > 1 {
		i.half = 1.96 * math.Sqrt(i.half/float64(len(values)-1)/float64(len(values)))
	}
	return i
}

func (i interval) String() string {
	if i.n == 0 {
		return "never"
	}
	return fmt.Sprintf("%.1f+-%.1f", i.mean, i.half)
}

// TestReach prints how far questions get, and holds what a node does to being the best in answers where time is short.
//
//	TEST_REACH=30 go test ./node/fanout -run TestReach -v
func TestReach(t *testing.T) {
	graphs, origins := 1, fewOrigins
	text := os.Getenv("TEST_REACH")
	if text != "" {
		origins = originsPerGraph
		if _, err := fmt.Sscan(text, &graphs); err != nil || graphs < 1 {
			t.Fatalf("TEST_REACH=%q is no number of graphs", text)
		}
	}
	for _, c := range []struct {
		view  int
		query Query
		short bool
	}{
		{20, Query{Fanout: 5, Budget: 200 * time.Millisecond}, true},
		{40, Query{Fanout: 3, Budget: 200 * time.Millisecond}, true},
		{20, Query{Fanout: 5, Budget: 400 * time.Millisecond}, false},
		{40, Query{Fanout: 3, Budget: 400 * time.Millisecond}, false},
	} {
		if text == "" && !c.short {
			continue
		}
		t.Logf("%d nodes, 6 regions, view %d, fan-out %d, %s, %d graphs x %d origins, seeds 1 to %d", reachNodes, c.view, c.query.Fanout, c.query.Budget,
			graphs, origins, graphs)
		t.Logf(reachRow, "", "t50 ms", "t90 ms", "got90", "answered %", "left out", "messages", "regions", "racks of 60")
		answered := map[string]interval{}
		for _, p := range policies {
			var all []outcome
			for seed := range uint64(graphs) {
				g := newGraph(rand.New(rand.NewPCG(seed+1, 0)), c.view)
				all = append(all, g.ask(t, seed+1, origins, c.query, p)...)
			}
			answered[p.name] = tell(t, p.name, all)
		}
		for name, other := range answered {
			if c.short && !strings.HasPrefix(name, "this order") && other.mean-other.half > answered[ours].mean+answered[ours].half {
				t.Errorf("view %d, fan-out %d: %s is answered by %s %%, this order by %s %%", c.view, c.query.Fanout, name, other, answered[ours])
			}
		}
	}
}

const reachRow = "%-26v %-12v %-12v %-6v %-12v %-10v %-13v %-10v %v"

// tell prints a row, and returns how many have answered.
func tell(t *testing.T, name string, all []outcome) interval {
	t.Helper()
	over := func(value func(outcome) float64) interval {
		var values []float64
		for _, o := range all {
			values = append(values, value(o))
		}
		return intervalOf(values)
	}
	t90 := over(func(o outcome) float64 { return o.t90 })
	answered := over(func(o outcome) float64 { return 100 * o.answered })
	t.Logf(reachRow, name, over(func(o outcome) float64 { return o.t50 }), t90, fmt.Sprintf("%.0f %%", 100*float64(t90.n)/float64(len(all))), answered,
		over(func(o outcome) float64 { return o.leftOut }), over(func(o outcome) float64 { return o.messages }),
		over(func(o outcome) float64 { return o.regions }), over(func(o outcome) float64 { return o.racks }))
	return answered
}
