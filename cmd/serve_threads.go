package cmd

import (
	"os"
	"runtime"
)

// fewThreads has a process that only gossips run Go code on one thread at a time. It wakes a few times a second for a moment, and on more
// of them each of these wakes others, which find nothing to do. GOMAXPROCS in the environment counts for more.
func fewThreads() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(1)
	}
	_ = calmMonitor() // where it may not, it costs what it costs
}
