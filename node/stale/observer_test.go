package stale

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the table of one observer into docs/detection.md")

// One observer and its peers, in periods. Every peer publishes at gaps of one distribution, mean 1; what it publishes
// reaches the observer after an exponential delay. The observer looks ten times a period, and begins three exchanges a
// period with peers that it has not convicted, drawn at random, which fail if the peer is dead.
const (
	runPeriods   = 220.0
	crashAt      = 100.0
	lookEvery    = 0.1
	meanDelay    = 0.1
	exchanges    = 3.0
	witnessCount = 3
)

// A rhythm draws the gaps of a peer between what it publishes.
type rhythm struct {
	name string
	pace func(peer int) float64 // mean gap
	gap  func(*rand.Rand) float64
}

func level(int) float64 { return 1 }

var rhythms = []rhythm{
	{"fixed, a tenth more or less", level, fixedGap},
	{"exponential", level, (*rand.Rand).ExpFloat64},
	{"lognormal, sigma 1", level, func(r *rand.Rand) float64 { return math.Exp(r.NormFloat64() - 0.5) }},
	{"Pareto, alpha 2.5", level, func(r *rand.Rand) float64 { return 0.6 * math.Pow(1-r.Float64(), -1/2.5) }},
	{"fixed, every tenth peer 10 x slower", func(peer int) float64 {
		if peer%10 == 1 {
			return 10
		}
		return 1
	}, fixedGap},
}

func fixedGap(r *rand.Rand) float64 { return 0.9 + 0.2*r.Float64() }

// A watched peer, as the simulation and the observer know it.
type watched struct {
	next    float64 // when it publishes
	flights []flight
	born    float64 // when what the observer holds was published
	came    float64 // when that arrived
	gaps    []float64
	dead    bool
	fallen  bool // convicted by the rule under test
	suspect bool
	other   map[int]bool // peers that brought news since it became suspect
}

// A flight is something published on its way to the observer.
type flight struct{ born, arrives float64 }

// A rule looks at the peers and marks those that it suspects; witnesses says whether that is a conviction only once
// others have brought news.
type rule struct {
	witnesses bool
	judge     func(w *world)
	completed func(peer int, age float64)
}

type world struct {
	now    float64
	random *rand.Rand
	rhythm rhythm
	peers  []watched // 1 to n-1
	rule   rule
	rows   []Age
	convicted,
	falsely int
}

func newWorld(n int, seed uint64, r rhythm) *world {
	w := &world{random: rand.New(rand.NewPCG(seed, uint64(n))), rhythm: r, peers: make([]watched, n)}
	for i := range w.peers {
		w.peers[i].next = w.random.Float64() * r.pace(i)
	}
	return w
}

// step goes on to the next look.
func (w *world) step() {
	w.now += lookEvery
	for i := range w.peers {
		w.publish(i)
		if i > 0 {
			w.arrive(i)
		}
	}
	w.exchange()
	w.rule.judge(w)
	for i := 1; i < len(w.peers); i++ {
		w.convict(i)
	}
}

func (w *world) publish(i int) {
	p := &w.peers[i]
	for ; !p.dead && p.next <= w.now; p.next += w.rhythm.pace(i) * w.rhythm.gap(w.random) {
		if i == 0 {
			p.born = p.next
			continue
		}
		p.flights = append(p.flights, flight{p.next, p.next + meanDelay*w.random.ExpFloat64()})
	}
}

// arrive takes what has come from a peer. What was overtaken is old news.
func (w *world) arrive(i int) {
	p := &w.peers[i]
	slices.SortFunc(p.flights, func(a, b flight) int { return int(math.Copysign(1, a.arrives-b.arrives)) })
	for len(p.flights) > 0 && p.flights[0].arrives <= w.now {
		f := p.flights[0]
		p.flights = p.flights[1:]
		if f.born <= p.born {
			continue
		}
		if !p.fallen && p.came > 0 {
			w.rule.completed(i, f.arrives-p.born)
		}
		p.gaps = append(p.gaps, f.arrives-p.came)
		p.gaps = p.gaps[max(0, len(p.gaps)-100):]
		p.born, p.came, p.fallen, p.suspect = f.born, f.arrives, false, false
	}
}

// exchange lets a peer be a witness for all that are suspect.
func (w *world) exchange() {
	if w.random.Float64() >= exchanges*lookEvery || len(w.peers) < 3 {
		return
	}
	with := 1 + w.random.IntN(len(w.peers)-1)
	for tries := 0; w.peers[with].fallen && tries < len(w.peers); tries++ {
		with = 1 + with%(len(w.peers)-1)
	}
	if w.peers[with].dead || w.peers[with].fallen {
		return
	}
	for i := range w.peers {
		if p := &w.peers[i]; p.suspect && i != with {
			p.other[with] = true
		}
	}
}

// convict gives the verdict on a suspect. Where nobody is left to be a witness, a node of two takes a refused dial for
// one, and any other is isolated and convicts nobody.
func (w *world) convict(i int) {
	p := &w.peers[i]
	if p.fallen || !p.suspect {
		return
	}
	want := 0
	if w.rule.witnesses && len(w.peers) > 2 {
		for j := 1; j < len(w.peers) && want < witnessCount; j++ {
			if q := &w.peers[j]; j != i && !q.fallen && !q.suspect {
				want++
			}
		}
		want = max(1, want)
	}
	if w.rule.witnesses && len(p.other) < want {
		return
	}
	p.fallen = true
	w.convicted++
	if !p.dead {
		w.falsely++
	}
}

// doubt marks whether a peer is suspect now.
func (p *watched) doubt(suspect bool) {
	if suspect && !p.suspect {
		p.other = map[int]bool{}
	}
	p.suspect = suspect
}

// ours is a detector, all of whose peers may stretch the limit if none is to be left out.
func ours(cfg Config, all bool) rule {
	d := NewDetector(cfg)
	return rule{!cfg.Strict, func(w *world) {
		if all {
			stretchByAll(d)
		}
		w.rows = w.rows[:0]
		for i, p := range w.peers {
			if !p.fallen {
				w.rows = append(w.rows, Age{ID: id(i), Age: seconds(w.now - p.born), Period: seconds(w.rhythm.pace(i))})
			}
		}
		d.Limit(w.rows)
		at := 0
		for i := range w.peers {
			if p := &w.peers[i]; !p.fallen {
				p.doubt(w.rows[at].Suspect)
				at++
			}
		}
	}, func(peer int, age float64) { d.Completed(id(peer), seconds(age)) }}
}

func stretchByAll(d *Detector) {
	d.ages.top, d.ages.samples, d.ages.changed = 0, 0, false
	for _, p := range d.peers {
		d.ages.top, d.ages.samples = max(d.ages.top, p.top), d.ages.samples+len(p.list)
	}
}

// each is a rule that judges every peer alone.
func each(suspect func(now float64, p *watched) bool) rule {
	return rule{false, func(w *world) {
		for i := range w.peers {
			w.peers[i].doubt(suspect(w.now, &w.peers[i]))
		}
	}, func(int, float64) {}}
}

// phi is the accrual detector (Hayashibara 2004) as it is used: a window of 100 gaps taken for normal, deviation at least
// 0.1, suspect at phi 8.
func phi(now float64, p *watched) bool {
	mean, sd := 1.0, 0.25
	if n := float64(len(p.gaps)); n > 1 {
		sum, squares := 0.0, 0.0
		for _, g := range p.gaps {
			sum, squares = sum+g, squares+g*g
		}
		mean = sum / n
		sd = max(0.1, math.Sqrt(max(0, squares/n-mean*mean)))
	}
	return 0.5*math.Erfc((now-p.came-mean)/sd/math.Sqrt2) < 1e-8
}

// falsely gives the convictions of the living in 1,000 node-periods.
func falsely(n, runs int, r rhythm, make func() rule) float64 {
	wrong := 0
	for seed := range uint64(runs) {
		w := newWorld(n, seed, r)
		for w.rule = make(); w.now < runPeriods; {
			w.step()
		}
		wrong += w.falsely
	}
	return 1000 * float64(wrong) / (float64(runs*(n-1)) * runPeriods)
}

// detection gives the median time in periods from a crash of k peers to each one's conviction, and the part found within
// a hundred. Those are the first peers, so that with a slow one among them it is among the dead.
func detection(n, k, runs int, r rhythm, make func() rule) (median, found float64) {
	var times []float64
	for seed := range uint64(runs) {
		w := newWorld(n, 1000+seed, r)
		for w.rule = make(); w.now < crashAt; {
			w.step()
		}
		seen := map[int]bool{}
		for i := 1; i <= k; i++ {
			w.peers[i].dead = true
		}
		for len(seen) < k && w.now < crashAt+100 {
			w.step()
			for i := 1; i <= k; i++ {
				if w.peers[i].fallen && len(w.peers[i].flights) == 0 && !seen[i] {
					seen[i] = true
					times = append(times, w.now-crashAt)
				}
			}
		}
	}
	if len(times) == 0 {
		return math.Inf(1), 0
	}
	slices.Sort(times)
	return times[len(times)/2], float64(len(times)) / float64(k*runs)
}

// runsOf gives as many runs as make about as many node-periods of every size.
func runsOf(n int) int { return max(8, 200/n) }

func plainRule() rule { return ours(Config{Strict: true, Period: time.Second}, false) }
func ourRule() rule   { return ours(DefaultConfig(), false) }
func allRule() rule   { return ours(DefaultConfig(), true) }
func fixedRule() rule {
	return each(func(now float64, p *watched) bool { return now-p.born > 5 })
}
func phiRule() rule { return each(phi) }

// crashes are sizes of a network and how many die at once.
var crashes = [][2]int{{2, 1}, {3, 1}, {5, 1}, {5, 3}, {10, 5}, {10, 8}, {50, 1}, {50, 25}, {50, 45}}

func falseTable() string {
	var b strings.Builder
	b.WriteString("Living peers convicted, in 1,000 node-periods:\n\n| gaps | plain, n = 10 / 50 | fixed 5, n = 50 | phi 8, n = 50 | g2g, n = 2 / 5 / 10 / 50 | g2g with all, n = 50 | own word, n = 2 / 5 / 10 / 50 |\n| --- | --- | --- | --- | --- | --- | --- |\n")
	for _, r := range rhythms {
		at := func(n int, make func() rule) string { return fmt.Sprintf("%.2f", falsely(n, runsOf(n), r, make)) }
		stuck := func(n int) string { return fmt.Sprintf("%.2f", falselyStuck(n, runsOf(n), r)) }
		fmt.Fprintf(&b, "| %s | %s / %s | %s | %s | %s / %s / %s / %s | %s | %s / %s / %s / %s |\n", r.name, at(10, plainRule), at(50, plainRule), at(50, fixedRule),
			at(50, phiRule), at(2, ourRule), at(5, ourRule), at(10, ourRule), at(50, ourRule), at(50, allRule), stuck(2), stuck(5), stuck(10), stuck(50))
	}
	return b.String()
}

func detectionTable(t *testing.T) string {
	var b strings.Builder
	b.WriteString("Periods from a crash to the conviction, median (n, how many died at once), and the part found by the plain rule:\n\n| gaps |")
	for _, c := range crashes {
		fmt.Fprintf(&b, " (%d, %d) |", c[0], c[1])
	}
	b.WriteString(" with all (50, 1) | phi 8 (50, 1) | plain (5, 1) | plain (50, 25) |\n|" + strings.Repeat(" --- |", len(crashes)+5) + "\n")
	for _, r := range rhythms {
		fmt.Fprintf(&b, "| %s |", r.name)
		for _, c := range crashes {
			median, found := detection(c[0], c[1], max(4, 60/c[0]), r, ourRule)
			if found < 1 {
				t.Errorf("%s: %d of %d dead: found %v of them", r.name, c[1], c[0], found)
			}
			fmt.Fprintf(&b, " %.1f |", median)
		}
		all, _ := detection(50, 1, 8, r, allRule)
		median, _ := detection(50, 1, 8, r, phiRule)
		_, few := detection(5, 1, 12, r, plainRule)
		_, many := detection(50, 25, 4, r, plainRule)
		fmt.Fprintf(&b, " %.1f | %.1f | %.0f %% | %.0f %% |\n", all, median, 100*few, 100*many)
	}
	return b.String()
}

const tableBegin, tableEnd = "<!-- one observer -->\n", "<!-- /one observer -->"

// TestOneObserver prints the detector's table, and holds docs/detection.md to it. The same seeds give the same figures
// wherever floating point is the same.
func TestOneObserver(t *testing.T) {
	table := falseTable() + "\n" + detectionTable(t)
	t.Log("\n" + table)
	const name = "../../docs/detection.md"
	page, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, _ := strings.Cut(string(page), tableBegin)
	held, after, found := strings.Cut(rest, tableEnd)
	switch {
	case !found:
		t.Fatalf("%s has no place for the table", name)
	case *update:
		if err := os.WriteFile(name, []byte(before+tableBegin+table+tableEnd+after), 0o644); err != nil {
			t.Fatal(err)
		}
	case held != table && runtime.GOARCH == "amd64":
		t.Error("docs/detection.md gives other figures: run go test ./node/stale -run TestOneObserver -update")
	}
}
