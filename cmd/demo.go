package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/g2g-net/g2g/node/config"
)

// maxDemoNodes keeps a demo within what one process and the view of one node hold.
const maxDemoNodes = 64

func (a *app) demoCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "demo",
		Short: "Run a whole network in one process",
		Long: `Founds a network of real nodes on loopback, each with its own folder, lets them join by real tokens, and waits until
each lists all others as alive. Then it opens the dashboard of the first node, with keys that act on the selected one: ` + demoKeys() + `.
K cuts its whole region off, L ends all stalls and cuts, A rotates all. All end with the dashboard.

With --headless it prints a line for each node instead, and runs until a signal:

  node NAME --dir DIR

Point other commands at a node with its --dir. The folders are temporary and removed at the end, unless --dir says where
they go: there they stay, and the same demo can be started again.

Nodes lie in regions by turns: node-1 in the first, node-2 in the second. What they send each other takes as long as the regions
are apart; within one it is a millisecond. The commands below act on a node of a demo that runs.`,
		Example: "  g2g demo\n  g2g demo --headless --nodes 8 --regions 3 --seed 7\n  g2g peers --dir DIR      # in another terminal\n  g2g demo cut node-2",
		Args:    exactly(0),
	}
	headless := c.Flags().Bool("headless", false, "no dashboard: print the nodes' folders")
	nodes := c.Flags().Int("nodes", 12, fmt.Sprintf("how many nodes, 1 to %d", maxDemoNodes))
	regions := c.Flags().Int("regions", 4, fmt.Sprintf("into how many regions, far from each other, the nodes fall, 1 to %d", maxRegions))
	seed := c.Flags().Uint64("seed", 1, "draws where the regions lie, and the jitter")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if !*headless && !a.interactive() {
			return wrongUsage("the dashboard needs a terminal", "g2g demo --headless, then g2g peers --dir DIR --watch in another terminal")
		}
		if *nodes < 1 || *nodes > maxDemoNodes {
			return wrongUsage(fmt.Sprintf("--nodes %d is not 1 to %d", *nodes, maxDemoNodes), "")
		}
		if *regions < 1 || *regions > maxRegions {
			return wrongUsage(fmt.Sprintf("--regions %d is not 1 to %d", *regions, maxRegions), "")
		}
		return a.demo(c.Context(), *nodes, *headless, newDemoNet(*regions, *seed))
	}
	for _, act := range demoActs {
		c.AddCommand(a.demoActCommand(act))
	}
	return c
}

// A demo is the nodes of one process, the founder first.
type demo struct {
	a      *app
	net    *demoNet
	dir    string
	nodes  []*demoNode
	acting sync.Mutex // one act at a time; it guards what runs of each node
	over   bool       // nothing is done any more
}

type demoNode struct {
	name, dir string
	index     int
	stalled   atomic.Bool
	*running
}

// demo runs a network until ctx ends.
func (a *app) demo(ctx context.Context, n int, headless bool, net *demoNet) (err error) {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGHUP) // a terminal that is closed leaves nothing behind either
	defer stop()
	d := &demo{a: a, net: net, dir: a.dirFlag}
	if d.dir == "" {
		if d.dir, err = os.MkdirTemp("", "g2g-demo-"); err != nil {
			return fmt.Errorf("make the folders: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(d.dir)) }()
	}
	if d.dir, err = filepath.Abs(d.dir); err != nil {
		return fmt.Errorf("make the folders: %w", err)
	}
	defer func() { err = asked(ctx, errors.Join(err, d.stop())) }()
	if err := d.start(ctx, n); err != nil {
		return err
	}
	stopListening, err := d.listen(ctx)
	if err != nil {
		return err
	}
	defer stopListening()
	if !headless {
		return d.dashboard(ctx)
	}
	for _, node := range d.nodes {
		if _, err := fmt.Fprintf(a.out, "node %s --dir %s\n", node.name, shellWord(node.dir)); err != nil {
			return err
		}
	}
	a.Note("%s up; Ctrl-C ends them", count(n, "node"))
	return d.watch(ctx)
}

// start brings all nodes up and waits until they know each other.
func (d *demo) start(ctx context.Context, n int) error {
	p := d.a.Progress("starting")
	defer p.End()
	for i := range n {
		p.Step("node %d of %d", i+1, n)
		if err := d.add(ctx, fmt.Sprintf("node-%d", i+1)); err != nil {
			return fmt.Errorf("node-%d: %w", i+1, err)
		}
	}
	for _, node := range d.nodes {
		p.Step("waiting until %s lists all others", node.name)
		if err := d.complete(ctx, node); err != nil {
			return err
		}
	}
	return nil
}

// add brings one more node up; unless its folder is a member from before, it founds or joins.
func (d *demo) add(ctx context.Context, name string) error {
	c := demoConfig(name)
	node := &demoNode{name: name, dir: filepath.Join(d.dir, name), index: len(d.nodes)}
	if len(d.nodes) == 0 {
		if _, err := found(node.dir, c, foundOptions{network: "demo"}); err != nil && !hasNetwork(err) {
			return err
		}
	}
	var err error
	if node.running, err = startWith(ctx, node.dir, c, d.options(node)); err != nil {
		return err
	}
	d.nodes = append(d.nodes, node)
	if err := d.fill(ctx, node); err != nil {
		return err
	}
	if node.info().member {
		return nil
	}
	for try := 1; ; try++ { // a machine with much else to do may be too slow for one
		err := d.join(ctx, node)
		if err == nil || try == demoTries || ctx.Err() != nil {
			return err
		}
	}
}

// demoTries is how often a node of a demo tries to join.
const demoTries = 3

func (d *demo) join(ctx context.Context, node *demoNode) error {
	token, err := d.nominate(ctx)
	if err != nil {
		return err
	}
	_, err = node.join(ctx, token, "")
	return err
}

// demoConfig is that of one of the nodes.
func demoConfig(name string) config.Config {
	c := config.Default()
	c.Name, c.Gossip.Listen, c.Register.Listen = name, "127.0.0.1:0", "127.0.0.1:0"
	return c
}

// nominate mints a token on the founder, as a person would.
func (d *demo) nominate(ctx context.Context) (string, error) {
	founder, err := dial(ctx, d.nodes[0].dir)
	if err != nil {
		return "", err
	}
	defer founder.Close()
	token, _, err := founder.Nominate(ctx, nomination{mode: modeServer, ttl: 5 * time.Minute, uses: 1})
	return token, err
}

// completeTime is how long the nodes of a demo may take to know each other.
const completeTime = 60 * time.Second

// complete waits until a node lists all others as alive.
func (d *demo) complete(ctx context.Context, node *demoNode) error {
	all, err := parseCondition(fmt.Sprintf("alive==%d", len(d.nodes)-1))
	if err != nil {
		return err
	}
	quiet := *d.a.terminal
	quiet.quiet = true
	w := waiting{a: &app{terminal: &quiet}, conditions: []condition{all}}
	if err := w.wait(ctx, node.dir, completeTime); err != nil {
		return fmt.Errorf("%s: %w", node.name, err)
	}
	return nil
}

// watch returns when ctx ends, or a node by itself.
func (d *demo) watch(ctx context.Context) error {
	d.acting.Lock()
	ended := make(chan error, len(d.nodes))
	for _, node := range d.nodes {
		r := node.running // what runs now: a restart puts another in its place
		go func() {
			<-r.done // at the latest when stop has been called
			if r.err != nil {
				ended <- fmt.Errorf("%s: %w", node.name, r.err)
				return
			}
			ended <- nil
		}()
	}
	d.acting.Unlock()
	for range d.nodes {
		select {
		case <-ctx.Done():
			return nil
		case err := <-ended:
			if err != nil {
				return err
			}
		}
	}
	if d.anyRuns() {
		<-ctx.Done() // they were stopped and brought back
	}
	return nil
}

func (d *demo) anyRuns() bool {
	d.acting.Lock()
	defer d.acting.Unlock()
	return slices.ContainsFunc(d.nodes, func(n *demoNode) bool { return !n.ended() })
}

// stop ends all nodes at once: who is told goodbye by everybody need not be told by each in turn.
func (d *demo) stop() error {
	d.acting.Lock()
	defer d.acting.Unlock()
	d.over = true
	for _, node := range d.nodes {
		node.stop()
	}
	var errs []error
	for _, node := range d.nodes {
		<-node.done
		if node.err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", node.name, node.err))
		}
	}
	return errors.Join(errs...)
}
