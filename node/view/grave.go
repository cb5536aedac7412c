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
	lasting     bool // the peer made progress for lastingLife
}

// Drop forgets a peer but for its versions, which keep replays out.
func (v *View) Drop(id pki.ID) {
	i, ok := v.find(id)
	if !ok {
		return
	}
	e := v.entries[i]
	v.remove(i)
	t := tombstone{e.Sequence, e.Incarnation, e.Anchor, e.BeatSequence, e.link, e.minEpoch, e.Seen.Sub(e.FirstSeen) >= lastingLife}
	if before, known := v.tombstones[id]; known {
		q := v.queue(before.lasting)
		k := slices.Index(*q, id)
		*q = slices.Delete(*q, k, k+1)
		t.lasting = t.lasting || before.lasting
	}
	v.tombstones[id] = t
	q := v.queue(t.lasting)
	*q = append(*q, id)
	switch {
	case len(v.lasting) > maxLasting:
		v.level(&v.lasting)
	case len(v.tombstones) > MaxTombstones:
		v.level(&v.brief)
	}
}

// queue is that of the tombstones of a kind. Those of peers that were known for a while are forgotten for others of theirs alone: a
// member that has thousands of its own come and go at once takes nobody else's away.
func (v *View) queue(lasting bool) *[]pki.ID {
	if lasting {
		return &v.lasting
	}
	return &v.brief
}

// level forgets the oldest tombstone of a queue.
func (v *View) level(q *[]pki.ID) {
	delete(v.tombstones, (*q)[0])
	*q = (*q)[1:]
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
