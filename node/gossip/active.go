package gossip

import (
	"slices"

	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

// Active tells whether a connection to the peer is kept warm.
func (m *Machine) Active(id pki.ID) bool {
	_, ok := slices.BinarySearchFunc(m.active, id, pki.ID.Compare)
	return ok
}

// ascending is an ordered list that is asked for IDs in their order: it goes along with the view in one walk.
type ascending []pki.ID

func (a *ascending) has(id pki.ID) bool {
	for len(*a) > 0 {
		c := (*a)[0].Compare(id)
		if c >= 0 {
			return c == 0
		}
		*a = (*a)[1:]
	}
	return false
}

func (m *Machine) activate(id pki.ID) {
	if i, ok := slices.BinarySearchFunc(m.active, id, pki.ID.Compare); !ok {
		m.active = slices.Insert(m.active, i, id)
	}
}

func (m *Machine) deactivate(id pki.ID) {
	if i, ok := slices.BinarySearchFunc(m.active, id, pki.ID.Compare); ok {
		m.active = slices.Delete(m.active, i, i+1)
	}
}

// regain makes a peer active again that fell and is back, once it exchanges with this node: it may not know that it fell, and has this
// node active all the while. Else it would be told hardly anything.
func (m *Machine) regain(e *view.Entry) {
	a := m.attempt(e.ID)
	if a.lost && e.Mode == pki.Server && !e.State.Fallen() {
		a.lost = false
		if len(m.active) < MaxActive {
			m.activate(e.ID)
		}
	}
}
