package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// again is how long wait lets pass before it looks anew for a node that was not there.
const again = 200 * time.Millisecond

func (a *app) waitCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "wait --for COND...",
		Short: "Wait until the network is as it should be",
		Long: `Waits until every condition holds (with --any: one of them), as the node in the folder sees it. A node that is not
up yet is waited for too. On time-out (exit 6) it says for each condition what was wanted, what was seen, and who.

Conditions:
  joined           the node is a member of a network
  converged        every alive peer lists the same alive set
  peers>=N         so many others are listed, whatever their state and mode
  alive==N         so many server-mode others are alive; also late, dead, left, evicted, unreachable
  clients>=N       so many client-mode members are known
  signatures<D     every alive peer that this node talks to has a distance to it, and all known ones are below D
  order>=N         so many peers are in the query order
  groups==N        the peers are in so many latency groups
  peer:NAME=STATE  that peer is alive, late, dead, left, evicted or unreachable

The operators are >=, <=, ==, !=, > and <; a shell wants quotes round them.`,
		Example: `  g2g wait --for joined
  g2g wait --for 'alive==4' --for converged --timeout 30s
  g2g wait --any --for peer:node-b=dead --for peer:node-b=left`,
		Args: exactly(0),
	}
	texts := c.Flags().StringArray("for", nil, "condition (repeatable)")
	any := c.Flags().Bool("any", false, "one of the conditions is enough")
	timeout := c.Flags().Duration("timeout", 60*time.Second, "give up after this")
	f := output(c, asTable, asJSON, asLines)
	mustComplete(c, "for", a.completeCondition)
	c.RunE = func(c *cobra.Command, _ []string) error {
		if len(*texts) == 0 {
			return wrongUsage("no condition", "try g2g wait --for joined")
		}
		if *timeout <= 0 {
			return wrongUsage("--timeout is not above zero", "try --timeout 30s")
		}
		w := waiting{a: a, any: *any}
		for _, text := range *texts {
			one, err := parseCondition(text)
			if err != nil {
				return err
			}
			w.conditions = append(w.conditions, one)
		}
		dir, err := a.dir()
		if err != nil {
			return err
		}
		return w.run(c.Context(), dir, *timeout, f.value)
	}
	return c
}

// A waiting holds the pictures of one node against conditions, and remembers what it saw last.
type waiting struct {
	a          *app
	conditions []condition
	any        bool
	outcomes   []outcome
}

// errMet ends the watch: nothing is left to wait for.
var errMet = errors.New("met")

// run waits, then reports.
func (w *waiting) run(ctx context.Context, dir string, timeout time.Duration, f string) error {
	started := time.Now()
	err := w.wait(ctx, dir, timeout)
	if f != asTable && (err == nil || codeOf(err) == exitTimeout) {
		if werr := w.print(w.a.out, f); werr != nil {
			return werr
		}
	}
	if err != nil {
		return err
	}
	w.a.Note("reached after %s: %s", span(time.Since(started)), w.texts(true))
	return nil
}

func (w *waiting) print(out io.Writer, f string) error {
	if f == asLines {
		return writeLines(out, w.outcomes)
	}
	return writeJSON(out, w.outcomes)
}

// wait returns nil once the conditions are met, and a failure with exitTimeout when time ran out.
func (w *waiting) wait(ctx context.Context, dir string, timeout time.Duration) error {
	w.away(errors.New("not asked yet"))
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	p := w.a.Progress("waiting for " + w.texts(false))
	defer p.End()
	for {
		err := w.watch(limited, dir, p)
		switch {
		case errors.Is(err, errMet):
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case codeOf(err) == exitRefused:
			return err // no time will mend it
		}
		if limited.Err() == nil {
			w.away(err)
		}
		p.Step("waiting for %s", w.texts(false))
		pause(limited, again)
		if limited.Err() != nil {
			p.End()
			return w.ranOut(timeout)
		}
	}
}

// watch follows the node's pictures until the conditions are met or the node is gone.
func (w *waiting) watch(ctx context.Context, dir string, p *progress) error {
	node, err := dial(ctx, dir)
	if err != nil {
		return err
	}
	defer node.Close()
	return node.Watch(ctx, func(seen picture) error {
		if w.judge(seen) {
			return errMet
		}
		p.Step("waiting for %s", w.texts(false))
		return nil
	})
}

// judge holds every condition against a picture; true when that is enough.
func (w *waiting) judge(p picture) bool {
	w.outcomes = w.outcomes[:0]
	for _, c := range w.conditions {
		w.outcomes = append(w.outcomes, c.judge(p))
	}
	met := func(o outcome) bool { return o.Met }
	if w.any {
		return slices.ContainsFunc(w.outcomes, met)
	}
	return !slices.ContainsFunc(w.outcomes, func(o outcome) bool { return !o.Met })
}

// away notes for every condition that the node cannot be asked.
func (w *waiting) away(err error) {
	w.outcomes = w.outcomes[:0]
	for _, c := range w.conditions {
		w.outcomes = append(w.outcomes, outcome{Condition: c.text, Seen: "node unreachable: " + reason(err), Who: []string{}})
	}
}

// texts are the conditions that are met, or those that are not with what was seen.
func (w *waiting) texts(met bool) string {
	var texts []string
	for _, o := range w.outcomes {
		switch {
		case o.Met && met:
			texts = append(texts, o.Condition)
		case !o.Met && !met:
			texts = append(texts, o.Condition+" (saw "+o.Seen+")")
		}
	}
	return strings.Join(texts, ", ")
}

// ranOut is the failure with a line for each condition.
func (w *waiting) ranOut(timeout time.Duration) error {
	missed, widest := 0, 0
	for _, o := range w.outcomes {
		if !o.Met {
			missed++
		}
		widest = max(widest, len(o.Condition))
	}
	var lines strings.Builder
	for _, o := range w.outcomes {
		lines.WriteString("\n" + outcomeLine(o, widest))
	}
	return &failure{
		why:  fmt.Errorf("not reached in %s (%d of %s missed)%s", timeout, missed, count(len(w.outcomes), "condition"), lines.String()),
		hint: "see g2g peers and g2g events", code: exitTimeout,
	}
}

func outcomeLine(o outcome, widest int) string {
	line := fmt.Sprintf("%-*s  %-3s  saw %s", widest, o.Condition, yes(o.Met), o.Seen)
	who := o.Who[:min(len(o.Who), maxNamed)]
	if len(who) > 0 {
		line += ": " + strings.Join(who, ", ")
	}
	if more := len(o.Who) - len(who); more > 0 {
		line += fmt.Sprintf(" and %d more", more)
	}
	return line
}

// pause lets time pass unless ctx ends first.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// completeCondition offers subjects, then peers and states.
func (a *app) completeCondition(c *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	rest, isPeer := strings.CutPrefix(typed, subjectPeer+":")
	if !isPeer {
		words := append([]string{subjectJoined, subjectConverged, subjectSignatures + "<", subjectPeer + ":"}, withSuffix(counted, ">=")...)
		return words, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
	}
	if name, _, ok := strings.Cut(rest, "="); ok {
		return withPrefix(subjectPeer+":"+name+"=", append(slices.Clone(states), unreachable)), cobra.ShellCompDirectiveNoFileComp
	}
	return a.peerNames(c.Context(), subjectPeer+":"), cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
}
