package cmd

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/g2g-net/g2g/node/config"
	"github.com/g2g-net/g2g/proto/adminpb"
)

// examined are the findings of doctor in a folder, "level check what", and its exit code.
func examined(t *testing.T, dir string) (found string, code int) {
	t.Helper()
	got := run(t, "", nil, "doctor", "--dir", dir, "-o", "jsonl")
	var b strings.Builder
	for line := range strings.Lines(got.out) {
		var f finding
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if f.Level != levelOK && f.Hint == "" {
			t.Errorf("%s %s: %s: no hint", f.Level, f.Check, f.What)
		}
		fmt.Fprintf(&b, "%s %s %s\n", f.Level, f.Check, f.What)
	}
	return b.String(), got.code
}

func wantFound(t *testing.T, found string, want ...string) {
	t.Helper()
	for _, line := range want {
		if !strings.Contains(found, line) {
			t.Errorf("no %q in\n%s", line, found)
		}
	}
}

// foundedIn makes the folder of a founder with ports of the system's choice.
func foundedIn(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "a")
	got := run(t, "", nil, "init", "-q", "--dir", dir, "--name", "a", "--listen", "127.0.0.1:0", "--register", "127.0.0.1:0")
	if got.code != exitDone {
		t.Fatal(got.err)
	}
	return dir
}

func TestDoctorOfAFolder(t *testing.T) {
	found, code := examined(t, filepath.Join(t.TempDir(), "none"))
	wantFound(t, found, "problem folder there is no folder ")
	if code != exitUnhealthy || strings.Count(found, "\n") != 1 {
		t.Errorf("exit %d, %s", code, found)
	}
	empty := t.TempDir()
	if err := os.Chmod(empty, 0o700); err != nil {
		t.Fatal(err)
	}
	found, code = examined(t, empty)
	wantFound(t, found, "warning identity there is no identity.key yet", "warning node no node runs", "ok state there is no state.db yet", "all settings have their defaults")
	if code != exitDone && !strings.Contains(found, "problem ports") { // the default ports may be somebody's
		t.Errorf("exit %d, %s", code, found)
	}
	if files, err := os.ReadDir(empty); err != nil || len(files) > 0 {
		t.Errorf("it left %v, %v", files, err)
	}
}

func TestDoctorOfAFounder(t *testing.T) {
	dir := foundedIn(t)
	found, code := examined(t, dir)
	wantFound(t, found, "ok identity g2gn1_", "warning founder founder.key is in the folder", "ok config ", "ok clock ", "warning node no node runs",
		"ok state a member of g2gw1_", "ok ports gossip.listen 127.0.0.1:0 is free", "ok ports register.listen 127.0.0.1:0 is free")
	if code != exitDone {
		t.Errorf("exit %d, %s", code, found)
	}
	if err := os.Remove(filepath.Join(dir, founderFile)); err != nil {
		t.Fatal(err)
	}
	if found, _ = examined(t, dir); strings.Contains(found, "founder") {
		t.Error(found)
	}
}

// Each is broken on a fresh folder; the finding names it, and the exit code is 7.
func TestDoctorFinds(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(t *testing.T, dir string) error
		want  string
	}{
		"an open folder":       {func(_ *testing.T, dir string) error { return os.Chmod(dir, 0o755) }, "problem folder "},
		"an open identity":     {func(_ *testing.T, dir string) error { return os.Chmod(filepath.Join(dir, identityFile), 0o640) }, "problem files identity.key has mode 0640"},
		"an open founder key":  {func(_ *testing.T, dir string) error { return os.Chmod(filepath.Join(dir, founderFile), 0o604) }, "problem files founder.key has mode 0604"},
		"an open state":        {func(_ *testing.T, dir string) error { return os.Chmod(filepath.Join(dir, stateFile), 0o644) }, "problem files state.db has mode 0644"},
		"a writable file":      {func(_ *testing.T, dir string) error { return os.Chmod(filepath.Join(dir, config.FileName), 0o666) }, "problem config g2g.toml has mode 0666"},
		"a lost identity":      {func(_ *testing.T, dir string) error { return os.Remove(filepath.Join(dir, identityFile)) }, "problem identity identity.key is missing, but state.db is that of an identity"},
		"a damaged identity":   {func(_ *testing.T, dir string) error { return overwrite(dir, identityFile, "-----BEGIN") }, "problem identity read key "},
		"another's identity":   {func(t *testing.T, dir string) error { return moveIn(foundedIn(t), dir, identityFile) }, "problem state read membership: identity.key is g2gn1_"},
		"an empty state":       {func(_ *testing.T, dir string) error { return overwrite(dir, stateFile, "") }, "problem state open folder "},
		"a wrong setting":      {func(_ *testing.T, dir string) error { return overwrite(dir, config.FileName, "nam = 1") }, "problem config configuration: "},
		"a clock gone back":    {func(_ *testing.T, dir string) error { return later(dir, config.FileName, time.Hour) }, "problem clock g2g.toml was written 59m"},
		"a port that is taken": {takePort, "problem ports gossip.listen: listen tcp 127.0.0.1:"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := foundedIn(t)
			if err := c.spoil(t, dir); err != nil {
				t.Fatal(err)
			}
			if !modes && strings.Contains(c.want, "mode") {
				t.Skip("no modes here")
			}
			found, code := examined(t, dir)
			wantFound(t, found, c.want)
			if code != exitUnhealthy {
				t.Errorf("exit %d", code)
			}
		})
	}
}

func overwrite(dir, name, text string) error {
	return os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600)
}

func moveIn(from, to, name string) error {
	return os.Rename(filepath.Join(from, name), filepath.Join(to, name))
}

func later(dir, name string, by time.Duration) error {
	return os.Chtimes(filepath.Join(dir, name), time.Time{}, time.Now().Add(by))
}

func takePort(t *testing.T, dir string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	t.Cleanup(func() { _ = l.Close() })
	return overwrite(dir, config.FileName, fmt.Sprintf("name = \"a\"\n[gossip]\nlisten = %q\n", l.Addr()))
}

func TestDoctorOfARunningNode(t *testing.T) {
	p := fakePicture()
	p.Self.Version = buildVersion().Version
	p.Self.Observed = []string{"198.51.100.7", "192.0.2.1", "127.0.0.1"}
	f := serveFake(t, &fakeNode{
		shows: []*adminpb.Snapshot{p}, shared: fakeServices(), trips: trips(0),
		events: []*adminpb.Event{
			{Kind: "clone", Severity: "error", Detail: "another node uses this node's identity"},
			{Kind: "refused", Severity: "warning", Name: "node-x", Detail: "token aa: used up"},
			{Kind: "refused", Severity: "warning", Name: "node-x", Detail: "token bb: expired"},
			{Kind: "dead", Severity: "error", Detail: "told by the peers"},
			{Kind: "rotated", Severity: "info", Detail: "epoch 7"},
		},
	})
	p.Peers[0].Serves = []string{"a.C"}
	p.Self.Order = []*adminpb.Place{{Position: 1, Id: p.Peers[0].Id, Name: p.Peers[0].Name}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	passages := "[[route]]\nservice = \"a.A\"\nbackend = \"" + l.Addr().String() + "\"\n[[route]]\nservice = \"a.B\"\nbackend = \"no.invalid:1\"\n" +
		"[[forward]]\nservice = \"a.C\"\nlisten = \"127.0.0.1:0\"\n[[forward]]\nservice = \"a.D\"\nlisten = \"127.0.0.1:0\"\n"
	if err := overwrite(f.dir, config.FileName, "name = \"other\"\nservices = [\"x.example:1\"]\n[gossip]\nadvertise = [\"192.0.2.9:7401\"]\n[register]\nlisten = \":0\"\n"+passages); err != nil {
		t.Fatal(err)
	}
	found, code := examined(t, f.dir)
	wantFound(t, found,
		"ok route a program listens at "+l.Addr().String()+" for a.A",
		"warning route nobody listens where a.B is routed to: ",
		"ok forward 1 peer in the order: a.C",
		"warning forward no peer in the order serves a.D",
		"ok node node-a answers, up for 1m05s",
		"warning config name is other, the node's is node-a",
		"warning config gossip.listen is :7401, the node listens at 127.0.0.1:7401",
		"warning config gossip.advertise has 192.0.2.9:7401, the node does not tell it",
		"warning config services has x.example:1, the node does not visit it",
		"ok leaf epoch 6",
		"ok addresses 192.0.2.1:7401\n",
		"warning addresses peers see this node at 198.51.100.7, which it does not tell",
		"warning peers node-c is dead (silent)",
		"warning peers node-d is late, unreachable",
		"warning peers node-b does not answer: no answer",
		"warning services nobody answered at c.example:1",
		"problem events clone in the last hour (1 time): another node uses",
		"warning events refused in the last hour (2 times): node-x token bb: expired",
	)
	for _, not := range []string{"told by the peers", "rotated", "at 192.0.2.1,", "at 127.0.0.1,"} {
		if strings.Contains(found, not) {
			t.Errorf("%q in\n%s", not, found)
		}
	}
	if code != exitUnhealthy {
		t.Errorf("exit %d", code)
	}
}

func TestDoctorJudgesLeafAndClock(t *testing.T) {
	for want, change := range map[string]func(*adminpb.Snapshot){
		"ok leaf epoch 6": func(*adminpb.Snapshot) {},
		"problem clock the leaf begins 2m00s from now":              func(s *adminpb.Snapshot) { s.TimeMs = 1_699_999_880_000 },
		"problem leaf the leaf ended 2.0s ago":                      func(s *adminpb.Snapshot) { s.TimeMs = 1_700_086_402_000 },
		"warning leaf the leaf should have been renewed":            func(s *adminpb.Snapshot) { s.TimeMs = 1_700_080_000_000 },
		"problem leaf the node has no leaf":                         func(s *adminpb.Snapshot) { s.Self.Leaf = nil },
		"warning clock the leaf of node-b was made 16m38s from now": func(s *adminpb.Snapshot) { s.Peers[0].Leaf.NotBefore = 1_700_000_000 - 2600 },
	} {
		s := fakePicture()
		change(s)
		d := &doctor{a: &app{}}
		d.leaf(pictureOf(s))
		var found strings.Builder
		for _, f := range d.found {
			fmt.Fprintf(&found, "%s %s %s\n", f.Level, f.Check, f.What)
		}
		wantFound(t, found.String(), want)
	}
}

func TestDoctorOfANodeThatHearsNobody(t *testing.T) {
	alone := fakePicture()
	alone.Peers = nil
	isolated := fakePicture()
	isolated.Peers, isolated.Self.Isolated = nil, true
	lost := fakePicture()
	lost.Peers = lost.Peers[1:2]
	for want, s := range map[string]*adminpb.Snapshot{
		"ok peers the node knows no others":                             alone,
		"problem peers the node hears nobody: 0 others listed, 0 alive": isolated,
		"problem peers the node hears nobody: 1 other listed, 0 alive":  lost,
		"warning network the node belongs to no network yet":            {Self: &adminpb.Self{Id: fakeID(1), Name: "node-a"}},
	} {
		f := serveFake(t, &fakeNode{shows: []*adminpb.Snapshot{s}})
		found, _ := examined(t, f.dir)
		wantFound(t, found, want)
	}
}

func TestDoctorOfANodeThatHangs(t *testing.T) {
	f := serveFake(t, &fakeNode{hangs: true})
	found, code := examined(t, f.dir)
	wantFound(t, found, "problem node it does not answer at its socket")
	if code != exitUnhealthy {
		t.Errorf("exit %d", code)
	}
}

func TestBoundAs(t *testing.T) {
	for _, c := range []struct {
		wanted, bound string
		fits          bool
	}{
		{":7401", "[::]:7401", true}, {":7401", "0.0.0.0:7401", true}, {":7401", "127.0.0.1:7401", false}, {":7401", "[::]:7402", false},
		{":0", "[::]:31234", true}, {"127.0.0.1:0", "127.0.0.1:9", true}, {"127.0.0.1:0", "[::]:9", false}, {"0.0.0.0:1", "[::]:1", true},
		{"localhost:1", "127.0.0.1:1", true}, {"localhost:1", "127.0.0.1:2", false}, {"nonsense", "127.0.0.1:2", false},
	} {
		if boundAs(c.wanted, c.bound) != c.fits {
			t.Errorf("%s as %s: want %v", c.wanted, c.bound, c.fits)
		}
	}
}

func TestKindsOfAddresses(t *testing.T) {
	for address, want := range map[string]string{
		"127.0.0.1:1": "loopback", "[::1]:1": "loopback", "10.1.2.3:1": "private", "192.168.0.1:1": "private", "[fd00::1]:1": "private",
		"[fe80::1]:1": "private", "192.0.2.1:1": "public", "[2001:db8::1]:1": "public", "localhost:1": "name",
	} {
		if got, err := kindOf(t.Context(), address); got != want || err != nil {
			t.Errorf("%s: %s, %v", address, got, err)
		}
	}
	if _, err := kindOf(t.Context(), "does-not-exist.invalid:1"); err == nil {
		t.Error("a name that nobody has was resolved")
	}
	told := []string{"192.0.2.1:7401", "[2001:db8::1]:7401"}
	for host, want := range map[string]bool{"192.0.2.1": false, "2001:db8::1": false, "192.0.2.2": true, "127.0.0.1": false, "": false} {
		if got := seenElsewhere(host, told); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
	if seenElsewhere("192.0.2.2", []string{"g2g.example:7401"}) {
		t.Error("a name may stand for any host")
	}
}
