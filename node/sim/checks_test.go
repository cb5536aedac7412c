package sim

import (
	"testing"
	"time"
)

// What a node holds is wrong at every look until it is right again, and what has not changed counts as what it was.
func TestWrongAgeFailsAtEveryLook(t *testing.T) {
	w := value(newWorld(plan("nodes 6\nlength 2m\nstart 1s"), 1))
	at := 20 * time.Second
	w.run(at)
	look := func() (done, failed int) {
		before := w.checks
		w.checks.look(w)
		return w.checks.done - before.done, w.checks.failed - before.failed
	}
	done, failed := look()
	if again, _ := look(); done != again || failed > 0 {
		t.Fatalf("%d checks of which %d fail, then %d", done, failed, again)
	}
	w.run(at + 5*time.Second) // everybody holds a newer beat
	made := w.nodes[0].made
	w.nodes[0].made = made[:1] // as if it had made one only
	_, failed = look()
	if _, again := look(); failed != len(w.nodes)-1 || again != failed {
		t.Errorf("%d checks fail, then %d of %d nodes", failed, again, len(w.nodes))
	}
	w.nodes[0].made = made
	if _, failed = look(); failed > 0 {
		t.Errorf("%d checks fail for what is right", failed)
	}
}
