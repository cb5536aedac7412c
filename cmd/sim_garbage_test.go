package cmd

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
)

// The collector begins when the heap has its size, and where more lives, when it has grown by the usual part of that.
func TestCollectorWaitsForTheHeap(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	for _, c := range []struct {
		lives, size, least, most uint64 // MiB
	}{
		{0, 256, 240, 280},
		{64, 256, 240, 280},
		{256, 64, 350, 420},
	} {
		held := make([]byte, c.lives<<20)
		runtime.GC()
		collectFrom(int64(c.size << 20))
		goal := []metrics.Sample{{Name: "/gc/heap/goal:bytes"}}
		if metrics.Read(goal); goal[0].Value.Uint64() < c.least<<20 || goal[0].Value.Uint64() > c.most<<20 {
			t.Errorf("with %d MiB alive and a size of %d the collector begins at %d MiB", c.lives, c.size, goal[0].Value.Uint64()>>20)
		}
		runtime.KeepAlive(held)
	}
}
