package view

import (
	"encoding/binary"
	"slices"

	"github.com/g2g-net/g2g/pki"
)

// room tells whether one more live record fits, and which entry has to make place for it. A contact that says goodbye
// goes to the fallen, where the oldest makes place.
func (v *View) room(c *Contact) (victim *Entry, ok bool) {
	switch {
	case c.Left:
		return nil, true
	case c.Mode == pki.Client:
		return nil, v.live(pki.Client) < MaxClients
	case v.live(pki.Server) < MaxServers:
		return nil, true
	}
	victim = v.victimFor(c)
	return victim, victim != nil
}

// live counts the records of a mode that have not fallen.
func (v *View) live(mode pki.Mode) int {
	if mode == pki.Server {
		return v.servers
	}
	return v.clients
}

// victimFor chooses whom a newcomer replaces in a full view, or nobody. It goes down the tree of admissions: as long as the
// newcomer's own branch is the largest of its siblings, whoever makes place is in that branch; the first branch that is
// larger than the newcomer's by two gives the victim. So one member that admits thousands, itself or through those it
// admitted, pushes out its own people before anybody else's. Of branches that are alike a view prefers some to others, by a rank
// that nobody else knows: so who came first has no better place than who came last.
func (v *View) victimFor(c *Contact) *Entry {
	t, p := &v.crowd, pathOf(c)
	for _, key := range p.keys[:p.depth] {
		own := t.child(key)
		if largest := v.largest(t, own); largest != own || own == nil {
			return v.otherwise(t, key, own.count())
		}
		t = own
	}
	return v.otherwise(t, t.key, len(t.entries))
}

// otherwise is the victim among the branches of a place, for one of them that has so many entries and is not the largest.
func (v *View) otherwise(t *twig, key uint64, count int) *Entry {
	largest := v.largest(t, nil)
	if largest.count() > count+1 {
		return v.gives(largest)
	}
	victim := v.alike(t, key, count+1)
	if victim != nil && v.untried() >= maxUntried {
		return nil
	}
	return victim
}

// alike is the victim of the least preferred of the branches of a place that are of a size, if it is less so than the newcomer's.
func (v *View) alike(t *twig, key uint64, size int) (victim *Entry) {
	least := v.rank(key)
	for _, o := range t.below {
		if rank := v.rank(o.key); o.size == size && rank > least {
			if e := v.gives(o.twig); e != nil {
				victim, least = e, rank
			}
		}
	}
	if len(t.entries) == size && v.rank(t.key) > least { // whoever admitted them is one of them
		if e := v.foremost(&twig{key: t.key, entries: t.entries}); e != nil {
			victim = e
		}
	}
	return victim
}

// rank is how much a view would rather do without a branch than without others that are alike.
func (v *View) rank(key uint64) uint32 {
	if v.draw != nil {
		v.salt, v.draw = v.draw(), nil
	}
	return saltedHash(v.salt, key)
}

// untried counts the peers of which no beat has come yet.
func (v *View) untried() (n int) {
	for _, e := range v.entries {
		if e.State == Unheard && e.server {
			n++
		}
	}
	return n
}

// gives is the entry of a branch that makes place for another: of the deepest place at which there is one that does.
func (v *View) gives(t *twig) *Entry {
	for d := v.deepest(t); ; d = d.above {
		if victim := v.foremost(d); victim != nil || d == t {
			return victim
		}
	}
}

// foremost is the entry of a branch that makes place first: an unheard one, then one of the least preferred branch below it. Active ones
// do not.
func (v *View) foremost(t *twig) (victim *Entry) {
	var least uint32
	consider := func(e *Entry, rank uint32) {
		if !e.Active && (victim == nil || rather(e, rank, victim, least)) {
			victim, least = e, rank
		}
	}
	for _, e := range t.entries {
		consider(e, v.rank(t.key))
	}
	for _, o := range t.below {
		rank := v.rank(o.key)
		o.each(func(e *Entry) { consider(e, rank) })
	}
	return victim
}

// each walks over the entries of a branch.
func (t *twig) each(f func(*Entry)) {
	for _, e := range t.entries {
		f(e)
	}
	for _, o := range t.below {
		o.each(f)
	}
}

// rather tells whether a makes place rather than b.
func rather(a *Entry, rankA uint32, b *Entry, rankB uint32) bool {
	if (a.State == Unheard) != (b.State == Unheard) {
		return a.State == Unheard
	}
	if rankA != rankB {
		return rankA > rankB
	}
	if c := a.Seen.Compare(b.Seen); c != 0 {
		return c < 0
	}
	return a.ID.Compare(b.ID) < 0
}

// Squeeze drops a peer for a contact that Judge found no place for, if there is one to drop that is not active: of the newcomer's own
// branch as far down as there are others in it. So whoever is squeezed in costs nobody a place but those whom its own nominators
// admitted, and everybody can be held by somebody, however large the network is.
func (v *View) Squeeze(c *Contact) (dropped pki.ID, ok bool) {
	if c.Mode != pki.Server {
		return pki.ID{}, false
	}
	victim := v.nearest(c)
	if victim == nil {
		return pki.ID{}, false
	}
	v.Drop(victim.ID)
	return victim.ID, true
}

// nearest is the entry that is not active and comes first to make place, in the deepest branch of a newcomer's own that has such ones.
func (v *View) nearest(c *Contact) *Entry {
	v.weighActive(-1)
	defer v.weighActive(1)
	own, p := &v.crowd, pathOf(c)
	for _, key := range p.keys[:p.depth] {
		next := own.child(key)
		if next.count() == 0 {
			break
		}
		own = next
	}
	return v.foremost(v.deepest(own))
}

// weighActive takes the active peers out of the sizes of the tree, or puts them back.
func (v *View) weighActive(by int) {
	for _, e := range v.entries {
		if e.Active {
			for t := e.twig; t != nil; t = t.above {
				t.size += by
			}
		}
	}
}

// A path is how the keys of a contact's chain begin, as numbers, from the founder's own member down. The bytes left out are more than
// anybody can find another key for.
type path struct {
	keys  [pki.MaxDepth]uint64
	depth int
}

func pathOf(c *Contact) (p path) {
	p.depth = c.Chain.Depth()
	for i := range p.depth {
		key := c.Chain.Member(i)
		p.keys[i] = binary.BigEndian.Uint64(key[:])
	}
	return p
}

// A twig is a place in the tree of admissions: that of a member, or above all of them. The tree has those that some entry's chain goes
// through, of the server-mode entries that have not fallen: so it is MaxServers x pki.MaxDepth large at most.
type twig struct {
	key     uint64
	size    int   // entries whose chains go through it
	above   *twig // nil above all
	below   []offshoot
	entries []*Entry // whose chains end here
}

// An offshoot is a member that another admitted, with the beginning of its key.
type offshoot struct {
	key uint64
	*twig
}

// grow puts an entry in, and gives its place.
func (t *twig) grow(p path, e *Entry) *twig {
	t.size++
	for _, key := range p.keys[:p.depth] {
		next := t.child(key)
		if next == nil {
			next = &twig{key: key, above: t}
			t.below = append(t.below, offshoot{key, next})
		}
		t = next
		t.size++
	}
	t.entries = append(t.entries, e)
	return t
}

// shed takes an entry out that has its place here.
func (t *twig) shed(e *Entry) {
	t.entries = slices.DeleteFunc(t.entries, func(other *Entry) bool { return other == e })
	for last := t; t != nil; last, t = t, t.above {
		if t.size--; last != t && last.size == 0 {
			t.below = slices.DeleteFunc(t.below, func(o offshoot) bool { return o.twig == last })
		}
	}
}

// child is the place of a key below, or nil.
func (t *twig) child(key uint64) *twig {
	for i := range t.below {
		if t.below[i].key == key {
			return t.below[i].twig
		}
	}
	return nil
}

// count is the size; that of nil is 0.
func (t *twig) count() int {
	if t == nil {
		return 0
	}
	return t.size
}

// largest is the branch with the most entries: of equals the one given, else the least preferred. There may be none.
func (v *View) largest(t, given *twig) *twig {
	best, least := given, uint32(0)
	for _, o := range t.below {
		if o.size < best.count() || o.size == best.count() && best == given && given != nil {
			continue
		}
		if rank := v.rank(o.key); o.size > best.count() || rank > least {
			best, least = o.twig, rank
		}
	}
	return best
}

// deepest goes on into the largest branch until one entry is left, or all are alike.
func (v *View) deepest(t *twig) *twig {
	for t.size > 1 {
		next := v.largest(t, nil)
		if next.count() <= 1 {
			break
		}
		t = next
	}
	return t
}
