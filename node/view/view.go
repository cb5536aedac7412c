package view

import (
	"bytes"
	"slices"
	"time"

	"github.com/g2g-net/g2g/node/stale"
	"github.com/g2g-net/g2g/pki"
)

// Bounds of a view.
const (
	MaxServers    = 256  // server-mode peers that are not dead
	MaxClients    = 1024 // client-mode members that talk to this node
	MaxFallen     = 256  // dead and left peers whose contact is kept
	MaxTombstones = 4096 // peers of which only the last sequence is remembered
	// MaxDigest bounds a digest: the owner, its peers, and those that fell lately.
	MaxDigest = 1 + MaxServers + MaxFallen

	// Forget is how long a dead or left peer is kept.
	Forget = 10 * time.Minute

	contactSpacing = 2 * time.Second // of new contacts by one ID, on average
	contactBurst   = 4
)

// State is what this node holds of a peer.
type State uint8

// The states. Unheard is a peer whose contact came without a beat: it is on nobody's list yet.
const (
	Unheard State = iota
	Alive
	Late
	Dead
	Left
)

// String is the word for people and JSON.
func (s State) String() string {
	return [...]string{"unheard", "alive", "late", "dead", "left"}[s]
}

// Fallen tells the states that are no longer passed on as live.
func (s State) Fallen() bool { return s == Dead || s == Left }

// An Entry is one peer as this node knows it.
type Entry struct {
	*Contact
	BeatSequence uint64 // of the last verified beat; 0 for none
	heard        bool   // a beat advanced since the entry was made
	link         Link   // of that beat; the anchor before the first
	claimed      time.Duration
	Seen         time.Time // when the last beat was first seen here, or the contact if there is none
	FirstSeen    time.Time
	LastExchange time.Time // zero for never
	State        State
	Reason       string // of a dead peer: stalled or silent
	Since        time.Time
	Unreachable  bool
	AliveHash    uint64 // of its alive set, when it was last told
	HashAt       time.Time
	budget       float64 // of new contacts
	budgetAt     time.Time
}

// Age is the time since the peer's signature is known to have advanced.
func (e *Entry) Age(now time.Time) time.Duration { return now.Sub(e.Seen) + e.claimed }

// Beat is the last verified beat as it is passed on at now.
func (e *Entry) Beat(now time.Time) Beat {
	return Beat{Sequence: e.BeatSequence, Link: e.link, Age: e.Age(now)}
}

// OwnEntry is the owner's own record in the form that a delta takes.
func OwnEntry(c *Contact, b Beat, published time.Time) *Entry {
	return &Entry{Contact: c, BeatSequence: b.Sequence, link: b.Link, Seen: published, heard: true, State: Alive}
}

// A View holds at most MaxServers, MaxClients and MaxFallen records.
//
//  1. The version held for an ID never goes back, also after the entry is dropped, as long as its contact could be believed.
//  2. entries is sorted by ID, without the owner.
//  3. Every contact passed wire; View checks no seals but the links of the ladder.
type View struct {
	self       pki.ID
	entries    []*Entry
	tombstones map[pki.ID]tombstone
	order      []pki.ID // of tombstones, oldest first
}

type tombstone struct {
	sequence    uint64
	incarnation uint64
	beat        uint64
	link        Link
	minEpoch    uint64
	until       int64 // Unix seconds: when no contact of that sequence can be believed any more
}

// New makes the empty view of self.
func New(self pki.ID) *View {
	return &View{self: self, tombstones: map[pki.ID]tombstone{}}
}

// Entries are all records ordered by ID. The caller must not keep or change the slice.
func (v *View) Entries() []*Entry { return v.entries }

// Get finds a peer, or nil.
func (v *View) Get(id pki.ID) *Entry {
	if i, ok := v.find(id); ok {
		return v.entries[i]
	}
	return nil
}

func (v *View) find(id pki.ID) (int, bool) {
	return slices.BinarySearchFunc(v.entries, id, func(e *Entry, id pki.ID) int { return e.ID.Compare(id) })
}

// A Verdict is what Judge says of a contact.
type Verdict uint8

// The verdicts.
const (
	Newer    Verdict = iota // to be Put
	Same                    // held already
	Old                     // an older one, or one past its life
	Own                     // the owner's own
	Conflict                // equal sequence, different bytes: two holders of one identity
	Full                    // no place
	Hasty                   // its owner changes too often
)

// String is the word for counters and tests.
func (v Verdict) String() string {
	return [...]string{"newer", "same", "old", "own", "conflict", "full", "hasty"}[v]
}

// Judge says what would become of the contact. It changes nothing.
func (v *View) Judge(now time.Time, c *Contact) Verdict {
	if c.ID == v.self {
		return Own
	}
	if c.Expired(now) {
		return Old
	}
	e := v.Get(c.ID)
	if e == nil {
		return v.judgeUnknown(c)
	}
	switch {
	case c.Sequence < e.Sequence || c.Incarnation < e.Incarnation || c.MinEpoch < e.MinEpoch:
		return Old
	case c.Sequence == e.Sequence && c.same(e.Contact):
		return Same
	case c.Sequence == e.Sequence:
		return Conflict
	case e.refilled(now) < 1:
		return Hasty
	}
	return Newer
}

func (v *View) judgeUnknown(c *Contact) Verdict {
	t, known := v.tombstones[c.ID]
	switch {
	case known && (c.Sequence < t.sequence || c.Incarnation < t.incarnation || c.MinEpoch < t.minEpoch):
		return Old
	case c.Mode == pki.Client && v.count(func(e *Entry) bool { return e.Mode == pki.Client }) >= MaxClients:
		return Full
	case c.Mode == pki.Server && v.victimFor(c) == nil && v.servers() >= MaxServers:
		return Full
	}
	return Newer
}

// refilled is the peer's budget of new contacts: a token bucket of contactBurst, one more each contactSpacing.
func (e *Entry) refilled(now time.Time) float64 {
	return min(contactBurst, e.budget+now.Sub(e.budgetAt).Seconds()/contactSpacing.Seconds())
}

func (v *View) count(f func(*Entry) bool) (n int) {
	for _, e := range v.entries {
		if f(e) {
			n++
		}
	}
	return n
}

func (v *View) servers() int {
	return v.count(func(e *Entry) bool { return e.Mode == pki.Server && !e.State.Fallen() })
}

// victimFor chooses whom a newcomer replaces in a full view: an entry of the nominator with the most entries, the unheard
// ones first, then the oldest; nobody where the newcomer's own nominator has as many. So one member that admits
// thousands cannot push out everybody else's.
func (v *View) victimFor(c *Contact) *Entry {
	if v.servers() < MaxServers {
		return nil
	}
	classes := map[pki.ID]int{}
	for _, e := range v.entries {
		if e.Mode == pki.Server && !e.State.Fallen() {
			classes[e.Chain.Nominator()]++
		}
	}
	var victim *Entry
	for _, e := range v.entries {
		if e.Mode != pki.Server || e.State.Fallen() || classes[e.Chain.Nominator()] <= classes[c.Chain.Nominator()]+1 {
			continue
		}
		if victim == nil || v.rather(e, victim, classes) {
			victim = e
		}
	}
	return victim
}

func (v *View) rather(a, b *Entry, classes map[pki.ID]int) bool {
	ca, cb := classes[a.Chain.Nominator()], classes[b.Chain.Nominator()]
	if ca != cb {
		return ca > cb
	}
	if (a.State == Unheard) != (b.State == Unheard) {
		return a.State == Unheard
	}
	return a.Seen.Before(b.Seen)
}

// Put takes a contact that Judge called Newer, and returns its entry and the ID that had to make place, if any.
func (v *View) Put(now time.Time, c *Contact) (e *Entry, dropped pki.ID) {
	i, ok := v.find(c.ID)
	if ok {
		e = v.entries[i]
		e.budget, e.budgetAt = e.refilled(now)-1, now
		v.replace(now, e, c)
		return e, pki.ID{}
	}
	if victim := v.victimFor(c); victim != nil && c.Mode == pki.Server {
		dropped = victim.ID
		v.Drop(dropped)
		i, _ = v.find(c.ID)
	}
	e = &Entry{Contact: c, link: c.Anchor, Seen: now, FirstSeen: now, Since: now, budget: contactBurst - 1, budgetAt: now}
	if t, known := v.tombstones[c.ID]; known && t.incarnation == c.Incarnation {
		e.BeatSequence, e.link = t.beat, t.link // a beat that was seen before proves nothing new
	}
	if c.Left {
		e.State = Left
	}
	v.entries = slices.Insert(v.entries, i, e)
	return e, dropped
}

func (v *View) replace(now time.Time, e *Entry, c *Contact) {
	if c.Incarnation > e.Incarnation {
		e.BeatSequence, e.link = 0, c.Anchor
	}
	e.Contact = c
	switch {
	case c.Left && e.State != Left:
		e.State, e.Since, e.Reason = Left, now, ""
	case !c.Left && e.State == Left:
		e.State, e.Since, e.Seen, e.claimed, e.heard = Unheard, now, now, 0, false
	}
}

// Settle keeps one of two contacts that Judge called a Conflict: the one with the lower payload, so that all agree.
func (v *View) Settle(c *Contact) {
	if e := v.Get(c.ID); e != nil && bytes.Compare(c.Sealed.Payload, e.Sealed.Payload) < 0 {
		e.Contact = c
	}
}

// BeatVerdict is what Advance says of a beat.
type BeatVerdict uint8

// The verdicts.
const (
	Advanced  BeatVerdict = iota
	Revived               // it brought the peer back among the living
	Known                 // held already, or older
	Unheld                // its contact is not held
	FalseLink             // it does not lead to the anchor: a lie of whoever sent it
)

// Advance judges a beat of the peer and takes it if it is newer. The contact's low bits say which contact it belongs to.
// A false link costs at most LadderLength hashes.
func (v *View) Advance(now time.Time, id pki.ID, low uint16, b Beat) BeatVerdict {
	e := v.Get(id)
	switch {
	case e == nil || uint16(e.Contact.low()) != low: //nolint:gosec // low bits are meant
		return Unheld
	case b.Sequence == e.BeatSequence && b.Age < e.claimed:
		e.claimed = b.Age
		return Known
	case b.Sequence <= e.BeatSequence || b.Sequence > LadderLength:
		return Known
	case b.Link.steps(e.ID, e.Incarnation, b.Sequence-e.BeatSequence) != e.link:
		return FalseLink
	}
	e.BeatSequence, e.link, e.Seen, e.claimed, e.heard = b.Sequence, b.Link, now, max(0, b.Age), true
	if e.State == Left {
		return Known // it said goodbye in a contact; only a newer contact brings it back
	}
	if e.State == Unheard || e.State == Dead {
		return Revived
	}
	return Advanced
}

// Drop forgets a peer but for its versions, which keep replays out.
func (v *View) Drop(id pki.ID) {
	i, ok := v.find(id)
	if !ok {
		return
	}
	e := v.entries[i]
	v.entries = slices.Delete(v.entries, i, i+1)
	if _, known := v.tombstones[id]; !known {
		v.order = append(v.order, id)
	}
	v.tombstones[id] = tombstone{e.Sequence, e.Incarnation, e.BeatSequence, e.link, e.MinEpoch, e.NotAfter}
	if len(v.order) > MaxTombstones {
		delete(v.tombstones, v.order[0])
		v.order = v.order[1:]
	}
}

// A Change is a new verdict on a peer.
type Change struct {
	*Entry
	From State
}

// Look judges every peer by its age, forgets those that fell long ago, and returns what changed, ordered by ID.
func (v *View) Look(now time.Time, rule stale.Rule) (changes []Change) {
	var gone []pki.ID
	fallen := 0
	for _, e := range v.entries {
		if e.State.Fallen() {
			fallen++
			if now.Sub(e.Since) > Forget || fallen > MaxFallen {
				gone = append(gone, e.ID)
			}
			continue
		}
		from := e.State
		e.judge(now, rule)
		switch {
		case from == Unheard && e.State == Dead:
			gone = append(gone, e.ID)
		case from != e.State:
			e.Since = now
			changes = append(changes, Change{e, from})
		}
	}
	for _, id := range gone {
		v.Drop(id)
	}
	return changes
}

func (e *Entry) judge(now time.Time, rule stale.Rule) {
	verdict := rule.Judge(e.Age(now))
	switch {
	case verdict == stale.Dead:
		e.State, e.Reason = Dead, "stalled"
		if e.Unreachable || now.Sub(e.LastExchange) > rule.Late {
			e.Reason = "silent"
		}
	case e.State == Unheard && !e.heard:
	case verdict == stale.Late:
		e.State = Late
	default:
		e.State = Alive
	}
}

// Revive makes the peer alive after a beat that Advance called Revived, and returns the state before.
func (v *View) Revive(now time.Time, id pki.ID) State {
	e := v.Get(id)
	from := e.State
	e.State, e.Since, e.Reason = Alive, now, ""
	return from
}
