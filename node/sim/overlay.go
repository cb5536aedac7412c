package sim

import (
	"slices"
	"time"

	"github.com/g2g-net/g2g/pki"
)

// floods is from how many nodes reach is measured.
const floods = 50

// An Overlay is the network's shape at one moment, over the nodes that run and are not stopped.
type Overlay struct {
	AtS              float64 `json:"at_s"`
	Nodes            int     `json:"nodes"`
	Reach            float64 `json:"reach"`             // share that a flood over active links reaches, on average
	Hops             float64 `json:"hops"`              // of those reached
	MaxHops          int     `json:"max_hops"`          //
	ActiveComponents int     `json:"active_components"` // of the graph of active links
	ActiveLargest    float64 `json:"active_largest"`    // share in the largest
	ViewComponents   int     `json:"view_components"`   // of the graph of who holds whom alive or late
	ViewLargest      float64 `json:"view_largest"`
	KnownComponents  int     `json:"known_components"` // with the reserves
	ActiveMean       float64 `json:"active_mean"`      // active links a node to others that run
	ActiveMin        int     `json:"active_min"`
	OneSided         int     `json:"one_sided"`      // active links whose other end does not have them
	InMean           float64 `json:"in_degree_mean"` // by how many a node is held
	InP99            int     `json:"in_degree_p99"`
	InMax            int     `json:"in_degree_max"`
}

// A graph is who points to whom among the nodes that run, by places in up.
type graph [][]int32

func (w *world) overlay() Overlay {
	var up []*node
	place := map[pki.ID]int32{}
	for _, n := range w.nodes {
		if n.up() {
			place[n.id] = int32(len(up)) //nolint:gosec // at most MaxNodes
			up = append(up, n)
		}
	}
	o := Overlay{AtS: time.Duration(w.now).Seconds(), Nodes: len(up)}
	if len(up) == 0 {
		return o
	}
	active, held, known := w.graphs(up, place)
	o.ActiveComponents, o.ActiveLargest = active.components()
	o.ViewComponents, o.ViewLargest = held.components()
	o.KnownComponents, _ = known.components()
	o.degrees(active, held)
	o.OneSided = active.oneSided()
	o.reach(active)
	return o
}

// graphs are those of active links, of who is held alive or late, and that with the reserves. Links across a split are none.
func (w *world) graphs(up []*node, place map[pki.ID]int32) (active, held, known graph) {
	active, held, known = make(graph, len(up)), make(graph, len(up)), make(graph, len(up))
	for i, n := range up {
		link := func(g graph, id pki.ID) {
			if j, ok := place[id]; ok && !w.parted(n, up[j]) {
				g[i] = append(g[i], j)
			}
		}
		for _, id := range n.machine.ActivePeers() {
			link(active, id)
		}
		for _, e := range n.machine.Entries() {
			if !e.State.Fallen() {
				link(held, e.ID)
			}
		}
		known[i] = held[i][:len(held[i]):len(held[i])]
		for _, a := range n.machine.Reserve() {
			link(known, a.ID)
		}
	}
	return active, held, known
}

// components counts those of the graph without directions, and gives the share of the largest.
func (g graph) components() (count int, largest float64) {
	parent := make([]int32, len(g))
	for i := range parent {
		parent[i] = int32(i)
	}
	find := func(i int32) int32 {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	for i, links := range g {
		for _, j := range links {
			parent[find(int32(i))] = find(j)
		}
	}
	sizes := make([]int, len(g))
	most := 0
	for i := range g {
		root := find(int32(i))
		if sizes[root]++; sizes[root] == 1 {
			count++
		}
		most = max(most, sizes[root])
	}
	return count, float64(most) / float64(len(g))
}

// oneSided counts the links that do not go back.
func (g graph) oneSided() (count int) {
	for i, links := range g {
		for _, j := range links {
			if !slices.Contains(g[j], int32(i)) {
				count++
			}
		}
	}
	return count
}

func (o *Overlay) degrees(active, held graph) {
	in := make([]int, len(held))
	links := 0
	o.ActiveMin = len(active)
	for i := range held {
		for _, j := range held[i] {
			in[j]++
		}
		links += len(active[i])
		o.ActiveMin = min(o.ActiveMin, len(active[i]))
	}
	o.ActiveMean = float64(links) / float64(len(active))
	sum := 0
	for _, n := range in {
		sum += n
	}
	slices.Sort(in)
	o.InMean, o.InP99, o.InMax = float64(sum)/float64(len(in)), in[(len(in)-1)*99/100], in[len(in)-1]
}

// reach floods from some nodes, evenly spread: each tells its active peers once.
func (o *Overlay) reach(active graph) {
	origins := min(floods, len(active))
	reached, hops := 0, 0
	for k := range origins {
		r, h, deepest := active.flood(k * len(active) / origins)
		reached, hops, o.MaxHops = reached+r, hops+h, max(o.MaxHops, deepest)
	}
	o.Reach = float64(reached) / float64(origins*len(active))
	o.Hops = float64(hops) / float64(max(1, reached-origins))
}

// flood gives how many are reached from an origin, it among them, over how many hops together and at most.
func (g graph) flood(origin int) (reached, hops, deepest int) {
	depth := make([]int16, len(g)) // one more than the hops; 0 for not reached
	depth[origin] = 1
	order := append(make([]int32, 0, len(g)), int32(origin)) //nolint:gosec // at most MaxNodes
	for k := 0; k < len(order); k++ {
		i := order[k]
		deepest = int(depth[i] - 1)
		hops += deepest
		for _, j := range g[i] {
			if depth[j] == 0 {
				depth[j] = depth[i] + 1
				order = append(order, j)
			}
		}
	}
	return len(order), hops, deepest
}
