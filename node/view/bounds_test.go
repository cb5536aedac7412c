package view

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/g2g-net/g2g/pki"
)

// checkBounds holds a view to its bounds and to its invariants.
func checkBounds(t *testing.T, v *View) {
	t.Helper()
	servers, clients, fallen := 0, 0, 0
	for i, e := range v.entries {
		switch {
		case e.State.Fallen():
			fallen++
		case e.Mode == pki.Server:
			servers++
		default:
			clients++
		}
		if i > 0 && v.entries[i-1].ID.Compare(e.ID) >= 0 {
			t.Fatal("the entries are not ordered by ID")
		}
	}
	if servers > MaxServers || clients > MaxClients || fallen > MaxFallen || len(v.tombstones) > MaxTombstones || len(v.brief)+len(v.lasting) != len(v.tombstones) || len(v.lasting) > maxLasting {
		t.Fatalf("%d servers, %d clients, %d fallen, %d tombstones in an order of %d", servers, clients, fallen, len(v.tombstones), len(v.brief)+len(v.lasting))
	}
	for _, id := range slices.Concat(v.brief, v.lasting) {
		if _, ok := v.tombstones[id]; !ok {
			t.Fatal("the order of the tombstones names one that is not there")
		}
	}
	if digest, held := v.Digest(0, &Contact{}, 0, nil, nil); len(digest) > MaxDigest || len(digest) != len(held) {
		t.Fatalf("a digest of %d versions, %d IDs", len(digest), len(held))
	}
}

// chains are those of many members below one nominator.
func (g grove) chains(by *pki.Identity, chain pki.Chain, first, n int, mode pki.Mode) []pki.Chain {
	out := make([]pki.Chain, n)
	for i := range out {
		out[i] = g.admit(by, chain, pki.Key(invented(first+i, chain, start).ID), mode)
	}
	return out
}

// TestFlood lets one member send 100,000 invented records: servers, clients, goodbyes, half of them heard, in waves that die.
func TestFlood(t *testing.T) {
	g := newGrove()
	servers := g.chains(g.root, g.chain, 0, 100, pki.Server)
	clients := g.chains(g.root, g.chain, 1000, 20, pki.Client)
	v := New(pki.ID{})
	now := start
	for i := range 100_000 {
		c := invented(i, servers[i%len(servers)], now)
		switch i % 16 {
		case 0:
			c = invented(i, clients[i/16%len(clients)], now)
		case 1:
			c.Left = true
		}
		if v.Judge(now, c) == Newer {
			e, _ := v.Put(now, c)
			e.heard = i%2 == 0
		}
		if e := v.entries[i%len(v.entries)]; i%16 == 2 && (e.State == Dead || e.State == Unheard) {
			v.Revive(now, e.ID)
		}
		if i%500 == 0 {
			checkBounds(t, v)
			now = now.Add(time.Duration(i%17) * time.Second)
			v.Look(now)
			checkBounds(t, v)
		}
	}
	checkBounds(t, v)
}

// TestReturnOfTheFallen: a full view whose fallen all come back at once stays within its bounds.
func TestReturnOfTheFallen(t *testing.T) {
	g := newGrove()
	v := New(pki.ID{})
	chains := g.chains(g.root, g.chain, 0, 2*MaxServers, pki.Server)
	now := start
	for wave := range 2 {
		for i := range MaxServers {
			e := put(t, v, now, invented(wave*MaxServers+i, chains[wave*MaxServers+i], now))
			e.heard = true
			v.turn(e, Alive)
			if wave == 0 && i%2 == 0 {
				v.turn(e, Left)
			}
		}
		if wave == 0 {
			for _, e := range slices.Clone(v.entries) {
				if e.State == Alive {
					v.Convict(now, e.ID, "silent")
				}
			}
		}
	}
	for i := range MaxServers {
		c := *invented(i, chains[i], now)
		if e := v.Get(c.ID); e.State == Dead {
			v.Revive(now, c.ID)
		} else if c.Sequence = 2; v.Judge(now, &c) == Newer {
			v.Put(now, &c)
		}
		checkBounds(t, v)
	}
	if n := v.live(pki.Server); n != MaxServers {
		t.Errorf("%d live ones", n)
	}
}

// TestOtherModeNeedsAPlace: members that were admitted in both modes say in their next contact, or in another one of the same sequence,
// that they are of the other mode or that they did not leave. In a full view there is no place for them, or another makes it.
func TestOtherModeNeedsAPlace(t *testing.T) {
	g := newGrove()
	count := MaxServers + 40
	servers, clients := g.chains(g.root, g.chain, 0, count, pki.Server), g.chains(g.root, g.chain, 0, count, pki.Client)
	for what, sequence := range map[string]uint64{"newer": 2, "conflicting": 1} {
		v := New(pki.ID{})
		for i := range count { // the last forty are of client mode, or say goodbye
			c := invented(i, servers[i], start)
			if i >= MaxServers && i%2 == 0 {
				c = invented(i, clients[i], start)
			}
			c.Left = i >= MaxServers && i%2 == 1
			if e := put(t, v, start, c); !c.Left {
				v.turn(e, Alive)
			}
		}
		checkBounds(t, v)
		for i := MaxServers; i < count; i++ {
			c := *invented(i, servers[i], start)
			c.Sequence, c.Sealed.Payload = sequence, []byte{0}
			switch v.Judge(start, &c) {
			case Newer:
				v.Put(start, &c)
			case Conflict:
				v.Settle(start, &c)
			case Full:
			default:
				t.Errorf("%s: judged %s", what, v.Judge(start, &c))
			}
			checkBounds(t, v)
		}
		for i := range count { // and the other way
			c := *invented(i, clients[i], start)
			c.Sequence, c.Sealed.Payload = sequence+1, []byte{1}
			if v.Judge(start, &c) == Newer {
				v.Put(start, &c)
			}
			checkBounds(t, v)
		}
	}
}

// The attack: a member has thousands that it admitted come and go, so that a peer which was here for long is forgotten for good, and an
// old contact of it counts again. Its tombstone stands, as long as no thousands stay for long.
func TestPassersByLeaveTombstones(t *testing.T) {
	g := newGrove()
	honest := g.writer(1, pki.Server)
	v := New(pki.ID{})
	e := put(t, v, start, honest.contact(5))
	v.turn(e, Alive)
	e.Seen = start.Add(lastingLife)
	v.Drop(e.ID)
	chains := g.chains(g.root, g.chain, 0, 100, pki.Server)
	pass := func(from, to int, life time.Duration) {
		for i := from; i < to; i++ {
			e := put(t, v, start, invented(i, chains[i%len(chains)], start))
			e.Seen = start.Add(life)
			v.Drop(e.ID)
		}
		checkBounds(t, v)
	}
	pass(0, 3*MaxTombstones, lastingLife-1)
	if n := len(v.tombstones); n != MaxTombstones {
		t.Errorf("%d tombstones", n)
	}
	if verdict := v.Judge(start, honest.contact(4)); verdict != Old {
		t.Errorf("an old contact of one that was here for long is %s", verdict)
	}
	pass(0, 1, 0) // one that comes again
	pass(3*MaxTombstones, 3*MaxTombstones+maxLasting, lastingLife)
	if verdict := v.Judge(start, honest.contact(4)); verdict != Newer {
		t.Errorf("after as many that were, too, it is %s", verdict)
	}
}

// TestOneMemberCannotCrowdOut fills a view with a hundred honest members; another then admits thousands in the shapes that a tree
// allows. No honest member goes, and a new honest one finds place.
func TestOneMemberCannotCrowdOut(t *testing.T) {
	g := newGrove()
	evil := identity(7)
	evilChain := g.admit(g.root, g.chain, evil.Key(), pki.Server)
	shapes := map[string]func() []pki.Chain{
		"a brood": func() []pki.Chain { return g.chains(evil, evilChain, 5000, 1000, pki.Server) },
		"a brood's broods": func() (out []pki.Chain) {
			for i := range 100 {
				child := identity(100 + i)
				chain := g.admit(evil, evilChain, child.Key(), pki.Server)
				out = append(append(out, chain), g.chains(child, chain, 5000+10*i, 10, pki.Server)...)
			}
			return out
		},
		"a long line": func() (out []pki.Chain) {
			by, chain := evil, evilChain
			for i := range 12 {
				child := identity(300 + i)
				chain = g.admit(by, chain, child.Key(), pki.Server)
				out = append(append(out, chain), g.chains(child, chain, 5000+100*i, 60, pki.Server)...)
				by = child
			}
			return out
		},
	}
	for name, shape := range shapes {
		v := New(pki.ID{})
		honest := g.chains(g.root, g.chain, 0, 101, pki.Server)
		for i, chain := range honest[:100] {
			e := put(t, v, start, invented(i, chain, start))
			e.heard = i > 0
			v.turn(e, min(State(i), Alive))
		}
		brood := shape()
		for i := range 5000 {
			now := start.Add(time.Duration(i) * time.Millisecond)
			c := invented(10_000+i, brood[i%len(brood)], now)
			if v.Judge(now, c) == Newer {
				e, _ := v.Put(now, c)
				v.turn(e, State(i%3))
			}
		}
		checkBounds(t, v)
		for i := range 100 {
			if v.Get(invented(i, g.chain, start).ID) == nil {
				t.Errorf("%s: honest member %d was crowded out", name, i)
			}
		}
		_, dropped := v.Put(start, invented(100, honest[100], start))
		if e := v.Get(invented(100, g.chain, start).ID); e == nil || dropped.IsZero() {
			t.Errorf("%s: a new honest member found no place", name)
		}
	}
}

// TestVictim: of the largest branch those that were not heard go first, then the one that was heard of longest ago; where
// no branch is larger by two than the newcomer's, nobody goes.
func TestVictim(t *testing.T) {
	g := newGrove()
	a, b := identity(1), identity(2)
	chainA, chainB := g.admit(g.root, g.chain, a.Key(), pki.Server), g.admit(g.root, g.chain, b.Key(), pki.Server)
	ofA, ofB := g.chains(a, chainA, 0, 200, pki.Server), g.chains(b, chainB, 200, 200, pki.Server)
	v := New(pki.ID{})
	for i := range MaxServers {
		chain := ofA[i%200]
		if i >= 130 {
			chain = ofB[i-130]
		}
		e := put(t, v, start.Add(time.Duration(i)*time.Second), invented(i, chain, start))
		v.turn(e, Alive)
	}
	id := func(i int) pki.ID { return invented(i, chainA, start).ID }
	for _, i := range []int{50, 60, 200} {
		v.turn(v.Get(id(i)), Unheard)
	}
	now := start.Add(time.Hour)
	for i, want := range []string{"50", "60"} {
		c := invented(1000+i, ofB[150+i], now)
		if verdict := v.Judge(now, c); verdict != Newer {
			t.Fatalf("newcomer %d is judged %s", i, verdict)
		}
		_, dropped := v.Put(now, c)
		v.turn(v.Get(c.ID), Alive)
		if got := nameOf(dropped, id, MaxServers); got != want {
			t.Errorf("newcomer %d replaces %s, want %s", i, got, want)
		}
	}
	if got := v.Judge(now, invented(1002, ofB[160], now)); got != Full { // 128 of each
		t.Errorf("with branches alike, a newcomer is judged %s", got)
	}
	v.Drop(id(201))
	v.Drop(id(202))
	put(t, v, now, invented(1003, ofA[199], now))
	put(t, v, now, invented(1004, ofA[198], now)) // 130 and 126
	_, dropped := v.Put(now, invented(1005, ofB[161], now))
	if got := nameOf(dropped, id, 1005); got != "1003" && got != "1004" {
		t.Errorf("an unheard one should go before %s", got)
	}
}

func nameOf(dropped pki.ID, id func(int) pki.ID, n int) string {
	for i := range n {
		if id(i) == dropped {
			return fmt.Sprint(i)
		}
	}
	return "nobody"
}

// TestSqueeze: a member that finds no place in a full view can have one of its own branch, of whom is not active.
func TestSqueeze(t *testing.T) {
	g, v := newGrove(), New(pki.ID{1})
	if _, ok := v.Squeeze(invented(0, g.chain, start)); ok {
		t.Error("an empty view drops somebody")
	}
	left, right := identity(1), identity(2)
	chains := []pki.Chain{g.admit(g.root, g.chain, left.Key(), pki.Server), g.admit(g.root, g.chain, right.Key(), pki.Server)}
	byBranch := map[pki.ID]int{}
	for i := range MaxServers {
		c := invented(i, chains[i%2], start)
		put(t, v, start, c)
		byBranch[c.ID] = i % 2
	}
	late := invented(MaxServers, chains[0], start)
	if verdict := v.Judge(start, late); verdict != Full {
		t.Fatalf("the verdict is %s", verdict)
	}
	for _, e := range v.Entries() {
		e.Active = true
	}
	if _, ok := v.Squeeze(late); ok {
		t.Error("an active one is dropped")
	}
	for _, e := range v.Entries()[1:] {
		e.Active = false
	}
	spared := v.Entries()[0].ID
	dropped, ok := v.Squeeze(late)
	if !ok || dropped == spared || byBranch[dropped] != 0 || v.Get(dropped) != nil {
		t.Errorf("dropped one of branch %d, done: %t", byBranch[dropped], ok)
	}
	put(t, v, start, late)
}

// TestActiveMakePlaceForNobody: in a full view it is the others of the largest branch that make place, as long as there are any.
func TestActiveMakePlaceForNobody(t *testing.T) {
	g, v := newGrove(), New(pki.ID{1})
	large, small, twig := identity(1), identity(2), identity(3)
	ofLarge, ofSmall := g.admit(g.root, g.chain, large.Key(), pki.Server), g.admit(g.root, g.chain, small.Key(), pki.Server)
	ofTwig := g.admit(large, ofLarge, twig.Key(), pki.Server)
	for i := range MaxServers {
		chain := ofLarge
		if i < 8 {
			chain = ofTwig // the largest branch of the large one
		}
		put(t, v, start, invented(i, chain, start)).Active = i > 0
	}
	if _, dropped := v.Put(start, invented(1000, ofSmall, start)); dropped != invented(0, ofTwig, start).ID {
		t.Error("another one makes place than the only one of its branch that is not active")
	}
	newcomer := invented(1001, ofSmall, start)
	if verdict := v.Judge(start, newcomer); verdict != Full {
		t.Errorf("where all of the branch are active, the newcomer is judged %s", verdict)
	}
	last := v.Get(invented(100, ofLarge, start).ID)
	last.Active = false
	if _, dropped := v.Put(start, newcomer); dropped != last.ID {
		t.Error("the only one that is not active does not make place")
	}
}
