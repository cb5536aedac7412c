package gossip

import (
	"testing"
	"time"

	"github.com/g2g-net/g2g/node/stale"
	"github.com/g2g-net/g2g/node/view"
)

// A full view goes by the age of active peers, and by hints, which come to whoever has an active peer that holds the one named. Where many
// fell at once the others are asked after, one by one: else the last would be held for a minute.
func TestManyFallenHaveOthersAskedAfter(t *testing.T) {
	for fell, want := range []int{0, 0, 0, 1, 1} {
		w := settled(t, 7, 4, 10*time.Second)
		a := w.nodes[0]
		quiet := make([]*view.Entry, 3)
		for i := range quiet {
			quiet[i] = a.hold(a.invented(-1-i), view.Alive)
			quiet[i].Seen = w.now.Add(-overlookedThen - time.Duration(i+1)*time.Second)
		}
		for i := range fell {
			a.convict(w.now, a.hold(a.invented(1000+i), view.Alive), stale.Silent, &doubt{})
		}
		a.fill()
		for i, now := range []time.Time{w.now, w.now.Add(overlookThen / 2), w.now.Add(overlookThen)} {
			a.judge(now)
			if got := a.probing(); got != want*(1+i/2) {
				t.Errorf("%d fell: %d are asked after %s", fell, got, now.Sub(w.now))
			}
		}
		if a.doubts[quiet[0].ID] != nil || want > 0 && a.doubts[quiet[2].ID] == nil {
			t.Errorf("%d fell: it is not those that were heard of longest ago who are asked", fell)
		}
	}
}
