package view

import (
	"cmp"
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
	v.Prefer(random.Uint64)
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
			e, _ := v.Put(now, c)
			v.turn(e, State(min(n%20, 1))) // a beat of most comes
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
	t := &twig{}
	for _, e := range v.entries {
		if e.twig != nil && !e.Active {
			t.grow(pathOf(e.Contact), e)
		}
	}
	own, p := t, pathOf(c)
	for depth := 0; depth < p.depth && own.child(p.keys[depth]) != nil; depth++ {
		own = own.child(p.keys[depth])
	}
	return v.foremost(v.deepest(own))
}

func obviousVictim(v *View, c *Contact) *Entry {
	group := slices.DeleteFunc(slices.Clone(v.entries), func(e *Entry) bool { return e.State.Fallen() })
	p := pathOf(c)
	own, depth := p.keys[0], 0
	for ; depth < p.depth; depth++ {
		own = p.keys[depth]
		if _, most := obviousLargest(v, group, depth); most == 0 || len(obviousBranch(group, depth, own)) < most {
			break
		}
		group = obviousBranch(group, depth, own)
	}
	here := slices.DeleteFunc(slices.Clone(group), func(e *Entry) bool { return pathOf(e.Contact).depth != depth })
	count := len(here)
	if depth < p.depth {
		count = len(obviousBranch(group, depth, own))
	}
	key, most := obviousLargest(v, group, depth)
	if most > count+1 {
		return obviousGives(v, obviousBranch(group, depth, key), depth+1)
	}
	unheard := 0
	for _, e := range v.entries {
		unheard += map[State]int{Unheard: 1}[e.State]
	}
	if unheard >= maxUntried {
		return nil
	}
	var victim *Entry
	least := v.rank(own)
	for key, size := range obviousSizes(group, depth) {
		if size == count+1 && v.rank(key) > least {
			victim, least = obviousGives(v, obviousBranch(group, depth, key), depth+1), v.rank(key)
		}
	}
	if len(here) == count+1 && v.rank(pathOf(here[0].Contact).keys[depth-1]) > least {
		victim = obviousGives(v, here, depth)
	}
	return victim
}

func obviousGives(v *View, group []*Entry, depth int) *Entry {
	for ; len(group) > 1; depth++ {
		key, size := obviousLargest(v, group, depth)
		if size <= 1 {
			break
		}
		group = obviousBranch(group, depth, key)
	}
	return slices.MinFunc(group, func(a, b *Entry) int {
		if (a.State == Unheard) != (b.State == Unheard) {
			return map[bool]int{true: -1, false: 1}[a.State == Unheard]
		}
		rank := func(e *Entry) uint32 { p := pathOf(e.Contact); return v.rank(p.keys[min(depth, p.depth-1)]) }
		return cmp.Or(cmp.Compare(rank(b), rank(a)), a.Seen.Compare(b.Seen))
	})
}

func obviousBranch(group []*Entry, depth int, key uint64) (below []*Entry) {
	for _, e := range group {
		if p := pathOf(e.Contact); depth < p.depth && p.keys[depth] == key {
			below = append(below, e)
		}
	}
	return below
}

func obviousSizes(group []*Entry, depth int) map[uint64]int {
	sizes := map[uint64]int{}
	for _, e := range group {
		if p := pathOf(e.Contact); depth < p.depth {
			sizes[p.keys[depth]]++
		}
	}
	return sizes
}

func obviousLargest(v *View, group []*Entry, depth int) (key uint64, size int) {
	for k, n := range obviousSizes(group, depth) {
		if n > size || n == size && v.rank(k) > v.rank(key) {
			key, size = k, n
		}
	}
	return key, size
}

// Whom a full view holds of many that one member admitted does not depend on who came first, and nobody is taken and dropped again and
// again: it is the view's own choice, another one in each view.
func TestFullViewPrefersNobodyForComingFirst(t *testing.T) {
	g := newGrove()
	const count = 3 * MaxServers
	chains := g.chains(g.root, g.chain, 0, count, pki.Server)
	told := func(v *View, n int) bool {
		c := invented(n, chains[n], start)
		if v.Get(c.ID) != nil || v.Judge(start, c) != Newer {
			return false
		}
		e, _ := v.Put(start, c)
		v.turn(e, Alive)
		return true
	}
	var before []pki.ID
	for seed := range uint64(5) {
		first, last := New(g.root.ID()), New(g.root.ID())
		first.Prefer(seeded(seed).Uint64)
		last.Prefer(seeded(seed).Uint64)
		for n := range count {
			told(first, n)
			told(last, count-1-n)
		}
		if !slices.Equal(first.IDs(), last.IDs()) {
			t.Fatal("who came first is preferred")
		}
		for n := range count {
			if told(first, n) {
				t.Fatalf("%d is taken again", n)
			}
		}
		if slices.Equal(first.IDs(), before) {
			t.Error("two views hold the same")
		}
		before = slices.Clone(first.IDs())
	}
}

// The attack: a member tells contacts of those that went away long ago. While no beats of some come, nobody who lives makes place for more.
func TestFewMakePlaceForTheUnheard(t *testing.T) {
	g := newGrove()
	chains := g.chains(g.root, g.chain, 0, 4*MaxServers, pki.Server)
	v := New(g.root.ID())
	v.Prefer(seeded(1).Uint64)
	for n, chain := range chains {
		c := invented(n, chain, start)
		if v.Judge(start, c) != Newer {
			continue
		}
		if e, _ := v.Put(start, c); n < MaxServers {
			v.turn(e, Alive)
		}
	}
	unheard := 0
	for _, e := range v.entries {
		if e.State == Unheard {
			unheard++
		}
	}
	if unheard != maxUntried {
		t.Errorf("%d found a place", unheard)
	}
}
