package cmd

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
	err := calmMonitor()
	if err != nil && !errors.Is(err, fs.ErrPermission) {
		t.Fatal(err)
	}
	want := 1
	if err != nil {
		want = 0
	}
	if late := lateThreads(t); len(late) != want || want == 1 && late[0] == strconv.Itoa(os.Getpid()) {
		t.Errorf("of this process (%d) these threads may wake late: %q (%v)", os.Getpid(), late, err)
	}
}

// lateThreads are the threads of this process that may wake as late as calmMonitor lets them.
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
