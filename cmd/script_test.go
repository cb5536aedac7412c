package cmd

import (
	"errors"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	if os.Getenv("GORACE") == "" {
		_ = os.Setenv("GORACE", "atexit_sleep_ms=10") // else every process of a script lingers for a second under -race
	}
	testscript.Main(m, map[string]func(){"g2g": func() { os.Exit(Main()) }, "g2g-echo": echoMain})
}

// The scripts run real processes on loopback: this test binary, called g2g.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		UpdateScripts:       *update,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":  scriptExits,
			"define": scriptDefine,
			"until":  scriptUntil,
			"term":   signalAll(syscall.SIGTERM),
			"hangup": signalAll(syscall.SIGHUP),
		},
	})
}

// exits CODE PROGRAM ARG...: the program must end with that code.
func scriptExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARG...")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		code = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if want := args[0]; strconv.Itoa(code) != want {
		ts.Fatalf("exit code %d, want %s", code, want)
	}
}

// define NAME: what the last program printed becomes a variable.
func scriptDefine(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: define NAME")
	}
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile("stdout")))
}

// untilTime bounds how long a script looks for something that it cannot wait for in another way.
const untilTime = 5 * time.Minute

// until REGEX PROGRAM ARG...: the program is run until what it prints matches.
func scriptUntil(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: until REGEX PROGRAM ARG...")
	}
	want := regexp.MustCompile(args[0])
	ticks := time.NewTicker(50 * time.Millisecond)
	defer ticks.Stop()
	for end := time.Now().Add(untilTime); time.Now().Before(end); <-ticks.C {
		_ = ts.Exec(args[1], args[2:]...) // a failure is a reason to try again
		if want.MatchString(ts.ReadFile("stdout") + ts.ReadFile("stderr")) {
			return
		}
	}
	ts.Fatalf("%q not seen within %s", args[0], untilTime)
}

// signalAll makes a command: every background process gets the signal.
func signalAll(sig os.Signal) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) != 0 {
			ts.Fatalf("no arguments are wanted")
		}
		for _, c := range ts.BackgroundCmds() {
			ts.Check(c.Process.Signal(sig))
		}
	}
}
