package view

import (
	"testing"

	"github.com/g2g-net/g2g/pki"
)

// TestSharedProofs: where a contact's holders share what was proved, they take just what they would have taken alone.
func TestSharedProofs(t *testing.T) {
	w := newGrove().writer(1, pki.Server)
	alone, shared := w.contact(1), w.contact(1)
	shared.Share()
	random := seeded(1)
	shared.Proved(w.beat(7)) // as its owner made it
	alone.Proved(w.beat(7))
	for range 50 {
		one, other := New(pki.ID{}), New(pki.ID{})
		put(t, one, start, alone)
		put(t, other, start, shared)
		for sequence := uint64(1); sequence < 40; sequence += 1 + random.Uint64N(3) {
			b := w.beat(sequence)
			if random.IntN(3) == 0 {
				b.Link[random.IntN(len(b.Link))]++ // a lie
			}
			if random.IntN(5) == 0 {
				b = Beat{Sequence: sequence, Link: w.beat(1 + random.Uint64N(40)).Link} // a link of the same ladder, elsewhere
			}
			want, got := one.Advance(start, alone.ID, uint16(alone.Sequence), b), other.Advance(start, shared.ID, uint16(shared.Sequence), b)
			if got != want {
				t.Fatalf("beat %d is judged %d, %d where nothing is shared", sequence, got, want)
			}
			if want == Revived {
				one.Revive(start, alone.ID)
				other.Revive(start, shared.ID)
			}
		}
	}
}
