package sim

import (
	"testing"
	"time"

	"github.com/g2g-net/g2g/node/view"
)

// shownAlive plays a plan, and gives in which part of the looks from a time on each of those that nothing was done to holds those that
// something was done to for alive.
func shownAlive(t *testing.T, p Plan, seed uint64, from time.Duration) float64 {
	t.Helper()
	w := value(newWorld(p, seed))
	alive, looks := 0, 0
	for at := look; at <= p.Length; at += look * 3 / 10 {
		w.run(at)
		if at < from {
			continue
		}
		for _, n := range w.nodes {
			for _, harmed := range w.nodes {
				if n.flapping || !harmed.flapping {
					continue
				}
				looks++
				if e := n.machine.Held(harmed.id); e != nil && e.State == view.Alive {
					alive++
				}
			}
		}
	}
	r := w.report(seed)
	if r.Checks.Failed > 0 || r.False.Dead+r.False.Late > 0 {
		t.Errorf("checks: %+v, false verdicts: %+v", r.Checks, r.False)
	}
	return float64(alive) / float64(looks)
}

// Who is stopped for three seconds of every four falls for too short a time to be found dead by everybody. It is not shown as well for that.
func TestStoppedInTurnsIsShownLate(t *testing.T) {
	for seed := range uint64(3) {
		p := plan("nodes 32\nlength 100s\nstart 3s\nregion all 1\nat 40s stop 1 for 3s every 4s")
		if alive := shownAlive(t, p, seed+1, 52*time.Second); alive > 0.1 {
			t.Errorf("seed %d: shown as alive in %.0f %% of the looks", seed+1, 100*alive)
		}
	}
}
