package view

import (
	"testing"
	"time"

	"github.com/g2g-net/g2g/pki"
)

// A memory is the obvious view: it keeps the highest that was ever taken of each peer and forgets nothing.
type memory struct {
	known                           bool
	sequence, incarnation, minEpoch uint64
	beat                            map[uint64]uint64 // by incarnation
}

// TestVersionsNeverGoBack plays random contacts, beats, drops and looks with a few peers, in any order and often again. Whatever
// the view takes must be at or above all that it took before, and what is above must be taken.
func TestVersionsNeverGoBack(t *testing.T) {
	g := newGrove()
	writers := make([]*writer, 5)
	contacts, incarnations := make([][]*Contact, len(writers)), make([][]*Ladder, len(writers))
	for i := range writers {
		w := g.writer(i, pki.Server)
		writers[i] = w
		incarnations[i] = []*Ladder{nil}
		epoch := uint64(0)
		for s := range uint64(12) {
			if s%4 == 0 {
				if s > 0 {
					w.climb()
				}
				incarnations[i] = append(incarnations[i], w.ladder)
			}
			epoch += s % 2
			contacts[i] = append(contacts[i], w.contact(s+1, func(c *Contact) { c.MinEpoch, c.Left = epoch, s%5 == 4 }))
		}
	}
	taken := 0
	for seed := range uint64(200) {
		r := seeded(seed)
		v, model, now := New(pki.ID{}), make([]memory, len(writers)), start
		for i := range model {
			model[i].beat = map[uint64]uint64{}
		}
		for range 300 {
			now = now.Add(time.Duration(r.IntN(3000)) * time.Millisecond)
			i := r.IntN(len(writers))
			m, id := &model[i], writers[i].id.ID()
			switch r.IntN(10) {
			default:
				b := 1 + r.Uint64N(9)
				e := v.Get(id)
				if e == nil {
					break
				}
				beat := Beat{Sequence: b, Link: incarnations[i][e.Incarnation].Link(b)}
				before := e.BeatSequence
				verdict := v.Advance(now, id, uint16(e.Sequence), beat)
				if advanced := verdict == Advanced || verdict == Revived || e.BeatSequence > before; advanced != (b > m.beat[e.Incarnation]) {
					t.Fatalf("seed %d: beat %d of incarnation %d is judged %d after beat %d", seed, b, e.Incarnation, verdict, m.beat[e.Incarnation])
				}
				m.beat[e.Incarnation] = max(b, m.beat[e.Incarnation])
				if verdict == Revived {
					v.Revive(now, id)
				}
			case 0, 1, 2, 3, 4:
				c := contacts[i][r.IntN(len(contacts[i]))]
				verdict := v.Judge(now, c)
				if verdict != Hasty && (verdict == Newer) != m.takes(v.Get(id), c) {
					t.Fatalf("seed %d: contact %d of incarnation %d, epoch %d is judged %s after %+v", seed, c.Sequence, c.Incarnation, c.MinEpoch, verdict, *m)
				}
				if verdict == Newer {
					taken++
					v.Put(now, c)
					m.known, m.sequence, m.incarnation, m.minEpoch = true, c.Sequence, c.Incarnation, max(m.minEpoch, c.MinEpoch)
				}
			case 5:
				v.Drop(id)
			case 6:
				v.Look(now)
			}
			if m.known && v.MinEpochs()[id] != m.minEpoch {
				t.Fatalf("seed %d: the lowest epoch is %d, the model %+v", seed, v.MinEpochs()[id], *m)
			}
			if e := v.Get(id); e != nil && (e.Sequence != m.sequence || e.BeatSequence != m.beat[e.Incarnation] || e.State == Alive && len(m.beat) == 0) {
				t.Fatalf("seed %d: the view holds contact %d, beat %d, %s; the model %+v", seed, e.Sequence, e.BeatSequence, e.State, *m)
			}
		}
		checkBounds(t, v)
	}
	if taken < 1000 {
		t.Errorf("%d contacts taken: too few to show anything", taken)
	}
}

// takes says by the obvious rule whether a contact is newer than all before it, or the last one again for a peer that is not held.
func (m *memory) takes(held *Entry, c *Contact) bool {
	if !m.known {
		return true
	}
	atLeast := c.Sequence >= m.sequence && c.Incarnation >= m.incarnation
	return atLeast && (held == nil || c.Sequence > m.sequence)
}
