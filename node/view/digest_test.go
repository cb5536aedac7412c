package view

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/g2g-net/g2g/pki"
)

// TestSalt: the same ID has another hash under another salt, and two IDs that meet under one salt part under the next.
func TestSalt(t *testing.T) {
	r := seeded(1)
	ids := make([]pki.ID, 20_000)
	for i := range ids {
		ids[i] = identityless(r)
	}
	var met [][2]pki.ID
	for salt := range uint64(4) {
		seen := map[uint32]pki.ID{}
		for _, id := range ids {
			h := SaltedHash(salt, id)
			if other, ok := seen[h]; ok {
				met = append(met, [2]pki.ID{id, other})
			}
			seen[h] = id
		}
	}
	if len(met) > 4 { // 20,000^2 / 2 / 2^32 = 0.05 are expected in each round
		t.Errorf("%d of %d IDs met", len(met), len(ids))
	}
	for _, pair := range met {
		if SaltedHash(77, pair[0]) == SaltedHash(77, pair[1]) {
			t.Error("two IDs meet under two salts")
		}
	}
	if SaltedHash(1, ids[0]) == SaltedHash(2, ids[0]) {
		t.Error("the salt changes nothing")
	}
}

func identityless(r *rand.Rand) (id pki.ID) {
	for i := range id {
		id[i] = byte(r.Uint32())
	}
	return id
}

// A cell is one peer in two views: what the teller has and what the asker has.
type cell struct {
	told, asked uint64 // contact sequence; 0 for none
	beat, known uint64
	state       State
	client      bool
}

// lacks says by the obvious rule what the teller tells of the cell: "contact", "beat" or nothing.
func (c cell) lacks() string {
	switch {
	case c.told == 0 || c.client || c.state == Dead || c.state == Unheard:
		return ""
	case c.asked == 0 && c.state == Left:
		return ""
	case c.asked < c.told:
		return "contact"
	case c.asked == c.told && c.beat > c.known && c.state != Left:
		return "beat"
	}
	return ""
}

// TestDelta holds Delta, with bounds that do not bind, against the obvious rule, cell by cell and in random crowds.
func TestDelta(t *testing.T) {
	g := newGrove()
	var cells []cell
	for _, told := range []uint64{0, 5, math.MaxUint32, math.MaxUint32 + 2} {
		for _, asked := range []uint64{0, 4, 5, 6, math.MaxUint32, math.MaxUint32 + 1, math.MaxUint32 + 2} {
			if told != 0 && asked != 0 && max(told, asked)-min(told, asked) > math.MaxInt32 {
				continue // more apart than serial arithmetic can tell
			}
			for state := Unheard; state <= Left; state++ {
				for _, beats := range [][2]uint64{{0, 0}, {1, 0}, {2, 2}, {2, 3}} {
					cells = append(cells, cell{told, asked, beats[0], beats[1], state, len(cells)%5 == 0})
				}
			}
		}
	}
	writers := make([]*writer, 60)
	for i := range writers {
		writers[i] = g.writer(i, pki.Server)
	}
	r := seeded(2)
	for range 100 {
		crowd := map[pki.ID]cell{}
		teller, asker := New(pki.ID{1}), New(pki.ID{2})
		for _, w := range writers {
			c := cells[r.IntN(len(cells))]
			crowd[w.id.ID()] = c
			c.fill(w, teller, asker)
		}
		salt := r.Uint64()
		own := &Contact{ID: pki.ID{2}, Sequence: 9}
		digest, held := asker.Digest(salt, own, 3, nil, nil)
		got := tell(teller.Read(salt, digest).Delta(start, nil, 1000, 1000, 1<<20, r.IntN(60)), held)
		for id, c := range crowd {
			if want := c.lacks(); got[id] != want {
				t.Errorf("%+v: told %q, lacks %q", c, got[id], want)
			}
		}
	}
}

// fill puts what the cell says into both views, past the judge.
func (c cell) fill(w *writer, teller, asker *View) {
	mode := pki.Server
	if c.client {
		mode = pki.Client
	}
	add := func(v *View, sequence, beat uint64, state State) {
		e, _ := v.Put(start, w.contact(sequence, func(c *Contact) { c.Mode = mode }))
		e.BeatSequence = beat
		v.turn(e, state)
	}
	if c.told > 0 {
		add(teller, c.told, c.beat, c.state)
	}
	if c.asked > 0 {
		add(asker, c.asked, c.known, Alive)
	}
}

// tell lists what a delta says of whom.
func tell(d Delta, held []*Entry) map[pki.ID]string {
	said := map[pki.ID]string{}
	for i, b := range d.Beats {
		if place := d.Places[i]; place < len(held) {
			said[held[place].ID] = "beat"
		} else if c := d.Contacts[place-len(held)]; b.Sequence == 0 || uint64(d.Low[i]) != c.Sequence&0xffff {
			said[c.ID] = fmt.Sprintf("beat %d of low %d with contact %d", b.Sequence, d.Low[i], c.Sequence)
		}
	}
	for _, c := range d.Contacts {
		said[c.ID] += "contact"
	}
	return said
}

// TestDeltaIsBounded: no more than asked for, each in its turn, those that advanced last first.
func TestDeltaIsBounded(t *testing.T) {
	g := newGrove()
	teller, asker := New(pki.ID{1}), New(pki.ID{2})
	for i := range 40 {
		w := g.writer(i, pki.Server)
		for _, v := range []*View{teller, asker}[:1+i%2] {
			put(t, v, start, w.contact(1))
		}
		hear(t, teller, start.Add(time.Duration(i)*time.Second), w.contact(1), w.beat(1), Revived)
	}
	digest, held := asker.Digest(7, &Contact{ID: pki.ID{2}}, 0, nil, nil)
	told := map[pki.ID]bool{}
	for at := range 40 {
		d := teller.Read(7, digest).Delta(start.Add(time.Minute), nil, 10, 3, 1<<20, at)
		if len(d.Contacts) != 3 || len(d.Beats) != 10 || len(d.Places) != 10 || len(d.Low) != 10 {
			t.Fatalf("%d contacts, %d beats", len(d.Contacts), len(d.Beats))
		}
		for _, c := range d.Contacts {
			told[c.ID] = true
		}
		for i := 3; i < 9; i++ {
			if a, b := teller.Get(held[d.Places[i]].ID), teller.Get(held[d.Places[i+1]].ID); a.Seen.Before(b.Seen) {
				t.Error("an older beat stands before a fresher one")
			}
		}
	}
	if len(told) != 20 {
		t.Errorf("in 40 turns %d of 20 contacts were told", len(told))
	}
	if d := teller.Read(7, digest).Delta(start, nil, 0, 3, 1<<20, 0); len(d.Beats)+len(d.Contacts) > 0 {
		t.Error("a delta without room for a beat has some")
	}
}

// TestDeltaOfOwn: the owner's record is told like any other, its goodbye too; contacts past their life are not; a sender whose own
// record is older than what is held of it is told, dead or not.
func TestDeltaOfOwn(t *testing.T) {
	g := newGrove()
	w, asker := g.writer(1, pki.Server), g.writer(2, pki.Server)
	v := New(w.id.ID())
	put(t, v, start, asker.contact(5))
	v.turn(v.Get(asker.id.ID()), Dead)
	for _, c := range []struct {
		now    time.Time
		own    *Contact
		digest []Version
		want   string
	}{
		{start, w.contact(9), nil, "own"},
		{start, w.contact(9, left), nil, "own"},
		{start.Add(73 * time.Hour), w.contact(9), nil, ""},
		{start, w.contact(9), []Version{{SaltedHash(0, asker.id.ID()), 5, 0}}, "own"},
		{start, w.contact(9), []Version{{SaltedHash(0, asker.id.ID()), 4, 0}}, "own asker"},
		{start, w.contact(9), []Version{{SaltedHash(0, w.id.ID()), 9, 1}, {SaltedHash(0, asker.id.ID()), 4, 0}}, ""},
	} {
		own := OwnEntry(c.own, w.beat(1), start)
		d := v.Read(0, c.digest).Delta(c.now, &own, 9, 9, 1<<20, 0)
		var got []string
		for _, told := range d.Contacts {
			got = append(got, map[pki.ID]string{w.id.ID(): "own", asker.id.ID(): "asker"}[told.ID])
		}
		if slices.Sort(got); strings.Join(got, " ") != c.want && strings.Join(got, " ") != strings.Join(reversed(c.want), " ") {
			t.Errorf("told %q, want %q", got, c.want)
		}
	}
}

func reversed(s string) []string {
	words := strings.Fields(s)
	slices.Reverse(words)
	return words
}

// TestLacks: asking back is worth a call only where the digest holds something newer, or something unknown that there is room for.
func TestLacks(t *testing.T) {
	g := newGrove()
	w, self, other := g.writer(1, pki.Server), g.writer(2, pki.Server), g.writer(3, pki.Server)
	v := New(self.id.ID())
	put(t, v, start, w.contact(math.MaxUint32))
	at := func(w *writer, sequence uint32) Version { return Version{SaltedHash(3, w.id.ID()), sequence, 0} }
	for _, c := range []struct {
		digest []Version
		want   bool
	}{
		{nil, false},
		{[]Version{at(w, math.MaxUint32)}, false},
		{[]Version{at(w, math.MaxUint32-1)}, false},
		{[]Version{at(w, 0)}, true},        // one later, past the wrap
		{[]Version{at(w, 1<<31-2)}, true},  // as far ahead as can be told
		{[]Version{at(w, 1<<31-1)}, false}, // one more is behind
		{[]Version{at(w, math.MaxUint32), at(self, 1)}, false},
		{[]Version{at(other, 1)}, true},
		{[]Version{at(w, math.MaxUint32), at(w, math.MaxUint32)}, false},
	} {
		if got := v.Read(3, c.digest).Lacks(); got != c.want {
			t.Errorf("%v: %t", c.digest, got)
		}
	}
	for i := range MaxServers {
		v.Put(start, invented(i, g.chain, start))
	}
	if v.Read(3, []Version{at(other, 1)}).Lacks() {
		t.Error("a full view asks for more")
	}
}

// What has no place in the bytes of an answer waits, and the answer says that there is more.
func TestDeltaIsBoundedInBytes(t *testing.T) {
	g := newGrove()
	v := New(pki.ID{1})
	size := 0
	for i := range 5 {
		w := g.writer(i, pki.Server)
		c := w.contact(1)
		c.Sealed.Payload = make([]byte, 1000)
		v.Put(start, c)
		if size = c.Size(); size < 1000 {
			t.Fatalf("a contact of %d bytes", size)
		}
		v.Advance(start, c.ID, uint16(c.Sequence), w.beat(1))
		if _, _, ok := v.Revive(start, c.ID); !ok {
			t.Fatal("not alive")
		}
	}
	for want := range 6 {
		d := v.Read(1, []Version{{Hash: 1}}).Delta(start, nil, 10, 10, want*size+size-1, 2)
		if len(d.Contacts) != want || d.More != (want < 5) {
			t.Errorf("%d contacts where %d fit, more: %t", len(d.Contacts), want, d.More)
		}
	}
}

// TestStrangers: a digest whose sender has little place is told what is newer of those in it, and of as few others as it is said.
func TestStrangers(t *testing.T) {
	g, v := newGrove(), New(pki.ID{1})
	known := g.writer(0, pki.Server)
	newer := known.contact(2)
	put(t, v, start, newer)
	hear(t, v, start, newer, known.beat(1), Revived)
	for i := range 3 {
		w := g.writer(1+i, pki.Server)
		put(t, v, start, w.contact(1))
		hear(t, v, start, w.contact(1), w.beat(1), Revived)
	}
	r := v.Read(7, []Version{{Hash: SaltedHash(7, newer.ID), Contact: 1}})
	if d := r.Delta(start, nil, 9, 9, 1<<20, 0); len(d.Contacts) != 4 {
		t.Errorf("%d contacts, want all", len(d.Contacts))
	}
	for n := range 3 {
		r.Strangers(n)
		d := r.Delta(start, nil, 9, 9, 1<<20, 0)
		if len(d.Contacts) != 1+n || !slices.Contains(d.Contacts, newer) || d.More {
			t.Errorf("%d strangers allowed: %d contacts, more: %t", n, len(d.Contacts), d.More)
		}
	}
}
