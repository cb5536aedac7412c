package lean

import (
	"runtime"
	"testing"
)

// What is lean runs Go code on one thread at a time until it is no longer.
func TestStartAndStop(t *testing.T) {
	t.Setenv("GOMAXPROCS", "")
	before := runtime.GOMAXPROCS(0)
	t.Cleanup(func() { runtime.GOMAXPROCS(before) })
	runtime.SetDefaultGOMAXPROCS()
	usual := runtime.GOMAXPROCS(0)
	for range 2 {
		if Start(); runtime.GOMAXPROCS(0) != 1 {
			t.Errorf("%d threads run Go code", runtime.GOMAXPROCS(0))
		}
	}
	if Stop(); runtime.GOMAXPROCS(0) != usual {
		t.Errorf("%d threads run Go code, %d before", runtime.GOMAXPROCS(0), usual)
	}
}

// Who says how many threads run Go code is obeyed.
func TestTheEnvironmentCounts(t *testing.T) {
	before := runtime.GOMAXPROCS(3)
	t.Cleanup(func() { runtime.GOMAXPROCS(before) })
	t.Setenv("GOMAXPROCS", "3")
	Start()
	Stop()
	if n := runtime.GOMAXPROCS(0); n != 3 {
		t.Errorf("%d threads run Go code", n)
	}
}

// What the heap holds stays as it is when it is given larger pages.
func TestLargerPagesKeepWhatTheyHold(t *testing.T) {
	var held [64][]byte
	for i := range held {
		held[i] = make([]byte, 32<<10)
		for j := range held[i] {
			held[i][j] = byte(i)
		}
		largePages()
	}
	for i := range held {
		for j, b := range held[i] {
			if b != byte(i) {
				t.Fatalf("byte %d of %d is %d", j, i, b)
			}
		}
	}
}
