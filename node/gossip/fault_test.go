package gossip

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

// whole tells what is missing until every running node lists all others as alive.
func (w *world) whole() string {
	for _, a := range w.nodes {
		if a.Machine == nil {
			continue
		}
		want := 0
		for _, b := range w.nodes {
			if b != a && b.Machine != nil && b.chain.Mode() == pki.Server {
				want++
			}
		}
		s, alive := a.Snapshot(w.now), 0
		for _, p := range s.Peers {
			if p.State == view.Alive && p.Mode == pki.Server {
				alive++
			}
		}
		if alive != want || s.Isolated {
			return fmt.Sprintf("%s lists %d of %d, converged: %t, %d active, isolated: %t", a.name, alive, want, s.Converged, len(s.Active), s.Isolated)
		}
	}
	return ""
}

// becomes runs until nothing is missing.
func (w *world) becomes(limit time.Duration, missing func() string) (took time.Duration) {
	w.t.Helper()
	for what := missing(); what != ""; what = missing() {
		if took >= limit {
			w.t.Fatalf("not within %s: %s", limit, what)
		}
		w.run(100 * time.Millisecond)
		took += 100 * time.Millisecond
	}
	return took
}

// converged tells what is missing until every running node knows that its active peers list the same.
func (w *world) converged() string {
	for _, a := range w.nodes {
		if a.Machine != nil && !a.Snapshot(w.now).Converged {
			return fmt.Sprintf("%s does not know of %d of its %d active peers that they list the same", a.name, len(a.Snapshot(w.now).Disagree), len(a.active))
		}
	}
	return ""
}

// trouble breaks things at random for a while: loss, delay, cuts between random sets, crashes, goodbyes, returns.
func (w *world) trouble(d time.Duration) {
	w.loss = w.r.Float64() / 3
	slow := time.Duration(1+w.r.IntN(300)) * time.Millisecond
	w.latency = func(r *rand.Rand) time.Duration { return time.Duration(r.Int64N(int64(slow))) }
	for end := w.now.Add(d); w.now.Before(end); w.run(time.Duration(w.r.IntN(8000)) * time.Millisecond) {
		a := w.nodes[w.r.IntN(len(w.nodes))]
		switch w.r.IntN(6) {
		case 0:
			side := map[*actor]bool{}
			for _, b := range w.nodes {
				side[b] = w.r.IntN(2) == 0
			}
			w.cut = func(x, y *actor) bool { return side[x] != side[y] }
		case 1:
			w.cut = func(x, y *actor) bool { return x == a || y == a }
		case 2:
			w.cut = func(_, _ *actor) bool { return false }
		case 3:
			if a.Machine != nil {
				a.kill()
			}
		case 4:
			if a.Machine != nil {
				a.do(func() { a.Leave(w.now) })
				a.kill()
			}
		case 5:
			if a.Machine == nil {
				a.start()
			}
		}
	}
}

// heal ends all trouble.
func (w *world) heal() {
	w.loss, w.cut = 0, func(_, _ *actor) bool { return false }
	w.latency = func(*rand.Rand) time.Duration { return 10 * time.Millisecond }
	for _, a := range w.nodes {
		if a.Machine == nil {
			a.start()
		}
	}
}

// mostPenalty is how long a peer may be held back that fell three times in the trouble and beat seldom meanwhile.
const mostPenalty = time.Minute

// TestTroubleHeals breaks everything at random, during which nothing wrong may happen (check, checkMessage), then heals it: the
// network must become whole.
func TestTroubleHeals(t *testing.T) {
	for i, n := range []int{5, 5, 5, 8, 13, 20, 60} {
		t.Run(fmt.Sprintf("seed %d, %d nodes", i, n), func(t *testing.T) {
			w := newWorld(t, uint64(i))
			w.network(n)
			first := w.becomes(30*time.Second, w.whole)
			w.trouble(time.Duration(max(1, 4-n/16)) * time.Minute)
			w.heal()
			again := w.becomes(mostPenalty, w.whole)
			t.Logf("whole after %s, after the trouble %s; known to all %s later", first, again, w.becomes(time.Minute, w.converged))
		})
	}
}

// TestSplit cuts a network in two for a minute: each half lists the other as dead, and is whole by itself; a node that is alone
// cannot tell, and convicts nobody. Healed, both are one.
func TestSplit(t *testing.T) {
	for _, n := range []int{2, 5, 6, 30} {
		w := newWorld(t, uint64(n))
		w.network(n)
		w.becomes(30*time.Second, w.whole)
		half := map[*actor]bool{}
		for i, a := range w.nodes {
			half[a] = i < n/2
		}
		w.cut = func(a, b *actor) bool { return half[a] != half[b] }
		w.run(time.Minute)
		for i, a := range w.nodes {
			own, other := n/2, n-n/2
			if i >= n/2 {
				own, other = other, own
			}
			if own == 1 {
				other = 0
			}
			if alive, dead := a.states()[view.Alive], a.states()[view.Dead]; alive != own-1 || dead != other {
				t.Errorf("%d nodes: %s lists %d alive, %d dead in a half of %d", n, a.name, alive, dead, own)
			}
		}
		w.cut = func(_, _ *actor) bool { return false }
		t.Logf("%d nodes: one again after %s", n, w.becomes(time.Minute, w.whole))
	}
}

func (a *actor) states() map[view.State]int {
	states := map[view.State]int{}
	for _, e := range a.view.Entries() {
		states[e.State]++
	}
	return states
}

// TestAllAtOnce stops every node and starts it again.
func TestAllAtOnce(t *testing.T) {
	w := newWorld(t, 1)
	w.network(16)
	w.becomes(30*time.Second, w.whole)
	w.run(10 * time.Second)
	for _, a := range w.nodes {
		a.kill()
	}
	w.run(time.Second)
	w.heal()
	t.Logf("complete again after %s", w.becomes(10*time.Second, w.whole))
}

// TestSameSeedSameTrace: a run can be repeated.
func TestSameSeedSameTrace(t *testing.T) {
	traces := map[string]bool{}
	for range 3 {
		w := newWorld(t, 42)
		w.network(12)
		w.trouble(time.Minute)
		w.heal()
		w.run(time.Minute)
		traces[w.traced()] = true
	}
	if len(traces) != 1 {
		t.Errorf("one seed gave %d traces", len(traces))
	}
}

// TestIdleIsQuiet counts what a network does that has nothing to do: turns and requests a minute and node.
func TestIdleIsQuiet(t *testing.T) {
	for _, c := range []struct{ n, turns, requests int }{{1, 150, 0}, {5, 400, 90}, {40, 400, 200}} {
		w := newWorld(t, 7)
		w.network(c.n)
		w.run(2 * time.Minute)
		for _, a := range w.nodes {
			a.advances, a.sent = 0, map[string]int{}
		}
		w.run(time.Minute)
		for _, a := range w.nodes {
			requests := 0
			for _, n := range a.sent {
				requests += n
			}
			if a.advances > c.turns || requests > c.requests {
				t.Errorf("of %d nodes %s takes %d turns and sends %v", c.n, a.name, a.advances, a.sent)
			}
		}
	}
}
