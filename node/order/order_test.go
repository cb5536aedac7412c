package order

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/g2g-net/g2g/node/latency"
	"github.com/g2g-net/g2g/pki"
)

// pop takes the last member of a stack.
func pop(groups [][]string, i int) string {
	last := len(groups[i]) - 1
	who := groups[i][last]
	groups[i] = groups[i][:last]
	return who
}

// naive executes the seed's sentence word by word: while groups have members, for i = 0 up to half of the n groups, pop one
// from group i and one from its mirror group, append both.
func naive(groups [][]string) (list []string) {
	groups = slices.DeleteFunc(slices.Clone(groups), func(g []string) bool { return len(g) == 0 }) // a group has members
	n := len(groups)
	members := func() bool {
		return slices.ContainsFunc(groups, func(g []string) bool { return len(g) > 0 })
	}
	for members() {
		for i := 0; i <= n/2; i++ {
			mirror := n - 1 - i
			if i > mirror || i >= n {
				continue // beyond the middle every group has had its turn
			}
			if len(groups[i]) > 0 {
				list = append(list, pop(groups, i))
			}
			if mirror != i && len(groups[mirror]) > 0 {
				list = append(list, pop(groups, mirror))
			}
		}
	}
	return list
}

// drawn makes groups of up to so many members, empty ones among them. A member is named after its group.
func drawn(r *rand.Rand, most int) (groups [][]string) {
	for g := range r.IntN(9) {
		var members []string
		for m := range r.IntN(most + 1) {
			members = append(members, fmt.Sprintf("%c%d", 'a'+g, m))
		}
		groups = append(groups, members)
	}
	return groups
}

func peersOf(places []Place[string]) (out []string) {
	for _, p := range places {
		out = append(out, p.Peer)
	}
	return out
}

func TestOrderIsTheSeedsSentence(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		groups := drawn(r, 6)
		places := Of(groups)
		if got, want := peersOf(places), naive(groups); !slices.Equal(got, want) {
			t.Fatalf("%v: %v, want %v", groups, got, want)
		}
		for _, p := range places {
			if p.Group != int(p.Peer[0]-'a') {
				t.Fatalf("%v: %s stands for group %d", groups, p.Peer, p.Group)
			}
		}
	}
}

func TestOrderByHand(t *testing.T) {
	stack := strings.Fields
	for _, c := range []struct {
		name   string
		groups [][]string
		want   string
	}{
		{"nobody", nil, ""},
		{"empty groups", [][]string{nil, nil}, ""},
		{"one group", [][]string{stack("a b c")}, "c b a"},
		{"far, near, far, near", [][]string{stack("f2 f1"), stack("n2 n1")}, "f1 n1 f2 n2"},
		{"the middle of three gives one a sweep", [][]string{stack("f2 f1"), stack("m3 m2 m1"), stack("n2 n1")}, "f1 n1 m1 f2 n2 m2 m3"},
		{"four groups, two pairs", [][]string{stack("a"), stack("b"), stack("c"), stack("d")}, "a d b c"},
		{"the middle of five", [][]string{stack("a"), stack("b"), stack("c"), stack("d"), stack("e")}, "a e b d c"},
		{"a group without members mirrors nobody", [][]string{stack("f2 f1"), nil, stack("n2 n1"), nil}, "f1 n1 f2 n2"},
		{"what is left of the greatest", [][]string{stack("a"), stack("b4 b3 b2 b1")}, "a b1 b2 b3 b4"},
	} {
		if got := strings.Join(peersOf(Of(c.groups)), " "); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestEveryPeerOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		groups := drawn(r, 12)
		var all []string
		for _, g := range groups {
			all = append(all, g...)
		}
		Shuffle(groups, r)
		unknown := []string{"x", "y", "z"}[:r.IntN(4)]
		got := peersOf(Append(Of(groups), unknown))
		if len(unknown) > 0 && !slices.Equal(got[len(got)-len(unknown):], unknown) {
			t.Fatalf("%v does not end with %v", got, unknown)
		}
		all = append(all, unknown...)
		slices.Sort(all)
		slices.Sort(got)
		if !slices.Equal(got, all) {
			t.Fatalf("%v: want each of %v once", got, all)
		}
	}
}

func TestOnlyIsTheOrderOfThoseThatAreWanted(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 3))
	for range 1000 {
		groups, unknown := drawn(r, 6), []string{"x", "y", "z"}
		wanted := func(who string) bool { return (who[0]+who[len(who)-1])%3 > 0 }
		var fewer [][]string
		for _, g := range groups {
			if g = slices.DeleteFunc(slices.Clone(g), func(who string) bool { return !wanted(who) }); len(g) > 0 {
				fewer = append(fewer, g)
			}
		}
		want := peersOf(Append(Of(fewer), slices.DeleteFunc(unknown, func(who string) bool { return !wanted(who) })))
		places := Only(Append(Of(groups), []string{"x", "y", "z"}), wanted)
		if got := peersOf(places); !slices.Equal(got, want) {
			t.Fatalf("%v: %v, want %v", groups, got, want)
		}
		for _, p := range places {
			if p.Group != Unmeasured && p.Group != int(p.Peer[0]-'a') {
				t.Fatalf("%s stands for group %d", p.Peer, p.Group)
			}
		}
	}
}

func TestRotatedStart(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 6))
	first := map[int]int{}
	for range 3000 {
		groups := [][]string{{"a0", "a1"}, {"b0", "b1"}, {"c0"}, {"d0", "d1", "d2"}, {"e0"}}
		unknown := []string{"x", "y"}
		places := Append(Of(groups), unknown)
		rotated := Rotate(places, r)
		first[rotated[0].Group]++
		want, got := peersOf(places), peersOf(rotated)
		if !slices.Equal(got[len(got)-2:], unknown) {
			t.Fatalf("%v: those that were never measured are not last", got)
		}
		if slices.Sort(want); !slices.Equal(slices.Sorted(slices.Values(got)), want) {
			t.Fatalf("%v: want each of %v once", got, want)
		}
	}
	for _, group := range []int{0, 1, 2} { // the far ends of the pairs, and the middle
		if n := first[group]; n < 850 || n > 1150 {
			t.Errorf("group %d comes first %d times in 3000", group, n)
		}
	}
	if len(first) != 3 {
		t.Errorf("first are groups %v", first)
	}
	if got := Rotate([]Place[string](nil), r); len(got) != 0 {
		t.Errorf("of nobody: %v", got)
	}
}

// Who is first must vary, or all nodes would ask the same peers.
func TestEveryMemberComesFirstAboutEquallyOften(t *testing.T) {
	const members, rebuilds = 7, 7000
	r := rand.New(rand.NewPCG(1, 4))
	first := map[string]int{}
	groups := [][]string{{"a0", "a1", "a2", "a3", "a4", "a5", "a6"}, {"b0", "b1", "b2", "b3", "b4", "b5", "b6"}}
	for range rebuilds {
		Shuffle(groups, r)
		places := Of(groups)
		first[places[0].Peer]++
		first[places[1].Peer]++
	}
	if len(first) != 2*members {
		t.Fatalf("only %v ever came first", first)
	}
	for who, n := range first {
		if n < 900 || n > 1100 { // 1,000 expected, deviation 29
			t.Errorf("%s came first in %d of %d rebuilds", who, n, rebuilds)
		}
	}
}

// BenchmarkRebuild is what a node does each time: groups, then order.
func BenchmarkRebuild(b *testing.B) {
	bands := []float64{.3, 2, 15, 80, 200}
	for _, n := range []int{256, 10_000} {
		r := rand.New(rand.NewPCG(1, 5))
		peers := make([]latency.Peer, n)
		for i := range peers {
			d := time.Duration(bands[i%len(bands)] * math.Exp(.1*r.NormFloat64()) * float64(time.Millisecond))
			peers[i] = latency.Peer{ID: pki.ID{1, byte(i >> 8), byte(i)}, Estimate: latency.Estimate{N: 20, Distance: d, Median: d, P99: d}}
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			grouping := latency.NewGrouping(nil)
			for b.Loop() {
				groups, _ := grouping.Update(peers)
				stacks := make([][]latency.Peer, len(groups))
				for i, g := range groups {
					stacks[i] = g.Members
				}
				Shuffle(stacks, r)
				if got := len(Of(stacks)); got != n {
					b.Fatalf("%d of %d peers", got, n)
				}
			}
		})
	}
}
