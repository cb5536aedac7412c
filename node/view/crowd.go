package view

import (
	"slices"

	"github.com/g2g-net/g2g/pki"
)

// lineage is the subjects of a chain from the founder's first member down to the contact's owner.
func lineage(c *Contact) []pki.Key {
	links := c.Chain.Links()
	keys := make([]pki.Key, len(links))
	for i, link := range links {
		keys[i] = link.Subject
	}
	return keys
}

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
	path := lineage(c)
	for depth, own := range path {
		sizes := branches(group, depth)
		key, size := largest(sizes, own)
		if key == own {
			group = branch(group, depth, key)
			continue
		}
		if size <= sizes[own]+1 {
			return nil
		}
		return deepest(branch(group, depth, key), depth+1)
	}
	return nil
}

// branches counts the entries of a group below each member at a depth of their chains. Those that end above are in none.
func branches(group []*Entry, depth int) map[pki.Key]int {
	sizes := make(map[pki.Key]int, len(group))
	for _, e := range group {
		if depth < len(e.lineage) {
			sizes[e.lineage[depth]]++
		}
	}
	return sizes
}

// branch keeps those of a group that are below a member. It reuses the group's memory.
func branch(group []*Entry, depth int, key pki.Key) []*Entry {
	return slices.DeleteFunc(group, func(e *Entry) bool { return depth >= len(e.lineage) || e.lineage[depth] != key })
}

// largest finds the branch with the most entries: of equals the preferred one, else the one with the lowest key.
func largest(sizes map[pki.Key]int, preferred pki.Key) (key pki.Key, size int) {
	key, size = preferred, sizes[preferred]
	for k, n := range sizes { // the order decides nothing: the choice is the least of a total order
		if n > size || n == size && key != preferred && string(k[:]) < string(key[:]) {
			key, size = k, n
		}
	}
	return key, size
}

// deepest goes on into the largest branch until one entry is left, or all are alike: then an unheard one goes first, and
// the one that was heard of longest ago.
func deepest(group []*Entry, depth int) *Entry {
	for len(group) > 1 {
		key, size := largest(branches(group, depth), pki.Key{})
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
