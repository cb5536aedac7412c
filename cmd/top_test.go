package cmd

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/g2g-net/g2g/proto/adminpb"
	"github.com/g2g-net/g2g/tui"
)

// recorded is the last picture of a recording of the dashboard.
func recorded(t testing.TB, name string) *adminpb.Snapshot {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "tui", "testdata", name+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	var of struct{ Snapshot json.RawMessage }
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &of); err != nil {
		t.Fatal(err)
	}
	s := &adminpb.Snapshot{}
	if err := protojson.Unmarshal(of.Snapshot, s); err != nil {
		t.Fatal(err)
	}
	return s
}

// The numbers on the screen are those of `g2g status` and `g2g peers`, of the same snapshot.
func TestTopShowsTheNumbersOfTheCommands(t *testing.T) {
	for _, name := range []string{"well", "late-and-dead", "region-cut"} {
		s := recorded(t, name)
		f := serveFake(t, &fakeNode{shows: []*adminpb.Snapshot{s}})
		screen := run(t, "", nil, "top", "--once", "--dir", f.dir, "--size", "160x48")
		status := run(t, "", nil, "status", "-o", "json", "--dir", f.dir)
		var told statusView
		if err := json.Unmarshal([]byte(status.out), &told); err != nil || screen.code != exitDone {
			t.Fatalf("%s: %v, exit %d %s", name, err, screen.code, screen.err)
		}
		want := []string{fmt.Sprintf("● %d alive", told.Peers.Alive), fmt.Sprintf("(n %d)", told.LimitN), fmt.Sprintf("limit %.1fs", float64(told.LimitMS)/1000)}
		if told.Peers.Late > 0 {
			want = append(want, fmt.Sprintf("▲ %d late", told.Peers.Late))
		}
		if told.Peers.Dead > 0 {
			want = append(want, fmt.Sprintf("✗ %d dead", told.Peers.Dead))
		}
		peers := run(t, "", nil, "peers", "-o", "json", "--dir", f.dir)
		var views []peerView
		if err := json.Unmarshal([]byte(peers.out), &views); err != nil {
			t.Fatal(err)
		}
		want = append(want, fmt.Sprintf("of %d", len(views)))
		for _, text := range want {
			if !strings.Contains(screen.out, text) {
				t.Errorf("%s: no %q on the screen\n%s", name, text, screen.out)
			}
		}
		if len(strings.Split(strings.TrimSuffix(screen.out, "\n"), "\n")) != 48 || strings.Contains(screen.out, "\x1b") {
			t.Errorf("%s: the screen is not 48 plain lines", name)
		}
	}
}

func TestTopAsText(t *testing.T) {
	f := serveFake(t, &fakeNode{shows: []*adminpb.Snapshot{recorded(t, "well")}, events: []*adminpb.Event{{Seq: 1, TimeMs: 1, Kind: "late", Name: "b", Severity: "warning"}}})
	kept := filepath.Join(t.TempDir(), "kept.jsonl")
	got := run(t, "", nil, "top", "--batch", "-n", "2", "--interval", "200ms", "--record", kept, "--dir", f.dir)
	if got.code != exitDone || strings.Count(got.out, "g2g top") != 2 {
		t.Errorf("exit %d: %s\n%s", got.code, got.err, got.out)
	}
	again := run(t, "", nil, "top", "--once", "--replay", kept)
	if again.code != exitDone || !strings.Contains(again.out, fmt.Sprintf("● %d alive", len(recorded(t, "well").Peers))) || !strings.Contains(again.out, "1 event") {
		t.Errorf("the recording shows, exit %d: %s\n%s", again.code, again.err, again.out)
	}
	for _, c := range []struct {
		args string
		code int
		why  string
	}{
		{"top", exitUsage, "the dashboard needs a terminal"},
		{"top --once --dir " + t.TempDir(), exitUnreachable, "no node runs"},
		{"top --once --size 80", exitUsage, "is not WIDTHxHEIGHT"},
		{"top --once --theme pink --dir " + f.dir, exitUsage, "no theme"},
		{"top --once -n 3", exitUsage, "-n is for --batch"},
		{"top --once --interval 1ms", exitUsage, "less than 200ms"},
		{"top --once --allow-actions", exitUsage, "--allow-actions is for the dashboard"},
		{"top --replay a --record b", exitUsage, "exclude each other"},
		{"top --once --record " + kept + " --dir " + f.dir, exitFailed, "exists"},
	} {
		if got := run(t, "", nil, strings.Fields(c.args)...); got.code != c.code || !strings.Contains(got.err, c.why) {
			t.Errorf("%s: exit %d, %s; want %d, %s", c.args, got.code, got.err, c.code, c.why)
		}
	}
}

// Colours are for terminals, unless a theme is named.
func TestTopColours(t *testing.T) {
	f := serveFake(t, &fakeNode{shows: []*adminpb.Snapshot{proto.Clone(recorded(t, "well")).(*adminpb.Snapshot)}})
	for theme, coloured := range map[string]bool{"auto": false, "none": false, "dark": true, "light": true, "16": true} {
		got := run(t, "", nil, "top", "--once", "--theme", theme, "--dir", f.dir)
		if got.code != exitDone || strings.Contains(got.out, "\x1b[") != coloured {
			t.Errorf("--theme %s: exit %d, colours %v", theme, got.code, !coloured)
		}
	}
	if len(tui.Themes) != 5 {
		t.Error("a theme has no test")
	}
}
