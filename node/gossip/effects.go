package gossip

import (
	"fmt"
	"time"

	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

// Effects is what the driver has to do after a turn, in this order: save, then send and answer, then publish, then tell.
type Effects struct {
	Save    Save
	Sends   []Send
	Visits  []Visit
	Trust   bool // Machine.Trust has changed
	Order   bool // Machine.Order has changed
	Notices []Notice
}

// A Send is a request to a peer. Its outcome comes back through Machine.Reply or Machine.Fail, once.
type Send struct {
	Call      uint64
	To        pki.ID
	Addresses []string
	Request   Message
	Timeout   time.Duration
	Fresh     bool // the last call failed: on a new connection, however long the last dials had failed
}

// Save is what must be on disk before anybody hears of it. Nil and empty fields change nothing.
type Save struct {
	Own             *Own
	Nominations     []SealedNomination // put, by token ID
	DropNominations []pki.TokenID      // with their claims
	Claims          []ClaimRecord      // put, by token and joiner
	Reserve         []Address          // replaces the whole reserve, if ReserveChanged; the machine's own from its next turn on
	ReserveChanged  bool
	Services        []string // replaces the services that an operator added, if ServicesChanged
	ServicesChanged bool
}

// IsZero tells whether there is nothing to save.
func (s Save) IsZero() bool {
	return s.Own == nil && len(s.Nominations) == 0 && len(s.DropNominations) == 0 && len(s.Claims) == 0 && !s.ReserveChanged && !s.ServicesChanged
}

// Own is this node's own numbers. None of them ever goes back.
type Own struct {
	Sequence    uint64 // of the contact
	Incarnation uint64
	Epoch       uint64 // of the leaf
	MinEpoch    uint64
}

// A ClaimRecord is a use of a token of this node, with the admission that it led to.
type ClaimRecord struct {
	Token  pki.TokenID
	Joiner pki.ID
	At     int64  // Unix seconds
	Chain  []byte // pki.Chain of the joiner
}

// An Address is where a member could be reached once, and what is remembered of it for good. It outlives membership,
// partitions and restarts.
type Address struct {
	*view.Located
	Heard    int64  // Unix seconds of the last proof of life on this node's clock
	MinEpoch uint64 // leaves below it are refused, also after a restart
}

// String is all of it.
func (a Address) String() string {
	return fmt.Sprintf("%+v, heard at %d s, at least epoch %d", *a.Located, a.Heard, a.MinEpoch)
}

// Saved is what a machine starts from: the sum of all that was saved.
type Saved struct {
	Own         Own
	Nominations []SealedNomination
	Claims      []ClaimRecord
	Reserve     []Address
	Services    []string // that an operator added
}

// A Notice tells an operator that something happened.
type Notice struct {
	Kind     Kind
	Severity Severity
	Peer     pki.ID // zero where it is about no peer
	Name     string
	Detail   string
	Unproven bool // of a refusal: who was refused has not shown to hold a token, so that anybody can cause it
}

// Kind is what a notice is about.
type Kind string

// The kinds that a machine tells.
const (
	KindAlive      Kind = "alive"
	KindLate       Kind = "late"
	KindDead       Kind = "dead"
	KindLeft       Kind = "left"
	KindReachable  Kind = "reachable"
	KindUnreached  Kind = "unreachable"
	KindNominated  Kind = "nominated"
	KindAdmitted   Kind = "admitted"
	KindRefused    Kind = "refused"
	KindRevoked    Kind = "revoked"
	KindRotated    Kind = "rotated"
	KindAddress    Kind = "address"
	KindClone      Kind = "clone"
	KindMisbehaved Kind = "misbehaved"
	KindHalted     Kind = "halted"
	KindRegrouped  Kind = "regrouped"
	KindOrder      Kind = "order"
)

// Severity grades a notice.
type Severity string

// The severities.
const (
	Info    Severity = "info"
	Warning Severity = "warning"
	Error   Severity = "error"
)

// Effects takes what has gathered since the last call.
func (m *Machine) Effects() Effects {
	if m.effects.Trust {
		m.rebuildTrust() // once a turn, however many contacts raised an epoch
	}
	if m.effects.Save.ReserveChanged {
		m.effects.Save.Reserve = m.reserve.list()
	}
	e := m.effects
	e.Order, m.distances.news = m.distances.news, false
	m.effects = Effects{}
	return e
}

func (m *Machine) notice(k Kind, s Severity, peer pki.ID, format string, args ...any) {
	if m.cfg.Terse && s == Info && k != KindLeft {
		return
	}
	n := Notice{Kind: k, Severity: s, Peer: peer, Detail: fmt.Sprintf(format, args...)}
	if e := m.view.Get(peer); e != nil {
		n.Name = e.Name
	}
	m.effects.Notices = append(m.effects.Notices, n)
}

// alarm is a notice that a peer could cause as often as it likes, so it is given once in alarmSpacing.
func (m *Machine) alarm(now time.Time, last *time.Time, k Kind, s Severity, peer pki.ID, format string, args ...any) {
	if !last.IsZero() && now.Sub(*last) < alarmSpacing {
		return
	}
	*last = now
	m.notice(k, s, peer, format, args...)
}

// send asks a peer of the view.
func (m *Machine) send(now time.Time, to pki.ID, req Message) *call {
	m.lastCall++
	c := &call{to: to, req: req, begun: now}
	m.calls[m.lastCall] = c
	if m.effects.Sends == nil {
		m.effects.Sends = m.cfg.Spare.list()
	}
	m.effects.Sends = append(m.effects.Sends, Send{
		Call: m.lastCall, To: to, Addresses: m.Addresses(to), Request: req, Timeout: CallTimeout, Fresh: m.attempt(to).failures > 0,
	})
	return c
}
