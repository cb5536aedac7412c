// Package sim plays whole networks of the production machine in virtual time.
//
// Every node is a gossip.Machine, the one that the daemon runs. Around it are one event heap, one generator of chance and a
// model of the network: no wire, no seals, no goroutines. The same plan and seed give the same report to the byte.
package sim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/pki"
)

// look is how often a world is looked at as a whole.
const look = time.Second

// Run plays a plan. Progress, which may be nil, is called once a simulated second. A run that is interrupted has no report.
func Run(ctx context.Context, p Plan, seed uint64, progress func(at time.Duration, running int)) (*Report, error) {
	w, err := newWorld(p, seed)
	if err != nil {
		return nil, fmt.Errorf("simulate: %w", err)
	}
	for at := look; ; at = min(at+look, p.Length) {
		w.run(at)
		w.look()
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if progress != nil {
			progress(at, w.running)
		}
		if at == p.Length {
			return w.report(seed), nil
		}
	}
}

// A world is a network in virtual time. One generator draws everything in it, but for what each machine draws from its own.
//
//  1. Time is nanoseconds since the world began, and never goes back.
//  2. Whatever happens, happens in an event, in the order of the queue.
type world struct {
	plan    Plan
	r       *rand.Rand
	now     int64
	queue   queue
	nodes   []*node // in the order of their starts
	byID    map[pki.ID]*node
	running int
	genesis pki.Genesis
	network pki.NetworkID
	loss    float64
	healed  int64         // when the last split or cut ended
	joined  int64         // when the last start of the plan is
	drifts  bool          // a clock is too fast or too slow
	keeps   bool          // somebody starts again, so that what is on the disks is read
	spare   *gossip.Spare // memory of exchanges that are over

	faults
	counts   []phase
	checks   checks
	overlays []Overlay
	settled  settling
}

// epoch is when worlds begin, as a machine's clock without skew shows it.
var epoch = time.Unix(1_800_000_000, 0).UTC()

func newWorld(p Plan, seed uint64) (*world, error) {
	w := &world{plan: p, r: rand.New(rand.NewPCG(seed, 1)), byID: make(map[pki.ID]*node, p.Nodes), loss: p.Loss, healed: -int64(grace), spare: &gossip.Spare{}}
	w.keeps = slices.ContainsFunc(p.Actions, func(a Action) bool { return a.Verb == "restart" })
	if err := w.found(); err != nil {
		return nil, err
	}
	w.phase("joining")
	for _, a := range p.Actions { // before the starts of the same moment: clocks are wrong from the beginning
		w.at(int64(a.At), func() { w.act(a) })
	}
	for i := range p.Nodes {
		n, err := w.admit()
		if err != nil {
			return nil, err
		}
		w.joined = int64(p.Join) * int64(i) / int64(p.Nodes)
		w.at(w.joined, func() { w.start(n) })
	}
	if p.Joined {
		w.at(w.joined, w.acquaint)
	}
	w.settled.begins(w.joined, "the last start")
	w.at(w.joined+int64(calm), w.quiet)
	return w, nil
}

// at has a function called at a time that has not passed.
func (w *world) at(when int64, f func()) {
	w.queue.put(event{at: max(when, w.now), kind: function, do: f})
}

// run plays all that happens until a time, that moment included.
func (w *world) run(until time.Duration) {
	for e := w.queue.next(); e != nil && e.at <= int64(until); e = w.queue.next() {
		w.now = e.at
		w.happen(w.queue.take())
	}
	w.now = int64(until)
}

func (w *world) happen(e event) {
	switch e.kind {
	case function:
		e.do()
	case timer:
		e.node.timer()
	case request:
		e.call.arrive()
	case answer, timeout, refused:
		e.call.end(e.kind)
	}
}
