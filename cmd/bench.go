package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"
)

const (
	// maxBenchNodes stays below what the view of a node holds: each must be able to list all others.
	maxBenchNodes = 200
	// maxBenchTime bounds the window, in seconds.
	maxBenchTime = 3600
)

func (a *app) benchCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "bench",
		Short: "Measure what a network of processes costs",
		Long: `Founds a network, joins nodes to it and serves them, each a process of this program with a temporary folder and ports
on loopback. Then it prints the time from the first serve until each node lists all others as alive, and what a node
costs over a while after that:

  sent       bytes a second at link level: the counters of the loopback interface, headers and acknowledgements
             included, divided by the nodes; as much is received. Admin sockets are not in it. Whatever else uses
             loopback meanwhile is: for an undisturbed run give it a network namespace of its own, see below
  processor  milliseconds a second, of user and system time
  wake-ups   a second: how often a thread of it went to sleep by itself
  memory     proportional set size: its own pages, and its share of those it has in common with others

Then an account of that, from counters of the nodes: what the bytes and the wake-ups went to, and the calls of each kind
with the bytes of their messages; and what the start of a node took. docs/cost.md explains each part.

All nodes are members beforehand and start at once, on the ports that they had. While lists are incomplete one node at a time is
asked for its own, a few times a second; while costs are measured nobody asks anything. Nothing is left behind, also after Ctrl-C.
It needs Linux.`,
		Example: `  g2g bench --nodes 32
  g2g bench --nodes 8 --seconds 10 -o json | jq .cpu_ms_s
  sudo unshare --net sh -c 'ip link set lo up && g2g bench --nodes 64'`,
		Args: exactly(0),
	}
	var o benchOptions
	c.Flags().IntVar(&o.nodes, "nodes", 16, fmt.Sprintf("how many nodes, 2 to %d", maxBenchNodes))
	c.Flags().IntVar(&o.seconds, "seconds", 60, fmt.Sprintf("how long costs are measured, 1 to %d", maxBenchTime))
	c.Flags().DurationVar(&o.settle, "settle", 5*time.Second, "how long to wait before that")
	f := output(c, asTable, asJSON, asLines)
	c.AddCommand(a.benchDetectCommand())
	c.RunE = func(c *cobra.Command, _ []string) error {
		if err := o.check(); err != nil {
			return err
		}
		seen, err := a.bench(c.Context(), o)
		if err != nil {
			return err
		}
		return writeObject(a.out, f.value, seen, "", benchFields(seen))
	}
	return c
}

type benchOptions struct {
	nodes, seconds int
	settle         time.Duration
}

func (o benchOptions) check() error {
	switch {
	case o.nodes < 2 || o.nodes > maxBenchNodes:
		return wrongUsage(fmt.Sprintf("--nodes %d is not 2 to %d", o.nodes, maxBenchNodes), "")
	case o.seconds < 1 || o.seconds > maxBenchTime:
		return wrongUsage(fmt.Sprintf("--seconds %d is not 1 to %d", o.seconds, maxBenchTime), "")
	case o.settle < 0 || o.settle > maxBenchTime*time.Second:
		return wrongUsage(fmt.Sprintf("--settle %s is not 0s to %s", o.settle, maxBenchTime*time.Second), "")
	}
	return nil
}

// A benchView is what was measured. Costs are those of one node, on average.
type benchView struct {
	Version      string  `json:"version"`
	Nodes        int     `json:"nodes"`
	CompleteMS   int64   `json:"complete_ms"`        // from the first serve until the last list was complete
	HalfMS       int64   `json:"complete_median_ms"` // until half of the lists were
	SettleS      float64 `json:"settle_s"`
	WindowS      float64 `json:"window_s"`
	SentBytesS   float64 `json:"sent_bytes_s"`
	SentPacketsS float64 `json:"sent_packets_s"`
	CPUMSS       float64 `json:"cpu_ms_s"`
	WakeupsS     float64 `json:"wakeups_s"`
	PSSKiB       int64   `json:"pss_kib"`
	PSSMaxKiB    int64   `json:"pss_max_kib"` // of the largest node
	// What the nodes counted themselves, by counter and method: a node's sum until the last list was complete, and a second's.
	StartCPUMS float64            `json:"start_cpu_ms"`
	Start      map[string]float64 `json:"start"`
	Account    map[string]float64 `json:"account"`
	Share      shareView          `json:"share"`
}

func benchFields(b benchView) []field {
	fields := []field{
		{"version", b.Version},
		{"nodes", fmt.Sprint(b.Nodes)},
		{"complete", fmt.Sprintf("after %.2f s, half of the nodes after %.2f s", float64(b.CompleteMS)/1000, float64(b.HalfMS)/1000)},
		{"measured for", fmt.Sprintf("%.1f s, %.1f s after that", b.WindowS, b.SettleS)},
		{"sent", fmt.Sprintf("%.2f KB/s, %.1f packets/s a node", b.SentBytesS/1000, b.SentPacketsS)},
		{"processor", fmt.Sprintf("%.2f ms/s a node", b.CPUMSS)},
		{"wake-ups", fmt.Sprintf("%.0f/s a node", b.WakeupsS)},
		{"memory", fmt.Sprintf("%.1f MB a node, the largest %.1f MB", float64(b.PSSKiB)*1024/1e6, float64(b.PSSMaxKiB)*1024/1e6)},
	}
	return slices.Concat(fields, accountFields(b), startFields(b))
}

// bench measures, and takes away all that it made.
func (a *app) bench(ctx context.Context, o benchOptions) (view benchView, err error) {
	if err := benchable(); err != nil {
		return benchView{}, err
	}
	b := &fleet{a: a}
	if b.dir, err = os.MkdirTemp("", "g2g-bench-"); err != nil {
		return benchView{}, fmt.Errorf("make the folders: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	defer b.stop()
	p := a.Progress("founding")
	defer p.End()
	if err := b.found(ctx, o.nodes, p); err != nil {
		return benchView{}, stopped(ctx, err)
	}
	view = benchView{Version: buildVersion().Version, Nodes: o.nodes}
	p.Step("serving %d nodes", o.nodes)
	if view.HalfMS, view.CompleteMS, err = b.complete(ctx); err != nil {
		return benchView{}, stopped(ctx, err)
	}
	started, err := b.counters()
	if err != nil {
		return benchView{}, err
	}
	view.StartCPUMS = started.processor.Seconds() * 1000 / float64(o.nodes)
	tally, err := b.tally(ctx)
	if err != nil {
		return benchView{}, stopped(ctx, err)
	}
	view.Start = tally.each(o.nodes)
	p.Step("letting it settle for %s", o.settle)
	if err := b.rest(ctx, o.settle); err != nil {
		return benchView{}, stopped(ctx, err)
	}
	p.Step("measuring for %d s", o.seconds)
	return b.measure(ctx, o, view)
}

// stopped prefers the reason why everything ends to what ended first because of it.
func stopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// measure reads the counters before and after the window. Those of the nodes are asked for outside of it, since that costs them
// something.
func (b *fleet) measure(ctx context.Context, o benchOptions, view benchView) (benchView, error) {
	first, err := b.tally(ctx)
	if err != nil {
		return benchView{}, stopped(ctx, err)
	}
	before, err := b.counters()
	if err != nil {
		return benchView{}, err
	}
	if err := b.rest(ctx, time.Duration(o.seconds)*time.Second); err != nil {
		return benchView{}, stopped(ctx, err)
	}
	after, err := b.counters()
	if err != nil {
		return benchView{}, err
	}
	window := after.at.Sub(before.at).Seconds()
	each := func(amount float64) float64 { return amount / window / float64(o.nodes) }
	view.SettleS, view.WindowS = o.settle.Seconds(), window
	view.SentBytesS, view.SentPacketsS = each(float64(after.bytes-before.bytes)), each(float64(after.packets-before.packets))
	view.CPUMSS, view.WakeupsS = each((after.processor-before.processor).Seconds()*1000), each(float64(after.wakeups-before.wakeups))
	if view.PSSKiB, view.PSSMaxKiB, err = b.memory(); err != nil {
		return benchView{}, err
	}
	last, err := b.tally(ctx)
	if err != nil {
		return benchView{}, stopped(ctx, err)
	}
	view.Account = last.since(first, last.at.Sub(first.at).Seconds()*float64(o.nodes))
	view.Share = view.share()
	return view, nil
}

// A reading is the counters of all nodes together at one moment.
type reading struct {
	at             time.Time
	bytes, packets uint64 // one way on loopback
	processor      time.Duration
	wakeups        uint64
}
