package node

import (
	"testing"
	"time"
)

// TestGrow founds a network and joins four more by tokens of different members: every node lists the other four.
func TestGrow(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		nodes := []*actor{w.founder()}
		for i := 1; i < 5; i++ {
			nodes = append(nodes, w.joiner(i, nodes[i-1]))
		}
		t.Logf("complete after %s", w.allAlive(10*time.Second, nodes, 4))
		haltAll(nodes)
	})
}

// TestPushedContactIsListed holds the bound on how long a newcomer waits: all of 16 others list it within a second of its
// first beat, at a latency of 20 ms.
func TestPushedContactIsListed(t *testing.T) {
	inWorld(t, 10*time.Millisecond, func(w *world) {
		nodes := []*actor{w.founder()}
		for i := 1; i < 16; i++ {
			nodes = append(nodes, w.joiner(i, nodes[0]))
		}
		w.allAlive(30*time.Second, nodes, 15)
		late := w.joiner(16, nodes[3])
		took := w.allAlive(time.Second, nodes, 16)
		t.Logf("listed by all after %s", took)
		haltAll(append(nodes, late))
	})
}
