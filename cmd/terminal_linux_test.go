package cmd

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/g2g-net/g2g/tui/ptytest"
)

// terminalTime bounds what a test waits for on a terminal.
const terminalTime = 5 * time.Minute

// onTerminal starts g2g on a terminal. What it makes for a time is made in a folder of its own.
func onTerminal(t *testing.T, term *ptytest.Terminal, tmp string, args ...string) *exec.Cmd {
	t.Helper()
	c := exec.Command("g2g", args...)
	c.Env = append(os.Environ(), "TMPDIR="+tmp, "TERM=xterm-256color")
	c.Stdin, c.Stdout, c.Stderr = term.Inner, term.Inner, term.Inner
	c.SysProcAttr = term.Attach()
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill() })
	return c
}

// shortTmp is a folder whose sockets have short names.
func shortTmp(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "g2g-t-") //nolint:usetesting // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// A demo on a terminal: a key acts on the selected node and names the command that it equals. Ctrl-C ends all, in the dashboard or
// before it, and nothing is left: no process, no folder, no other mode of the terminal.
func TestDemoOnATerminal(t *testing.T) {
	tmp := shortTmp(t)
	for _, c := range []struct {
		nodes, until, keys, then string
		exit                     int
	}{
		{"3", "2 alive", "C", `done: g2g demo cut node-[23] --dir`, exitDone},
		{"8", `node \d+ of|alive`, "", "", exitDone},
	} {
		term := ptytest.Open(t, 120, 36)
		before := term.Mode()
		demo := onTerminal(t, term, tmp, "demo", "--nodes", c.nodes, "--regions", "2")
		term.Until(c.until, terminalTime)
		if c.keys != "" {
			term.Type(c.keys)
			term.Until(c.then, terminalTime)
		}
		term.Type("\x03")
		_ = demo.Wait()
		if code := demo.ProcessState.ExitCode(); code != c.exit {
			t.Errorf("after Ctrl-C: exit %d, want %d", code, c.exit)
		}
		if left, err := filepath.Glob(filepath.Join(tmp, "*")); err != nil || len(left) > 0 {
			t.Errorf("left behind: %q", left)
		}
		if term.Mode() != before {
			t.Error("the terminal has another mode than before")
		}
	}
}

// Rule 2 of the dashboard, with a real node: when that ends the dashboard stays, says how old its data are, and goes on when the
// node is back.
func TestTopOutlivesItsNode(t *testing.T) {
	k := &killer{t: t}
	dir := filepath.Join(shortTmp(t), "n")
	k.must("init", "--dir", dir, "--name", "n", "--listen", "127.0.0.1:0", "--register", "127.0.0.1:0")
	node, _ := k.start(dir)
	term := ptytest.Open(t, 120, 36)
	top := onTerminal(t, term, t.TempDir(), "top", "--dir", dir)
	term.Until("● live 1s", terminalTime)
	_ = node.Process.Kill()
	_ = node.Wait()
	term.Until(`✗ NODE UNREACHABLE, data \d+s old, try \d+ in \d+s`, terminalTime)
	node, _ = k.start(dir)
	term.Type("r") // the next try may be seconds away
	term.Until("● live 1s", terminalTime)
	term.Type("q")
	if err := top.Wait(); err != nil {
		t.Errorf("the dashboard ended with %v", err)
	}
	_ = node.Process.Kill()
	_ = node.Wait()
}
