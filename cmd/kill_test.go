package cmd

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/g2g-net/g2g/node/store"
)

// TestKilledAtRandom kills real processes with SIGKILL at a random moment of init, of join (the joiner's, and the nominator's) and
// of serve. Whatever the moment, the node starts again, is the same member, and no use of a token is lost or doubled.
// KILL_ROUNDS sets the number of rounds, KILL_SEED repeats a run.
func TestKilledAtRandom(t *testing.T) {
	rounds := envInt(t, "KILL_ROUNDS", 8)
	seed := envInt(t, "KILL_SEED", int(time.Now().UnixNano()%1_000_000))
	t.Logf("KILL_ROUNDS=%d KILL_SEED=%d", rounds, seed)
	k := &killer{t: t, random: rand.New(rand.NewPCG(uint64(seed), 1)), founder: filepath.Join(t.TempDir(), "f")}
	k.must("init", "--dir", k.founder, "--name", "f", "--listen", "127.0.0.1:0", "--register", "127.0.0.1:0")
	k.startFounder()
	defer func() { k.kill(k.running) }()
	for i := range rounds {
		k.round(i)
	}
	t.Logf("killed %d processes, %d of them before they had ended by themselves", k.kills, k.early)
}

type killer struct {
	t       *testing.T
	random  *rand.Rand
	founder string
	running *exec.Cmd
	at      string // where the founder registers since its last start: another process may have taken the port that it had
	kills   int
	early   int
}

func envInt(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

func (k *killer) round(i int) {
	k.init(i)
	dir := filepath.Join(k.t.TempDir(), fmt.Sprint("j", i))
	k.join(dir, fmt.Sprint("j", i), i%2 == 1)
	k.serve(dir, fmt.Sprint("j", i))
}

// init is killed, then run again until the folder is founded: with the identity that the first run made, if it came so far.
func (k *killer) init(i int) {
	dir := filepath.Join(k.t.TempDir(), "i")
	args := []string{"init", "--dir", dir, "--name", fmt.Sprint("i", i), "--listen", "127.0.0.1:0", "--register", "127.0.0.1:0"}
	k.runAndKill(60*time.Millisecond, args...)
	before := identityOf(k.t, dir)
	if _, stderr, code := runG2G(args...); code != 0 && !strings.Contains(stderr, "a network already") {
		k.t.Fatalf("round %d: init after a kill: exit %d: %s", i, code, stderr)
	}
	if after := identityOf(k.t, dir); before != "" && before != after {
		k.t.Fatalf("round %d: init after a kill made another identity", i)
	}
	p, line := k.start(dir)
	if !strings.Contains(line, "name=i"+fmt.Sprint(i)) || strings.Contains(line, "gossip=-") {
		k.t.Fatalf("round %d: after init: %s", i, line)
	}
	k.kill(p)
}

// join is killed, or its nominator is while it joins; then it goes on with the same token.
func (k *killer) join(dir, name string, nominatorToo bool) {
	token := strings.TrimSpace(k.must("nominate", "--dir", k.founder, "-q"))
	args := []string{"join", token, "--dir", dir, "--name", name, "--listen", "127.0.0.1:0", "--register", "127.0.0.1:0"}
	if nominatorToo {
		joiner := exec.Command("g2g", args...)
		if err := joiner.Start(); err != nil {
			k.t.Fatal(err)
		}
		killed := make(chan struct{})
		time.AfterFunc(k.draw(150*time.Millisecond), func() {
			k.kill(k.running)
			close(killed)
		})
		<-killed
		_ = joiner.Wait() // however it ended
		k.startFounder()
	} else {
		k.runAndKill(200*time.Millisecond, args...)
	}
	before := identityOf(k.t, dir)
	if _, stderr, code := runG2G(append(args, "--at", k.at)...); code != 0 && !strings.Contains(stderr, "a network already") {
		k.t.Fatalf("%s: join after a kill: exit %d: %s", name, code, stderr)
	}
	if after := identityOf(k.t, dir); before != "" && before != after {
		k.t.Fatalf("%s: join after a kill made another identity", name)
	}
	k.usedOnce(token, dir)
}

// usedOnce reads the nominator's own count.
func (k *killer) usedOnce(token, dir string) {
	var inspected struct {
		TokenID string `json:"token_id"`
	}
	k.decode(k.must("token", "inspect", token, "-o", "json"), &inspected)
	var list []struct {
		TokenID string `json:"token_id"`
		Used    int    `json:"used"`
		Users   []struct {
			ID string `json:"id"`
		} `json:"users"`
	}
	k.decode(k.must("token", "list", "--dir", k.founder, "-o", "json"), &list)
	for _, n := range list {
		if n.TokenID != inspected.TokenID {
			continue
		}
		if n.Used != 1 || len(n.Users) != 1 || n.Users[0].ID != identityOf(k.t, dir) {
			k.t.Fatalf("token %s: used %d times, by %v; want once, by %s", n.TokenID, n.Used, n.Users, identityOf(k.t, dir))
		}
		return
	}
	k.t.Fatalf("token %q is not in the nominator's list %+v", inspected.TokenID, list)
}

// serve is killed at once, then runs: the same node, which the founder lists as alive.
func (k *killer) serve(dir, name string) {
	k.runAndKill(300*time.Millisecond, "serve", "--dir", dir)
	p, line := k.start(dir)
	if !strings.Contains(line, "id="+identityOf(k.t, dir)+" ") {
		k.t.Fatalf("%s: after a kill another node runs: %s", name, line)
	}
	k.must("wait", "--dir", k.founder, "--for", "peer:"+name+"=alive", "--timeout", siteTime.String())
	k.kill(p)
}

func (k *killer) startFounder() {
	var line string
	k.running, line = k.start(k.founder)
	if !strings.Contains(line, "name=f ") {
		k.t.Fatalf("founder: %s", line)
	}
	_, after, _ := strings.Cut(line, " register=")
	k.at, _, _ = strings.Cut(after, " ")
}

// start serves a folder and waits for the ready line. The process ends with the test.
func (k *killer) start(dir string) (*exec.Cmd, string) {
	k.t.Helper()
	c := exec.Command("g2g", "serve", "--dir", dir)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		k.t.Fatal(err)
	}
	k.t.Cleanup(func() { _ = c.Process.Kill() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		_ = c.Process.Kill()
		_ = c.Wait()
		k.t.Fatalf("serve %s: no ready line: %v: %s", dir, err, stderr.String())
	}
	return c, line
}

func (k *killer) draw(limit time.Duration) time.Duration {
	return time.Duration(k.random.Int64N(int64(limit)))
}

// runAndKill runs a command and kills it after a random time, if it has not ended before.
func (k *killer) runAndKill(limit time.Duration, args ...string) {
	k.t.Helper()
	c := exec.Command("g2g", args...)
	if err := c.Start(); err != nil {
		k.t.Fatal(err)
	}
	timer := time.AfterFunc(k.draw(limit), func() { _ = c.Process.Kill() })
	defer timer.Stop()
	k.kills++
	if err := c.Wait(); err != nil {
		k.early++
	}
}

func (k *killer) kill(c *exec.Cmd) {
	_ = c.Process.Kill()
	_ = c.Wait()
	k.kills++
	k.early++
}

// runG2G gives stdout, stderr and the exit code of a command.
func runG2G(args ...string) (stdout, stderr string, code int) {
	var out, errs bytes.Buffer
	c := exec.Command("g2g", args...)
	c.Stdout, c.Stderr = &out, &errs
	err := c.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return out.String(), errs.String(), exit.ExitCode()
	}
	if err != nil {
		return "", err.Error(), -1
	}
	return out.String(), errs.String(), 0
}

func (k *killer) must(args ...string) string {
	k.t.Helper()
	stdout, stderr, code := runG2G(args...)
	if code != 0 {
		k.t.Fatalf("g2g %s: exit %d: %s", args[0], code, stderr)
	}
	return stdout
}

func (k *killer) decode(text string, v any) {
	k.t.Helper()
	if err := json.Unmarshal([]byte(text), v); err != nil {
		k.t.Fatalf("%v in %s", err, text)
	}
}

// identityOf is the ID in a folder, or nothing where the folder has no identity yet.
func identityOf(t *testing.T, dir string) string {
	t.Helper()
	identity, err := store.ReadKey(filepath.Join(dir, store.IdentityFile))
	if errors.Is(err, os.ErrNotExist) {
		return ""
	}
	if err != nil {
		t.Fatalf("identity of %s: %v", dir, err)
	}
	return identity.ID().String()
}
