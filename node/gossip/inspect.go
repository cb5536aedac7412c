package gossip

import (
	"time"

	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

// What a simulator looks at, between two calls of the machine. All of it is the machine's own: whoever looks must neither keep
// nor change it. A Snapshot is for everybody else.

// Entries are the peers held, ordered by ID.
func (m *Machine) Entries() []*view.Entry { return m.view.Walk() }

// Held finds a peer, or nil.
func (m *Machine) Held(id pki.ID) *view.Entry { return m.view.Get(id) }

// ActivePeers are those with warm connections, ordered by ID.
func (m *Machine) ActivePeers() []pki.ID { return m.active }

// Reserve is where members could be reached once, ordered by ID.
func (m *Machine) Reserve() []Address { return m.reserve.entries }

// Beat is this node's newest, as it is told now; its sequence is 0 before the first.
func (m *Machine) Beat(now time.Time) view.Beat { return m.ownBeat(now) }
