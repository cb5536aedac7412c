package docs_test

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/g2g-net/g2g/node/latency"
	"github.com/g2g-net/g2g/node/order"
	"github.com/g2g-net/g2g/pki"
)

const exampleBegin, exampleEnd = "<!-- example -->\n", "<!-- /example -->"

// example is what the page about distances works through: round trips in milliseconds.
var example = []struct {
	name string
	rtts []float64
}{
	{"ann", []float64{0.42, 0.30, 0.31, 2.10, 0.33}}, {"bob", []float64{0.28, 0.29, 0.41, 0.30, 0.35}},
	{"cleo", []float64{15.4, 15.0, 19.9, 15.1, 15.2}}, {"dan", []float64{16.1, 16.0, 16.2, 48.0, 16.4}},
	{"eve", []float64{81.0, 80.4, 80.0, 95.1, 80.2}}, {"fay", []float64{84.0, 84.3, 88.8, 84.1, 84.9}}, {"gil", []float64{79.0, 79.4, 130.2, 79.1, 79.3}},
}

// TestWorkedExample holds the example on the page to what the code makes of it. The arithmetic is done here a second time, the long way,
// as a reader would.
func TestWorkedExample(t *testing.T) {
	const page = "latency.md"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), exampleBegin)
	is, after, closed := strings.Cut(rest, exampleEnd)
	if !ok || !closed {
		t.Fatalf("%s has no example", page)
	}
	want := workedExample(t)
	if is == want {
		return
	}
	if !*update {
		t.Fatalf("the example in %s is not what the code gives; run go test ./docs -run TestWorkedExample -update. It gives:\n%s", page, want)
	}
	if err := os.WriteFile(page, []byte(before+exampleBegin+want+exampleEnd+after), 0o600); err != nil {
		t.Fatal(err)
	}
}

func workedExample(t *testing.T) string {
	var b strings.Builder
	b.WriteString("| peer | round trips, sorted (ms) | distance | spread | logarithm of distance and waiting |\n| --- | --- | --- | --- | --- |\n")
	var peers []latency.Peer
	var logs, spreads []float64
	rows := make([]string, len(example))
	names := map[pki.ID]string{}
	for i, p := range example {
		var s latency.Samples
		for _, rtt := range p.rtts {
			s.Add(time.Unix(1, 0), time.Duration(rtt*1e6))
		}
		id := pki.ID{1, byte(i)}
		names[id] = p.name
		peers = append(peers, latency.Peer{ID: id, Estimate: s.Estimate(time.Unix(0, 0))})
		sorted := slices.Sorted(slices.Values(p.rtts))
		if got := float64(peers[i].Distance) / 1e6; math.Abs(got-sorted[0]) > 1e-9 {
			t.Errorf("%s: distance %g, the 20th percentile of five is the least, %g", p.name, got, sorted[0])
		}
		spreads = append(spreads, (sorted[3]-sorted[0])/2)
		rows[i] = fmt.Sprintf("| %s | %s | %g | %.4g |", p.name, strings.Trim(fmt.Sprint(sorted), "[]"), sorted[0], spreads[i])
	}
	waiting := slices.Sorted(slices.Values(spreads[:3]))[1] / latency.Floor // ann, bob and cleo are the nearest
	for i, p := range peers {
		logs = append(logs, math.Log(float64(p.Distance)/1e6+waiting))
		fmt.Fprintf(&b, "%s %.3f |\n", rows[i], logs[i])
	}
	near := slices.SortedFunc(slices.Values(peers), func(a, b latency.Peer) int { return int(a.Distance - b.Distance) })
	if got := float64(latency.WaitingOf(near)) / 1e6; math.Abs(got-waiting) > 1e-5 {
		t.Errorf("waiting %g, by hand %g", got, waiting)
	}
	fmt.Fprintf(&b, "\nOf the three nearest, ann, bob and cleo, the middle spread is %.4g, a tenth of the waiting: %.4g ms.\n", waiting*latency.Floor, waiting)
	slices.Sort(logs)
	b.WriteString("\n| groups | best ends after | cost | v | n ln v | cost / v | 2 sum | 3 k ln n | criterion |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
	best, least := 0, math.Inf(1)
	for k := 1; k <= 5; k++ {
		ends, cost := bestCut(logs, k)
		if c := criterionRow(&b, logs, k, ends, cost); c < least {
			best, least = k, c
		}
	}
	groups, _ := latency.NewGrouping(nil).Update(peers)
	if len(groups) != best {
		t.Errorf("%d groups, by hand %d", len(groups), best)
	}
	b.WriteString("\n| group | label (ms) | members |\n| --- | --- | --- |\n")
	stacks := make([][]string, len(groups))
	for i, g := range groups {
		for _, p := range g.Members {
			stacks[i] = append(stacks[i], names[p.ID])
		}
		fmt.Fprintf(&b, "| %s | %g | %s |\n", latency.Letter(i, len(groups)), g.LabelMS(), strings.Join(stacks[i], ", "))
	}
	var list []string
	for _, p := range order.Of(stacks) {
		list = append(list, p.Peer)
	}
	fmt.Fprintf(&b, "\nUnshuffled, the last member of each group first, the order is: %s.\n", strings.Join(list, ", "))
	return b.String()
}

// bestCut tries every way to cut sorted values into k groups.
func bestCut(x []float64, k int) (ends []int, cost float64) {
	if k == 1 {
		return []int{len(x)}, squares(x)
	}
	cost = math.Inf(1)
	for i := k - 1; i < len(x); i++ {
		if before, c := bestCut(x[:i], k-1); c+squares(x[i:]) < cost {
			ends, cost = append(slices.Clone(before), len(x)), c+squares(x[i:])
		}
	}
	return ends, cost
}

func squares(x []float64) (sum float64) {
	mean := 0.0
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		sum += (v - mean) * (v - mean)
	}
	return sum
}

func criterionRow(b *strings.Builder, x []float64, k int, ends []int, cost float64) float64 {
	n := float64(len(x))
	v := max(cost/n, latency.Floor*latency.Floor)
	shares, from := 0.0, 0
	for _, end := range ends {
		shares += 2 * float64(end-from) * math.Log(n/float64(end-from))
		from = end
	}
	price := 3 * float64(k) * math.Log(n)
	sum := n*math.Log(v) + cost/v + shares + price
	fmt.Fprintf(b, "| %d | %s | %.3f | %.3f | %.2f | %.2f | %.2f | %.2f | %.2f |\n",
		k, strings.Trim(fmt.Sprint(ends), "[]"), cost, v, n*math.Log(v), cost/v, shares, price, sum)
	return sum
}
