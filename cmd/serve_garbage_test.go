package cmd

import (
	"runtime/debug"
	"testing"
	"testing/synctest"
	"time"
)

// percent is how much garbage there may be now.
func percent() int {
	p := debug.SetGCPercent(100)
	debug.SetGCPercent(p)
	return p
}

// Garbage is left where it is while a node starts, and no longer.
func TestStartLeavesGarbage(t *testing.T) {
	t.Setenv("GOGC", "")
	usual := percent()
	synctest.Test(t, func(t *testing.T) {
		end := spareGarbage()
		if p := percent(); p != startGarbage {
			t.Errorf("%d %% at the start", p)
		}
		time.Sleep(spareTime + time.Second) // virtual
		if p := percent(); p != usual {
			t.Errorf("%d %% afterwards, %d before", p, usual)
		}
		end()
		spareGarbage()()
		if p := percent(); p != usual {
			t.Errorf("%d %% at an early end, %d before", p, usual)
		}
	})
	t.Setenv("GOGC", "50")
	end := spareGarbage()
	defer end()
	if p := percent(); p != usual {
		t.Errorf("%d %% where the environment has its own, %d before", p, usual)
	}
}
