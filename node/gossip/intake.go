package gossip

import (
	"slices"
	"time"

	"github.com/g2g-net/g2g/pki"
)

// takeNominations keeps those that are newer, made by members that may nominate, and within the bounds. It counts them.
func (m *Machine) takeNominations(now time.Time, list []SealedNomination) (taken int) {
	m.nominations.entries = slices.Clone(m.nominations.entries) // snapshots hold the old slice
	for _, n := range list {
		if room, ok := m.wantsNomination(now, n.Nomination); ok {
			m.takeNomination(n, room)
			taken++
		}
	}
	m.nominations.rehash()
	return taken
}

func (m *Machine) takeNomination(n SealedNomination, room pki.TokenID) {
	t, id, save := m.nominations, n.TokenID(), &m.effects.Save
	if i, ok := t.find(room); ok {
		t.entries, t.ids = slices.Delete(t.entries, i, i+1), slices.Delete(t.ids, i, i+1)
		save.DropNominations = append(save.DropNominations, room)
	}
	t.set(n)
	save.Nominations = append(save.Nominations, n)
	// What made room a moment ago may come back: what is to be saved is dropped afterwards.
	save.DropNominations = slices.DeleteFunc(save.DropNominations, func(t pki.TokenID) bool { return t == id })
}

// wantsNomination tells whether a nomination is to be kept, and which has to make room for it, zero for none.
func (m *Machine) wantsNomination(now time.Time, n pki.Nomination) (room pki.TokenID, ok bool) {
	t := m.nominations
	own := n.Nominator == m.cfg.Identity.Key() // which others hold newer than this node, where its folder is a restored backup
	e := m.view.Get(n.Nominator.ID())
	if !own && (e == nil || !e.Chain.MayNominate()) || dead(n, now) || n.NotBefore > now.Add(pki.MaxTokenLife).Unix() {
		return room, false
	}
	if i, ok := t.find(n.TokenID()); ok {
		return room, t.entries[i].Nominator == n.Nominator && t.entries[i].Version < n.Version
	}
	if t.of(n.Nominator) >= MaxNominationsOfOne {
		return room, false
	}
	others := len(t.entries) - t.of(m.cfg.Identity.Key()) // this node's own always find place
	if own || others < MaxNominations-MaxNominationsOfOne {
		return room, true
	}
	return m.crowded(n.Nominator)
}

// crowded chooses, in a full table, which nomination makes room for one more of a nominator: the one that ends first of those whose
// nominators are not in the view any more, else of the nominator that has most, if it has two more than this one. So whoever makes
// thousands pushes out its own, and there is room for some of each member, as many as a view holds.
func (m *Machine) crowded(nominator pki.Key) (room pki.TokenID, ok bool) {
	t := m.nominations
	weight := map[pki.Key]int{m.cfg.Identity.Key(): 0}
	for _, n := range t.entries {
		_, seen := weight[n.Nominator]
		switch {
		case n.Nominator == m.cfg.Identity.Key():
		case !seen && m.view.Get(n.Nominator.ID()) == nil:
			weight[n.Nominator] = MaxNominations
		default:
			weight[n.Nominator]++
		}
	}
	most, ends := weight[nominator]+1, int64(0)
	for i, n := range t.entries {
		w := weight[n.Nominator]
		if w > most || w == most && ok && n.NotAfter < ends {
			most, ends, room, ok = w, n.NotAfter, t.ids[i], true
		}
	}
	return room, ok
}
