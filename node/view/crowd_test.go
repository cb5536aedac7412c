package view

import (
	"slices"
	"testing"
	"time"

	"github.com/g2g-net/g2g/pki"
)

// TestVictimIsThatOfTheRule holds the tree of admissions, which goes along with all comings and goings, to the rule as it is told: looked
// up among all entries anew.
func TestVictimIsThatOfTheRule(t *testing.T) {
	g, random := newGrove(), seeded(1)
	ids, chains := []*pki.Identity{g.root}, []pki.Chain{g.chain}
	for i := range 40 {
		by := random.IntN(len(chains))
		if chains[by].Depth() == pki.MaxDepth {
			by = 0
		}
		ids = append(ids, identity(i))
		chains = append(chains, g.admit(ids[by], chains[by], identity(i).Key(), pki.Server))
	}
	v, now := New(g.root.ID()), start
	found := 0
	for n := range 4000 {
		now = now.Add(10 * time.Millisecond)
		c := invented(n, chains[int(float64(len(chains))*random.Float64()*random.Float64())], now)
		squeezes(t, v, c, 1+n%16)
		if v.Full() {
			if got, want := v.victimFor(c), obviousVictim(v, c); got != want {
				t.Fatalf("contact %d takes the place of %v, want %v", n, got, want)
			} else if got != nil {
				found++
			}
		}
		if v.Judge(now, c) == Newer {
			v.Put(now, c)
		}
		if e := v.Entries()[random.IntN(len(v.Entries()))]; n%3 == 0 {
			switch random.IntN(3) {
			case 0:
				v.Drop(e.ID)
			case 1:
				if !e.State.Fallen() {
					v.Convict(now, e.ID, "silent")
				}
			default:
				if e.State == Dead || e.State == Unheard {
					v.Revive(now, e.ID)
				}
			}
		}
	}
	if found < 100 {
		t.Errorf("only %d found a place in a full view", found)
	}
}

// squeezes holds the choice of who makes place for a contact, while one in so many peers is active, to that in a tree made anew.
func squeezes(t *testing.T, v *View, c *Contact, every int) {
	t.Helper()
	for i, e := range v.entries {
		e.Active = i%every == every/2
	}
	if got, want := v.nearest(c), obviousNearest(v, c); got != want {
		t.Fatalf("%s is squeezed in for %v, want %v", c.Name, got, want)
	}
	for _, e := range v.entries {
		e.Active = false
	}
}

// obviousNearest builds the tree anew, without the active ones.
func obviousNearest(v *View, c *Contact) *Entry {
	var t twig
	for _, e := range v.entries {
		if e.twig != nil && !e.Active {
			like := *e // which has a place in one tree only
			t.grow(pathOf(e.Contact), &like)
		}
	}
	own, p := &t, pathOf(c)
	for depth := 0; depth < p.depth && own.child(p.keys[depth]) != nil; depth++ {
		own = own.child(p.keys[depth])
	}
	if like := own.deepest().foremost(nil); like != nil {
		return v.Get(like.ID)
	}
	return nil
}

func obviousVictim(v *View, c *Contact) *Entry {
	group := slices.DeleteFunc(slices.Clone(v.entries), func(e *Entry) bool { return e.State.Fallen() })
	p := pathOf(c)
	for depth, own := range p.keys[:p.depth] {
		key, size := obviousLargest(group, depth, own)
		if key != own && size <= len(obviousBranch(group, depth, own))+1 {
			return nil
		}
		group = obviousBranch(group, depth, key)
		if key == own {
			continue
		}
		for depth++; len(group) > 1; depth++ {
			if key, size = obviousLargest(group, depth, 0); size <= 1 {
				break
			}
			group = obviousBranch(group, depth, key)
		}
		return slices.MinFunc(group, func(a, b *Entry) int {
			if (a.State == Unheard) != (b.State == Unheard) {
				return map[bool]int{true: -1, false: 1}[a.State == Unheard]
			}
			return a.Seen.Compare(b.Seen)
		})
	}
	return nil
}

func obviousBranch(group []*Entry, depth int, key uint64) (below []*Entry) {
	for _, e := range group {
		if p := pathOf(e.Contact); depth < p.depth && p.keys[depth] == key {
			below = append(below, e)
		}
	}
	return below
}

func obviousLargest(group []*Entry, depth int, preferred uint64) (key uint64, size int) {
	sizes := map[uint64]int{}
	for _, e := range group {
		if p := pathOf(e.Contact); depth < p.depth {
			sizes[p.keys[depth]]++
		}
	}
	key, size = preferred, sizes[preferred]
	for k, n := range sizes {
		if n > size || n == size && key != preferred && k < key {
			key, size = k, n
		}
	}
	return key, size
}
