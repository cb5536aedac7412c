package view

import (
	"slices"

	"github.com/g2g-net/g2g/pki"
)

// A tombstone is what is remembered of a peer that was dropped.
type tombstone struct {
	sequence    uint64
	incarnation uint64
	anchor      Link
	beat        uint64
	link        Link
	minEpoch    uint64
}

// Drop forgets a peer but for its versions, which keep replays out.
func (v *View) Drop(id pki.ID) {
	i, ok := v.find(id)
	if !ok {
		return
	}
	e := v.entries[i]
	v.remove(i)
	if _, known := v.tombstones[id]; known {
		k := slices.Index(v.order, id)
		v.order = slices.Delete(v.order, k, k+1)
	}
	v.order = append(v.order, id)
	v.tombstones[id] = tombstone{e.Sequence, e.Incarnation, e.Anchor, e.BeatSequence, e.link, e.minEpoch}
	if len(v.order) > MaxTombstones {
		delete(v.tombstones, v.order[0])
		v.order = v.order[1:]
	}
}

// bury keeps the fallen within their bound: those that fell first are dropped.
func (v *View) bury() {
	var fallen []*Entry
	for _, e := range v.entries {
		if e.State.Fallen() {
			fallen = append(fallen, e)
		}
	}
	if len(fallen) <= MaxFallen {
		return
	}
	slices.SortStableFunc(fallen, func(a, b *Entry) int { return a.Since.Compare(b.Since) })
	for _, e := range fallen[:len(fallen)-MaxFallen] {
		v.Drop(e.ID)
	}
}

// MinEpochs are the lowest leaf epochs that peers still accept of themselves, those of peers that were dropped among them.
func (v *View) MinEpochs() map[pki.ID]uint64 {
	epochs := map[pki.ID]uint64{}
	for id, t := range v.tombstones { // the order decides nothing
		if t.minEpoch > 0 {
			epochs[id] = t.minEpoch
		}
	}
	for _, e := range v.entries {
		if e.minEpoch > 0 {
			epochs[e.ID] = e.minEpoch
		}
	}
	return epochs
}
