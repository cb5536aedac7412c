package lean

import (
	"errors"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"testing"
)

// One thread may wake late, and no other that is there by then. Who may not say so changes nothing.
func TestOneThreadMayWakeLate(t *testing.T) {
	want, before := 1, threads(t)
	switch err := slacken(monitorSlack); {
	case errors.Is(err, fs.ErrPermission):
		want = 0
	case err != nil:
		t.Fatal(err)
	}
	if late := lateThreads(before); len(late) != want || want == 1 && late[0] == strconv.Itoa(os.Getpid()) {
		t.Errorf("of this process (%d) these threads may wake late: %q", os.Getpid(), late)
	}
	if err := slacken(0); want == 1 && err != nil {
		t.Fatal(err)
	}
	if late := lateThreads(before); len(late) != 0 {
		t.Errorf("these threads may still wake late: %q", late)
	}
}

// threads are those of this process by now. One that begins later may be started by the one that wakes late, and is late as well.
func threads(t *testing.T) (ids []string) {
	t.Helper()
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		ids = append(ids, task.Name())
	}
	return ids
}

// lateThreads are those that may wake as late as slacken lets them.
func lateThreads(of []string) (late []string) {
	for _, id := range of {
		slack, err := os.ReadFile("/proc/" + id + "/timerslack_ns")
		if err == nil && strings.TrimSpace(string(slack)) == strconv.Itoa(monitorSlack) {
			late = append(late, id)
		}
	}
	return late
}

// Where the system has large pages, the heap is to have some once it was told to grow.
func TestGrownHeapIsToHaveLargePages(t *testing.T) {
	_, err := os.Stat("/sys/kernel/mm/transparent_hugepage")
	want := err == nil
	Grow(64 << 20)
	maps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	advised := false
	for line := range strings.Lines(string(maps)) {
		advised = advised || strings.HasPrefix(line, "VmFlags:") && strings.Contains(line, " hg")
	}
	if advised != want {
		t.Errorf("large pages are asked for: %t, want %t", advised, want)
	}
}

// So little that no large page fits in changes nothing.
func TestGrowsByLessThanAPage(t *testing.T) {
	for _, bytes := range []int{0, 1, hugePage - 1} {
		Grow(bytes)
	}
}
