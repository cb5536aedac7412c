package gossip

import (
	"testing"
	"time"
)

// Of a network that starts at one moment, who is up first finds nobody. It asks again after a second, as it would anybody who did not
// answer, and does not wait as for one that is lost.
func TestWhoIsUpFirstAsksAgainSoon(t *testing.T) {
	w := newWorld(t, 3)
	w.network(2)
	w.becomes(5*time.Second, w.whole)
	early, late := w.nodes[1], w.nodes[0]
	for _, a := range w.nodes {
		a.do(func() { a.saveReserve(w.now) })
		a.kill()
	}
	late.disk.Reserve = nil // it was there first, and has not met the other
	early.start()
	w.run(300 * time.Millisecond) // in vain
	late.start()
	w.becomes(3*time.Second, w.whole)
}
