package sim

import (
	"slices"
	"time"
)

// A phase is a part of a run, with what the nodes did in it.
type phase struct {
	name        string
	from        int64
	nodeSeconds int
	messages    int
	bytes       int
	turns       int
	kinds       tally
}

func (w *world) count() *phase { return &w.counts[len(w.counts)-1] }

func (w *world) phase(name string) { w.counts = append(w.counts, phase{name: name, from: w.now}) }

// quiet ends the first phase, unless something has been done already.
func (w *world) quiet() {
	if w.count().name == "joining" {
		w.phase("quiet")
	}
}

// A Report is what came of a run. The same plan and seed give the same.
type Report struct {
	Label     string      `json:"label"` // of the run among those of its scenario; empty for the only one
	Seed      uint64      `json:"seed"`
	Nodes     int         `json:"nodes"`
	LengthS   float64     `json:"length_s"`
	Settled   []Settled   `json:"settled"`
	Detection []Detection `json:"detection"`
	False     False       `json:"false"`
	Cost      []Cost      `json:"cost"`
	Overlay   []Overlay   `json:"overlay"`
	Checks    Checks      `json:"checks"`
}

// A Cost is what a running node sends in a phase, requests and answers, in bytes of the encoded messages.
type Cost struct {
	Phase     string  `json:"phase"`
	FromS     float64 `json:"from_s"`
	ToS       float64 `json:"to_s"`
	MessagesS float64 `json:"messages_s"`
	BytesS    float64 `json:"bytes_s"`
	TurnsS    float64 `json:"turns_s"` // of the machine
	Kinds     []Kind  `json:"kinds"`   // of messages
}

// A Detection is how it became known that some nodes went. Times are seconds since they did; null for none in that time.
type Detection struct {
	AtS     float64 `json:"at_s"`
	What    string  `json:"what"`
	Nodes   int     `json:"nodes"`
	First   Spread  `json:"first"`   // over the nodes that went: until somebody held them dead
	Dropped Spread  `json:"dropped"` // over those that had one active: until they had not
	Late    Spread  `json:"late"`    // over those that held one: until it was out of their order
	Dead    Spread  `json:"dead"`    // over those that held one: until they held it dead, or no more
}

// A Spread is times by what part of the cases had come by then. A part that never came is null.
type Spread struct {
	Cases  int      `json:"cases"`
	Never  int      `json:"never"`
	Median *float64 `json:"median_s"`
	P99    *float64 `json:"p99_s"`
	Max    *float64 `json:"max_s"`
}

// False counts verdicts on nodes to which nothing was done in the last half minute, by observers with which they could talk.
type False struct {
	Dead        int `json:"dead"`
	DeadHealthy int `json:"dead_healthy"` // by observers to which nothing was done either
	Late        int `json:"late"`
	LateHealthy int `json:"late_healthy"`
}

// Checks are what must be so at any time.
type Checks struct {
	Done     int      `json:"done"`
	Failed   int      `json:"failed"`
	Failures []string `json:"failures"` // the first few
}

func (w *world) report(seed uint64) *Report {
	w.overlays = append(w.overlays, w.overlay())
	r := &Report{
		Label: w.plan.Label, Seed: seed, Nodes: w.plan.Nodes, LengthS: w.plan.Length.Seconds(), Settled: w.settled.rows,
		False:   False{w.falseDead, w.falseDeadHealthy, w.falseLate, w.falseLateHealthy},
		Overlay: w.overlays, Checks: Checks{w.checks.done, w.checks.failed, w.checks.failures},
		Detection: []Detection{},
	}
	for i, p := range w.counts {
		to := w.now
		if i+1 < len(w.counts) {
			to = w.counts[i+1].from
		}
		r.Cost = append(r.Cost, p.cost(to))
	}
	for _, e := range w.episodes {
		r.Detection = append(r.Detection, e.detection())
	}
	if r.Checks.Failures == nil {
		r.Checks.Failures = []string{}
	}
	return r
}

func (p *phase) cost(to int64) Cost {
	each := func(n int) float64 { return float64(n) / float64(max(1, p.nodeSeconds)) }
	return Cost{
		Phase: p.name, FromS: time.Duration(p.from).Seconds(), ToS: time.Duration(to).Seconds(),
		MessagesS: each(p.messages), BytesS: each(p.bytes), TurnsS: each(p.turns),
		Kinds: p.kinds.costs(p.nodeSeconds),
	}
}

func (e *episode) detection() Detection {
	d := Detection{AtS: time.Duration(e.at).Seconds(), What: e.text, Nodes: e.subjects}
	var dropped, late, dead []int64
	first := map[int]int64{}
	for _, h := range e.holdings {
		if h.void {
			continue
		}
		if h.active {
			dropped = append(dropped, h.dropped)
		}
		late, dead = append(late, h.late), append(dead, h.dead)
		if at, ok := first[h.subject]; !ok || at == unseen || h.dead != unseen && h.dead < at {
			first[h.subject] = h.dead
		}
	}
	firsts := make([]int64, 0, len(first))
	for _, at := range first { // sorted below
		firsts = append(firsts, at)
	}
	d.First, d.Dropped, d.Late, d.Dead = e.spread(firsts), e.spread(dropped), e.spread(late), e.spread(dead)
	return d
}

// spread sorts moments; those unseen come last.
func (e *episode) spread(at []int64) Spread {
	s := Spread{Cases: len(at)}
	for i := range at {
		if at[i] == unseen {
			at[i] = never
			s.Never++
		}
	}
	slices.Sort(at)
	part := func(of, all int) *float64 { // the moment by which so many parts of all had come
		if len(at) == 0 {
			return nil
		}
		t := at[(len(at)*of+all-1)/all-1]
		if t == never {
			return nil
		}
		seconds := time.Duration(t - e.at).Seconds()
		return &seconds
	}
	s.Median, s.P99, s.Max = part(1, 2), part(99, 100), part(1, 1)
	return s
}
