package cmd

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/g2g-net/g2g/proto/adminpb"
)

const (
	appPeriod = 900 * time.Millisecond // between two signatures of an application, a little less than signature.period
	appLook   = 100 * time.Millisecond // for the next one to be due
	appWait   = 4 * time.Second        // for its node to take one
	maxApps   = 8
)

// A publisher is the application of one node. What it publishes is that node's only sign of life.
type publisher struct {
	node    int
	stalled atomic.Bool
	next    time.Time
}

// stallRound has an application stop publishing, while its node goes on to answer, until all others hold the node stalled.
func stallRound(ctx context.Context, t *trial, _ detectOptions, row *detectView) error {
	app := t.apps[t.stalls%len(t.apps)]
	t.stalls++
	nodes := []int{app.node}
	at := time.Now()
	app.stalled.Store(true)
	err := t.found(ctx, nodes, at, row)
	again := time.Now()
	app.stalled.Store(false)
	if err != nil {
		return err
	}
	limit, cancel := context.WithTimeoutCause(ctx, listTime, errors.New("a node whose application went on did not come back everywhere"))
	defer cancel()
	if err := t.until(limit, func() bool { return t.everywhere(app.node, stateAlive) }); err != nil {
		return err
	}
	row.backs = append(row.backs, t.lastAlive(nodes, again).Sub(again).Milliseconds())
	t.accuse(nodes, at, row)
	return nil
}

// needApps gives the last nodes an application each, where stalls are to be measured: enough that none falls too often.
func (t *trial) needApps(o detectOptions) {
	if !slices.Contains(o.faults, "stall") {
		return
	}
	for k := range min(o.rounds, maxApps, len(t.shown)/2) {
		t.apps = append(t.apps, &publisher{node: len(t.shown) - 1 - k})
	}
}

// settings are what a node's process has in its environment.
func (t *trial) settings(i int) []string {
	if slices.ContainsFunc(t.apps, func(a *publisher) bool { return a.node == i }) {
		return []string{"G2G_SIGNATURE_SOURCE=application"}
	}
	return nil
}

// runApps publishes for all applications until the context ends.
func (t *trial) runApps(ctx context.Context) {
	tick := time.NewTicker(appLook)
	defer tick.Stop()
	for n := uint64(1); ; n++ {
		for _, a := range t.apps {
			if now := time.Now(); !a.stalled.Load() && !now.Before(a.next) && t.publish(ctx, a.node, n) == nil {
				a.next = now.Add(appPeriod)
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// publish is tried again at the next look: a node may not be up yet, or be one that was just killed.
func (t *trial) publish(ctx context.Context, i int, n uint64) error {
	_, dir := t.fleet.folder(i)
	ctx, cancel := context.WithTimeout(ctx, appWait)
	defer cancel()
	node, err := dial(ctx, dir)
	if err != nil {
		return err
	}
	defer node.Close()
	_, err = node.rpc.PublishSignature(ctx, &adminpb.PublishSignatureRequest{Mean: []float64{float64(n)}, Histogram: []float64{1}, Count: n})
	return err
}
