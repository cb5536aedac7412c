package gossip

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

// Members are found by how their IDs begin, also where many begin alike, and whoever was heard longest ago makes place.
func TestReserveFindsWhoItKeeps(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	at := time.Unix(1_800_000_000, 0)
	nobody := view.New(pki.ID{})
	var kept reserve
	var ids []pki.ID
	for i := range MaxReserve + 50 {
		id := pki.ID{byte(r.IntN(4)), 9: byte(r.IntN(256)), 10: byte(r.IntN(256)), 31: byte(i)}
		kept.heard(at.Add(time.Duration(i)*time.Second), &view.Contact{ID: id, Addresses: []string{"[::1]:1"}}, nobody)
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
		if i%100 == 0 {
			kept = newReserve(kept.list(), at)
		}
	}
	gone := len(ids) - MaxReserve
	for i, id := range ids {
		if kept.has(id) == (i < gone) {
			t.Errorf("member %d of %d is there: %t", i, len(ids), i >= gone)
		}
	}
	if !slices.IsSortedFunc(kept.entries, func(a, b Address) int { return a.ID.Compare(b.ID) }) || len(kept.entries) != MaxReserve {
		t.Errorf("%d members, out of order", len(kept.entries))
	}
}
