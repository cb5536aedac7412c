package sim

import (
	"math"
	"slices"
)

// act does what a plan says at a moment.
func (w *world) act(a Action) {
	if a.Verb != "measure" && a.Verb != "skew" { // a skew is nothing that anybody may notice
		w.disturbed(a)
	}
	switch a.Verb {
	case "kill":
		w.lose(a, w.choose(a.Who, (*node).up), (*node).kill)
	case "leave":
		w.lose(a, w.choose(a.Who, (*node).up), (*node).leave)
	case "stall":
		w.lose(a, w.choose(a.Who, func(n *node) bool { return n.up() && !n.stalled }), func(n *node) { n.stalled = true })
	case "stop":
		w.halt(a, (*node).stop)
	case "block":
		w.halt(a, (*node).block)
	case "continue":
		w.each(w.choose(a.Who, func(n *node) bool { return n.stopped || n.blocked || n.flapping || n.stalled }), (*node).resume)
	case "restart":
		w.each(w.choose(a.Who, func(n *node) bool { return n.machine == nil && n.life > 0 }), w.restart)
	case "join":
		w.grow(a.Count)
	case "split":
		w.each(w.choose(a.Who, always), func(n *node) { n.side = 1 })
	case "cut":
		w.each(w.choose(a.Who, always), func(n *node) { n.cut, n.healthy = true, never })
	case "heal":
		w.heal()
	case "loss":
		w.lossy(a)
	case "skew":
		w.drifts = w.drifts || a.Amount != 0
		w.each(w.choose(a.Who, always), func(n *node) { n.skew = skew{int64(a.Offset), a.Amount} })
	case "measure":
		w.overlays = append(w.overlays, w.overlay())
	}
}

func always(*node) bool { return true }

func (w *world) each(nodes []*node, f func(*node)) {
	for _, n := range nodes {
		f(n)
	}
}

// choose draws those of a selection from all nodes that qualify, and gives them in the order of their starts.
func (w *world) choose(s Selection, qualifies func(*node) bool) []*node {
	var all []*node
	for _, n := range w.nodes {
		if qualifies(n) && (s.Region < 0 || s.All || n.region == s.Region) {
			all = append(all, n)
		}
	}
	count := len(all)
	switch {
	case s.Share > 0:
		count = max(1, int(math.Round(s.Share*float64(len(all)))))
	case s.Count > 0:
		count = s.Count
	case s.Region < 0 && !s.All:
		count = 0 // a share of nothing
	}
	if count >= len(all) {
		return all
	}
	w.r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	all = all[:count]
	slices.SortFunc(all, func(a, b *node) int { return a.index - b.index })
	return all
}

// lose takes nodes away, and watches how that becomes known.
func (w *world) lose(a Action, nodes []*node, how func(*node)) {
	w.episode(a, nodes)
	for _, n := range nodes {
		n.healthy = never
		how(n)
	}
}

// halt stops or blocks nodes, for a while or again and again if the action says so.
func (w *world) halt(a Action, how func(*node)) {
	nodes := w.choose(a.Who, (*node).up)
	w.lose(a, nodes, how)
	for _, n := range nodes {
		n.flapping = a.Every > 0
		if a.For > 0 {
			w.at(w.now+int64(a.For), func() { w.on(n, a, how) })
		}
	}
}

// on lets a node go on that was stopped for a while, and stops it again if it flaps.
func (w *world) on(n *node, a Action, how func(*node)) {
	switch {
	case !n.stopped && !n.blocked:
	case a.Every == 0:
		n.resume()
	case n.flapping:
		n.proceed()
		n.unblock()
		w.at(w.now+int64(a.Every-a.For), func() { w.off(n, a, how) })
	}
}

func (w *world) off(n *node, a Action, how func(*node)) {
	if n.flapping && n.machine != nil {
		how(n)
		w.at(w.now+int64(a.For), func() { w.on(n, a, how) })
	}
}

// resume ends what stop began.
func (n *node) resume() {
	n.flapping, n.stalled, n.healthy = false, false, n.w.now
	n.w.returned(n)
	n.proceed()
	n.unblock()
}

func (w *world) restart(n *node) {
	w.returned(n)
	w.start(n)
}

// grow has new members start.
func (w *world) grow(count int) {
	for range count {
		n, err := w.admit()
		if err != nil {
			w.checks.fail(n, "is not admitted: %v", err)
			return
		}
		w.start(n)
	}
}

// heal ends what parts nodes and what loses messages. It restarts and continues nobody.
func (w *world) heal() {
	w.loss, w.healed = w.plan.Loss, w.now
	for _, n := range w.nodes {
		n.old = sides{n.side, n.cut}
		if n.cut || n.loss > 0 {
			n.healthy = w.now
		}
		n.side, n.cut, n.loss = 0, false, 0
	}
}

func (w *world) lossy(a Action) {
	if a.Who.All {
		w.loss = a.Amount
		return
	}
	for _, n := range w.choose(a.Who, always) {
		n.loss, n.healthy = a.Amount, never
	}
}
