package cmd

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// python finds an interpreter that has gRPC. The system's is asked first: it has what the package manager installed.
func python(t *testing.T) string {
	t.Helper()
	for _, program := range []string{"/usr/bin/python3", "python3"} {
		if exec.Command(program, "-c", "import grpc").Run() == nil {
			return program
		}
	}
	absent(t, "there is no python3 with grpc (Debian's python3-grpcio)")
	return ""
}

// pythonServes starts the service of testdata/python and tells its address.
func pythonServes(t *testing.T, program string) string {
	t.Helper()
	c := exec.Command(program, "testdata/python/program.py", "serve")
	tie(c)
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := c.StdinPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = c.Process.Kill() // nobody asks how it ends, and its interpreter may wait for a thread
		_ = c.Wait()
	})
	port, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return "127.0.0.1:" + strings.TrimSpace(port)
}

// configure writes tables behind what stands in the node's configuration.
func (s *site) configure(text string) {
	s.t.Helper()
	f, err := os.OpenFile(filepath.Join(s.dir, "g2g.toml"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = fmt.Fprint(f, "\n"+text)
		if err := f.Close(); err != nil {
			s.t.Fatal(err)
		}
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

var listens = regexp.MustCompile(`a service of peers is served to this host" service=(\S+) listen=(\S+)`)

// forwards is where the node's last start serves a service of peers to this host.
func (s *site) forwards(service string) (address string) {
	s.t.Helper()
	log, err := os.ReadFile(s.log)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, m := range listens.FindAllStringSubmatch(string(log), -1) {
		if m[1] == service {
			address = m[2]
		}
	}
	if address == "" {
		s.t.Fatalf("%s: no forward of %s in its log", s.name, service)
	}
	return address
}

var errKnown = errors.New("known")

// knows waits until as many peers stand in the node's order that serve a service.
func (s *site) knows(service string, peers int) {
	s.t.Helper()
	s.ask(func(ctx context.Context, c *client) error {
		err := c.Watch(ctx, func(p picture) error {
			if len(p.serving(service)) == peers {
				return errKnown
			}
			return nil
		})
		if errors.Is(err, errKnown) {
			return nil
		}
		return fmt.Errorf("%d peers that serve %s are awaited: %w", peers, service, err)
	})
}

// TestPassageBetweenPrograms has a server and a client in Python talk through two nodes, each beside one of them.
func TestPassageBetweenPrograms(t *testing.T) {
	program := python(t)
	backend := pythonServes(t, program)
	far, near := newSite(t, "far"), newSite(t, "near")
	far.found()
	far.configure("[[route]]\nservice = \"lab.Raw\"\nbackend = \"" + backend + "\"\n")
	far.start()
	near.join(far)
	near.configure("[[forward]]\nservice = \"lab.Raw\"\nlisten = \"127.0.0.1:0\"\n")
	near.start()
	near.knows("lab.Raw", 1)
	c := exec.Command(program, "testdata/python/program.py", "call", near.forwards("lab.Raw"), near.ready["id"], far.ready["id"])
	tie(c)
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	t.Logf("passed: %s", strings.ReplaceAll(strings.TrimSpace(string(out)), "\n", ", "))
	if got := far.run("config", "view", "-o", "jsonl"); !strings.Contains(got, `{"key":"route","value":"lab.Raw=`+backend+`"`) {
		t.Errorf("config view: %s", got)
	}
}
