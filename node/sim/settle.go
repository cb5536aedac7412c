package sim

import (
	"fmt"
	"time"

	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

const (
	// calm is how long after the last start the cost of a quiet network begins to be measured.
	calm = 30 * time.Second
	// enough is how many alive peers every node must list in a network that is larger than a view.
	enough = view.MaxServers * 3 / 4
)

// settling is since what the network has not been seen whole, and what was seen before.
type settling struct {
	since   int64
	waiting bool
	rows    []Settled
}

// A Settled is how long it took until the network was whole again after something was done to it.
type Settled struct {
	After string   `json:"after"`
	AtS   float64  `json:"at_s"`
	TookS *float64 `json:"took_s"` // null for not before the next thing, or the end
	Still string   `json:"still"`  // what was missing then
}

// begins notes that something was done.
func (s *settling) begins(now int64, what string) {
	s.since, s.waiting = now, true
	s.rows = append(s.rows, Settled{After: what, AtS: time.Duration(now).Seconds(), Still: "not looked at yet"})
}

// whole tells what is missing until every node that runs lists those that run, as far as its view goes, and nobody else, and a
// message gets from each to each over active links.
func (w *world) whole() string {
	up := 0
	for _, n := range w.nodes {
		if n.working() {
			up++
		}
	}
	for _, n := range w.nodes {
		if n.working() {
			if what := n.lists(up); what != "" {
				return what
			}
		}
	}
	if components := w.activeComponents(); components > 1 {
		return "active links make parts that know nothing of each other"
	}
	return ""
}

// lists tells what is wrong with the node's list.
func (n *node) lists(up int) string {
	alive := 0
	for _, e := range n.machine.Entries() {
		subject := n.w.byID[e.ID]
		lists := e.State == view.Alive
		switch {
		case lists && !subject.working():
			return n.name + " lists " + subject.name + ", which is gone"
		case !lists && subject.working() && !n.w.parted(n, subject) && e.State != view.Unheard:
			return n.name + " holds " + subject.name + " for " + e.State.String()
		case lists:
			alive++
		}
	}
	most := up - 1
	if most > view.MaxServers {
		most = enough
	}
	if alive < most {
		return fmt.Sprintf("%s lists %d of %d", n.name, alive, most)
	}
	return ""
}

func (w *world) activeComponents() int {
	var up []*node
	place := map[pki.ID]int32{}
	for _, n := range w.nodes {
		if n.up() {
			place[n.id] = int32(len(up)) //nolint:gosec // at most MaxNodes
			up = append(up, n)
		}
	}
	g := make(graph, len(up))
	for i, n := range up {
		for _, id := range n.machine.ActivePeers() {
			if j, ok := place[id]; ok {
				g[i] = append(g[i], j)
			}
		}
	}
	count, _ := g.components()
	return count
}

// look is the round over the whole world, once a simulated second.
func (w *world) look() {
	w.count().nodeSeconds += w.running
	w.lookAtHoldings()
	w.checks.look(w)
	s := &w.settled
	if !s.waiting || w.now < w.joined {
		return
	}
	row := &s.rows[len(s.rows)-1]
	if row.Still = w.whole(); row.Still == "" {
		took := time.Duration(w.now - s.since).Seconds()
		row.TookS, s.waiting = &took, false
	}
}

// disturbed notes that something is done to the network now.
func (w *world) disturbed(a Action) {
	w.settled.begins(w.now, a.Text)
	if w.count().name != "faults" {
		w.phase("faults")
	}
}
