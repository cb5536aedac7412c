package cmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/g2g-net/g2g/proto/adminpb"
)

const (
	demoAll    = "all"     // all nodes of a demo
	demoRegion = "region-" // and a number from 1: the nodes of one region
)

// act does one thing to a node, to those of a region, or to all.
func (d *demo) act(ctx context.Context, act demoAct, target string) error {
	d.acting.Lock()
	defer d.acting.Unlock()
	if d.over {
		return errors.New("the demo is over")
	}
	nodes, regions, err := d.targets(target)
	if err != nil {
		return err
	}
	if act.verb == "heal" {
		for _, r := range regions {
			d.net.cutRegion(r, false)
		}
	}
	if act.verb == "cut" && len(regions) > 0 {
		for _, r := range regions {
			d.net.cutRegion(r, true)
		}
		return nil
	}
	var errs []error
	for _, node := range nodes {
		if err := act.do(d, ctx, node); err != nil && len(nodes) > 1 {
			errs = append(errs, fmt.Errorf("%s: %w", node.name, err))
		} else if err != nil {
			return err
		}
	}
	return errors.Join(errs...)
}

// targets are the nodes that a word names, and the regions if it names those.
func (d *demo) targets(word string) (nodes []*demoNode, regions []int, err error) {
	if number, is := strings.CutPrefix(word, demoRegion); is {
		n, err := strconv.Atoi(number)
		if err != nil || n < 1 || n > len(d.net.rtt) {
			return nil, nil, fmt.Errorf("no node in %q: the regions are %s1 to %s%d", word, demoRegion, demoRegion, len(d.net.rtt))
		}
		regions = []int{n - 1}
	}
	if word == demoAll {
		for r := range d.net.rtt {
			regions = append(regions, r)
		}
	}
	for _, node := range d.nodes {
		if node.name == word || slices.Contains(regions, d.net.region(node.index)) {
			nodes = append(nodes, node)
		}
	}
	if len(nodes) == 0 && len(regions) == 0 {
		return nil, nil, fmt.Errorf("no node %q", word)
	}
	return nodes, regions, nil
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

// stall lets a node answer and make no progress.
func (d *demo) stall(_ context.Context, node *demoNode) error {
	if node.ended() {
		return errors.New("it is stopped")
	}
	node.stalled.Store(true)
	return nil
}

// cut holds all traffic of a node.
func (d *demo) cut(_ context.Context, node *demoNode) error {
	d.net.setCut(node.index, true)
	return nil
}

// heal ends what stall and cut began.
func (d *demo) heal(_ context.Context, node *demoNode) error {
	node.stalled.Store(false)
	d.net.setCut(node.index, false)
	return nil
}

// again starts a node anew, whether it runs or not.
func (d *demo) again(ctx context.Context, node *demoNode) error {
	if !node.ended() {
		if err := d.halt(ctx, node); err != nil {
			return err
		}
	}
	return d.restart(ctx, node)
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
