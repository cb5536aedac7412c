package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// Bounds of g2g bench detect.
const (
	maxBenchRounds = 100
	foundWithin    = 60 * time.Second // later, what died counts as not found
	beforeFault    = 5 * time.Second  // everybody is listed by everybody for so long
	pulseStopped   = 3 * time.Second  // of pulsePeriod
	pulsePeriod    = 4 * time.Second
	pulseFound     = 12 * time.Second // from there on it is measured whether it is shown as well
)

func (a *app) benchDetectCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "detect",
		Short: "Measure how soon processes that die or stop are found out",
		Long: `Founds a network, joins nodes to it and serves them, each a process of this program with a temporary folder and ports
on loopback. Then it does harm to some and follows the events of all:

  kill   one is killed (SIGKILL), and started again
  stop   one is stopped (SIGSTOP) until all others hold it dead, then goes on (SIGCONT)
  half   half of all are killed at once, and started again
  stall  the application of one stops publishing its signature, while the node goes on to answer; later it goes on
  pulse  one is stopped for 3 s of every 4 s
  hogs   as many busy loops as there are processors; nobody is harmed

first   until one node has found it out; the median of the rounds
all     until all have: the median of the rounds, and the worst
back    until all list it as alive again, once it goes on or is ready again: the worst
alive   for which part of the time, after 12 s, it is shown as alive by a node, on average (pulse)
false   how often somebody was held dead who was not harmed
late    how often such a one was shown as late
load    of the machine, as it was (one minute's average) in the middle of the measurement

In half a node is found once all survivors hold all victims dead. Nothing is left behind, also after Ctrl-C. It needs Linux.`,
		Example: `  g2g bench detect --nodes 32
  g2g bench detect --faults kill,stop --rounds 10 -o json
  g2g bench detect --faults stop --rounds 1 --events /tmp/events.jsonl`,
		Args: exactly(0),
	}
	o := detectOptions{faults: faultNames()}
	c.Flags().IntVar(&o.nodes, "nodes", 32, fmt.Sprintf("how many nodes, 3 to %d", maxBenchNodes))
	c.Flags().IntVar(&o.rounds, "rounds", 5, fmt.Sprintf("how often kill, stop and stall are done, half as often half; 1 to %d", maxBenchRounds))
	c.Flags().IntVar(&o.seconds, "seconds", 60, fmt.Sprintf("how long pulse and hogs go on, 20 to %d", maxBenchTime))
	c.Flags().StringSliceVar(&o.faults, "faults", o.faults, "which of them, in this order")
	c.Flags().StringVar(&o.events, "events", "", "also write what each node said of its peers to a file, as JSON lines")
	mustComplete(c, "faults", cobra.FixedCompletions(faultNames(), cobra.ShellCompDirectiveNoFileComp))
	f := output(c, asTable, asJSON, asLines)
	c.RunE = func(c *cobra.Command, _ []string) error {
		if err := o.check(); err != nil {
			return err
		}
		rows, err := a.benchDetect(c.Context(), o)
		if err != nil {
			return err
		}
		return detectListing.write(a.out, f.value, rows)
	}
	return c
}

type detectOptions struct {
	nodes, rounds, seconds int
	faults                 []string
	events                 string
}

func (o detectOptions) check() error {
	switch {
	case o.nodes < 3 || o.nodes > maxBenchNodes:
		return wrongUsage(fmt.Sprintf("--nodes %d is not 3 to %d", o.nodes, maxBenchNodes), "")
	case o.rounds < 1 || o.rounds > maxBenchRounds:
		return wrongUsage(fmt.Sprintf("--rounds %d is not 1 to %d", o.rounds, maxBenchRounds), "")
	case o.seconds < 20 || o.seconds > maxBenchTime:
		return wrongUsage(fmt.Sprintf("--seconds %d is not 20 to %d", o.seconds, maxBenchTime), "")
	}
	for _, name := range o.faults {
		if !slices.Contains(faultNames(), name) {
			return wrongUsage(fmt.Sprintf("--faults %q is none of %s", name, strings.Join(faultNames(), ", ")), "")
		}
	}
	return nil
}

// A detectView is what became of one kind of harm. Times are from the harm on.
type detectView struct {
	Fault      string   `json:"fault"`
	Nodes      int      `json:"nodes"`
	Rounds     int      `json:"rounds"`
	Victims    int      `json:"victims"` // of one round
	FirstMS    *int64   `json:"first_median_ms"`
	AllMS      *int64   `json:"all_median_ms"`
	AllWorstMS *int64   `json:"all_worst_ms"`
	BackMS     *int64   `json:"back_worst_ms"`
	Missed     int      `json:"missed"` // victims that somebody had not found within a minute, one for each
	ShownAlive *float64 `json:"shown_alive"`
	FalseDead  int      `json:"false_dead"`
	FalseLate  int      `json:"false_late"`
	Load       float64  `json:"load"`

	firsts, alls, backs []int64
	loads               []float64
}

var detectListing = listing[detectView]{columns: []column[detectView]{
	{"FAULT", func(v detectView) string { return v.Fault }},
	{"ROUNDS", func(v detectView) string { return fmt.Sprint(v.Rounds) }},
	{"FIRST", func(v detectView) string { return secondsOf(v.FirstMS) }},
	{"ALL", func(v detectView) string { return secondsOf(v.AllMS) }},
	{"WORST", func(v detectView) string {
		if v.Missed > 0 {
			return fmt.Sprintf("%s, %d not found", secondsOf(v.AllWorstMS), v.Missed)
		}
		return secondsOf(v.AllWorstMS)
	}},
	{"BACK", func(v detectView) string { return secondsOf(v.BackMS) }},
	{"ALIVE", func(v detectView) string {
		if v.ShownAlive == nil {
			return "-"
		}
		return fmt.Sprintf("%.1f %%", *v.ShownAlive*100)
	}},
	{"FALSE", func(v detectView) string { return fmt.Sprint(v.FalseDead) }},
	{"LATE", func(v detectView) string { return fmt.Sprint(v.FalseLate) }},
	{"LOAD", func(v detectView) string { return fmt.Sprintf("%.1f", v.Load) }},
}}

func secondsOf(ms *int64) string {
	if ms == nil {
		return "-"
	}
	return fmt.Sprintf("%.2f s", float64(*ms)/1000)
}

// sum makes the figures of all rounds.
func (v *detectView) sum() {
	v.FirstMS, v.AllMS = middle(v.firsts), middle(v.alls)
	if len(v.alls) > 0 {
		v.AllWorstMS = new(slices.Max(v.alls))
	}
	if len(v.backs) > 0 {
		v.BackMS = new(slices.Max(v.backs))
	}
	for _, load := range v.loads {
		v.Load += load / float64(len(v.loads))
	}
}

func middle(values []int64) *int64 {
	if len(values) == 0 {
		return nil
	}
	return new(slices.Sorted(slices.Values(values))[(len(values)-1)/2])
}

// benchDetect measures, and takes away all that it made.
func (a *app) benchDetect(ctx context.Context, o detectOptions) (rows []detectView, err error) {
	if err := benchable(); err != nil {
		return nil, err
	}
	b := &fleet{a: a}
	if b.dir, err = os.MkdirTemp("", "g2g-bench-"); err != nil {
		return nil, fmt.Errorf("make the folders: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	defer b.stop()
	p := a.Progress("founding")
	defer p.End()
	if err := b.found(ctx, o.nodes, p); err != nil {
		return nil, stopped(ctx, err)
	}
	t := newTrial(b, o.nodes)
	defer t.end()
	if o.events != "" {
		defer func() { err = errors.Join(err, t.write(o.events)) }()
	}
	t.needApps(o)
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	go t.runApps(inner)
	p.Step("serving %d nodes", o.nodes)
	if err := t.start(ctx); err != nil {
		return nil, stopped(ctx, err)
	}
	for _, name := range o.faults {
		row := detectView{Fault: name, Nodes: o.nodes}
		if err := t.harm(ctx, o, p, &row); err != nil {
			return nil, stopped(ctx, err)
		}
		row.sum()
		rows = append(rows, row)
	}
	return rows, nil
}
