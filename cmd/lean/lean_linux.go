package lean

import (
	"errors"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"unsafe"
)

const (
	// monitorSlack is by how much the thread that watches over the others may wake late, in nanoseconds: three times as long as it sleeps at
	// most by itself. A start that shares its processor with others lasts for seconds, in which that thread never rests.
	monitorSlack = 30_000_000

	chunk       = 4 << 20 // the heap grows by that, at addresses that are multiples of it
	hugePage    = 2 << 20
	adviseHuge  = 14       // MADV_HUGEPAGE
	makeHugeNow = 25       // MADV_COLLAPSE, since Linux 6.1
	probe       = 64 << 10 // an object of so many bytes is where the heap grows: before that is no hole for it
)

// slacken lets the thread by which Go's runtime watches over all others wake late; 0 is as the system does by itself. It looks every 20
// microseconds, and seldomer only after fifty looks that found nothing, for a call that blocks, so as to let something else run meanwhile. A
// process that wakes often and for a moment pays more for these looks than for some of its work, and has nothing else to run. A
// blocking call is still found out, later. Threads that this one starts inherit it: what they wait for without an event may come as late, which a
// process that only gossips can bear. Linux lets only root, or who has CAP_SYS_NICE, say that of another thread.
func slacken(nanoseconds int64) error {
	monitor, err := monitorThread()
	if err != nil {
		return err
	}
	return os.WriteFile("/proc/"+monitor+"/timerslack_ns", strconv.AppendInt(nil, nanoseconds, 10), 0) // it is there: nothing is made
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

// largePages asks for large pages where the heap grows now, and has the small ones that are in use there made into one. Memory that is new
// comes a page at a time, each at a price of some microseconds.
func largePages() {
	here := make([]byte, probe)
	start := uintptr(unsafe.Pointer(unsafe.SliceData(here))) &^ (chunk - 1) //nolint:gosec // an address that the system is told, never one that is read
	if _, _, failed := syscall.Syscall(syscall.SYS_MADVISE, start, chunk, adviseHuge); failed == 0 {
		for at := start; at < start+chunk; at += hugePage {
			_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, at, hugePage, makeHugeNow)
		}
	}
	runtime.KeepAlive(here)
}

// available tells whether the system lets this process have so much: one that asks for more than it may have is ended by the runtime.
func available(bytes int) bool {
	room, err := syscall.Mmap(-1, 0, bytes, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	return err == nil && syscall.Munmap(room) == nil
}

// growLarge takes room that nothing is written to, and asks for large pages there: the system remembers that when it is used for something else.
func growLarge(bytes int) {
	if !available(bytes) {
		return
	}
	room := make([]byte, bytes)
	first := uintptr(unsafe.Pointer(unsafe.SliceData(room))) //nolint:gosec // an address that the system is told, never one that is read
	start, end := (first+hugePage-1)&^(hugePage-1), (first+uintptr(bytes))&^(hugePage-1)
	if start < end {
		_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, start, end-start, adviseHuge)
	}
	runtime.KeepAlive(room)
}
