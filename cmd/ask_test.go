package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/g2g-net/g2g/proto/adminpb"
)

func TestPeersFromANode(t *testing.T) {
	f := serveFake(t, &fakeNode{shows: []*adminpb.Snapshot{fakePicture()}})
	for _, c := range []struct {
		args []string
		code int
		out  string
	}{
		{[]string{"-o", "name"}, exitDone, "node-b\nnode-c\nnode-d\n"},
		{[]string{"-o", "name", "--filter", "state:dead"}, exitDone, "node-c\n"},
		{[]string{"-o", "name", "--filter", "mode:server", "--filter", "unreachable:true"}, exitDone, "node-d\n"},
		{[]string{"-o", "name", "--sort", "-age"}, exitDone, "node-c\nnode-d\nnode-b\n"},
		{[]string{"-o", "name", "--filter", "state:left"}, exitNobody, ""},
		{[]string{"-o", "json", "--filter", "state:left"}, exitNobody, "[]\n"},
	} {
		got := run(t, "", nil, append([]string{"peers", "--dir", f.dir}, c.args...)...)
		if got.code != c.code || got.out != c.out {
			t.Errorf("%q: exit %d, %q, %s; want %d, %q", c.args, got.code, got.out, got.err, c.code, c.out)
		}
	}
	got := run(t, "", []string{"G2G_DIR=" + f.dir}, "peers", "-o", "json")
	var peers []map[string]any
	if err := json.Unmarshal([]byte(got.out), &peers); err != nil || len(peers) != 3 || peers[0]["name"] != "node-b" {
		t.Errorf("by G2G_DIR: %v, %s%s", err, got.out, got.err)
	}
}

func TestPeersWatchPrintsEveryPicture(t *testing.T) {
	second := fakePicture()
	second.Peers = second.Peers[:1]
	f := serveFake(t, &fakeNode{shows: []*adminpb.Snapshot{fakePicture(), second}, ends: true})
	for format, want := range map[string]string{
		asName: "node-b\nnode-c\nnode-d\nnode-b\n",
	} {
		got := run(t, "", nil, "peers", "--watch", "--dir", f.dir, "-o", format)
		if got.code != exitUnreachable || got.out != want || !strings.Contains(got.err, "has stopped") {
			t.Errorf("-o %s: exit %d, %q, %q", format, got.code, got.out, got.err)
		}
	}
	got := run(t, "", nil, "peers", "--watch", "--dir", f.dir, "-o", "json")
	if lines := strings.Split(got.out, "\n"); len(lines) != 3 || !json.Valid([]byte(lines[0])) || !json.Valid([]byte(lines[1])) {
		t.Errorf("-o json: %q; want an array a line", got.out)
	}
	got = run(t, "", nil, "peers", "--watch", "--dir", f.dir)
	if strings.Contains(got.out, "\x1b") || strings.Count(got.out, "NAME ") != 2 {
		t.Errorf("a pipe gets %q", got.out)
	}
}

func TestInterruptedStreamsSayNothing(t *testing.T) {
	f := serveFake(t, &fakeNode{shows: []*adminpb.Snapshot{fakePicture()}})
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errInterrupted)
	for _, words := range []string{"peers --watch", "events --follow"} {
		got := runUntil(ctx, "", nil, append(strings.Fields(words), "--dir", f.dir)...)
		if got.code != exitInterrupted || got.err != "" {
			t.Errorf("%s: exit %d, %q", words, got.code, got.err)
		}
	}
	got := runUntil(ctx, "", nil, "wait", "--for", "joined", "--dir", f.dir)
	if got.code != exitInterrupted || !strings.Contains(got.err, "wait: interrupted") {
		t.Errorf("wait: exit %d, %q", got.code, got.err)
	}
}

func TestNodeThatIsNotThere(t *testing.T) {
	dir := t.TempDir()
	for _, words := range []string{"peers", "status", "events", "nominate", "token list", "token revoke 00aa", "cert list", "cert show", "leave"} {
		got := run(t, "", nil, append(strings.Fields(words), "--dir", dir)...)
		want := "g2g: error: " + strings.TrimSuffix(words, " 00aa") + ": no node runs in " + dir + "\ng2g: hint: start it: g2g serve --dir " + dir + "\n"
		if got.code != exitUnreachable || got.err != want || got.out != "" {
			t.Errorf("%s: exit %d, %q, want %q", words, got.code, got.err, want)
		}
	}
}

// A socket file that a killed node has left behind is no node.
func TestNodeThatWasKilled(t *testing.T) {
	f := serveFake(t, &fakeNode{})
	leftover := filepath.Join(t.TempDir(), "admin.sock")
	if err := os.WriteFile(leftover, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := run(t, "", nil, "status", "--dir", filepath.Dir(leftover)); got.code != exitUnreachable || !strings.Contains(got.err, "no node runs in") {
		t.Errorf("exit %d, %q", got.code, got.err)
	}
	f.refuse = status.Error(codes.FailedPrecondition, "this node has no network")
	if got := run(t, "", nil, "status", "--dir", f.dir); got.code != exitFailed || got.err != "g2g: error: status: this node has no network\n" {
		t.Errorf("exit %d, %q", got.code, got.err)
	}
}

func TestNominatePrintsTheTokenAlone(t *testing.T) {
	f := serveFake(t, &fakeNode{})
	got := run(t, "", nil, "nominate", "--dir", f.dir, "--ttl", "1h", "--uses", "2", "--label", "x", "--no-nominate", "--at", "192.0.2.1:1", "--at", "b.example:2", "--for", fakeID(7))
	if got.code != exitDone || got.out != "g2gs1_secret\n" || got.err != "g2g: nominated a server-mode node: 2 uses, holds 1h00m\n" {
		t.Errorf("exit %d, %q, %q", got.code, got.out, got.err)
	}
	a := f.asked
	if a.GetMode() != modeServer || a.GetTtlS() != 3600 || a.GetUses() != 2 || a.GetLabel() != "x" || !a.GetNoNominate() || len(a.GetAt()) != 2 || a.GetFor() != fakeID(7) {
		t.Errorf("asked %v", a)
	}
	if got := run(t, "", nil, "nominate", "-q", "--dir", f.dir); got.out != "g2gs1_secret\n" || got.err != "" || f.asked.GetTtlS() != 1800 || f.asked.GetUses() != 1 {
		t.Errorf("-q: %q, %q, asked %v", got.out, got.err, f.asked)
	}
	got = run(t, "", nil, "nominate", "--dir", f.dir, "-o", "json")
	var view map[string]any
	if err := json.Unmarshal([]byte(got.out), &view); err != nil || view["token"] != "g2gs1_secret" || view["token_id"] != "00000000000000aa" {
		t.Errorf("-o json: %v, %q", err, got.out)
	}
}

func TestNominateRefuses(t *testing.T) {
	for line, want := range map[string]string{
		"--mode srver":       `unknown mode "srver"`,
		"--ttl 0s":           "--ttl 0s is not at least 1s in whole seconds",
		"--ttl 1500ms":       "--ttl 1.5s is not at least 1s in whole seconds",
		"--ttl -1s":          "--ttl -1s is not at least 1s in whole seconds",
		"--ttl 10000h":       "--ttl 10000h0m0s is over 30d00h",
		"--uses 0":           "--uses 0 is not 1 to 10000",
		"--uses -1":          `invalid argument "-1" for "--uses" flag`,
		"--uses 10001":       "--uses 10001 is not 1 to 10000",
		"--at nowhere":       `--at: address "nowhere"`,
		"--for node-b":       `--for: parse node ID: it does not begin with "g2gn1_"`,
		"--for g2gn1_aaaaaa": "--for: parse node ID: ",
		"me":                 `unexpected argument "me"`,
	} {
		got := run(t, "", nil, append([]string{"nominate"}, strings.Fields(line)...)...)
		if got.code != exitUsage || !strings.Contains(got.err, want) {
			t.Errorf("%s: exit %d, %s", line, got.code, got.err)
		}
	}
}

func TestTokenRevoke(t *testing.T) {
	f := serveFake(t, &fakeNode{})
	if got := run(t, "", nil, "token", "revoke", "00aa", "--dir", f.dir); got.code != exitDone || f.revoked != "00aa" || !strings.Contains(got.err, "1 of 2 uses were used") {
		t.Errorf("exit %d, %q", got.code, got.err)
	}
	if got := run(t, "", nil, "token", "revoke", "ff", "--dir", f.dir); got.code != exitNobody || !strings.Contains(got.err, `token revoke: no token "ff"`) {
		t.Errorf("exit %d, %q", got.code, got.err)
	}
	if got := run(t, "", nil, "token", "revoke", "g2gs1_secret", "--dir", f.dir); got.code != exitUsage || strings.Contains(got.err, "secret") {
		t.Errorf("a token instead of its ID: exit %d, %q", got.code, got.err)
	}
}

func TestEvents(t *testing.T) {
	f := serveFake(t, &fakeNode{events: []*adminpb.Event{{Seq: 1, TimeMs: 1, Kind: "joined"}, {Seq: 2, TimeMs: 2, Kind: "left"}}})
	if got := run(t, "", nil, "events", "--dir", f.dir, "-o", "jsonl"); got.code != exitDone || strings.Count(got.out, "\n") != 2 {
		t.Errorf("exit %d, %q", got.code, got.out)
	}
	if got := run(t, "", nil, "events", "--follow", "--dir", f.dir, "-o", "json"); got.code != exitUsage {
		t.Errorf("an array that follows: exit %d, %q", got.code, got.err)
	}
	if got := run(t, "", nil, "events", "--follow", "--dir", f.dir, "-o", "jsonl"); got.code != exitUnreachable || strings.Count(got.out, "\n") != 2 {
		t.Errorf("a node that goes: exit %d, %q", got.code, got.err)
	}
}

func TestWaitAgainstANode(t *testing.T) {
	before := fakePicture()
	before.Self.Network = ""
	f := serveFake(t, &fakeNode{shows: []*adminpb.Snapshot{before, fakePicture()}})
	got := run(t, "", nil, "wait", "--dir", f.dir, "--for", "joined", "--for", "alive==1", "--timeout", "20s")
	if got.code != exitDone || got.out != "" || !strings.Contains(got.err, ": joined, alive==1\n") {
		t.Errorf("exit %d, %q, %q", got.code, got.out, got.err)
	}
	got, limit := ranOut(t, "saw in network", "wait", "--dir", f.dir, "--for", "joined", "--for", "alive==3", "--for", "peer:node-x=dead")
	want := `g2g: error: wait: not reached in ` + limit.String() + ` (2 of 3 conditions missed)
  joined            yes  saw in network ` + fakePicture().GetSelf().GetNetwork() + `
  alive==3          no   saw 1: node-c dead (silent), node-d late, unreachable
  peer:node-x=dead  no   saw no peer "node-x"
g2g: hint: see g2g peers and g2g events
`
	if got.code != exitTimeout || got.err != want || got.out != "" {
		t.Errorf("exit %d, %s; want %s", got.code, got.err, want)
	}
	got = run(t, "", nil, "wait", "--dir", f.dir, "--any", "--for", "alive==3", "--for", "dead==1", "--timeout", "20s", "-o", "jsonl", "-q")
	if got.code != exitDone || got.err != "" || strings.Count(got.out, `"met":true`) != 1 || strings.Count(got.out, "\n") != 2 {
		t.Errorf("--any: exit %d, %q, %q", got.code, got.out, got.err)
	}
}

// ranOut performs a wait that fails, with more and more time until it has seen something: a busy machine may not look once in a moment.
func ranOut(t *testing.T, seen string, args ...string) (got call, limit time.Duration) {
	t.Helper()
	for limit = 50 * time.Millisecond; ; limit *= 2 {
		got = run(t, "", nil, append(args, "--timeout", limit.String())...)
		if strings.Contains(got.err, seen) || limit > siteTime/5 {
			return got, limit
		}
	}
}

func TestWaitForANodeThatIsNotUpYet(t *testing.T) {
	dir := t.TempDir()
	got, _ := ranOut(t, "no node runs", "wait", "--dir", dir, "--for", "joined")
	if got.code != exitTimeout || !strings.Contains(got.err, "  joined  no   saw node unreachable: no node runs in "+dir) {
		t.Errorf("exit %d, %s", got.code, got.err)
	}
	f := serveFake(t, &fakeNode{shows: []*adminpb.Snapshot{fakePicture()}})
	later := filepath.Join(t.TempDir(), "later")
	done := make(chan call)
	go func() { done <- run(t, "", nil, "wait", "--dir", later, "--for", "joined", "--timeout", "20s") }()
	if err := os.Symlink(f.dir, later); err != nil {
		t.Fatal(err)
	}
	if got := <-done; got.code != exitDone {
		t.Errorf("exit %d, %s", got.code, got.err)
	}
}

func TestWaitRefuses(t *testing.T) {
	for _, line := range []string{"", "--for joined --timeout 0s", "--for joined --timeout -1s", "--for ''", "--for alive"} {
		if got := run(t, "", nil, append([]string{"wait"}, strings.Fields(line)...)...); got.code != exitUsage {
			t.Errorf("wait %s: exit %d, %s", line, got.code, got.err)
		}
	}
}

func TestCertShowFindsTheOne(t *testing.T) {
	f := serveFake(t, &fakeNode{shows: []*adminpb.Snapshot{fakePicture()}})
	for arg, want := range map[string]string{"": "node-a", "node-a": "node-a", "node-b": "node-b", fakeID(3)[:12]: "node-c"} {
		args := []string{"cert", "show", "--dir", f.dir, "-o", "name"}
		if arg != "" {
			args = append(args, arg)
		}
		if got := run(t, "", nil, args...); got.code != exitDone || got.out != want+"\n" {
			t.Errorf("%q: exit %d, %q, %s", arg, got.code, got.out, got.err)
		}
	}
	if got := run(t, "", nil, "cert", "show", "node-bb", "--dir", f.dir); got.code != exitNobody || !strings.Contains(got.err, "did you mean node-b") {
		t.Errorf("exit %d, %s", got.code, got.err)
	}
}

func TestCompletionIsLive(t *testing.T) {
	f := serveFake(t, &fakeNode{shows: []*adminpb.Snapshot{fakePicture()}, shared: fakeServices()})
	// The shells' scripts keep what begins as the word typed; here all of it is seen.
	for line, want := range map[string]string{
		"cert show --dir DIR _":              "node-b\talive server\nnode-c\tdead server\nnode-d\tlate server\n:4",
		"peers --dir DIR --filter sta":       "\nstate:\nunreachable:\n:6",
		"peers --dir DIR --filter state:a":   "state:alive\nstate:late\nstate:dead\n",
		"peers --dir DIR --filter name:n":    "name:node-b\talive server\n",
		"wait --dir DIR --for peer:node-b=d": "\npeer:node-b=dead\n",
		"wait --dir DIR --for peer:node-c":   "\npeer:node-c\tdead server\n",
		"wait --dir DIR --for al":            "\nalive>=\n",
		"token revoke --dir DIR _":           "00000000000000aa\tserver for b\n:4",
		"ping --dir DIR _":                   "node-b\talive server\n",
		"services remove --dir DIR _":        "b.example:1\tadded\nc.example:1\tadded\n:4",
		"peers -o js":                        "json\njsonl\nname\n:4",
		"nominate --mode c":                  "server\nclient\n:4",
		"serve --log-format _":               "text\njson\n:4",
		"help token re":                      "\nrevoke\tVoid a token before its time\n:4",
	} {
		words := strings.Fields(strings.ReplaceAll(line, "DIR", f.dir))
		if last := len(words) - 1; words[last] == "_" {
			words[last] = ""
		}
		var got call // a completion gives up soon, and a busy machine may not be so quick
		for end := time.Now().Add(siteTime / 3); !strings.Contains(got.out, want) && time.Now().Before(end); {
			got = run(t, "", nil, append([]string{"__complete"}, words...)...)
		}
		if !strings.Contains(got.out, want) {
			t.Errorf("%s: %q, want %q", line, got.out, want)
		}
	}
}

// A node that hangs, and none at all, cost a completion its deadline and no word. A busy machine may end it late.
func TestCompletionIsSilentOnFailure(t *testing.T) {
	hung := serveFake(t, &fakeNode{hangs: true})
	for _, dir := range []string{hung.dir, t.TempDir()} {
		started := time.Now()
		got := run(t, "", nil, "__complete", "cert", "show", "--dir", dir, "")
		if took := time.Since(started); got.code != exitDone || got.out != ":4\n" || took > siteTime/3 {
			t.Errorf("exit %d, %q after %s", got.code, got.out, took)
		}
	}
}

// A node that is there and does not answer is told from one that is not there.
func TestNodeThatDoesNotAnswer(t *testing.T) {
	f := serveFake(t, &fakeNode{hangs: true})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	node, err := dial(t.Context(), f.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer node.Close()
	_, err = node.Picture(ctx)
	if told := explain(err); told.code != exitUnreachable || !strings.Contains(told.Error(), "is there, but does not answer in time") || told.hint == "" {
		t.Errorf("told: %v, exit %d, hint %q", err, told.code, told.hint)
	}
	if told := explain(noNode(t.Context(), "d", &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded})); !strings.Contains(told.Error(), "is there") {
		t.Errorf("of a socket that does not open in time: %v", &told)
	}
	if told := explain(noNode(t.Context(), "d", &net.OpError{Op: "dial", Err: syscall.ENOENT})); !errors.Is(told.why, errNoNode) {
		t.Errorf("of no socket: %v", &told)
	}
}
