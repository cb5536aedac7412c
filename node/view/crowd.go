package view

import (
	"bytes"
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
func (v *View) live(mode pki.Mode) (n int) {
	for _, e := range v.entries {
		if e.Mode == mode && !e.State.Fallen() {
			n++
		}
	}
	return n
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
	for depth := range c.Chain.Depth() {
		own := c.Chain.Member(depth)
		t.count(group, depth)
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
	depth := 0
	for ; depth < c.Chain.Depth(); depth++ {
		own := branch(slices.Clone(group), depth, c.Chain.Member(depth))
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
func branch(group []*Entry, depth int, key pki.Key) []*Entry {
	return slices.DeleteFunc(group, func(e *Entry) bool { return depth >= e.Chain.Depth() || e.Chain.Member(depth) != key })
}

// A tally counts the entries of a group below each member at a depth of their chains. It is a hash table of keys, which is made
// anew for each newcomer in a full view: somebody who makes keys that fall together can have it take MaxServers times as long.
type tally struct {
	slots [2 * MaxServers]struct {
		key  pki.Key
		size int
	}
}

func (t *tally) at(key pki.Key) int {
	i := int(binary.BigEndian.Uint16(key[:])) % len(t.slots)
	for t.slots[i].size > 0 && t.slots[i].key != key {
		i = (i + 1) % len(t.slots)
	}
	return i
}

// count counts a group of at most MaxServers. Those whose chains end above the depth are in no branch.
func (t *tally) count(group []*Entry, depth int) {
	*t = tally{}
	for _, e := range group {
		if depth < e.Chain.Depth() {
			key := e.Chain.Member(depth)
			i := t.at(key)
			t.slots[i].key = key
			t.slots[i].size++
		}
	}
}

func (t *tally) size(key pki.Key) int { return t.slots[t.at(key)].size }

// largest finds the branch with the most entries: of equals the preferred one, else the one with the lowest key.
func (t *tally) largest(preferred pki.Key) (key pki.Key, size int) {
	key, size = preferred, t.size(preferred)
	for i := range t.slots {
		k, n := &t.slots[i].key, t.slots[i].size
		if n > size || n > 0 && n == size && key != preferred && bytes.Compare(k[:], key[:]) < 0 {
			key, size = *k, n
		}
	}
	return key, size
}

// deepest goes on into the largest branch until one entry is left, or all are alike: then an unheard one goes first, and
// the one that was heard of longest ago.
func (t *tally) deepest(group []*Entry, depth int) *Entry {
	for len(group) > 1 {
		t.count(group, depth)
		key, size := t.largest(pki.Key{})
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
