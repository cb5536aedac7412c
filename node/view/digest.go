package view

import (
	"math"
	"slices"
	"time"

	"github.com/g2g-net/g2g/pki"
)

// A Version is what a digest says of one record: a salted hash of its ID, and the low bits of its contact's and its beat's
// sequences. The salt is drawn for each message, so that a collision of two IDs does not last.
type Version struct {
	Hash    uint32
	Contact uint32
	Beat    uint32
}

// SaltedHash shortens an ID for a digest. IDs are hashes already, so mixing eight bytes of them with the salt is enough
// (the finaliser of MurmurHash3, Appleby).
func SaltedHash(salt uint64, id pki.ID) uint32 { return saltedHash(salt, id.Prefix()) }

func saltedHash(salt, prefix uint64) uint32 {
	x := salt ^ prefix
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	x ^= x >> 33
	return uint32(x) //nolint:gosec // 32 bits are meant
}

// Digest lists the versions held, the owner's own first, and the entries in the same places: nil for the owner's. Client-mode
// members are not in it. Both are put into the slices that are given, where these are large enough.
func (v *View) Digest(salt uint64, own *Contact, beat uint64, versions []Version, held []*Entry) ([]Version, []*Entry) {
	versions = slices.Grow(versions[:0], len(v.entries)+1)[:1]
	held = append(slices.Grow(held[:0], len(v.entries)+1), nil)
	versions[0] = Version{SaltedHash(salt, own.ID), own.low(), uint32(beat)} //nolint:gosec // at most LadderLength
	for i, e := range v.Walk() {
		if e.server && len(held) < MaxDigest {
			versions = append(versions, Version{saltedHash(salt, v.places[i]), e.low, uint32(e.BeatSequence)}) //nolint:gosec // at most LadderLength
			held = append(held, e)
		}
	}
	return versions, held
}

// Still is what the view holds now of a peer that it held then, or nil.
func (v *View) Still(e *Entry) *Entry {
	if e != nil && e.gone {
		return v.Get(e.ID)
	}
	return e
}

// A Reader matches a digest of somebody else with the view. A view has one, so that it and what it gives hold until the next digest is read.
type Reader struct {
	v       *View
	salt    uint64
	digest  []Version
	index   index
	places  []int  // in digest, of the view's entries; -1 for none
	changes uint64 // of the view, that places counts for
	most    int    // contacts that the delta has of those that are not in the digest

	held  []*Entry // room for what it gives
	fresh []freshEntry
	order []uint64
	delta Delta
}

// An index finds the places of a digest by their hashes: open addressing, about half full at most. Where its sender chose hashes that fall
// together a look at each costs as long as the digest is, and no longer.
type index struct {
	slots [1024]uint16 // places in the digest, from 1 on; 0 for none
	keys  int          // different hashes
}

// slot is where a hash stands, or would.
func (x *index) slot(digest []Version, hash uint32) *uint16 {
	for i := hash; ; i++ {
		s := &x.slots[i%uint32(len(x.slots))]
		if *s == 0 || digest[*s-1].Hash == hash {
			return s
		}
	}
}

// fill takes the digest. Of equal hashes the last counts.
func (x *index) fill(digest []Version) {
	for i := range digest[:min(len(digest), MaxDigest)] {
		s := x.slot(digest, digest[i].Hash)
		if *s == 0 {
			x.keys++
		}
		*s = uint16(i + 1)
	}
}

// Read makes a Reader of a digest.
func (v *View) Read(salt uint64, digest []Version) *Reader {
	r := &v.reader
	r.v, r.salt, r.digest, r.most = v, salt, digest, MaxDigest
	r.index, r.places = index{}, r.places[:0]
	r.index.fill(digest)
	r.match()
	return r
}

// match looks every entry up once, for all that is asked of the reader while nobody comes and goes.
func (r *Reader) match() []int {
	if len(r.places) == len(r.v.entries) && r.changes == r.v.changes {
		return r.places
	}
	r.places, r.changes = sized(r.places, len(r.v.entries)), r.v.changes
	r.v.Walk()
	for k, prefix := range r.v.places {
		r.places[k] = r.place(prefix)
	}
	return r.places
}

// place is where in the digest an ID is that begins so, or -1.
func (r *Reader) place(prefix uint64) int {
	return int(*r.index.slot(r.digest, saltedHash(r.salt, prefix))) - 1
}

// Entries are those of the digest's places: nil where nothing is held of one.
func (r *Reader) Entries() []*Entry {
	r.held = sized(r.held, len(r.digest))
	clear(r.held)
	for k, i := range r.match() {
		if i >= 0 {
			r.held[i] = r.v.entries[k]
		}
	}
	return r.held
}

// sized gives a slice another length, and keeps its memory where that is enough.
func sized[T any](s []T, n int) []T { return slices.Grow(s[:0], n)[:n] }

// Lacks tells whether the digest holds a contact that the view does not, so that asking its sender is worth a call.
// Places where the view holds nothing count only up to the view's bound.
func (r *Reader) Lacks() bool {
	known := 0
	for k, i := range r.match() {
		if i < 0 {
			continue
		}
		known++
		if int32(r.digest[i].Contact-r.v.entries[k].low) > 0 { //nolint:gosec // serial number arithmetic (RFC 1982)
			return true
		}
	}
	if r.place(r.v.self.Prefix()) >= 0 {
		known++
	}
	return known < r.index.keys && r.v.live(pki.Server) < MaxServers
}

// Strangers bounds how many contacts the delta has of those that are not in the digest.
func (r *Reader) Strangers(most int) { r.most = most }

// Delta is what a digest lacks.
type Delta struct {
	Beats    []Beat
	Places   []int    // of Beats: in the digest, or from its length on in Contacts
	Low      []uint16 // of Beats: low bits of the contact's sequence
	Contacts []*Contact
	More     bool // there are more contacts
}

// Delta gathers what the digest lacks of the owner's own record and of every server-mode peer that has not fallen: at most
// beats beats, those that advanced last first, and contacts contacts of bytes bytes together, beginning at a random place so
// that none waits for ever.
// A peer that left is told too, as long as it is kept: its goodbye is a contact. So is the digest's own sender, at the first
// place: one that came back from a backup learns from its own newer contact what to go on from. A contact past its life is
// told to nobody: with another's clock the whole message would be refused for it.
func (r *Reader) Delta(now time.Time, own *Entry, beats, contacts, bytes, start int) Delta {
	d := Delta{Beats: r.delta.Beats[:0], Places: r.delta.Places[:0], Low: r.delta.Low[:0]}
	fresh := r.fresh[:0]
	entries, places, strangers := r.v.entries, r.match(), 0
	for k := -1; k < len(entries); k++ {
		e, i := own, -1
		if k >= 0 {
			at := (k + start) % len(entries)
			e, i = entries[at], places[at]
		} else if own != nil {
			i = r.place(own.ID.Prefix())
		}
		if e == nil || !e.server {
			continue
		}
		ok := i >= 0
		if (e.State == Dead || e.State == Unheard) && (!ok || i != 0) {
			continue
		}
		if ok && e.low == r.digest[i].Contact && e.BeatSequence <= uint64(r.digest[i].Beat) || !e.Current(now) {
			continue // most are known: only what is told needs to be current
		}
		switch {
		case !ok && (e.State == Left || strangers == r.most): // a goodbye is of no use to somebody who never knew its owner
		case !ok || int32(e.low-r.digest[i].Contact) > 0: //nolint:gosec // serial number arithmetic (RFC 1982)
			if len(d.Contacts) < contacts && len(d.Beats) < beats && bytes >= e.Size() {
				d.add(now, e, len(r.digest)+len(d.Contacts))
				d.Contacts = append(d.Contacts, e.Contact)
				bytes -= e.Size()
				if !ok {
					strangers++
				}
			} else {
				d.More = true
			}
		case e.low == r.digest[i].Contact && e.BeatSequence > uint64(r.digest[i].Beat) && e.State != Left:
			fresh = append(fresh, freshEntry{e, i})
		}
	}
	r.fresh = fresh
	for _, k := range r.latest(now) {
		if len(d.Beats) < beats {
			d.add(now, fresh[k%MaxDigest].Entry, fresh[k%MaxDigest].place)
		}
	}
	r.delta = d
	return d
}

// freshEntry is one whose beat the digest lacks, with its place there.
type freshEntry struct {
	*Entry
	place int
}

// latest orders what is fresh: those that advanced last first, of those that did together the one found first. A number modulo MaxDigest is a place
// among them, of which there are no more.
func (r *Reader) latest(now time.Time) []uint64 {
	order := r.order[:0]
	for k, e := range r.fresh {
		ago := min(max(0, now.Sub(e.Seen)), math.MaxInt64/MaxDigest)
		order = append(order, uint64(ago)*MaxDigest+uint64(k))
	}
	slices.Sort(order)
	r.order = order
	return order
}

func (d *Delta) add(now time.Time, e *Entry, place int) {
	if e.BeatSequence == 0 {
		return
	}
	d.Beats = append(d.Beats, e.Beat(now))
	d.Places = append(d.Places, place)
	d.Low = append(d.Low, uint16(e.low)) //nolint:gosec // low bits are meant
}
