package cmd

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/g2g-net/g2g/cmd/lean"
	"github.com/g2g-net/g2g/node/sim"
)

func (a *app) simCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "sim",
		Short: "Simulate a network of any size",
		Long: `Plays a network in virtual time: the nodes decide with the code that real ones run, what lies between them is a model.
The same scenario and seed print the same to the byte. It prints

  settled    how long after each change it took until every node listed those that ran, and nobody else
  detection  how it became known that nodes went: until the first held one dead, until those that had one active had dropped
             it, until those that held one had it out of their order (late) and dead, each as median, 99 % and all
  false      verdicts on nodes to which nothing was done, and those of them by observers to which nothing was done either
  cost       what a running node sends, requests and answers, in bytes of the encoded messages without any headers
  overlay    share of the nodes that a flood over active links reaches, over how many hops; connected parts of the graphs of
             active links, of who holds whom, and that with the reserves; active links that go one way only; by how
             many a node is held
  checks     what must be so at any time, whatever breaks: versions, ages, bounds. If one fails, so does the command

docs/simulator.md says what the model leaves out.

Scenarios that come with the program:

` + builtinHelp() + "\n" + sim.Language,
		Example: `  g2g sim
  g2g sim --scenario kill-half --nodes 300 --seed 7
  g2g sim --scenario hyparview -o json | jq '.runs[] | [.label, .overlay[0].reach]'
  g2g sim --scenario my.txt`,
		Args: exactly(0),
	}
	var o simOptions
	c.Flags().StringVar(&o.scenario, "scenario", "quiet", "one that comes with the program, or a file")
	c.Flags().IntVar(&o.nodes, "nodes", 0, fmt.Sprintf("how many nodes, 1 to %d (0: as the scenario says)", sim.MaxNodes))
	c.Flags().Float64Var(&o.minutes, "minutes", 0, "simulated time (0: as the scenario says)")
	c.Flags().Uint64Var(&o.seed, "seed", 1, "of all chance in it")
	mustComplete(c, "scenario", func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return builtinNames(), cobra.ShellCompDirectiveDefault
	})
	f := output(c, asTable, asJSON)
	c.RunE = func(c *cobra.Command, _ []string) error {
		plans, err := o.plans()
		if err != nil {
			return err
		}
		return a.simulate(c.Context(), o, plans, f.value)
	}
	return c
}

func builtinNames() (names []cobra.Completion) {
	for _, s := range sim.Builtin() {
		names = append(names, cobra.CompletionWithDesc(s.Name, s.About))
	}
	return names
}

// builtinHelp is a table of the scenarios, each with its first sentence.
func builtinHelp() string {
	var b strings.Builder
	for _, s := range sim.Builtin() {
		about, _, _ := strings.Cut(s.About, ":")
		about, _, _ = strings.Cut(about, ". ")
		fmt.Fprintf(&b, "  %-12s %s\n", s.Name, strings.TrimSuffix(about, "."))
	}
	return b.String()
}

type simOptions struct {
	scenario string
	nodes    int
	minutes  float64
	seed     uint64
}

// plans reads the scenario and gives it the size and the length that were asked for.
func (o simOptions) plans() ([]sim.Plan, error) {
	longest := sim.MaxLength.Minutes()
	switch {
	case o.nodes < 0 || o.nodes > sim.MaxNodes:
		return nil, wrongUsage(fmt.Sprintf("--nodes %d is not 1 to %d", o.nodes, sim.MaxNodes), "")
	case o.minutes < 0 || o.minutes > longest:
		return nil, wrongUsage(fmt.Sprintf("--minutes %g is not up to %g", o.minutes, longest), "")
	}
	file, text, err := o.read()
	if err != nil {
		return nil, err
	}
	plans, err := sim.Parse(file, text)
	if err != nil {
		return nil, err
	}
	for i := range plans {
		if o.nodes > 0 {
			plans[i].Nodes = o.nodes
		}
		if o.minutes > 0 {
			plans[i].Length = time.Duration(o.minutes * float64(time.Minute))
		}
		if err := plans[i].Check(); err != nil {
			return nil, wrongUsage(fmt.Sprintf("scenario %s: %v", o.scenario, err), "give it more --minutes")
		}
	}
	return plans, nil
}

func (o simOptions) read() (file, text string, err error) {
	for _, s := range sim.Builtin() {
		if s.Name == o.scenario {
			return s.Name, s.Text, nil
		}
	}
	f, err := os.Open(o.scenario)
	if err != nil {
		return "", "", &failure{why: fmt.Errorf("no scenario %q comes with the program, and as a file: %w", o.scenario, err), hint: "g2g help sim lists them", code: exitUsage}
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, sim.MaxScenario+1))
	return o.scenario, string(data), err
}

// simView is all that is printed. Nothing in it depends on the machine that it runs on.
type simView struct {
	Scenario string        `json:"scenario"`
	Seed     uint64        `json:"seed"`
	Runs     []*sim.Report `json:"runs"`
}

// A simulation's heap is large and lives long. It makes little garbage for its size, and memory that was never touched costs more than the
// collector does: to let the heap grow to twice what lives in it, or three times, took more of the processor's time than one and a half. While the
// network joins nearly all of it lives, so that there is nothing to collect before it has its size.
const (
	garbage      = 50      // percent
	leastHeap    = 6 << 30 // that it may grow to, or to three quarters of the machine's memory: near its limit the collector never rests
	heapOfANode  = 5 << 18 // what a simulated node takes in a network that is larger than a view, at most, garbage included
	usualOfANode = 5 << 17 // what it takes where it is not in trouble
)

// collectFrom has the collector wait until the heap has a size, and from then on until it has grown by the usual part of what lives. It is
// called again and again: how much lives is known since the last collection.
func collectFrom(size int64) {
	of := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/globals:bytes"}, {Name: "/gc/scan/stack:bytes"}}
	metrics.Read(of)
	read := func(i int) int64 { return int64(of[i].Value.Uint64()) } //nolint:gosec // no heap is so large
	lives := read(0)
	scanned := lives + read(1) + read(2)
	part := garbage
	if lives < size { // the part is one of all that is scanned, or of 4 MiB where that is more
		part = max(garbage, int(min((size-lives)*100/max(4<<20, scanned), math.MaxInt32)))
	}
	debug.SetGCPercent(part)
}

func (a *app) simulate(ctx context.Context, o simOptions, plans []sim.Plan, format string) error {
	nodes := 0
	for _, plan := range plans {
		nodes = max(nodes, plan.Nodes)
	}
	lean.Grow(int(min(int64(nodes)*heapOfANode, memory()/2, math.MaxInt/2)))
	size := min(int64(nodes)*usualOfANode, memory()/3)
	defer debug.SetGCPercent(debug.SetGCPercent(garbage))
	collectFrom(size)
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(max(leastHeap, memory()/4*3)))
	view := simView{Scenario: o.scenario, Seed: o.seed}
	p := a.Progress("simulating")
	defer p.End()
	failed := 0
	for i, plan := range plans {
		report, err := sim.Run(ctx, plan, o.seed, func(at time.Duration, running int) {
			collectFrom(size)
			if a.live || at%max(time.Second, (plan.Length/10).Round(time.Second)) == 0 { // elsewhere each step is a line
				p.Step("simulating%s: %s of %s, %s", runOf(i, plans), at, plan.Length, count(running, "node"))
			}
		})
		if err != nil {
			return stopped(ctx, err)
		}
		view.Runs = append(view.Runs, report)
		failed += report.Checks.Failed
	}
	p.End()
	if err := a.writeSim(format, view); err != nil {
		return err
	}
	if failed > 0 {
		return fmt.Errorf("%s failed", count(failed, "check"))
	}
	return nil
}

// runOf names a run where there are several.
func runOf(i int, plans []sim.Plan) string {
	if len(plans) == 1 {
		return ""
	}
	return fmt.Sprintf(" %s, %d of %d", plans[i].Label, i+1, len(plans))
}

func (a *app) writeSim(format string, view simView) error {
	if format == asJSON {
		return writeJSON(a.out, view)
	}
	for i, section := range simSections(view) {
		if section.rows == nil {
			continue
		}
		if i > 0 {
			if _, err := fmt.Fprintln(a.out); err != nil {
				return err
			}
		}
		if err := table(a.out, section.header, section.rows); err != nil {
			return err
		}
	}
	return nil
}

// labelled tells whether the runs have names.
func (v simView) labelled() bool {
	return slices.ContainsFunc(v.Runs, func(r *sim.Report) bool { return r.Label != "" })
}
