package node

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/latency"
	"github.com/g2g-net/g2g/node/transport/memnet"
)

// bands are the round trips of the test: from a region, the others lie at all of these distances.
var bands = [4]time.Duration{300 * time.Microsecond, 15 * time.Millisecond, 80 * time.Millisecond, 200 * time.Millisecond}

// A map of regions says how far hosts are from each other. Regions a and b lie at bands[a xor b]: every node has all four.
type regions struct {
	mu     sync.Mutex
	of     map[netip.Addr]int
	jitter float64
	random *rand.Rand
}

func (m *regions) latency(from, to netip.Addr) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	rtt := float64(bands[m.of[from]^m.of[to]])
	return time.Duration(rtt / 2 * max(0.5, 1+m.jitter*m.random.NormFloat64()))
}

func (m *regions) move(a *actor, region int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.of[m.host(a)] = region
}

func (m *regions) host(a *actor) netip.Addr {
	return netip.MustParseAddrPort(a.cfg.Gossip.Listen).Addr()
}

// inRegions runs n nodes, of which the i-th is in region of(i).
func inRegions(t *testing.T, n int, jitter float64, of func(int) int, f func(w *world, m *regions, nodes []*actor)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		m := &regions{of: map[netip.Addr]int{}, jitter: jitter, random: rand.New(rand.NewPCG(1, 1))}
		w := &world{t: t, net: memnet.New(m.latency), hosts: map[string]*memnet.Host{}}
		var nodes []*actor
		for i := range n {
			place := func(a *actor) { m.move(a, of(i)) }
			if i == 0 {
				nodes = append(nodes, w.founder(place))
				continue
			}
			nodes = append(nodes, w.joinerWith(i, nodes[0], place))
		}
		f(w, m, nodes)
		haltAll(nodes)
		w.pass(time.Second) // what is under way in the network arrives
	})
}

func (a *actor) snapshot() *gossip.Snapshot {
	a.w.t.Helper()
	p, err := a.Picture(context.Background())
	if err != nil {
		a.w.t.Fatal(err)
	}
	return p.Gossip
}

// wrong says what is not true about a node's groups, or nothing.
func (m *regions) wrong(a *actor, nodes []*actor) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	want := map[time.Duration][]string{}
	for _, b := range nodes {
		if b != a {
			band := bands[m.of[m.host(a)]^m.of[m.host(b)]]
			want[band] = append(want[band], b.name)
		}
	}
	s := a.snapshot()
	var got, wanted []string
	for _, g := range s.Groups {
		var names []string
		for _, p := range g.Members {
			names = append(names, p.Name)
		}
		slices.Sort(names)
		got = append(got, strings.Join(names, " "))
	}
	for _, band := range slices.Backward(bands[:]) {
		if slices.Sort(want[band]); len(want[band]) > 0 {
			wanted = append(wanted, strings.Join(want[band], " "))
		}
	}
	if !slices.Equal(got, wanted) {
		return fmt.Sprintf("%s has the groups %q, want %q", a.name, got, wanted)
	}
	if len(s.Order) != len(nodes)-1 {
		return fmt.Sprintf("%s has %d places", a.name, len(s.Order))
	}
	return ""
}

func (m *regions) allRight(w *world, limit time.Duration, nodes []*actor) time.Duration {
	w.t.Helper()
	began := time.Now()
	for {
		var wrong string
		for _, a := range nodes {
			if wrong = m.wrong(a, nodes); wrong != "" {
				break
			}
		}
		if wrong == "" {
			return time.Since(began)
		}
		if time.Since(began) > limit {
			w.t.Fatalf("not within %s: %s", limit, wrong)
		}
		time.Sleep(2 * time.Second) // virtual
	}
}

// minutes is for how much virtual time a long test runs: TEST_MINUTES, else few, so that the suite stays quick.
func minutes(few int) time.Duration {
	if n, err := strconv.Atoi(os.Getenv("TEST_MINUTES")); err == nil && n > 0 {
		few = n
	}
	return time.Duration(few) * time.Minute
}

// TestGroupsAreTheRegions: 24 nodes in four regions, round trips that scatter by 10 %.
func TestGroupsAreTheRegions(t *testing.T) {
	inRegions(t, 24, .10, func(i int) int { return i % 4 }, func(w *world, m *regions, nodes []*actor) {
		t.Logf("every node has the true groups %s after the last join", m.allRight(w, time.Minute, nodes))
		seen := make([]uint64, len(nodes))
		for i, a := range nodes {
			seen[i] = a.regroupings(0)
		}
		w.pass(minutes(2))
		for i, a := range nodes {
			if n := a.regroupings(seen[i]); n > 0 {
				t.Errorf("%s regrouped %d times and nobody had moved", a.name, n)
			}
		}
		m.allRight(w, 0, nodes)

		far := nodes[5] // from region 1 to region 2: 200 ms further from those it was among
		m.move(far, 2)
		t.Logf("a node that moved is regrouped by all after %s", m.allRight(w, 6*time.Minute, nodes))
	})
}

// regroupings counts events beyond those seen.
func (a *actor) regroupings(seen uint64) (n uint64) {
	for _, e := range a.ring.Since(0, time.Now()) {
		if e.Kind == gossip.KindRegrouped {
			n++
		}
	}
	return n - seen
}

func TestOneSiteIsOneGroup(t *testing.T) {
	inRegions(t, 8, .10, func(int) int { return 0 }, func(w *world, m *regions, nodes []*actor) {
		m.allRight(w, time.Minute, nodes)
		w.pass(minutes(2))
		m.allRight(w, 0, nodes)
	})
}

// TestNoSampleHasAHandshake: over a network whose round trips are all the same, every sample is exactly that, also where connections were made,
// rotated and closed in between, and none is of the node itself.
func TestNoSampleHasAHandshake(t *testing.T) {
	inRegions(t, 20, 0, func(i int) int { return i % 2 }, func(w *world, m *regions, nodes []*actor) {
		w.pass(time.Minute)
		for _, a := range nodes[:2] {
			if _, err := a.Rotate(context.Background(), true); err != nil {
				t.Error(err)
			}
			w.pass(10 * time.Second)
		}
		w.pass(time.Minute)
		for i, a := range nodes {
			of := map[string]int{}
			for j, b := range nodes {
				of[b.name] = (i ^ j) & 1
			}
			for _, p := range a.snapshot().Peers {
				if p.ID == a.ID() {
					t.Errorf("%s measures itself", a.name)
				}
				if p.Path.N < latency.Enough {
					t.Errorf("%s measured %s %d times", a.name, p.Name, p.Path.N)
				}
				for _, s := range p.Path.Samples {
					if want := bands[of[p.Name]]; s.RTT != want {
						t.Errorf("%s: a round trip to %s took %s, the network takes %s", a.name, p.Name, s.RTT, want)
					}
				}
			}
		}
	})
}
