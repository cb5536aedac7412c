// Package lean keeps Go's runtime from work that a process which only gossips has no use for.
//
// Such a process starts together with many others, wakes often and for a moment, and has little to do each time. What is for programs that
// compute then costs more than the work: several threads that run Go code, of which each wakes another; a thread that watches over
// them; and a heap that comes from the system in the smallest pages, one fault each.
//
// Go initialises packages in the order of their paths as soon as what they import is there. This one imports little, so that most of the
// program's own start is spared as well, where its command line begins with the name of the command.
package lean

import (
	"os"
	"runtime"
	"sync/atomic"
)

// Command is the command that Start is called for before the program begins.
const Command = "serve"

var started atomic.Bool

func init() {
	if len(os.Args) > 1 && os.Args[1] == Command {
		Start()
	}
}

// Start makes the process lean. What the system does not allow is left as it is. It may be called again, when the heap has grown.
//
// Go code runs on one thread at a time, unless GOMAXPROCS in the environment says otherwise.
func Start() {
	started.Store(true)
	if os.Getenv("GOMAXPROCS") == "" && runtime.GOMAXPROCS(0) != 1 {
		runtime.GOMAXPROCS(1)
	}
	_ = slacken(monitorSlack)
	largePages()
}

// Stop undoes Start, for a process that turns out to have more to do than to gossip.
func Stop() {
	if !started.Swap(false) {
		return
	}
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.SetDefaultGOMAXPROCS()
	}
	_ = slacken(0)
}

// Grow has the heap's next so many bytes come in large pages, for a process that is about to fill them. Small ones cost it a fault each,
// and then more time to find them again than some of its work takes. Such a process has nothing else to run, so that the thread that watches over the
// others may wake late, too, from now on. What the system does not allow is left as it is.
func Grow(bytes int) {
	_ = slacken(monitorSlack)
	growLarge(bytes)
	runtime.GC() // the room that was taken for it is the heap's again
}
