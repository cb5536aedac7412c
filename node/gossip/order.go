package gossip

import (
	"time"

	"github.com/g2g-net/g2g/node/latency"
	"github.com/g2g-net/g2g/node/order"
	"github.com/g2g-net/g2g/pki"
)

// A Place is one place of the query order, with what a caller needs to ask the peer there.
type Place struct {
	ID               pki.ID
	Name             string
	Group            string  // letter; empty where the peer was never measured
	GroupLabel       float64 // milliseconds
	Rank             int     // the group's place among the groups, the farthest being 0; order.Unmeasured without one
	latency.Estimate         // of now
	Addresses        []string
	Services         []string
	Serves           []string // full names of the gRPC services on its Gossip port, ordered
}

// Order is the virtual query order of now: each eligible peer once.
func (m *Machine) Order(now time.Time) []Place {
	if m.distances.stale {
		m.arrange()
	}
	places := make([]Place, 0, len(m.distances.places))
	for _, p := range m.distances.places {
		e := m.view.Get(p.Peer)
		if e == nil {
			continue // cannot happen: whoever leaves the view makes the order stale
		}
		place := Place{ID: e.ID, Rank: p.Group, Name: e.Name, Estimate: m.estimate(now, e.ID), Addresses: e.Addresses, Services: e.Services, Serves: e.Serves}
		if p.Group != order.Unmeasured {
			place.Group = latency.Letter(p.Group, len(m.distances.groups))
			place.GroupLabel = m.distances.groups[p.Group].LabelMS()
		}
		places = append(places, place)
	}
	return places
}

// A Path is what a snapshot says of how far away one peer is.
type Path struct {
	latency.Estimate
	Samples []latency.Sample // that count, oldest first
	Counts  time.Duration    // for how long one does
	Group   string           // letter; empty without one
}

// pathsNow are those of all peers that were measured.
func (m *Machine) pathsNow(now time.Time) map[pki.ID]Path {
	out := make(map[pki.ID]Path, len(m.distances.of))
	for id, d := range m.distances.of { // into a map again
		if estimate := m.estimate(now, id); estimate.N > 0 {
			out[id] = Path{Estimate: estimate, Samples: d.samples.Since(now.Add(-m.counts(id))), Counts: m.counts(id)}
		}
	}
	for i, g := range m.distances.groups {
		for _, p := range g.Members {
			if d, ok := out[p.ID]; ok { // who has gone since has no letter
				d.Group = latency.Letter(i, len(m.distances.groups))
				out[p.ID] = d
			}
		}
	}
	return out
}

// A Group is the peers that are about as far away as each other, as of the last round.
type Group struct {
	Letter  string  // A is the nearest
	Label   float64 // milliseconds, two significant digits
	Members []Member
}

// A Member is one peer of a group, with its distance of the last round.
type Member struct {
	ID       pki.ID
	Name     string
	Distance time.Duration
}

// groupsNow are the groups of the last round, without who has gone since.
func (m *Machine) groupsNow() []Group {
	var out []Group
	for i, g := range m.distances.groups {
		group := Group{Letter: latency.Letter(i, len(m.distances.groups)), Label: g.LabelMS()}
		for _, p := range g.Members {
			if e := m.view.Get(p.ID); e != nil && m.measurable(e) {
				group.Members = append(group.Members, Member{ID: p.ID, Name: e.Name, Distance: p.Distance})
			}
		}
		if len(group.Members) > 0 {
			out = append(out, group)
		}
	}
	return out
}
