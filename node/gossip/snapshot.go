package gossip

import (
	"slices"
	"time"

	"github.com/g2g-net/g2g/node/signature"
	"github.com/g2g-net/g2g/node/stale"
	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

// A Snapshot is an immutable picture of a machine.
type Snapshot struct {
	At          time.Time
	Contact     *view.Contact
	Sequence    uint64 // of the signature
	Age         time.Duration
	Signature   signature.Signature
	Published   bool   // a signature was
	Peers       []Peer // ordered by ID; unheard ones are not in it
	Active      []pki.ID
	Observed    []string
	Converged   bool
	Disagree    []pki.ID // active peers that list another alive set, or did not say since it changed here
	Isolated    bool     // peers are known and none is reached
	Nominations []SealedNomination
	Bound       stale.Bound // the limit of the last look
	Groups      []Group     // farthest first
	Floor       float64     // the deviation of log latency that the groups stand on
	Order       []Place
}

// A Peer is one entry of the view.
type Peer struct {
	view.Entry
	Distance   float64 // between its data and this node's
	Comparable bool    // or there is none
	Age        time.Duration
	Active     bool

	Path     Path
	Position int // in the order, from 1; 0 where it is out of it

	// What the last look found of it; zero for one that is in no list.
	Own       time.Duration // its own pace
	Trusted   bool          // its age is in the list that the limit stands on
	Suspect   bool          // past the limit, and past what its own pace may be stretched to
	Failures  int           // own calls without answer that count
	Witnesses int           // exchanges that brought news but none of it, since it is suspect
}

// Snapshot takes the picture.
func (m *Machine) Snapshot(now time.Time) Snapshot {
	s := Snapshot{
		At: now, Contact: m.contact, Sequence: m.beat.Sequence, Active: slices.Clone(m.active), Observed: m.observedHosts(),
		Nominations: m.nominations.entries, Bound: m.bound, Signature: m.said.Signature, Published: m.said.short != nil,
	}
	if m.beat.Sequence > 0 {
		s.Age = now.Sub(m.published)
	}
	judged := map[pki.ID]stale.Age{}
	for _, a := range m.ages {
		judged[a.ID] = a
	}
	s.Groups, s.Floor, s.Order = m.groupsNow(), m.distances.grouping.Floor(), m.Order(now)
	paths, positions := m.pathsNow(now), map[pki.ID]int{}
	for i, p := range s.Order {
		positions[p.ID] = i + 1
	}
	known := false
	for _, e := range m.view.Entries() {
		if e.State == view.Unheard {
			continue
		}
		p := m.peer(now, e, judged[e.ID])
		p.Path, p.Position = paths[e.ID], positions[e.ID]
		s.Peers = append(s.Peers, p)
		known = known || e.Mode == pki.Server && !e.State.Fallen()
	}
	alive := m.alive()
	for _, id := range m.active {
		if e := m.view.Get(id); e != nil && (e.AliveHash != alive || e.HashAt.Before(m.aliveAt)) {
			s.Disagree = append(s.Disagree, id)
		}
	}
	s.Isolated = len(m.active) == 0 && (known || len(m.reserve.entries) > 0)
	s.Converged = len(s.Disagree) == 0 && !s.Isolated
	return s
}

func (m *Machine) peer(now time.Time, e *view.Entry, a stale.Age) Peer {
	p := Peer{Entry: *e, Age: e.Age(now), Active: m.Active(e.ID), Own: a.Own, Trusted: a.Trusted, Suspect: a.Suspect}
	p.Distance, p.Comparable = m.distance(e)
	if d := m.doubts[e.ID]; d != nil {
		p.Failures, p.Witnesses = d.failures, len(d.witnesses)
	}
	return p
}

// A Reading is the few figures of a peer that are sampled often.
type Reading struct {
	ID         pki.ID
	Age        time.Duration
	Latency    time.Duration // 0 while none was measured
	Distance   float64
	Comparable bool // or there is no distance
	Counts     bool // its distance, for the mean
}

// Readings are those of all peers that a Snapshot lists, ordered by ID, in the room that is given. They cost far less than it does.
func (m *Machine) Readings(now time.Time, room []Reading) []Reading {
	out := slices.Grow(room[:0], len(m.view.Entries()))
	for _, e := range m.view.Entries() {
		if e.State == view.Unheard {
			continue
		}
		r := Reading{ID: e.ID, Age: e.Age(now), Counts: e.Mode == pki.Server && !e.State.Fallen()}
		r.Distance, r.Comparable = m.distance(e)
		if estimate := m.estimate(now, e.ID); estimate.N > 0 {
			r.Latency = estimate.Distance
		}
		out = append(out, r)
	}
	return out
}
