package view

import (
	"encoding/binary"

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
// admitted, pushes out its own people before anybody else's.
func (v *View) victimFor(c *Contact) *Entry {
	t, p := &v.crowd, pathOf(c)
	for depth := range p.depth {
		own := t.child(p.keys[depth])
		largest := t.largest(own)
		switch {
		case largest == nil:
			return nil
		case largest == own:
			t = own
		case largest.size <= own.count()+1:
			return nil
		default:
			return largest.gives()
		}
	}
	return nil
}

// gives is the entry of a branch that makes place for another: of the deepest place at which there is one that does.
func (t *twig) gives() *Entry {
	for d := t.deepest(); ; d = d.above {
		if victim := d.foremost(nil); victim != nil || d == t {
			return victim
		}
	}
}

// foremost is the entry of a branch that makes place first: an unheard one, then the one that was heard of longest ago. Active ones do not.
func (t *twig) foremost(victim *Entry) *Entry {
	for e := t.first; e != nil; e = e.beside {
		if !e.Active && (victim == nil || rather(e, victim)) {
			victim = e
		}
	}
	for o := t.below; o != nil; o = o.beside {
		victim = o.foremost(victim)
	}
	return victim
}

// rather tells whether a makes place rather than b.
func rather(a, b *Entry) bool {
	if (a.State == Unheard) != (b.State == Unheard) {
		return a.State == Unheard
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
	return own.deepest().foremost(nil)
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
	key    uint64 // the beginning of the member's
	size   int    // entries whose chains go through it
	above  *twig  // nil above all
	below  *twig  // the first of those whom the member admitted
	beside *twig  // the next that was admitted by the same
	first  *Entry // of those whose chains end here, most often the only one
}

// grow puts an entry in, and gives its place.
func (t *twig) grow(p path, e *Entry) *twig {
	t.size++
	for _, key := range p.keys[:p.depth] {
		next := t.child(key)
		if next == nil {
			next = &twig{key: key, above: t, beside: t.below}
			t.below = next
		}
		t = next
		t.size++
	}
	e.beside, t.first = t.first, e
	return t
}

// shed takes an entry out that has its place here.
func (t *twig) shed(e *Entry) {
	at := &t.first
	for *at != e {
		at = &(*at).beside
	}
	*at, e.beside = e.beside, nil
	for t.size--; t.above != nil; t.size-- {
		last := t
		if t = t.above; last.size == 0 {
			t.drop(last)
		}
	}
}

// drop takes out one of those below.
func (t *twig) drop(gone *twig) {
	at := &t.below
	for *at != gone {
		at = &(*at).beside
	}
	*at = gone.beside
}

// child is the place of a key below, or nil.
func (t *twig) child(key uint64) *twig {
	for o := t.below; o != nil; o = o.beside {
		if o.key == key {
			return o
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

// largest is the place below with the most entries: of equals the preferred one, else the one with the lowest key. There may be none.
func (t *twig) largest(preferred *twig) *twig {
	best := preferred
	for o := t.below; o != nil; o = o.beside {
		if o.size > best.count() || o.size == best.count() && best != preferred && o.key < best.key {
			best = o
		}
	}
	return best
}

// deepest goes on into the largest branch until one entry is left, or all are alike.
func (t *twig) deepest() *twig {
	for t.size > 1 {
		next := t.largest(nil)
		if next.count() <= 1 {
			break
		}
		t = next
	}
	return t
}
