package lean

import (
	"errors"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"testing"
)

// One thread may wake late, and no other: timers, which the others wait for, stay exact. Who may not say so changes nothing.
func TestOneThreadMayWakeLate(t *testing.T) {
	want := 1
	switch err := slacken(monitorSlack); {
	case errors.Is(err, fs.ErrPermission):
		want = 0
	case err != nil:
		t.Fatal(err)
	}
	if late := lateThreads(t); len(late) != want || want == 1 && late[0] == strconv.Itoa(os.Getpid()) {
		t.Errorf("of this process (%d) these threads may wake late: %q", os.Getpid(), late)
	}
	if err := slacken(0); want == 1 && err != nil {
		t.Fatal(err)
	}
	if late := lateThreads(t); len(late) != 0 {
		t.Errorf("these threads may still wake late: %q", late)
	}
}

// lateThreads are the threads of this process that may wake as late as slacken lets them.
func lateThreads(t *testing.T) (late []string) {
	t.Helper()
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		slack, err := os.ReadFile("/proc/" + task.Name() + "/timerslack_ns")
		if err == nil && strings.TrimSpace(string(slack)) == strconv.Itoa(monitorSlack) {
			late = append(late, task.Name())
		}
	}
	return late
}
