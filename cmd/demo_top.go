package cmd

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

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

// controls are the keys of the dashboard that act on the selected node, its region, or all nodes.
func (d *demo) controls() []tui.Control {
	var keys []tui.Control
	add := func(key, brief, help, verb string, target func(name string) string) {
		act := demoActs[slices.IndexFunc(demoActs, func(a demoAct) bool { return a.verb == verb })]
		keys = append(keys, tui.Control{
			Key: key, Brief: brief, Help: help,
			Command: func(name string) string {
				return "g2g demo " + verb + " " + target(name) + " --dir " + shellWord(d.dir)
			},
			Do: func(ctx context.Context, name string) error { return d.act(ctx, act, target(name)) },
		})
	}
	itself := func(name string) string { return name }
	for _, act := range demoActs {
		add(act.key, act.brief, strings.ToLower(act.short[:1])+act.short[1:], act.verb, itself)
	}
	add("K", "cut region", "cut its region off", "cut", d.regionOf)
	add("L", "heal all", "end all stalls and cuts", "heal", everybody)
	add("A", "rotate all", "renew all certificates", "rotate", everybody)
	return keys
}

func everybody(string) string { return demoAll }

// regionOf is the word for the region of a node.
func (d *demo) regionOf(name string) string {
	i := slices.IndexFunc(d.nodes, func(n *demoNode) bool { return n.name == name })
	return demoRegion + strconv.Itoa(d.net.region(max(i, 0))+1)
}

// demoKeys is a sentence on the keys that act on one node.
func demoKeys() string {
	words := make([]string, len(demoActs))
	for i, act := range demoActs {
		words[i] = act.key + " " + act.verb
	}
	return strings.Join(words, ", ")
}
