package gossip

import (
	"slices"
	"time"

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
	Peers       []Peer // ordered by ID; unheard ones are not in it
	Active      []pki.ID
	Observed    []string
	Converged   bool
	Disagree    []pki.ID // active peers that list another alive set, or did not say since it changed here
	Isolated    bool     // peers are known and none is reached
	Nominations []SealedNomination
	Rule        stale.Rule
	Limit       stale.Limit
}

// A Peer is one entry of the view.
type Peer struct {
	view.Entry
	Age    time.Duration
	Active bool
}

// Snapshot takes the picture.
func (m *Machine) Snapshot(now time.Time) Snapshot {
	s := Snapshot{
		At: now, Contact: m.contact, Sequence: m.beat.Sequence, Active: slices.Clone(m.active), Observed: m.observedHosts(),
		Nominations: m.nominations.entries, Rule: m.cfg.Rule,
	}
	if m.beat.Sequence > 0 {
		s.Age = now.Sub(m.published)
	}
	var ages []time.Duration
	for _, e := range m.view.Entries() {
		if e.State == view.Unheard {
			continue
		}
		s.Peers = append(s.Peers, Peer{Entry: *e, Age: e.Age(now), Active: m.Active(e.ID)})
		if e.Mode == pki.Server && !e.State.Fallen() {
			ages = append(ages, e.Age(now))
		}
	}
	s.Limit = m.cfg.Rule.Over(ages)
	for _, id := range m.active {
		if e := m.view.Get(id); e != nil && (e.AliveHash != m.aliveHash || e.HashAt.Before(m.aliveAt)) {
			s.Disagree = append(s.Disagree, id)
		}
	}
	s.Isolated = len(m.active) == 0 && (len(ages) > 0 || len(m.reserve.entries) > 0)
	s.Converged = len(s.Disagree) == 0 && !s.Isolated
	return s
}
