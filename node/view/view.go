package view

import (
	"bytes"
	"slices"
	"time"

	"github.com/g2g-net/g2g/pki"
)

// Bounds of a view.
const (
	MaxServers    = 256  // server-mode peers that are neither dead nor left
	MaxClients    = 1024 // client-mode members that talk to this node, as long as they are neither
	MaxFallen     = 256  // dead and left peers whose contact is kept
	MaxTombstones = 4096 // peers of which only the last sequence is remembered
	// MaxDigest bounds a digest: the owner, its peers, and those that fell lately.
	MaxDigest = 1 + MaxServers + MaxFallen

	// Forget is how long a dead or left peer is kept.
	Forget = 10 * time.Minute
	// UnheardLife is how long a contact is kept of which no beat comes.
	UnheardLife = 30 * time.Second

	lastingLife = 10 * time.Minute      // a peer that made progress for so long is no passer-by
	maxLasting  = MaxTombstones * 3 / 4 // of the tombstones are those of such peers at most

	contactSpacing = 2 * time.Second // of new contacts by one ID, on average
	contactBurst   = 4
)

// A View holds at most MaxServers, MaxClients and MaxFallen records.
//
//  1. The version held for an ID never goes back, also after the entry is dropped, as long as its tombstone stands.
//  2. entries is sorted by ID, without the owner. ids and places go with it.
//  3. Every contact passed wire; View checks no seals but the links of the ladder.
//  4. servers, clients, crowd and the entries' twigs go with the entries' states, which only View changes.
type View struct {
	self       pki.ID
	entries    []*Entry
	ids        []pki.ID  // of the entries
	places     []uint64  // of the entries: how their IDs begin, to find them without a look at each
	changes    uint64    // counts comings and goings
	nextGone   time.Time // before which nobody is to be forgotten
	servers    int       // server-mode entries that have not fallen
	clients    int       // client-mode entries that have not fallen
	crowd      twig      // the tree that admitted the servers
	reader     Reader    // of the last digest
	touched    uint64    // means nothing
	tombstones map[pki.ID]tombstone
	brief      []pki.ID // the tombstones, oldest first: of peers that were here for less than lastingLife
	lasting    []pki.ID // and of the others
}

// New makes the empty view of self.
func New(self pki.ID) *View {
	return &View{self: self, tombstones: map[pki.ID]tombstone{}}
}

// Entries are all records ordered by ID. The caller must not keep or change the slice.
func (v *View) Entries() []*Entry { return v.entries }

// IDs are those of the entries, in the same places. They lie side by side, which an entry and its contact do not.
func (v *View) IDs() []pki.ID { return v.ids }

// Get finds a peer, or nil.
func (v *View) Get(id pki.ID) *Entry {
	if i, ok := v.find(id); ok {
		return v.entries[i]
	}
	return nil
}

func (v *View) find(id pki.ID) (int, bool) {
	return Find(v.places, id, func(i int) pki.ID { return v.ids[i] })
}

// Find is where an ID stands or would among others in their order, of which there are how they begin (pki.ID.Prefix), side by side, and each
// by its place. IDs that begin alike are as many as somebody cares to make.
func Find(prefixes []uint64, id pki.ID, at func(int) pki.ID) (int, bool) {
	prefix := id.Prefix()
	i, _ := slices.BinarySearch(prefixes, prefix)
	for ; i < len(prefixes) && prefixes[i] == prefix; i++ {
		if c := at(i).Compare(id); c >= 0 {
			return i, c == 0
		}
	}
	return i, false
}

// insert puts an entry where find found no other.
func (v *View) insert(i int, e *Entry) {
	v.entries = slices.Insert(v.entries, i, e)
	v.ids = slices.Insert(v.ids, i, e.ID)
	v.places = slices.Insert(v.places, i, e.ID.Prefix())
	v.changes++
	v.weigh(e, 1)
}

func (v *View) remove(i int) {
	v.weigh(v.entries[i], -1)
	v.entries[i].gone = true
	v.entries = slices.Delete(v.entries, i, i+1)
	v.ids = slices.Delete(v.ids, i, i+1)
	v.places = slices.Delete(v.places, i, i+1)
	v.changes++
}

// Walk are the entries for somebody who looks at them all. Who does decides by each what to do with it, and so waits for the memory of one after
// the other; the loop here decides nothing, so that all of it comes at once.
func (v *View) Walk() []*Entry {
	var read uint64
	for _, e := range v.entries {
		read += e.BeatSequence
	}
	v.touched = read // or the compiler would leave the loop out
	return v.entries
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
	case c.Sequence < e.Sequence || c.Incarnation < e.Incarnation:
		return Old
	case c.Sequence == e.Sequence && c.same(e.Contact):
		return Same
	case c.Sequence == e.Sequence:
		if victim, ok := v.room(c); e.comes(c) && (!ok || victim != nil) {
			return Full // nobody makes place for a conflict
		}
		return Conflict
	case e.refilled(now) < 1 && (!c.Left || e.State == Left):
		return Hasty // but not of one goodbye for every contact that was taken
	}
	if _, ok := v.room(c); e.comes(c) && !ok {
		return Full
	}
	return Newer
}

// comes tells whether an entry needs another place for a contact: after a goodbye, or in the other mode.
func (e *Entry) comes(c *Contact) bool {
	return e.State == Left || e.State != Dead && e.Mode != c.Mode
}

func (v *View) judgeUnknown(c *Contact) Verdict {
	t, known := v.tombstones[c.ID]
	if known && (c.Sequence < t.sequence || c.Incarnation < t.incarnation) {
		return Old
	}
	if _, ok := v.room(c); !ok {
		return Full
	}
	return Newer
}

// Put takes a contact that Judge called Newer, and returns its entry and the ID that had to make place, if any.
func (v *View) Put(now time.Time, c *Contact) (e *Entry, dropped pki.ID) {
	if i, ok := v.find(c.ID); ok {
		e = v.entries[i]
		if e.comes(c) {
			dropped = v.makeRoom(c)
		}
		if !c.Left {
			e.budget, e.budgetAt = e.refilled(now)-1, now
		}
		v.replace(now, e, c)
		return e, dropped
	}
	dropped = v.makeRoom(c)
	e = &Entry{link: c.Anchor, Seen: now, FirstSeen: now, Since: now, budget: contactBurst - 1, budgetAt: now, Instead: !dropped.IsZero()}
	e.holds(c)
	t, known := v.tombstones[c.ID]
	if known && t.incarnation == c.Incarnation && t.anchor == c.Anchor {
		e.BeatSequence, e.link = t.beat, t.link // a beat that was seen before proves nothing new
	}
	e.minEpoch = max(c.MinEpoch, t.minEpoch)
	i, _ := v.find(c.ID)
	v.insert(i, e)
	v.awaits(e)
	if c.Left {
		v.turn(e, Left)
		v.bury()
	}
	return e, dropped
}

// makeRoom drops the entry that a contact replaces in a full view.
func (v *View) makeRoom(c *Contact) (dropped pki.ID) {
	if victim, _ := v.room(c); victim != nil {
		dropped = victim.ID
		v.Drop(dropped)
	}
	return dropped
}

// replace gives an entry another contact. Beats go on where the ladder does; only its owner can begin another.
func (v *View) replace(now time.Time, e *Entry, c *Contact) {
	if c.Incarnation != e.Incarnation || c.Anchor != e.Anchor {
		e.BeatSequence, e.link = 0, c.Anchor
	}
	v.weigh(e, -1)
	e.Instead = false
	e.holds(c)
	e.minEpoch = max(e.minEpoch, c.MinEpoch)
	v.weigh(e, 1)
	switch {
	case c.Left && e.State != Left:
		v.turn(e, Left)
		e.Since, e.Reason = now, ""
		v.bury()
	case !c.Left && e.State == Left:
		v.turn(e, Unheard)
		e.Since, e.Seen, e.claimed, e.heard = now, now, 0, false
	}
	v.awaits(e)
}

// turn gives an entry another state.
func (v *View) turn(e *Entry, s State) {
	if e.State.Fallen() == s.Fallen() {
		e.State = s
		return
	}
	v.weigh(e, -1)
	e.State = s
	v.weigh(e, 1)
}

// weigh counts an entry that has not fallen, or takes it from the count.
func (v *View) weigh(e *Entry, by int) {
	switch {
	case e.State.Fallen():
	case e.Mode != pki.Server:
		v.clients += by
	case by > 0:
		v.servers++
		e.twig = v.crowd.grow(pathOf(e.Contact), e)
	default:
		v.servers--
		e.twig.shed(e)
		e.twig = nil
	}
}

// Settle keeps one of two contacts that Judge called a Conflict: that of the later incarnation, of equal ones the one with the
// lower payload, so that all agree.
func (v *View) Settle(now time.Time, c *Contact) {
	e := v.Get(c.ID)
	if e == nil || c.Incarnation < e.Incarnation {
		return
	}
	if c.Incarnation > e.Incarnation || bytes.Compare(c.Sealed.Payload, e.Sealed.Payload) < 0 {
		v.replace(now, e, c)
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
	return v.Get(id).Advance(now, low, b)
}

// Advance is View.Advance for one that was looked up already, or nil.
func (e *Entry) Advance(now time.Time, low uint16, b Beat) BeatVerdict {
	switch {
	case e == nil || e.low&0xffff != uint32(low):
		return Unheld
	case b.Sequence == e.BeatSequence && b.Age < e.claimed:
		e.claimed = max(0, b.Age)
		return Known
	case b.Sequence <= e.BeatSequence || b.Sequence > LadderLength:
		return Known
	case !e.proves(b):
		return FalseLink
	}
	claimed := max(0, b.Age)
	if e.heard && e.BeatSequence > 0 {
		claimed = min(claimed, e.Age(now)) // made after the one before it: so no relay makes a peer older than it was
	}
	e.BeatSequence, e.link, e.Seen, e.claimed, e.heard = b.Sequence, b.Link, now, claimed, true
	if e.State == Left {
		return Known // it said goodbye in a contact; only a newer contact brings it back
	}
	if e.State == Unheard || e.State == Dead {
		return Revived
	}
	return Advanced
}

// Steps is how many hashes Advance would spend on a beat. The entry may be nil.
func (e *Entry) Steps(low uint16, b Beat) uint64 {
	if e == nil || e.low&0xffff != uint32(low) || b.Sequence <= e.BeatSequence || b.Sequence > LadderLength {
		return 0
	}
	return b.Sequence - e.BeatSequence
}

// SetLate says whether a peer that is alive or late is late now.
func (v *View) SetLate(now time.Time, id pki.ID, late bool) {
	e := v.Get(id)
	e.Since = now
	if late {
		v.turn(e, Late)
	} else {
		v.turn(e, Alive)
	}
}

// Convict makes the peer dead, for a reason: stalled or silent.
func (v *View) Convict(now time.Time, id pki.ID, reason string) {
	e := v.Get(id)
	v.turn(e, Dead)
	e.Since, e.Reason = now, reason
	v.awaits(e)
	v.bury()
}

// Clients counts the client-mode members that have not fallen.
func (v *View) Clients() int { return v.clients }

// Full tells whether a server-mode peer more would need another's place.
func (v *View) Full() bool { return v.Room() <= 0 }

// Room is how many server-mode peers more find a place that is nobody's.
func (v *View) Room() int { return MaxServers - v.live(pki.Server) }

// Look forgets those that fell long ago and those that were never heard, and returns their IDs.
func (v *View) Look(now time.Time) (gone []pki.ID) {
	if !now.After(v.nextGone) {
		return nil
	}
	v.nextGone = now.Add(UnheardLife)
	for _, e := range v.entries {
		if end, ends := e.ends(); ends && now.After(end) {
			gone = append(gone, e.ID)
		} else {
			v.awaits(e)
		}
	}
	for _, id := range gone {
		v.Drop(id)
	}
	return gone
}

// awaits notes when an entry is to be forgotten, unless it makes progress before.
func (v *View) awaits(e *Entry) {
	if end, ends := e.ends(); ends && end.Before(v.nextGone) {
		v.nextGone = end
	}
}

// ends is until when an entry is kept without progress, where there is such a time.
func (e *Entry) ends() (at time.Time, ends bool) {
	switch {
	case e.State == Unheard:
		return e.Since.Add(UnheardLife), true
	case e.State.Fallen():
		return e.Since.Add(Forget), true
	}
	return at, false
}

// Revive makes the peer alive after a beat that Advance called Revived. It returns the state before, and the ID that had to
// make place, if any; where nobody has to and the view is full, the peer stays dead and ok is false.
func (v *View) Revive(now time.Time, id pki.ID) (from State, dropped pki.ID, ok bool) {
	e := v.Get(id)
	from = e.State
	if from == Dead {
		if _, ok := v.room(e.Contact); !ok {
			return from, pki.ID{}, false
		}
		dropped = v.makeRoom(e.Contact)
	}
	v.turn(e, Alive)
	e.Since, e.Reason = now, ""
	return from, dropped, true
}
