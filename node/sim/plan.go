package sim

import (
	"math/rand/v2"
	"time"

	"github.com/g2g-net/g2g/node/config"
)

// Bounds of a plan.
const (
	MaxNodes   = 100_000
	MaxLength  = 48 * time.Hour
	maxRegions = 64
)

// A Plan is one run: a network, and what is done to it. Parse and Builtin make valid ones.
type Plan struct {
	Label    string // of one of several runs of a scenario, for example "P=10%"
	Nodes    int
	Length   time.Duration
	Join     time.Duration // the starts are spread over it
	Joined   bool          // nobody joins at the start: the network has come together before
	Interval time.Duration // gossip.interval
	Period   time.Duration // signature.period
	Strict   bool          // the plain rule for ages
	Regions  []Region
	RTT      [][]time.Duration // round trip between regions, symmetric
	Jitter   float64           // mean of what is added to a latency, as a part of it
	Loss     float64           // share of messages lost
	Actions  []Action          // ordered by time
}

// A Region is a place with a share of the nodes.
type Region struct {
	Name   string
	Weight float64
}

// An Action is something that is done to the network at a time.
type Action struct {
	At     time.Duration
	Verb   string
	Who    Selection
	Text   string        // as it stands in the scenario, without its time
	For    time.Duration // stop, block: how long; 0 for until continue
	Every  time.Duration // stop, block: again; 0 for once
	Amount float64       // loss: share; skew: drift in seconds a second
	Offset time.Duration // skew
	Count  int           // join
}

// A Selection says which nodes an action is about: a share of those that qualify, a count, all of them or those of a region.
type Selection struct {
	Share  float64
	Count  int
	All    bool
	Region int // -1 for any
}

// quietPlan is what a scenario changes: three regions and nothing that happens.
func quietPlan() Plan {
	c := config.Default()
	p := Plan{
		Nodes: 1000, Length: 5 * time.Minute, Join: 30 * time.Second, Jitter: 0.1,
		Interval: c.Gossip.Interval, Period: c.Signature.Period,
	}
	p.Regions = []Region{{"a", 0.5}, {"b", 0.3}, {"c", 0.2}}
	const near, ab, ac, bc = time.Millisecond, 30 * time.Millisecond, 150 * time.Millisecond, 90 * time.Millisecond
	p.RTT = [][]time.Duration{{near, ab, ac}, {ab, near, bc}, {ac, bc, near}}
	return p
}

// draw chooses the region of a node.
func (p *Plan) draw(r *rand.Rand) int {
	sum := 0.0
	for _, region := range p.Regions {
		sum += region.Weight
	}
	at := r.Float64() * sum
	for i, region := range p.Regions {
		if at -= region.Weight; at < 0 {
			return i
		}
	}
	return len(p.Regions) - 1
}
