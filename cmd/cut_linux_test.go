package cmd

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"
)

// TestCutProcesses cuts one of several real nodes off, and then splits them in halves, on a network that drops what crosses, and
// tells how long after healing all list all again. By default it has 8 nodes, a cut that is just long enough to be believed, and
// one round. CUT_NODES, CUT_ROUNDS and CUT_SECONDS set more; with CUT_BOUND_MS a round that takes longer fails.
func TestCutProcesses(t *testing.T) {
	n, rounds, long := envInt(t, "CUT_NODES", 8), envInt(t, "CUT_ROUNDS", 1), envInt(t, "CUT_SECONDS", 0)
	bound := time.Duration(envInt(t, "CUT_BOUND_MS", int(siteTime.Milliseconds()))) * time.Millisecond
	l := newLab(t, n)
	sites := l.sites()
	network(t, sites)
	for _, behind := range []int{1, n / 2} {
		var times []time.Duration
		for range rounds {
			took := l.cutRound(sites, behind, time.Duration(long)*time.Second)
			if took > bound {
				t.Errorf("%d of %d cut off: whole only %s after healing", behind, n, took)
			}
			times = append(times, took.Round(time.Millisecond))
		}
		slices.Sort(times)
		t.Logf("%d of %d cut off, %d rounds: whole after %v", behind, n, rounds, times)
	}
}

// startTime is for the processes that wait to be up before the time counts: many that start at once keep a machine busy.
const startTime = 3 * time.Second

// cutRound cuts the last nodes off, for a while and at least until they are held for dead, and heals.
func (l *lab) cutRound(sites []*site, behind int, long time.Duration) time.Duration {
	l.t.Helper()
	n := len(sites)
	near, far := sites[:n-behind], sites[n-behind:]
	began := time.Now()
	l.cut(l.hosts[n-behind:]...)
	await(l.t, near, fmt.Sprintf("dead==%d", behind))
	if behind > 1 { // a node that hears nobody convicts nobody
		await(l.t, far, fmt.Sprintf("dead==%d", n-behind))
	}
	rest := time.NewTimer(max(startTime, time.Until(began.Add(long))))
	defer rest.Stop()
	whole := awaiting(l.t, sites, fmt.Sprintf("alive==%d", n-1), long+siteTime)
	<-rest.C
	healed := time.Now()
	l.heal()
	took := whole(healed)
	first, last := met(sites, healed)
	l.t.Logf("%d of %d: by their events the first two met %s after healing, the last %s; g2g wait saw it after %s", behind, n, first, last,
		took.Round(time.Millisecond))
	return took
}

// met is how long after healing a node first, and last, came to hold a lost one for alive again.
func met(sites []*site, healed time.Time) (first, last time.Duration) {
	first = siteTime
	for _, s := range sites {
		s.ask(func(ctx context.Context, c *client) error {
			return c.Events(ctx, siteTime, false, func(e eventView) error {
				if e.Kind == stateAlive && e.Time.After(healed) {
					first, last = min(first, e.Time.Sub(healed)), max(last, e.Time.Sub(healed))
				}
				return nil
			})
		})
	}
	return first.Round(time.Millisecond), last.Round(time.Millisecond)
}
