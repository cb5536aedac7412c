package order

import (
	"cmp"
	"container/heap"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/g2g-net/g2g/node/latency"
	"github.com/g2g-net/g2g/pki"
)

// The simulation of reach: a thousand nodes in six regions ask the network a question. Whoever gets it for the first time asks
// the first peers of its order, if their answer can be back in time. TEST_REACH is how many graphs are drawn; each is asked
// from originsPerGraph nodes.
const (
	reachNodes      = 1000
	originsPerGraph = 10
	betweenSends    = 0.05 // ms
	reachBudget     = 200  // messages, for the variety
)

var regionShares = []float64{.30, .25, .20, .10, .10, .05}

// A policy arranges the view of a node.
type policy struct {
	name string
	list func(r *rand.Rand, near []int, groups [][]int) []int
}

var policies = []policy{
	{"near first", func(_ *rand.Rand, near []int, _ [][]int) []int { return near }},
	{"far first", func(_ *rand.Rand, near []int, _ [][]int) []int {
		far := slices.Clone(near)
		slices.Reverse(far)
		return far
	}},
	{"random", func(r *rand.Rand, near []int, _ [][]int) []int {
		list := slices.Clone(near)
		r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		return list
	}},
	{"this order", func(r *rand.Rand, _ []int, groups [][]int) []int {
		Shuffle(groups, r)
		var list []int
		for _, p := range Of(groups) {
			list = append(list, p.Peer)
		}
		return list
	}},
	{"this order, rotated start", func(r *rand.Rand, _ []int, groups [][]int) []int {
		Shuffle(groups, r)
		var list []int
		for _, p := range Rotate(Of(groups), r) {
			list = append(list, p.Peer)
		}
		return list
	}},
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
				peers = append(peers, latency.Peer{ID: pki.ID{1, byte(b >> 8), byte(b)}, Estimate: latency.Estimate{N: 20, Distance: d, Median: d, P99: d}})
			}
		}
		g.take(peers)
	}
	return g
}

func (g *graph) take(peers []latency.Peer) {
	number := func(p latency.Peer) int { return int(p.ID[1])<<8 | int(p.ID[2]) }
	found, _ := latency.NewGrouping().Update(peers)
	var groups [][]int
	for _, f := range found {
		var members []int
		for _, p := range f.Members {
			members = append(members, number(p))
		}
		groups = append(groups, members)
	}
	slices.SortFunc(peers, func(a, b latency.Peer) int { return cmp.Compare(a.Distance, b.Distance) })
	var near []int
	for _, p := range peers {
		near = append(near, number(p))
	}
	g.near, g.groups = append(g.near, near), append(g.groups, groups)
}

type arrival struct {
	at       float64 // ms
	node     int
	reply    float64 // ms that an answer from there takes back to the origin, over the same hops
	sequence int
}

type arrivals []arrival

func (q arrivals) Len() int { return len(q) }
func (q arrivals) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].sequence < q[j].sequence
}
func (q arrivals) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *arrivals) Push(x any)   { *q = append(*q, x.(arrival)) }
func (q *arrivals) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

// outcome is what became of one question.
type outcome struct {
	t50, t90 float64 // ms until half and nine tenths had it; infinite for never
	answered float64 // share of the nodes whose answer is back in time
	regions  float64 // regions and racks that the first reachBudget messages got to
	racks    float64
}

// ask spreads one question from an origin. Every hop draws its list anew, as nodes do that rebuild it now and then.
func (g *graph) ask(r *rand.Rand, origin, fanOut int, deadline float64, p policy) outcome {
	q := &arrivals{{at: 0, node: origin}}
	had := make([]bool, reachNodes)
	var times []float64
	answered, messages := 0, 0
	regions, racks := map[int]bool{}, map[int]bool{}
	for q.Len() > 0 {
		a := heap.Pop(q).(arrival)
		if had[a.node] {
			continue
		}
		had[a.node] = true
		times = append(times, a.at)
		if a.at+a.reply <= deadline {
			answered++
		}
		sent := 0
		for _, peer := range p.list(r, g.near[a.node], g.groups[a.node]) {
			if sent == fanOut {
				break
			}
			way := g.rtt(a.node, peer) / 2 * (1 + .1*r.ExpFloat64())
			at := a.at + float64(sent)*betweenSends + way
			if at+way+a.reply > deadline {
				continue // its answer would come too late
			}
			sent++
			if messages++; messages <= reachBudget {
				regions[g.region[peer]], racks[g.rack[peer]] = true, true
			}
			heap.Push(q, arrival{at: at, node: peer, reply: a.reply + way, sequence: messages})
		}
	}
	o := outcome{t50: math.Inf(1), t90: math.Inf(1), answered: float64(answered-1) / (reachNodes - 1), regions: float64(len(regions)), racks: float64(len(racks))}
	if len(times) > reachNodes/2 {
		o.t50 = times[reachNodes/2]
	}
	if len(times) > reachNodes*9/10 {
		o.t90 = times[reachNodes*9/10]
	}
	return o
}

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

// TestReach prints how far questions get, and holds the rotated order to being the best in answers and in variety where time is short. Where
// there is more of it than the network needs, everybody but near first and far first gets everywhere.
//
//	TEST_REACH=30 go test ./node/order -run TestReach -v
func TestReach(t *testing.T) {
	graphs := 3
	if text := os.Getenv("TEST_REACH"); text != "" {
		if _, err := fmt.Sscan(text, &graphs); err != nil || graphs < 1 {
			t.Fatalf("TEST_REACH=%q is no number of graphs", text)
		}
	}
	for _, c := range []struct {
		view, fanOut int
		deadline     float64 // ms
		short        bool
	}{{20, 5, 200, true}, {40, 3, 200, true}, {20, 5, 400, false}, {40, 3, 400, false}} {
		t.Logf("%d nodes, 6 regions, view %d, fan-out %d, %.0f ms, %d graphs x %d origins, seeds 1 to %d", reachNodes, c.view, c.fanOut, c.deadline, graphs, originsPerGraph, graphs)
		t.Logf("%-26s %-14s %-14s %-6s %-14s %-12s %s", "", "t50 ms", "t90 ms", "got90", "answered %", "regions", "racks of 60")
		best := map[string]interval{}
		for _, p := range policies {
			var t50, t90, answered, regions, racks []float64
			reached := 0
			for seed := range graphs {
				r := rand.New(rand.NewPCG(uint64(seed+1), 0))
				g := newGraph(r, c.view)
				for range originsPerGraph {
					o := g.ask(r, r.IntN(reachNodes), c.fanOut, c.deadline, p)
					t50, t90, answered = append(t50, o.t50), append(t90, o.t90), append(answered, 100*o.answered)
					regions, racks = append(regions, o.regions), append(racks, o.racks)
					if !math.IsInf(o.t90, 1) {
						reached++
					}
				}
			}
			t.Logf("%-26s %-14s %-14s %3.0f %%  %-14s %-12s %s", p.name, intervalOf(t50), intervalOf(t90),
				100*float64(reached)/float64(len(t90)), intervalOf(answered), intervalOf(regions), intervalOf(racks))
			best[p.name] = intervalOf(answered)
		}
		ours := best["this order, rotated start"]
		for name, other := range best {
			if c.short && !strings.HasPrefix(name, "this order") && other.mean-other.half > ours.mean+ours.half {
				t.Errorf("view %d, fan-out %d: %s is answered by %s %%, this order by %s %%", c.view, c.fanOut, name, other, ours)
			}
		}
	}
}
