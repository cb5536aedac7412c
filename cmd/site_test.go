package cmd

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// siteTime bounds what a test waits for where nothing says otherwise: a busy machine is slow, and no verdict depends on that.
const siteTime = 60 * time.Second

// A site is one node as a process of its own: this test binary, called by the program's name. It runs on loopback, or on a host of
// a lab.
type site struct {
	t       *testing.T
	name    string
	dir     string
	program string   // g2g, or a program with a node and services of its own
	flags   []string // of init, join and serve
	env     []string
	enter   []string // what stands before a program to have it run elsewhere
	process *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
	log     string
	ready   map[string]string // what the line said by which it was ready
}

// newSite is a node on loopback, without a folder yet.
func newSite(t *testing.T, name string) *site {
	t.Helper()
	top := t.TempDir()
	s := &site{
		t: t, name: name, dir: filepath.Join(top, name), log: filepath.Join(top, "log"), program: "g2g",
		flags: []string{"--listen", "127.0.0.1:0", "--register", "127.0.0.1:0"},
	}
	t.Cleanup(func() {
		s.kill()
		if log, err := os.ReadFile(s.log); err == nil && t.Failed() {
			lines := strings.Split(strings.TrimSpace(string(log)), "\n")
			t.Logf("%s said last:\n%s", name, strings.Join(lines[max(0, len(lines)-15):], "\n"))
		}
	})
	return s
}

func (s *site) command(program string, args ...string) *exec.Cmd {
	s.t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		s.t.Fatal(err)
	}
	all := append(append(append([]string{}, s.enter...), path), args...)
	c := exec.Command(all[0], all[1:]...)
	c.Env = append(os.Environ(), s.env...)
	tie(c)
	return c
}

// run performs a command on the node's folder.
func (s *site) run(command string, args ...string) string {
	s.t.Helper()
	c := s.command("g2g", append([]string{command, "--dir", s.dir}, args...)...)
	var said strings.Builder
	c.Stderr = &said
	out, err := c.Output()
	if err != nil {
		s.t.Fatalf("%s: g2g %s: %v: %s", s.name, command, err, said.String())
	}
	return strings.TrimSpace(string(out))
}

func (s *site) found() {
	s.t.Helper()
	s.run("init", append([]string{"-q", "--name", s.name}, s.flags...)...)
}

// join makes the site a member by a token of a running one.
func (s *site) join(by *site) {
	s.t.Helper()
	token := by.run("nominate", "-q")
	s.run("join", append([]string{token, "-q", "--name", s.name}, s.flags...)...)
}

// start serves the node and returns once it is ready.
func (s *site) start(more ...string) {
	s.t.Helper()
	args := []string{"--dir", s.dir}
	if s.program == "g2g" {
		args = append(append([]string{"serve"}, args...), s.flags...)
	}
	c := s.command(s.program, append(args, more...)...)
	log, err := os.OpenFile(s.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		s.t.Fatal(err)
	}
	defer log.Close()
	c.Stderr = log
	out, err := c.StdoutPipe()
	if err == nil {
		s.in, err = c.StdinPipe()
	}
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		s.t.Fatal(err)
	}
	s.process, s.out = c, bufio.NewReader(out)
	line, err := s.out.ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "ready ") {
		s.t.Fatalf("%s is not ready: %q, %v", s.name, line, err)
	}
	s.ready = map[string]string{}
	for _, word := range strings.Fields(line) {
		key, value, _ := strings.Cut(word, "=")
		s.ready[key] = value
	}
}

// end sends a signal and waits for the end of the process.
func (s *site) end(sig os.Signal) {
	s.t.Helper()
	if s.process == nil {
		return
	}
	if err := s.process.Process.Signal(sig); err != nil {
		s.t.Errorf("%s: %v", s.name, err)
	}
	_ = s.in.Close()
	_ = s.process.Wait() // however it ended
	s.process = nil
}

// stop lets the node say goodbye.
func (s *site) stop() { s.end(syscall.SIGTERM) }

func (s *site) kill() {
	if s.process != nil {
		s.end(syscall.SIGKILL)
	}
}

// ask talks to the running node.
func (s *site) ask(f func(context.Context, *client) error) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), siteTime)
	defer cancel()
	c, err := dial(ctx, s.dir)
	if err == nil {
		defer c.Close()
		err = f(ctx, c)
	}
	if err != nil {
		s.t.Fatalf("%s: %v", s.name, err)
	}
}

// look is what the running node shows. On a busy machine it may be too late with its answer; then it is asked again.
func (s *site) look() (p picture) {
	s.t.Helper()
	limit := time.Now().Add(siteTime)
	s.ask(func(ctx context.Context, c *client) error {
		for {
			var err error
			if p, err = c.Picture(ctx); err == nil || time.Now().After(limit) {
				return err
			}
		}
	})
	return p
}

// reaches pings a peer until it answers, and tells how long that took.
func (s *site) reaches(peer string) time.Duration {
	s.t.Helper()
	for began := time.Now(); ; {
		out, err := s.command("g2g", "ping", "-c", "1", "--dir", s.dir, peer).CombinedOutput()
		took := time.Since(began)
		switch {
		case err == nil:
			return took.Round(time.Millisecond)
		case took > siteTime:
			s.t.Fatalf("%s: g2g ping %s: %v: %s", s.name, peer, err, out)
		}
	}
}

// await runs g2g wait on every site at once, and returns after how long the last condition came true.
func await(t *testing.T, sites []*site, condition string) time.Duration {
	t.Helper()
	return awaiting(t, sites, condition, siteTime)(time.Now())
}

// awaiting starts the waits. The function that it returns tells how long after a moment the last condition came true.
func awaiting(t *testing.T, sites []*site, condition string, limit time.Duration) func(since time.Time) time.Duration {
	t.Helper()
	var all sync.WaitGroup
	faults := make([]string, len(sites))
	ends := make([]time.Time, len(sites))
	for i, s := range sites {
		c := s.command("g2g", "wait", "-q", "--dir", s.dir, "--for", condition, "--timeout", limit.String())
		c.Env = append(c.Env, "GOMAXPROCS=1")
		var said strings.Builder
		c.Stderr = &said
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		all.Go(func() {
			if err := c.Wait(); err != nil {
				faults[i] = fmt.Sprintf("%s: %v: %s", s.name, err, said.String())
			}
			ends[i] = time.Now()
		})
	}
	return func(since time.Time) (longest time.Duration) {
		t.Helper()
		all.Wait()
		for i := range sites {
			if faults[i] != "" {
				t.Error(faults[i])
			}
			longest = max(longest, ends[i].Sub(since))
		}
		if t.Failed() {
			t.FailNow()
		}
		return longest
	}
}

// absent ends a test that this machine cannot run: as a failure where everything must be there, as a skip elsewhere.
func absent(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s, and CI is true", why)
	}
	t.Skip(why)
}

// network makes the members of one network, all of which run and list each other.
func network(t *testing.T, sites []*site) {
	t.Helper()
	sites[0].found()
	sites[0].start()
	for _, s := range sites[1:] {
		s.join(sites[0])
		s.start()
	}
	await(t, sites, fmt.Sprintf("alive==%d", len(sites)-1))
}
