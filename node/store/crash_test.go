package store

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/pki"
)

// The test binary is its own child: with this variable set it works in a folder, as its value says, until it is killed.
const childVariable = "G2G_STORE_TEST_CHILD"

// exitKilled is the child's status when it ended itself at the step that it was told.
const exitKilled = 42

func TestMain(m *testing.M) {
	if order := os.Getenv(childVariable); order != "" {
		child(order)
	}
	os.Exit(m.Run())
}

// child obeys "write PATH", or "OPERATION STEP PATH".
func child(order string) {
	words := strings.SplitN(order, " ", 3)
	if words[0] == "write" {
		writeForEver(strings.TrimPrefix(order, "write "))
	}
	last := value(strconv.Atoi(words[1]))
	n := 0
	InjectFaults(func(string, string) error {
		if n++; n == last {
			os.Exit(exitKilled) // no deferred function runs
		}
		return nil
	})
	if err := operate(words[0], words[2]); err != nil {
		panic(err)
	}
	os.Exit(0)
}

func runChild(t *testing.T, order string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), value(os.Executable()), "-test.run=^$")
	cmd.Env = append(os.Environ(), childVariable+"="+order)
	cmd.Stderr = os.Stderr
	return cmd
}

// operations are the changes that must be whole or not at all, in a folder that is a member's, but for the first.
var operations = map[string]func(*Dir) error{
	"create": func(*Dir) error { return nil },
	"finish": func(*Dir) error { return nil },
	"save":   func(d *Dir) error { return d.Save(more(d)) },
	"ports":  func(d *Dir) error { return d.SavePorts(1, 2) },
	"config": func(d *Dir) error { return d.WriteFile(ConfigFile, []byte("# another"), 0o600) },
	"chain": func(d *Dir) error {
		founder, err := d.Founder()
		if err != nil {
			return err
		}
		genesis, chain, _, err := d.Membership()
		if err != nil {
			return err
		}
		renewed, err := pki.AdmitRoot(founder, genesis, chain.Subject(), now.Add(1e9))
		if err != nil {
			return err
		}
		return d.SaveMembership(genesis, renewed)
	},
	"archive": func(d *Dir) error {
		_, err := d.Archive(now)
		return err
	},
}

// prepare leaves a folder as a process that was killed left it: an archive whose last steps are to be done by the next Open, and
// a file under a temporary name.
func prepare(t *testing.T, operation, folder string) {
	t.Helper()
	if operation != "finish" {
		return
	}
	undo := InjectFaults(func(_, step string) error {
		if step == "remove "+FounderFile {
			return errFault
		}
		return nil
	})
	if err := operate("archive", folder); !errors.Is(err, errFault) {
		t.Fatal(err)
	}
	undo()
	must(t, os.WriteFile(filepath.Join(folder, IdentityFile+"."+rand.Text()+temporarySuffix), []byte("half a key"), 0o600))
}

func operate(operation, path string) error {
	d, err := Open(path)
	if err != nil {
		return err
	}
	return errors.Join(operations[operation](d), d.Close())
}

// base prepares the folder that an operation works on, and says what it must be before and after.
func base(t *testing.T, operation string) (folder, before, after string) {
	t.Helper()
	folder = t.TempDir()
	if operation != "create" {
		d := founded(t)
		folder = d.Path()
		before = state(d)
		must(t, d.Close())
	}
	prepare(t, operation, folder)
	done := copyFolder(t, folder)
	must(t, operate(operation, done))
	d := open(t, done)
	after = state(d)
	must(t, d.Close())
	if operation == "create" || operation == "finish" { // Open itself does the work
		before = after
	}
	return folder, before, after
}

// TestKilledAtEveryStep opens with the attack: the process ends at each step in turn. The folder is as before or as after.
func TestKilledAtEveryStep(t *testing.T) {
	for operation := range operations {
		t.Run(operation, func(t *testing.T) {
			everyStep(t, operation, func(n int, folder string) (done bool) {
				err := runChild(t, fmt.Sprintf("%s %d %s", operation, n, folder)).Run()
				var exit *exec.ExitError
				if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != exitKilled) {
					t.Fatal(err)
				}
				return err == nil
			})
		})
	}
}

// forgiven are the steps whose failure needs no report: what is left is swept away.
var forgiven = []string{"unlink " + StateFile}

// TestFaultAtEveryStep is the same with a disk that fails once while the process lives. It must be told.
func TestFaultAtEveryStep(t *testing.T) {
	for operation := range operations {
		t.Run(operation, func(t *testing.T) {
			everyStep(t, operation, func(n int, folder string) (done bool) {
				steps, undo := failing(n)
				err := operate(operation, folder)
				undo()
				if err != nil && !errors.Is(err, errFault) {
					t.Fatal(err)
				}
				if err == nil && len(*steps) >= n && !slices.Contains(forgiven, (*steps)[n-1]) {
					t.Errorf("step %d, %s: the fault was kept quiet", n, (*steps)[n-1])
				}
				return len(*steps) < n
			})
		})
	}
}

func everyStep(t *testing.T, operation string, attempt func(n int, folder string) (done bool)) {
	folder, before, after := base(t, operation)
	seen := map[string]bool{}
	for n := 1; ; n++ {
		if n > 100 {
			t.Fatal("it never ends")
		}
		hurt := copyFolder(t, folder)
		done := attempt(n, hurt)
		d, err := Open(hurt)
		if err != nil {
			t.Fatalf("step %d: %v", n, err)
		}
		got := state(d)
		must(t, d.Close())
		switch {
		case got != before && got != after:
			t.Fatalf("step %d: neither old nor new:\n%s\nold:\n%s\nnew:\n%s", n, got, before, after)
		case done && got != after:
			t.Fatalf("step %d: it said that it was done, but is not:\n%s", n, got)
		}
		seen[got] = true
		for _, name := range files(t, hurt) {
			if isTemporary(name) {
				t.Errorf("step %d: %s is left", n, name)
			}
		}
		if done {
			if n == 1 || before != after && len(seen) != 2 {
				t.Errorf("after %d steps: old and new were not both seen", n)
			}
			return
		}
	}
}

// TestInitKilledAtEveryStep: until the last transaction there is no network, and the next Init goes on with the same keys.
func TestInitKilledAtEveryStep(t *testing.T) {
	for n := 1; ; n++ {
		path := t.TempDir()
		steps, undo := failing(n)
		d, err := Open(path)
		if err == nil {
			err = d.Init(rand.Reader, []byte("# config"), found)
			must(t, d.Close())
		}
		undo()
		if err != nil && !errors.Is(err, errFault) {
			t.Fatal(err)
		}
		if err == nil && len(*steps) >= n && !slices.Contains(forgiven, (*steps)[n-1]) {
			t.Errorf("step %d, %s: the fault was kept quiet", n, (*steps)[n-1])
		}
		keys := map[string]string{}
		for _, name := range []string{IdentityFile, FounderFile} {
			if data, err := os.ReadFile(filepath.Join(path, name)); err == nil {
				keys[name] = string(data)
			}
		}
		d = open(t, path)
		_, _, ok, failure := d.Membership()
		if failure != nil {
			t.Fatalf("step %d: %v", n, failure)
		}
		if !ok {
			must(t, d.Init(rand.Reader, []byte("# config"), found))
		}
		if len(value(d.Load()).Nominations) != 1 {
			t.Errorf("step %d: the network came without its nomination", n)
		}
		for name, data := range keys {
			if got := value(os.ReadFile(filepath.Join(path, name))); string(got) != data {
				t.Errorf("step %d: another %s", n, name)
			}
		}
		must(t, d.Close())
		if len(*steps) < n {
			if err != nil || n < 10 {
				t.Errorf("after %d steps: %v", n, err)
			}
			return
		}
	}
}

// writeForEver saves higher and higher numbers, each with as many claims, and prints each number once it is saved.
func writeForEver(path string) {
	d := value(Open(path))
	own := value(d.Load()).Own
	token := value(d.Load()).Nominations[0].TokenID()
	for {
		own.Sequence++
		own.Incarnation++
		joiner := pki.ID([]byte(fmt.Sprintf("%032d", own.Sequence)))
		save := gossip.Save{
			Own:     &own,
			Claims:  []gossip.ClaimRecord{{Token: token, Joiner: joiner, Chain: make([]byte, 1+own.Sequence%3000)}},
			Reserve: []gossip.Address{reserved(joiner, "10.0.0.1:1")}, ReserveChanged: true,
		}
		if err := d.Save(save); err != nil {
			panic(err)
		}
		fmt.Println(own.Sequence)
	}
}

// TestKilledWhileWriting opens with the attack: kill -9, 20 times, of a process that does nothing but save.
func TestKilledWhileWriting(t *testing.T) {
	d := founded(t)
	start := value(d.Load()).Own
	path := d.Path()
	must(t, d.Close())
	last := start.Sequence
	for round := range 20 {
		cmd := runChild(t, "write "+path)
		out := value(cmd.StdoutPipe())
		must(t, cmd.Start())
		lines := bufio.NewScanner(out)
		for n := 0; n < 3+round*5 && lines.Scan(); n++ {
			last = value(strconv.ParseUint(lines.Text(), 10, 64))
		}
		must(t, cmd.Process.Kill())
		for lines.Scan() {
			last = value(strconv.ParseUint(lines.Text(), 10, 64))
		}
		_ = cmd.Wait() // killed
		d := open(t, path)
		saved := value(d.Load())
		must(t, d.Close())
		if saved.Own.Sequence < last || saved.Own.Sequence > last+1 {
			t.Fatalf("round %d: sequence %d was told, %d is there", round, last, saved.Own.Sequence)
		}
		rose := saved.Own.Sequence - start.Sequence
		joiner := pki.ID([]byte(fmt.Sprintf("%032d", saved.Own.Sequence)))
		if saved.Own.Incarnation-start.Incarnation != rose || uint64(len(saved.Claims)) != rose || len(saved.Reserve) != 1 || saved.Reserve[0].ID != joiner {
			t.Fatalf("round %d: half of a save: %+v, %d claims, reserve %+v", round, saved.Own, len(saved.Claims), saved.Reserve)
		}
		last = saved.Own.Sequence
	}
}
