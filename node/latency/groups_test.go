package latency

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/g2g-net/g2g/pki"
)

// at is a peer that was measured n times, always the same.
func at(i, n int, distance time.Duration) Peer {
	return Peer{peerID(i), Estimate{N: n, Distance: distance, Median: distance, P99: distance}}
}

// told is groups as text: letter, label, members.
func told(groups []Group) string {
	var lines []string
	for place, g := range groups {
		text := fmt.Sprintf("%s %g:", Letter(place, len(groups)), g.LabelMS())
		for _, p := range g.Members {
			text += fmt.Sprintf(" %d", p.ID[2])
		}
		lines = append(lines, text)
	}
	return strings.Join(lines, " | ")
}

func TestGroups(t *testing.T) {
	const us = time.Microsecond
	for _, c := range []struct {
		name  string
		peers []Peer
		want  string
	}{
		{"nobody", nil, ""},
		{"one", []Peer{at(1, 20, 15*ms)}, "A 15: 1"},
		{"two regions, one peer each", []Peer{at(1, 20, 300*us), at(2, 20, 80*ms)}, "B 80: 2 | A 0.3: 1"},
		{"a tenth apart is as good as equal", []Peer{at(1, 20, 10*ms), at(2, 20, 11*ms)}, "A 11: 1 2"},
		{"labels less than 0.1 ms apart are one", []Peer{at(1, 20, 30*us), at(2, 20, 31*us), at(3, 20, 90*us), at(4, 20, 92*us)}, "A 0.061: 1 2 3 4"},
		{"equals", []Peer{at(1, 20, ms), at(2, 20, ms), at(3, 20, ms)}, "A 1: 1 2 3"},
		{"two round trips decide nothing", []Peer{at(1, 20, ms), at(2, 20, ms), at(3, 2, 80*ms)}, "A 27: 1 2 3"},
		{"unmeasured peers are in no group", []Peer{at(1, 20, ms), at(2, 0, 0)}, "A 1: 1"},
		{"nobody measured enough", []Peer{at(1, 2, ms)}, ""},
		{"label of two digits", []Peer{at(1, 20, 204*ms), at(2, 20, 208*ms), at(3, 20, 1337*us)}, "B 210: 1 2 | A 1.3: 3"},
	} {
		groups, change := NewGrouping(nil).Update(c.peers)
		if got := told(groups); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		if change.Regrouped {
			t.Errorf("%s: the first groups are no change", c.name)
		}
	}
}

func TestGroupsDoNotDependOnTheOrderOfPeers(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 1))
	peers := drawn(r, 40, []float64{.3, 15, 80}, .1)
	first, _ := NewGrouping(nil).Update(peers)
	for range 20 {
		r.Shuffle(len(peers), func(i, j int) { peers[i], peers[j] = peers[j], peers[i] })
		if again, _ := NewGrouping(nil).Update(peers); told(again) != told(first) {
			t.Fatalf("%s, then %s", told(first), told(again))
		}
	}
}

// bands are four peers near and four far.
func bands() []Peer {
	return []Peer{
		at(1, 20, 10*ms), at(2, 20, 10*ms), at(3, 20, 11*ms), at(4, 20, 11*ms),
		at(5, 20, 100*ms), at(6, 20, 101*ms), at(7, 20, 102*ms), at(8, 20, 103*ms),
	}
}

func TestHysteresis(t *testing.T) {
	g := NewGrouping(nil)
	g.Update(bands())

	t.Run("a peer that joins or goes changes nothing for the others", func(t *testing.T) {
		groups, change := g.Update(append(bands(), at(9, 20, 105*ms)))
		if got := told(groups); got != "B 100: 5 6 7 8 9 | A 11: 1 2 3 4" || change.Regrouped {
			t.Errorf("%s %+v", got, change)
		}
		groups, change = g.Update(bands())
		if got := told(groups); got != "B 100: 5 6 7 8 | A 11: 1 2 3 4" || change.Regrouped {
			t.Errorf("%s %+v", got, change)
		}
	})
	t.Run("a peer that moved far is regrouped at once", func(t *testing.T) {
		peers := bands()
		peers[0].Distance, peers[0].Median = 100*ms, 100*ms
		moved := idsOf(peers[:1])
		groups, change := g.Update(peers)
		if got := told(groups); got != "B 100: 1 5 6 7 8 | A 11: 2 3 4" || !change.Regrouped || !slices.Equal(change.Moved, moved) {
			t.Errorf("%s %+v", got, change)
		}
		if _, change = g.Update(bands()); !change.Regrouped {
			t.Error("it came home and nobody noticed")
		}
	})
}

// A peer a little outside its group is not worth a new group by the criterion alone, yet brought to the other one after three rounds.
func TestStrayComesHome(t *testing.T) {
	g := NewGrouping(nil)
	g.Update(bands())
	peers := bands()
	rounds := 0
	for d := 12 * ms; d < 100*ms; d += ms { // the distance at which the criterion says less than strong
		peers[0].Distance, peers[0].Median = d, d
		list := slices.Clone(peers)
		slices.SortFunc(list, nearer)
		floor := FloorOf(list)
		old, fresh := g.carried(list), new(Room).assign(list, floor)
		v := fresh.variance(list, floor)
		if gain := old.criterion(list, v) - fresh.criterion(list, v); gain > 0.5 && gain < Strong {
			for rounds = 1; rounds < 10; rounds++ {
				if _, change := g.Update(peers); change.Regrouped {
					break
				}
			}
			break
		}
	}
	if rounds != strayRounds {
		t.Errorf("moved after %d rounds, want %d", rounds, strayRounds)
	}
}

func TestGroupsThatCameTogetherAreOne(t *testing.T) {
	g := NewGrouping(nil)
	near := []Peer{at(1, 20, ms), at(2, 20, ms), at(3, 20, 2*ms), at(4, 20, 2*ms)}
	if groups, _ := g.Update(near); len(groups) != 2 {
		t.Fatal(told(groups))
	}
	near[2].Distance, near[3].Distance = 1050*time.Microsecond, 1050*time.Microsecond
	if groups, change := g.Update(near); len(groups) != 1 || !change.Regrouped || len(change.Moved) > 0 {
		t.Errorf("%s %+v", told(groups), change)
	}
}

// Peers on one busy machine, whose round trips are mostly waiting, are not told from each other; on a quiet one they are.
func TestWaitingMakesNoGroups(t *testing.T) {
	const us = time.Microsecond
	peers := func(median time.Duration) (out []Peer) {
		for i, d := range []time.Duration{90 * us, 210 * us, 18 * ms, 18 * ms, 45 * ms, 45 * ms} {
			out = append(out, Peer{peerID(i), Estimate{N: 10, Distance: d, Median: d + median, P99: d + 9*median}})
		}
		return out
	}
	if groups, _ := NewGrouping(nil).Update(peers(200 * us)); len(groups) != 3 {
		t.Errorf("busy: %s", told(groups))
	}
	g := NewGrouping(nil)
	if groups, _ := g.Update(peers(5 * us)); len(groups) != 4 {
		t.Errorf("quiet: %s", told(groups))
	}
	if groups, change := g.Update(peers(45 * us)); len(groups) != 4 || change.Regrouped { // 3 times the uncertainty, and less than that
		t.Errorf("a little busier: %s", told(groups))
	}
}

// Peers that are equally near, measured while something else took the processors. The round trips of a visit, which are few moments, have
// all waited for as long, and seem certain; those of active peers show how long one waits. These were taken from real nodes.
func TestOneBusyMomentMakesNoGroup(t *testing.T) {
	const us = time.Microsecond
	peer := func(i, n int, distance, median, p80 time.Duration) Peer {
		return Peer{peerID(i), Estimate{N: n, Distance: distance, Median: median, P99: p80 + ms, Spread: (p80 - distance) / 2}}
	}
	far := []Peer{peer(10, 10, 17*ms, 18*ms, 19*ms), peer(11, 10, 18*ms, 19*ms, 21*ms), peer(12, 10, 16*ms, 19*ms, 20*ms)}
	for name, near := range map[string][]Peer{
		"an active peer": {peer(1, 8, 949*us, 1710*us, 2780*us), peer(2, 10, 3100*us, 3220*us, 3900*us), peer(3, 10, 3930*us, 4140*us, 4800*us)},
		"two of them":    {peer(1, 8, 935*us, 1110*us, 2000*us), peer(2, 8, 870*us, 1000*us, 1900*us), peer(3, 10, 2050*us, 2190*us, 2990*us)},
		"much waiting":   {peer(1, 8, 402*us, 579*us, 1800*us), peer(2, 10, 1570*us, 2200*us, 3000*us), peer(3, 10, 2070*us, 2080*us, 3000*us)},
	} {
		if groups, _ := NewGrouping(nil).Update(append(near, far...)); len(groups) != 2 || len(groups[1].Members) != 3 {
			t.Errorf("%s: %s", name, told(groups))
		}
	}
	apart := []Peer{
		peer(1, 3, 434*us, 535*us, 4990*us), peer(2, 3, 431*us, 1980*us, 5260*us), peer(3, 3, 4270*us, 7640*us, 10200*us),
		peer(4, 3, 75*ms, 90*ms, 96*ms), peer(5, 3, 79*ms, 83*ms, 94*ms), peer(6, 3, 86*ms, 90*ms, 102*ms),
		peer(7, 3, 192*ms, 202*ms, 211*ms), peer(8, 3, 201*ms, 203*ms, 224*ms), peer(9, 3, 190*ms, 210*ms, 236*ms),
	}
	if groups, _ := NewGrouping(nil).Update(apart); len(groups) != 3 {
		t.Errorf("what near peers wait for makes none of far ones: %s", told(groups))
	}
	quiet := []Peer{peer(1, 8, 402*us, 410*us, 420*us), peer(2, 10, 1570*us, 1600*us, 1630*us), peer(3, 10, 2070*us, 2080*us, 2090*us)}
	if groups, _ := NewGrouping(nil).Update(append(quiet, far...)); len(groups) != 3 {
		t.Errorf("where nobody waits: %s", told(groups))
	}
}

// Where a start on a busy machine made too few groups, they are mended while near peers still wait for much: by what real nodes measured.
func TestBusyStartIsMended(t *testing.T) {
	peer := func(i, n int, distance, median, p80 time.Duration) Peer {
		return Peer{peerID(i), Estimate{N: n, Distance: distance, Median: median, P99: p80 + ms, Spread: (p80 - distance) / 2}}
	}
	peers := []Peer{
		peer(4, 3, 2910*time.Microsecond, 5480*time.Microsecond, 14700*time.Microsecond), peer(1, 3, 22*ms, 33*ms, 50*ms), peer(5, 3, 22*ms, 28*ms, 30*ms),
		peer(2, 3, 79*ms, 86*ms, 100*ms), peer(6, 3, 83*ms, 88*ms, 104*ms), peer(3, 3, 203*ms, 205*ms, 213*ms), peer(7, 3, 198*ms, 206*ms, 220*ms),
	}
	g := NewGrouping(nil)
	for _, p := range peers {
		g.of[p.ID] = 0
		if p.Distance > 50*ms {
			g.of[p.ID] = 1
		}
	}
	g.groups = 2
	if groups, _ := g.Update(peers); told(groups) != "C 200: 7 3 | B 81: 2 6 | A 16: 4 1 5" {
		t.Error(told(groups))
	}
}

func TestMemoryIsOfThePeersOfTheLastRound(t *testing.T) {
	g := NewGrouping(nil)
	for i := range 100 {
		g.Update([]Peer{at(i, 20, ms), at(i+1, 20, 5*ms)})
	}
	if len(g.of) != 2 || len(g.strays) > 2 {
		t.Errorf("%d peers and %d strays are remembered", len(g.of), len(g.strays))
	}
}

func idsOf(peers []Peer) (out []pki.ID) {
	for _, p := range peers {
		out = append(out, p.ID)
	}
	return out
}

func BenchmarkGroups(b *testing.B) {
	for _, n := range []int{256, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			g := NewGrouping(nil)
			peers := drawn(rand.New(rand.NewPCG(7, 1)), n, []float64{.3, 2, 15, 80, 200}, .1)
			for b.Loop() {
				g.Update(peers)
			}
		})
	}
}
