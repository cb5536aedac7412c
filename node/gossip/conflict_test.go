package gossip

import (
	"slices"
	"testing"

	"github.com/g2g-net/g2g/node/view"
)

// TestConflictCountsAtOnce: of two contacts with one sequence the later incarnation's is kept. What it says holds as if it were newer: a
// lowest epoch, and a goodbye.
func TestConflictCountsAtOnce(t *testing.T) {
	w, a, b := pair(t)
	if !a.Active(b.ID()) {
		t.Fatal("they are not active peers")
	}
	a.Effects()
	for what, change := range map[string]func(*view.Contact){
		"revocation": func(c *view.Contact) { c.Epoch, c.MinEpoch = 1<<40, 1<<40 },
		"goodbye":    func(c *view.Contact) { c.Left = true },
	} {
		c := *a.view.Get(b.ID()).Contact
		c.Incarnation++
		c.Sealed.Payload = []byte(what)
		change(&c)
		if verdict := a.learn(w.now, b.ID(), &c); verdict != view.Conflict {
			t.Fatalf("%s: judged %s", what, verdict)
		}
		if effects := a.Effects(); effects.Trust != (what == "revocation") {
			t.Errorf("%s: a new trust is published: %t", what, effects.Trust)
		}
	}
	if got := a.Trust().MinEpoch[b.ID()]; got != 1<<40 {
		t.Errorf("the lowest epoch is %d", got)
	}
	if slices.Contains(a.active, b.ID()) {
		t.Error("who said goodbye is an active peer")
	}
}
