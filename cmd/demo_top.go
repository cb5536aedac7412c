package cmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/g2g-net/g2g/proto/adminpb"
	"github.com/g2g-net/g2g/tui"
)

// dashboard shows the network as its first node sees it, until the reader quits or ctx ends.
func (d *demo) dashboard(ctx context.Context) error {
	dir := d.nodes[0].dir
	return tui.Run(ctx, tui.Options{
		Dial: topDial(dir), Name: dir, Dir: shellWord(dir), In: d.a.in, Out: d.a.out, Interval: time.Second, Theme: "auto",
		AllowActions: true, Controls: d.controls(),
	})
}

// controls are the keys of the dashboard that act on the selected node.
func (d *demo) controls() []tui.Control {
	control := func(key, help, verb string, do func(context.Context, *demoNode) error) tui.Control {
		return tui.Control{
			Key: key, Help: help,
			Command: func(node string) string { return verb + " " + node },
			Do:      func(ctx context.Context, node string) error { return d.act(ctx, node, do) },
		}
	}
	return []tui.Control{
		control("X", "stop it", "stop", d.halt), control("B", "bring it back", "restart", d.restart), control("O", "renew its certificate", "rotate", d.rotate),
		control("S", "stall it", "stall", d.stall), control("C", "cut it off", "cut", d.cut), control("H", "heal it", "heal", d.heal),
	}
}

// act does one thing at a time to the node of a name.
func (d *demo) act(ctx context.Context, name string, do func(context.Context, *demoNode) error) error {
	d.acting.Lock()
	defer d.acting.Unlock()
	i := slices.IndexFunc(d.nodes, func(n *demoNode) bool { return n.name == name })
	if i < 0 {
		return fmt.Errorf("no node %q", name)
	}
	return do(ctx, d.nodes[i])
}

// halt stops a node: the others are told.
func (d *demo) halt(_ context.Context, node *demoNode) error {
	if node.ended() {
		return errors.New("it is stopped already")
	}
	return node.Stop()
}

// restart brings a node back that was stopped.
func (d *demo) restart(ctx context.Context, node *demoNode) error {
	if !node.ended() {
		return errors.New("it runs")
	}
	node.stalled.Store(false)
	again, err := startWith(ctx, node.dir, demoConfig(node.name), d.options(node))
	if err == nil {
		node.running = again
	}
	return err
}

func (d *demo) rotate(ctx context.Context, node *demoNode) error {
	c, err := dial(ctx, node.dir)
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.rpc.Rotate(ctx, &adminpb.RotateRequest{})
	return err
}

// ended says whether a node has stopped.
func (r *running) ended() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}
