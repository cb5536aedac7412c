package gossip

import (
	"slices"
	"time"

	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

// reserve keeps where members could be reached once, ordered by ID, at most MaxReserve.
type reserve struct {
	entries []Address
	saved   int      // how many were, last
	places  []uint64 // of the entries: how their IDs begin, to find them without a look at each
	dirty   bool
}

func newReserve(saved []Address, now time.Time) reserve {
	var r reserve
	for _, a := range saved {
		if now.Sub(time.Unix(a.Heard, 0)) <= ReserveLife {
			r.entries = append(r.entries, a)
		}
	}
	slices.SortFunc(r.entries, func(a, b Address) int { return a.ID.Compare(b.ID) })
	r.saved = len(r.entries)
	for i := range r.entries {
		r.places = append(r.places, r.entries[i].ID.Prefix())
	}
	return r
}

func (r *reserve) find(id pki.ID) (int, bool) {
	return view.Find(r.places, id, func(i int) pki.ID { return r.entries[i].ID })
}

func (r *reserve) has(id pki.ID) bool {
	_, ok := r.find(id)
	return ok
}

func (r *reserve) addresses(id pki.ID) []string {
	if i, ok := r.find(id); ok {
		return r.entries[i].Addresses
	}
	return nil
}

// keep takes a contact's addresses, lowest epoch and chain. In a full reserve that of a peer that was not heard yet finds no place.
func (r *reserve) keep(now time.Time, c *view.Contact) {
	i, ok := r.find(c.ID)
	switch {
	case ok && slices.Equal(r.entries[i].Addresses, c.Addresses) && r.entries[i].MinEpoch >= c.MinEpoch && r.entries[i].Chain == c.Chain.Hash(),
		len(c.Addresses) == 0, !ok && len(r.entries) >= MaxReserve:
		return
	case ok:
		r.entries[i].Located, r.entries[i].MinEpoch = c.Located(), max(r.entries[i].MinEpoch, c.MinEpoch)
	default:
		r.entries = slices.Insert(r.entries, i, Address{Located: c.Located(), Heard: now.Unix(), MinEpoch: c.MinEpoch})
		r.places = slices.Insert(r.places, i, c.ID.Prefix())
	}
	r.dirty = true
}

// heard notes a proof of life. In a full reserve the one heard longest ago makes place, of those that are not alive now.
func (r *reserve) heard(now time.Time, c *view.Contact, v *view.View) {
	if !r.has(c.ID) && len(r.entries) >= MaxReserve {
		r.evict(v)
	}
	r.keep(now, c)
	if i, ok := r.find(c.ID); ok {
		r.entries[i].Heard = now.Unix()
		r.dirty = true
	}
}

func (r *reserve) evict(v *view.View) {
	oldest := -1
	for k := range r.entries {
		a := &r.entries[k]
		if oldest >= 0 && a.Heard >= r.entries[oldest].Heard {
			continue
		}
		if e := v.Get(a.ID); e == nil || e.State != view.Alive {
			oldest = k
		}
	}
	if oldest >= 0 {
		r.entries = slices.Delete(r.entries, oldest, oldest+1)
		r.places = slices.Delete(r.places, oldest, oldest+1)
	}
}

// few tells whether so few are on the disk that more are to be there at once: at most half of those that are known. It takes a write for each
// doubling. One for each newcomer would take a good part of the start of a node that many come to at once.
func (r *reserve) few() bool {
	return len(r.entries) >= 2*r.saved && r.saved < fewAddresses
}

// list is for the disk: the reserve itself, which whoever keeps it copies.
func (r *reserve) list() []Address {
	r.dirty, r.saved = false, len(r.entries)
	return r.entries
}

// refresh renews the time of every address whose peer is alive, at most once an hour each.
func (r *reserve) refresh(now time.Time, v *view.View) {
	for _, e := range v.Entries() {
		if i, ok := r.find(e.ID); ok && e.State == view.Alive && now.Unix()-r.entries[i].Heard > 3600 {
			r.heard(now, e.Contact, v)
		}
	}
}
