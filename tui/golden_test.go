package tui

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite the golden screens")

// sizes are those at which the screens are kept as text.
var sizes = []Size{{160, 48}, {120, 36}, {80, 24}, {60, 16}, {50, 12}}

// golden compares with a file of testdata, or writes it.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is another (go test ./tui -update writes it):\n%s", name, got)
	}
}

// recordings are those of testdata: record.sh makes them with a demo that runs. Each has one thing to be seen in five seconds.
var recordings = []string{"well", "late-and-dead", "region-cut", "diverging", "certificate"}

// opened is a recording of testdata.
func opened(t testing.TB, name string) *Recording {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := ReadRecording(f, name)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// replayed is a model that has shown a recording to its end.
func replayed(t testing.TB, r *Recording, size Size) *model {
	t.Helper()
	m := newModel(Options{Replay: r, Name: r.name, Interval: time.Second}, &look{})
	m.now = m.now.UTC()
	m.w, m.h = size.Width, size.Height
	r.play(func(msg any) { m.Update(msg) }, func(time.Duration) bool { return true })
	return m
}

func TestScreens(t *testing.T) {
	for _, size := range sizes {
		for _, name := range recordings {
			m := replayed(t, opened(t, name), size)
			golden(t, fmt.Sprintf("%s-%dx%d.txt", name, size.Width, size.Height), []byte(m.View()+"\n"))
		}
	}
}

func TestPages(t *testing.T) {
	for _, size := range sizes[:4] {
		var b strings.Builder
		m := replayed(t, opened(t, "late-and-dead"), size)
		for _, keys := range []string{"enter", "esc 3", "1 ?", "esc c", "esc z", "z z z z", "esc /"} {
			type_(m, keys)
			fmt.Fprintf(&b, "after %s\n%s\n\n", keys, m.View())
		}
		golden(t, fmt.Sprintf("pages-%dx%d.txt", size.Width, size.Height), []byte(b.String()))
	}
}
