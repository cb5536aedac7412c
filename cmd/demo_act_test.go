package cmd

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/g2g-net/g2g/tui"
)

// pretended is a demo of as many nodes, none of which runs.
func pretended(nodes, regions int) *demo {
	d := &demo{net: newDemoNet(regions, 1), dir: "d"}
	for i := range nodes {
		done := make(chan struct{})
		close(done)
		d.nodes = append(d.nodes, &demoNode{name: fmt.Sprintf("node-%d", i+1), index: i, running: &running{done: done}})
	}
	return d
}

// Every verb of the demo has a key of the dashboard, on which nothing else is, and both do the same.
func TestDemoKeysAreTheVerbs(t *testing.T) {
	d := pretended(6, 3)
	keys := d.controls()
	for _, act := range demoActs {
		i := slices.IndexFunc(keys, func(c tui.Control) bool { return c.Key == act.key })
		if i < 0 || keys[i].Command("node-2") != "g2g demo "+act.verb+" node-2 --dir d" {
			t.Errorf("%s has no key, or one for something else", act.verb)
		}
	}
	file, err := os.Open(filepath.Join("..", "tui", "testdata", "well.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	well, err := tui.ReadRecording(file, "well")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	shown := tui.Options{Replay: well, Out: &out, Theme: "none", AllowActions: true, Controls: keys}
	if err := tui.Batch(t.Context(), shown, tui.Size{Width: 80, Height: 24}, 1); err != nil {
		t.Error(err)
	}
	for _, word := range []string{"X stop", "Z stall", "C cut", "H heal", "B back", "O rotate", "? help"} {
		if !strings.Contains(out.String(), word) {
			t.Errorf("the foot has no %q:\n%s", word, out.String())
		}
	}
}

// A region that is cut off reaches itself, and is healed as a whole; a word that names nobody changes nothing.
func TestDemoTargets(t *testing.T) {
	d := pretended(6, 3)
	do := func(key, name string) error {
		t.Helper()
		keys := d.controls()
		i := slices.IndexFunc(keys, func(c tui.Control) bool { return c.Key == key })
		if i < 0 {
			t.Fatalf("no key %s", key)
		}
		return keys[i].Do(t.Context(), name)
	}
	held := func() string {
		var pairs []string
		for a := range d.nodes {
			for b := range a {
				if d.net.held(b, a) {
					pairs = append(pairs, fmt.Sprintf("%d%d", b+1, a+1))
				}
			}
		}
		return strings.Join(pairs, " ")
	}
	for _, c := range []struct{ key, name, held string }{
		{"K", "node-2", "12 23 24 15 35 45 26 56"}, // 2 and 5 are one region
		{"C", "node-6", "12 23 24 15 35 45 16 26 36 46 56"},
		{"H", "node-6", "12 23 24 15 35 45 26 56"},
		{"H", "node-2", "12 23 24 15 35 45 26 56"}, // a region is healed as one
		{"L", "node-1", ""},
	} {
		if err := do(c.key, c.name); err != nil || held() != c.held {
			t.Errorf("after %s %s, %v: held between %q, want %q", c.key, c.name, err, held(), c.held)
		}
	}
	for _, word := range []string{"node-9", "region-0", "region-4", "region-x", ""} {
		if err := d.act(t.Context(), demoActs[2], word); err == nil || !strings.HasPrefix(err.Error(), "no node") || held() != "" {
			t.Errorf("cut %q: %v, held between %q", word, err, held())
		}
	}
	if err := do("Z", "node-1"); err == nil || err.Error() != "it is stopped" {
		t.Errorf("a stopped node is stalled: %v", err)
	}
	if d.over = true; do("C", "node-1") == nil || held() != "" {
		t.Error("a demo that is over still acts")
	}
}
