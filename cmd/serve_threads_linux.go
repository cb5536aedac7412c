package cmd

import (
	"errors"
	"os"
	"strconv"
)

// monitorSlack is by how much the thread that watches over the others may wake late, in nanoseconds: as long as it sleeps at most by itself.
const monitorSlack = 10_000_000

// calmMonitor lets the thread by which Go's runtime watches over all others wake late. It looks every 20 microseconds, and seldomer only
// after fifty looks that found nothing, for a call that blocks, so as to let something else run meanwhile. A process that wakes often and for
// a moment pays more for these looks than for some of its work, and has nothing else to run. A blocking call is still found out, later.
// Linux lets only root, or who has CAP_SYS_NICE, say that of another thread; elsewhere nothing changes.
func calmMonitor() error {
	monitor, err := monitorThread()
	if err != nil {
		return err
	}
	return os.WriteFile("/proc/"+monitor+"/timerslack_ns", strconv.AppendInt(nil, monitorSlack, 10), 0) // it is there: nothing is made
}

// monitorThread is the thread that the runtime made first: Linux lists threads in the order in which they began, and neither the main one
// nor this one ends. Where another one was faster, as in a program with C code of its own, that one wakes late.
func monitorThread() (string, error) {
	tasks, err := os.Open("/proc/self/task")
	if err != nil {
		return "", err
	}
	defer tasks.Close()
	names, err := tasks.Readdirnames(2)
	if err == nil && len(names) < 2 {
		err = errors.New("there is one thread only")
	}
	if err != nil {
		return "", err
	}
	return names[1], nil
}
