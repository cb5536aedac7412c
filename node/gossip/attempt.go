package gossip

import (
	"time"

	"github.com/g2g-net/g2g/node/stale"
	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

// attempt is what is remembered of reaching a peer.
type attempt struct {
	next       time.Time // no dial before
	tried      time.Time // last join
	joining    bool
	exchanging bool
	exchanged  time.Time // when this node last began an exchange with it
	warm       bool      // the last call was answered
	known      bool      // it has answered here
	mutual     bool      // nothing speaks against it that an active peer has this node active, too: they have exchanged since
	delay      time.Duration
	failures   int
	recalled   time.Time // when it was last asked because it spoke, though it could not be reached
	overlooked time.Time // when it was last asked because nothing had been heard of it for long
	lastSync   time.Time
	lastHash   uint64    // of its nominations, when they were pulled last
	vain       [2]uint64 // its hash and this node's after a pull that brought nothing
	lastSoon   time.Time
	soonWait   time.Duration // doubles with each exchange that brings no contact
	lastClone  time.Time     // alarm
	lastLie    time.Time     // alarm
	lastPulled time.Time     // when an exchange with it last ended well
	slow       time.Duration // the slowest round trip of late on a warm connection; 0 before the first

	broken        time.Time // when its connection last ended from the other side
	hinted        time.Time // when others were last told that it seems to fail
	hintedStalled bool      // what they were told
	cries         int       // how often that was in vain of late
	cleared       time.Time // when it last was
	past          stale.Past
	lost          uint64    // its incarnation, where it was an active peer when it could not be reached any more
	fell          time.Time // from when on a beat has to be made to refute the calls that convicted it; zero where none did
	fellAs        uint64    // the incarnation that fell

	summaryHeld uint64    // hash of this node's signature that it last said it holds
	toldSummary uint64    // hash of the one that it was last told
	toldAt      time.Time // when
	summaryWait time.Duration
}

func (m *Machine) attempt(id pki.ID) *attempt {
	a := m.attempts[id]
	if a == nil {
		a = &attempt{}
		m.attempts[id] = a
	}
	return a
}

// hintWait is for how long others are told nothing of a peer again: longer where that was in vain more than once, as with one that falls
// silent and is back before it is found, again and again.
func (a *attempt) hintWait() time.Duration { return hintSpacing << max(0, a.cries-1) }

// broughtNothing makes the next exchange at once wait longer. A digest may name peers that its sender does not pass on
// because they fell, or that this node has no place for, so what seems lacking may never come.
func (a *attempt) broughtNothing() {
	a.soonWait = min(max(soonSpacing, 2*a.soonWait), lastSoonWait)
}

// due tells whether the peer may be dialled. A node that is alone does not wait until its failures are forgotten.
func (m *Machine) due(now time.Time, a *attempt) bool {
	return !now.Before(a.next) || len(m.active) == 0 && now.Sub(a.tried) >= isolatedRetry
}

// sweep forgets what was remembered of peers that are nowhere any more.
func (m *Machine) sweep() {
	if len(m.attempts) <= 2*(view.MaxServers+view.MaxClients) {
		return
	}
	for id, a := range m.attempts { // the order decides nothing: each is judged alone
		if m.view.Get(id) == nil && !a.joining && !a.exchanging && !m.reserve.has(id) {
			delete(m.attempts, id)
		}
	}
}
