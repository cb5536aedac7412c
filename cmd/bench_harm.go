package cmd

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A fault is one kind of harm. It fills a row with what it saw in a round.
type fault struct {
	name   string
	rounds func(detectOptions) int
	round  func(ctx context.Context, t *trial, o detectOptions, row *detectView) error
}

func faults() []fault {
	often := func(o detectOptions) int { return o.rounds }
	half := func(o detectOptions) int { return (o.rounds + 1) / 2 }
	once := func(detectOptions) int { return 1 }
	return []fault{
		{"kill", often, killRound}, {"stop", often, stopRound}, {"half", half, halfRound}, {"stall", often, stallRound}, {"pulse", once, pulseRound}, {"hogs", once, hogRound},
	}
}

func faultNames() (names []string) {
	for _, f := range faults() {
		names = append(names, f.name)
	}
	return names
}

// harm does all rounds of one kind.
func (t *trial) harm(ctx context.Context, o detectOptions, p *progress, row *detectView) error {
	all := faults()
	f := all[slices.IndexFunc(all, func(f fault) bool { return f.name == row.Fault })]
	row.Rounds = f.rounds(o)
	for r := range row.Rounds {
		p.Step("%s, round %d of %d", f.name, r+1, row.Rounds)
		if err := t.settle(ctx); err != nil {
			return err
		}
		if err := f.round(ctx, t, o, row); err != nil {
			return err
		}
	}
	return nil
}

// victims are the next nodes in turn, so that nobody falls so often in a while that it is held back for it.
func (t *trial) victims(n int) (nodes []int) {
	for range n {
		nodes = append(nodes, t.next)
		t.next = (t.next + 1) % len(t.shown)
	}
	return nodes
}

func killRound(ctx context.Context, t *trial, _ detectOptions, row *detectView) error {
	return t.kill(ctx, t.victims(1), row)
}

func halfRound(ctx context.Context, t *trial, _ detectOptions, row *detectView) error {
	return t.kill(ctx, t.victims(len(t.shown)/2), row)
}

// kill ends nodes at once, waits until all others know, and starts them again.
func (t *trial) kill(ctx context.Context, nodes []int, row *detectView) error {
	t.mark(nodes, true)
	at := time.Now()
	for _, i := range nodes {
		_ = t.fleet.nodes[i].process.Process.Kill()
	}
	if err := t.found(ctx, nodes, at, row); err != nil {
		return err
	}
	for _, i := range nodes {
		t.cancel[i]()
		<-t.fleet.nodes[i].gone
	}
	ready, err := t.launch(ctx, nodes)
	if err != nil {
		return err
	}
	row.backs = append(row.backs, max(0, t.lastAlive(nodes, ready).Sub(ready)).Milliseconds())
	t.accuse(nodes, at, row)
	return nil
}

// stopRound stops a node until it is found, and lets it go on.
func stopRound(ctx context.Context, t *trial, _ detectOptions, row *detectView) error {
	nodes := t.victims(1)
	v := t.fleet.nodes[nodes[0]]
	t.mark(nodes, true)
	at := time.Now()
	if err := v.pause(); err != nil {
		return err
	}
	found := t.found(ctx, nodes, at, row)
	again := time.Now()
	if err := errors.Join(found, v.resume()); err != nil {
		return err
	}
	t.mark(nodes, false)
	limit, cancel := context.WithTimeoutCause(ctx, listTime, errors.New("a node that went on did not come back everywhere"))
	defer cancel()
	if err := t.until(limit, func() bool { return t.everywhere(nodes[0], stateAlive) }); err != nil {
		return err
	}
	row.backs = append(row.backs, t.lastAlive(nodes, again).Sub(again).Milliseconds())
	t.accuse(nodes, at, row)
	return nil
}

// found waits until all that are up hold all victims dead, and notes how long that took.
func (t *trial) found(ctx context.Context, nodes []int, at time.Time, row *detectView) error {
	limit, cancel := context.WithTimeout(ctx, foundWithin)
	defer cancel()
	err := t.until(limit, func() bool {
		return !slices.ContainsFunc(nodes, func(peer int) bool { return !t.everywhere(peer, stateDead) })
	})
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	row.Victims = len(nodes)
	row.loads = append(row.loads, loadAverage())
	var first, last time.Time
	seen := map[[2]int]bool{}
	for _, n := range t.since(at) {
		key := [2]int{n.node, n.peer}
		if n.state != stateDead || !slices.Contains(nodes, n.peer) || slices.Contains(nodes, n.node) || seen[key] {
			continue
		}
		seen[key] = true
		if first.IsZero() || n.at.Before(first) {
			first = n.at
		}
		if n.at.After(last) {
			last = n.at
		}
	}
	row.Missed += len(nodes)*(len(t.shown)-len(nodes)) - len(seen)
	if !first.IsZero() {
		row.firsts = append(row.firsts, first.Sub(at).Milliseconds())
	}
	if err == nil {
		row.alls = append(row.alls, last.Sub(at).Milliseconds())
	}
	return nil
}

// lastAlive is when the last node listed the last of some peers as alive, from a time on.
func (t *trial) lastAlive(nodes []int, since time.Time) time.Time {
	last := since
	for _, n := range t.since(since) {
		if n.state == stateAlive && slices.Contains(nodes, n.peer) && n.at.After(last) {
			last = n.at
		}
	}
	return last
}

// accuse counts the verdicts on nodes that nobody harmed.
func (t *trial) accuse(harmed []int, since time.Time, row *detectView) {
	for _, n := range t.since(since) {
		if slices.Contains(harmed, n.peer) {
			continue
		}
		switch n.state {
		case stateDead:
			row.FalseDead++
		case stateLate:
			row.FalseLate++
		}
	}
}

// pulseRound stops a node for most of the time, and sees how long it is shown as alive.
func pulseRound(ctx context.Context, t *trial, o detectOptions, row *detectView) error {
	nodes := t.victims(1)
	v := t.fleet.nodes[nodes[0]]
	at := time.Now()
	for end := at.Add(time.Duration(o.seconds) * time.Second); time.Now().Before(end); {
		if err := v.pause(); err != nil {
			return err
		}
		stopped := t.fleet.rest(ctx, pulseStopped)
		if err := errors.Join(stopped, v.resume()); err != nil {
			return err
		}
		if err := t.fleet.rest(ctx, pulsePeriod-pulseStopped); err != nil {
			return err
		}
	}
	row.Victims = 1
	row.loads = append(row.loads, loadAverage())
	row.ShownAlive = new(t.shownAlive(nodes[0], at, at.Add(pulseFound), time.Now()))
	t.accuse(nodes, at, row)
	return nil
}

// shownAlive is the part of the time between two moments in which a node shows a peer as alive, on average. Before the beginning all did.
func (t *trial) shownAlive(peer int, beginning, from, to time.Time) float64 {
	var sum time.Duration
	all := t.since(beginning)
	for i := range t.shown {
		if i == peer {
			continue
		}
		state, at := stateAlive, beginning
		count := func(until time.Time) {
			if state == stateAlive && until.After(from) {
				sum += min(until.Sub(at), until.Sub(from))
			}
		}
		for _, n := range all {
			if n.node == i && n.peer == peer && n.at.Before(to) {
				count(n.at)
				state, at = n.state, n.at
			}
		}
		count(to)
	}
	return float64(sum) / float64(to.Sub(from)) / float64(len(t.shown)-1)
}

// hogRound takes the processors away.
func hogRound(ctx context.Context, t *trial, o detectOptions, row *detectView) error {
	at := time.Now()
	var enough atomic.Bool
	var hogs sync.WaitGroup
	for range runtime.NumCPU() {
		hogs.Go(func() {
			for !enough.Load() { // it is meant to take all that it gets
			}
		})
	}
	err := t.fleet.rest(ctx, time.Duration(o.seconds)*time.Second)
	enough.Store(true)
	hogs.Wait()
	row.loads = append(row.loads, loadAverage())
	t.accuse(nil, at, row)
	return err
}
