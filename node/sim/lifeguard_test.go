package sim

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// An experiment is one cell of Lifeguard's (Dadgar, Phillips, Currey, DSN 2018): some members are blocked at each send and each
// receipt, once or again and again.
type experiment struct {
	nodes     int
	quiet     time.Duration
	anomalous int
	blocked   time.Duration
	between   time.Duration // 0 for once
	lasts     time.Duration // what is counted
	interval  string        // gossip.interval
	stall     bool          // their signature loops end instead
}

// An outcome is what came of it.
type outcome struct {
	subjects            int
	first, full         []time.Duration // by those that were found, by one that was well and by all of them
	false, falseHealthy int
	calm, messages      float64                 // messages a node and second, before and during the trouble
	bytes               float64                 // during it
	kinds, calmKinds    [len(kindNames)]float64 // of g2g's messages during it and before, of each
}

// spread finds when each subject was first held dead, and when by so many.
func (o *outcome) spread(dead map[pair]time.Duration, observers int, before time.Duration) {
	by := map[int][]time.Duration{}
	for p, at := range dead {
		if at <= before {
			by[p.subject] = append(by[p.subject], at)
		}
	}
	for _, times := range by { // sorted below
		o.first = append(o.first, slices.Min(times))
		if len(times) == observers {
			o.full = append(o.full, slices.Max(times))
		}
	}
	slices.Sort(o.first)
	slices.Sort(o.full)
}

func (o *outcome) add(other outcome) {
	o.subjects += other.subjects
	o.first, o.full = append(o.first, other.first...), append(o.full, other.full...)
	slices.Sort(o.first)
	slices.Sort(o.full)
	o.false, o.falseHealthy = o.false+other.false, o.falseHealthy+other.falseHealthy
	o.calm, o.messages, o.bytes = o.calm+other.calm, o.messages+other.messages, o.bytes+other.bytes
	for i, n := range other.kinds {
		o.kinds[i] += n
		o.calmKinds[i] += other.calmKinds[i]
	}
}

// spent takes what g2g sent before the trouble and during it.
func (o *outcome) spent(nodes int, quiet, lasts time.Duration, calm, trouble *phase) {
	o.calm = float64(calm.messages) / float64(nodes) / quiet.Seconds()
	nodeSeconds := float64(nodes) * lasts.Seconds()
	o.messages, o.bytes = float64(trouble.messages)/nodeSeconds, float64(trouble.bytes)/nodeSeconds
	for i, k := range trouble.kinds {
		o.kinds[i] = float64(k.messages) / nodeSeconds
		o.calmKinds[i] = float64(calm.kinds[i].messages) / float64(nodes) / quiet.Seconds()
	}
}

// aftermath is for how long false verdicts are still counted when the trouble is over.
const aftermath = 15 * time.Second

// scenario is the experiment in the simulator's language.
func (e experiment) scenario() string {
	end := e.quiet + e.lasts
	what := fmt.Sprintf("at %s block %d for %s", e.quiet, e.anomalous, e.blocked)
	if e.between > 0 {
		what += fmt.Sprintf(" every %s", e.blocked+e.between)
	}
	if e.stall {
		what = fmt.Sprintf("at %s stall %d", e.quiet, e.anomalous)
	}
	if e.between > 0 || e.stall {
		what += fmt.Sprintf("\nat %s continue all", end)
	}
	return fmt.Sprintf("nodes %d\njoined\nregion all 1\ninterval %s\nlength %s\n%s\n", e.nodes, e.interval, end+aftermath, what)
}

// playG2G runs the same with the production machine.
func playG2G(t *testing.T, e experiment, seed uint64) (o outcome) {
	t.Helper()
	w := value(newWorld(plan(e.scenario()), seed))
	w.at(int64(e.quiet)/2, func() { w.phase("quiet") })
	for at := look; at < e.quiet+e.lasts; at += look {
		w.run(at)
		w.look()
	}
	end := e.quiet + e.lasts
	w.run(end - 1) // what was blocked has not gone on yet
	o.spent(e.nodes, e.quiet/2, e.lasts, &w.counts[len(w.counts)-2], w.count())
	for at := end; at <= w.plan.Length; at += look {
		w.run(at)
		w.look()
	}
	r := w.report(seed)
	if r.Checks.Failed > 0 {
		t.Errorf("%d checks failed: %q", r.Checks.Failed, r.Checks.Failures)
	}
	dead := map[pair]time.Duration{}
	for _, h := range w.episodes[0].holdings {
		if !h.void && h.dead != unseen {
			dead[h.pair] = time.Duration(h.dead - w.episodes[0].at)
		}
	}
	o.spread(dead, e.nodes-e.anomalous, e.lasts)
	o.subjects = e.anomalous
	o.false, o.falseHealthy = r.False.Dead, r.False.DeadHealthy
	return o
}

// rank is the time by which so many of a hundred of the subjects were found.
func rank(times []time.Duration, subjects, percent int) string {
	at := (subjects*percent+99)/100 - 1
	if at >= len(times) {
		return "-"
	}
	return strconv.FormatFloat(times[at].Seconds(), 'f', 2, 64)
}

// header is above the rows.
const header = "found by all | first 50 % | 99 % | by all 50 % | 99 % | FP | FP- | messages before | during | bytes during |"

// row is how an outcome is printed, of so many runs: times over all of them, counts and rates of one.
func (o outcome) row(runs int) string {
	one := func(n int) string { return strconv.FormatFloat(float64(n)/float64(runs), 'f', -1, 64) }
	n := float64(runs)
	return fmt.Sprintf("%d/%d | %s | %s | %s | %s | %s | %s | %.1f | %.1f | %.0f |", len(o.full), o.subjects,
		rank(o.first, o.subjects, 50), rank(o.first, o.subjects, 99), rank(o.full, o.subjects, 50), rank(o.full, o.subjects, 99),
		one(o.false), one(o.falseHealthy), o.calm/n, o.messages/n, o.bytes/n)
}

// kindsText is how many messages of each kind g2g sent a node and second.
func kindsText(kinds [len(kindNames)]float64, runs int) string {
	var parts []string
	for i, n := range kinds {
		parts = append(parts, fmt.Sprintf("%s %.1f", kindNames[i], n/float64(runs)))
	}
	return strings.Join(parts, ", ")
}

// repeated runs an experiment so many times, with seeds from 1 on.
func (e experiment) repeated(t *testing.T, runs int, play func(*testing.T, experiment, uint64) outcome) (o outcome) {
	for seed := range runs {
		o.add(play(t, e, uint64(seed)+1))
	}
	return o
}

// TestLifeguard is the experiment with real memberlist beside g2g: a small one, or with LIFEGUARD_RUNS the whole grid, each cell so many
// times. LIFEGUARD_SECONDS is for how long anomalies come again and again, 120 in the paper. A part of the grid is chosen by the names of
// its cells: -run 'TestLifeguard/I=16ms/D=8.192s/C=32' plays one, 'TestLifeguard/I=once' all that are blocked once. LIFEGUARD_WHO plays
// "memberlist" or "g2g" alone.
func TestLifeguard(t *testing.T) {
	if runs := number("LIFEGUARD_RUNS", 0); runs > 0 {
		grid(t, runs, time.Duration(number("LIFEGUARD_SECONDS", 120))*time.Second)
		return
	}
	e := experiment{nodes: 16, quiet: 16 * time.Second, anomalous: 4, blocked: 20 * time.Second, lasts: 20 * time.Second, interval: "1s"}
	theirs, ours := playMemberlist(t, e, 1), playG2G(t, e, 1)
	t.Logf("\n%s\n%s memberlist\n%s g2g", header, theirs.row(1), ours.row(1))
	if len(ours.full) != 4 {
		t.Fatal("not all were found by all")
	}
	if len(theirs.first) < 3 || ours.first[2]*2 > theirs.first[2] {
		t.Error("not found in half of the time")
	}
	if ours.falseHealthy > 0 || ours.false > 0 {
		t.Errorf("%d false verdicts, %d by healthy nodes", ours.false, ours.falseHealthy)
	}
}

// number reads a variable of the environment.
func number(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return otherwise
}

// TestZombiesAreFound has members answer everything and do no work. memberlist asks for no more than an answer.
func TestZombiesAreFound(t *testing.T) {
	e := experiment{nodes: 16, quiet: 16 * time.Second, anomalous: 4, lasts: 15 * time.Second, interval: "1s", stall: true}
	if o := playG2G(t, e, 1); len(o.full) != 4 || o.false > 0 || o.full[3] > 9*time.Second {
		t.Errorf("%+v", o)
	}
}

// TestWhoWasSilentConvictsNobody has some members blocked in a network whose ages do not fit into one answer. When they are back, the
// first answers that they get lack somebody each: that is no sign against him.
func TestWhoWasSilentConvictsNobody(t *testing.T) {
	e := experiment{nodes: 112, quiet: 16 * time.Second, anomalous: 4, blocked: 20 * time.Second, lasts: 20 * time.Second, interval: "1s"}
	if o := playG2G(t, e, 1); o.false > 0 || len(o.full) != 4 {
		t.Errorf("%+v", o)
	}
}

// grid prints the rows of the table in docs/detection.md.
func grid(t *testing.T, runs int, lasts time.Duration) {
	const ms = time.Millisecond
	e := experiment{nodes: 128, quiet: time.Minute, interval: "1s"}
	t.Logf("| C | D | I | | %s", header)
	for _, e.between = range []time.Duration{0, 16 * ms, 1024 * ms} {
		for _, e.blocked = range []time.Duration{2048 * ms, 8192 * ms, 32768 * ms} {
			for _, e.anomalous = range []int{8, 16, 32} {
				if e.lasts = lasts; e.between == 0 {
					e.lasts = e.blocked
				}
				e.cell(t, runs)
			}
		}
	}
	e.stall, e.between, e.lasts = true, 0, 32768*ms
	for _, e.anomalous = range []int{8, 16, 32} {
		for _, e.interval = range []string{"1s", "333ms"} {
			t.Run(fmt.Sprintf("zombies/C=%d/%s", e.anomalous, e.interval), func(t *testing.T) {
				t.Logf("\n| %d | no work | once | g2g at %s | %s", e.anomalous, e.interval, e.repeated(t, runs, playG2G).row(runs))
			})
		}
	}
}

// cell prints the rows of one cell.
func (e experiment) cell(t *testing.T, runs int) {
	between := e.between.String()
	if e.between == 0 {
		between = "once"
	}
	t.Run(fmt.Sprintf("I=%s/D=%s/C=%d", between, e.blocked, e.anomalous), func(t *testing.T) {
		cell, who := fmt.Sprintf("| %d | %s | %s |", e.anomalous, e.blocked, between), os.Getenv("LIFEGUARD_WHO")
		if who != "g2g" {
			t.Logf("\n%s memberlist | %s", cell, e.repeated(t, runs, playMemberlist).row(runs))
		}
		if who != "memberlist" {
			o := e.repeated(t, runs, playG2G)
			t.Logf("\n%s g2g | %s\nbefore: %s\nduring: %s", cell, o.row(runs), kindsText(o.calmKinds, runs), kindsText(o.kinds, runs))
		}
	})
}
