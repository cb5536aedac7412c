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
// admitted, pushes out its own people before anybody else's.
func (v *View) victimFor(c *Contact) *Entry {
	group := make([]*Entry, 0, MaxServers)
	for _, e := range v.entries {
		if e.Mode == pki.Server && !e.State.Fallen() {
			group = append(group, e)
		}
	}
	var t tally
	p := pathOf(c)
	for depth := range p.depth {
		own := p.keys[depth]
		t.of(group, depth)
		key, size := t.largest(own)
		if key == own {
			group = branch(group, depth, key)
			continue
		}
		if size <= t.size(own)+1 {
			return nil
		}
		return t.deepest(branch(group, depth, key), depth+1)
	}
	return nil
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

// Squeeze drops a peer for a contact that Judge found no place for, if there is one to drop that is not spared: of the newcomer's own
// branch as far down as there are others in it. So whoever is squeezed in costs nobody a place but those whom its own nominators
// admitted, and everybody can be held by somebody, however large the network is.
func (v *View) Squeeze(c *Contact, spared func(pki.ID) bool) (dropped pki.ID, ok bool) {
	group := make([]*Entry, 0, MaxServers)
	for _, e := range v.entries {
		if e.Mode == pki.Server && !e.State.Fallen() && !spared(e.ID) {
			group = append(group, e)
		}
	}
	if len(group) == 0 || c.Mode != pki.Server {
		return pki.ID{}, false
	}
	depth, p := 0, pathOf(c)
	for ; depth < p.depth; depth++ {
		own := branch(slices.Clone(group), depth, p.keys[depth])
		if len(own) == 0 {
			break
		}
		group = own
	}
	var t tally
	victim := t.deepest(group, depth)
	v.Drop(victim.ID)
	return victim.ID, true
}

// branch keeps those of a group that are below a member. It reuses the group's memory.
func branch(group []*Entry, depth int, key uint64) []*Entry {
	kept := group[:0]
	for _, e := range group {
		if depth < e.path.depth && e.path.keys[depth] == key {
			kept = append(kept, e)
		}
	}
	return kept
}

// A tally counts the entries of a group below each member at a depth of their chains. It is a hash table of keys, which is made
// anew for each newcomer in a full view: somebody who makes keys that fall together can have it take MaxServers times as long.
type tally struct {
	slots    [2 * MaxServers]uint16 // where a branch stands in branches, from 1 on; 0 for nowhere
	branches [MaxServers]twigs
	count    int // of branches
}

// twigs are the entries of one branch.
type twigs struct {
	key  uint64 // as in a path
	size int
}

// at is the place of a key in slots, whether it is there or not.
func (t *tally) at(key uint64) int {
	i := int(key>>48) % len(t.slots)
	for t.slots[i] > 0 && t.branches[t.slots[i]-1].key != key {
		i = (i + 1) % len(t.slots)
	}
	return i
}

// of counts a group of at most MaxServers. Those whose chains end above the depth are in no branch.
func (t *tally) of(group []*Entry, depth int) {
	t.slots, t.count = [len(t.slots)]uint16{}, 0
	for _, e := range group {
		if depth >= e.path.depth {
			continue
		}
		i := t.at(e.path.keys[depth])
		if t.slots[i] == 0 {
			t.branches[t.count] = twigs{key: e.path.keys[depth]}
			t.count++
			t.slots[i] = uint16(t.count) //nolint:gosec // at most MaxServers
		}
		t.branches[t.slots[i]-1].size++
	}
}

func (t *tally) size(key uint64) int {
	if k := t.slots[t.at(key)]; k > 0 {
		return t.branches[k-1].size
	}
	return 0
}

// largest finds the branch with the most entries: of equals the preferred one, else the one with the lowest key.
func (t *tally) largest(preferred uint64) (key uint64, size int) {
	key, size = preferred, t.size(preferred)
	for i := range t.branches[:t.count] {
		b := &t.branches[i]
		if b.size > size || b.size == size && key != preferred && b.key < key {
			key, size = b.key, b.size
		}
	}
	return key, size
}

// deepest goes on into the largest branch until one entry is left, or all are alike: then an unheard one goes first, and
// the one that was heard of longest ago.
func (t *tally) deepest(group []*Entry, depth int) *Entry {
	for len(group) > 1 {
		t.of(group, depth)
		key, size := t.largest(0)
		if size <= 1 {
			break
		}
		group, depth = branch(group, depth, key), depth+1
	}
	victim := group[0]
	for _, e := range group[1:] {
		if rather(e, victim) {
			victim = e
		}
	}
	return victim
}

// rather tells whether a makes place rather than b.
func rather(a, b *Entry) bool {
	if (a.State == Unheard) != (b.State == Unheard) {
		return a.State == Unheard
	}
	return a.Seen.Before(b.Seen)
}
