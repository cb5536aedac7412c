package tui

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"
	"github.com/muesli/termenv"
	"google.golang.org/protobuf/proto"

	"github.com/g2g-net/g2g/proto/adminpb"
)

func line(screen string, n int) string { return strings.Split(screen, "\n")[n] }

// Rule 1: the verdict answers all five questions in every view and size.
func TestVerdictAnswersEverywhere(t *testing.T) {
	for _, size := range []Size{{200, 60}, {160, 48}, {120, 36}, {100, 30}, {80, 24}, {60, 16}} {
		m := replayed(t, made("late-and-dead"), size)
		for _, keys := range []string{"1", "2", "3", "?", "esc c", "esc z", "/"} {
			type_(m, keys)
			got := line(m.View(), 1)
			for _, answer := range [][]string{{"12"}, {"▲ 1 late", "▲1"}, {"✗ 1 dead", "✗1"}, {"syd-1"}, {"D›A›C›B", "DACB"}, {"converging ↓", "↓"}, {"cert", "9h"}} {
				if !containsAny(got, answer) {
					t.Errorf("%v after %q: no %q in %q", size, keys, answer, got)
				}
			}
		}
	}
	m := replayed(t, made("late-and-dead"), Size{50, 12})
	for _, answer := range []string{"1 late chi-1", "1 dead akl-1 stalled", "farthest syd-1", "order D A C B", "converging", "cert bru-1 9h"} {
		if !strings.Contains(m.View(), answer) {
			t.Errorf("50x12: no %q in\n%s", answer, m.View())
		}
	}
}

func containsAny(text string, words []string) bool {
	for _, w := range words {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}

// watched is a model of a live node that has shown a recording.
func watched(t testing.TB, name string, size Size) *model {
	t.Helper()
	m := replayed(t, made(name), size)
	m.link.replay, m.link.ended = false, false
	now := start
	m.clockOf = func() time.Time { return now }
	m.link.at = now
	return m
}

func (m *model) later(d time.Duration) {
	now := m.clockOf().Add(d)
	m.clockOf = func() time.Time { return now }
	m.Update(tickMsg{})
}

// Rule 2: when the node goes away the last data stays, greyed, with its age and the next try; it comes back by itself.
func TestNodeGoesAway(t *testing.T) {
	m := watched(t, "well", Size{120, 36})
	m.look = coloured(t)
	before := ansi.Strip(m.View())
	m.Update(lostMsg{why: "the node has stopped", try: 3, next: start.Add(4 * time.Second)})
	m.later(2 * time.Second)
	got := m.View()
	if title := ansi.Strip(line(got, 0)); !strings.Contains(title, "✗ NODE UNREACHABLE, data 2s old, try 3 in 2s") {
		t.Errorf("the title is %q", title)
	}
	if a, b := strings.Split(before, "\n")[1:], strings.Split(ansi.Strip(got), "\n")[1:]; !reflect.DeepEqual(a, b) {
		t.Error("the data did not stay")
	}
	if strings.Contains(strings.Join(strings.Split(got, "\n")[1:35], "\n"), m.look.open[good]) {
		t.Error("what is old is not grey")
	}
	m.Update(pictureMsg{proto.Clone(m.pic.Snapshot).(*adminpb.Snapshot)})
	if title := ansi.Strip(line(m.View(), 0)); !strings.Contains(title, "● live 1s") {
		t.Errorf("back again the title is %q", title)
	}
	m.later(11 * time.Second)
	if title := ansi.Strip(line(m.View(), 0)); !strings.Contains(title, "✗ NODE SILENT, last data 11s old") {
		t.Errorf("of a silent node the title is %q", title)
	}
}

func TestNodeIsNotThereAtFirst(t *testing.T) {
	m := newModel(Options{Name: "/var/lib/g2g", Interval: time.Second}, &look{})
	m.w, m.h = 80, 24
	for _, keys := range []string{"", "j", "enter", "3", "1", "space", "space", "E", "p", "z", "s", "/ x enter", "?"} {
		type_(m, keys)
		if !strings.Contains(m.View(), "g2g top") {
			t.Fatalf("after %q:\n%s", keys, m.View())
		}
	}
	type_(m, "esc 1")
	m.Update(lostMsg{why: "no node runs in /var/lib/g2g", try: 2, next: m.now.Add(time.Second)})
	if got := m.View(); !strings.Contains(got, "no node runs in /var/lib/g2g") || !strings.Contains(got, "UNREACHABLE in 1s") {
		t.Errorf("got\n%s", got)
	}
}

// Rule 3: nothing acts without --allow-actions, and Enter never means yes.
func TestActing(t *testing.T) {
	m := watched(t, "well", Size{120, 36})
	var asked []string
	m.call = func(c call) tea.Cmd { asked = append(asked, c.command); return nil }
	type_(m, "p R y N y enter")
	if len(asked) != 0 || m.ui.prompt != nil {
		t.Errorf("read-only, but asked %q", asked)
	}
	m.ui.page = overviewPage
	m.opt.Dir = "d"
	m.ui.keys, m.ui.actions = newKeys(true, nil), true
	for _, c := range []struct{ keys, command string }{
		{"R enter", ""}, {"R n", ""}, {"R esc", ""}, {"N enter", ""}, {"R y", "g2g cert rotate --dir d"}, {"N y", "g2g nominate --dir d"},
		{"p", "g2g ping akl-1 -c 3 --dir d"},
	} {
		asked = nil
		type_(m, c.keys)
		if got := strings.Join(asked, ""); got != c.command {
			t.Errorf("%q asked %q, want %q", c.keys, got, c.command)
		}
	}
	type_(m, "R")
	if foot := line(m.View(), 35); !strings.Contains(foot, "g2g cert rotate --dir d") || !strings.Contains(foot, "y yes, any other key no") {
		t.Errorf("the question is %q", foot)
	}
	type_(m, "esc")
	m.Update(doneMsg{command: "g2g cert rotate", text: "the certificate has epoch 7 now"})
	if foot := line(m.View(), 35); !strings.Contains(foot, "epoch 7 now   = g2g cert rotate") {
		t.Errorf("the answer is %q", foot)
	}
}

// Rule 4: a paused screen stays, says so, and can be sorted, filtered, looked into and exported.
func TestPause(t *testing.T) {
	original := replayed(t, made("late-and-dead"), Size{120, 36}).View()
	m := watched(t, "late-and-dead", Size{120, 36})
	t.Chdir(t.TempDir())
	type_(m, "space")
	next := proto.Clone(m.pic.Snapshot).(*adminpb.Snapshot)
	next.TimeMs += 1000
	next.Peers = next.Peers[:3]
	m.later(42 * time.Second)
	m.Update(pictureMsg{next})
	m.Update(eventsMsg{[]*adminpb.Event{{Seq: 99, Kind: "alive", Name: "new-1", TimeMs: next.TimeMs}}})
	got := m.View()
	if !strings.Contains(line(got, 0), "▮▮ PAUSED 12:04:31 (+42s of data waiting)") {
		t.Errorf("the title is %q", line(got, 0))
	}
	if !strings.Contains(got, "1-12 of 14") || strings.Contains(got, "new-1") {
		t.Errorf("what came meanwhile shows:\n%s", got)
	}
	type_(m, "/ syd enter s s")
	if got := m.View(); !strings.Contains(got, "1-2 of 2 (14 in all)") || !strings.Contains(got, "sorted by rtt ▾") {
		t.Errorf("not filtered and sorted:\n%s", got)
	}
	type_(m, "E ctrl+s")
	files, _ := filepath.Glob("g2g-top-*")
	if len(files) != 2 {
		t.Fatalf("written: %q", files)
	}
	exported, err := os.Open(strings.TrimSuffix(files[0], filepath.Ext(files[0])) + ".jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer exported.Close()
	r, err := ReadRecording(exported, "exported")
	if err != nil {
		t.Fatal(err)
	}
	if got := replayed(t, r, Size{120, 36}).View(); got != original {
		t.Errorf("the export shows\n%s\nwant\n%s", got, original)
	}
	type_(m, "esc space")
	if got := m.View(); !strings.Contains(got, "of 3") || !strings.Contains(got, "new-1") {
		t.Errorf("it does not go on with what came:\n%s", got)
	}
}

// Rule 4: the order of the rows does not jump while the cursor moves, and the selection stays with its peer.
func TestOrderIsHeldWhileTheCursorMoves(t *testing.T) {
	m := watched(t, "well", Size{120, 36})
	type_(m, "s s down down") // by latency
	selected := m.ui.cursor
	before := idsOf(m.rows())
	next := proto.Clone(m.pic.Snapshot).(*adminpb.Snapshot)
	for i, p := range next.Peers {
		v := float64(i)
		p.LatencyMs = &v
	}
	m.Update(pictureMsg{next})
	if got := idsOf(m.rows()); !reflect.DeepEqual(got, before) || m.ui.cursor != selected {
		t.Error("the rows have moved under the cursor")
	}
	m.later(3 * time.Second)
	if got := idsOf(m.rows()); reflect.DeepEqual(got, before) || m.ui.cursor != selected {
		t.Error("the rows are held for ever, or the selection is another")
	}
}

func idsOf(rows []*adminpb.Peer) (ids []string) {
	for _, p := range rows {
		ids = append(ids, p.GetId())
	}
	return ids
}

// coloured is a look of all colours.
func coloured(t testing.TB) *look {
	t.Helper()
	r := lipgloss.NewRenderer(&bytes.Buffer{})
	r.SetColorProfile(termenv.TrueColor)
	r.SetHasDarkBackground(true)
	return lookOf(r, false)
}

// Rule 5: without colours shapes and words say all: states, the selection, the boxes of the order.
func TestShapesSayAll(t *testing.T) {
	m := replayed(t, made("late-and-dead"), Size{80, 24})
	got := m.View()
	for _, shape := range []string{"▸✗ stalled", "▲ late", "● alive", "[✗]", "[1 D 277ms]"} {
		if !strings.Contains(got, shape) {
			t.Errorf("no %q in\n%s", shape, got)
		}
	}
	if strings.Contains(got, "\x1b") {
		t.Error("there are colours")
	}
	m.look = coloured(t)
	if strip := ansi.Strip(m.View()); !strings.Contains(strip, "✗ stalled") || !strings.Contains(m.View(), "\x1b[") {
		t.Error("no colours, or no shapes under them")
	}
}

func TestASCII(t *testing.T) {
	for _, name := range []string{"late-and-dead", "diverging"} {
		m := replayed(t, made(name), Size{120, 36})
		m.look = &look{ascii: true}
		for _, keys := range []string{"", "enter", "?", "esc 3", "1 c", "esc z"} {
			type_(m, keys)
			got := m.View()
			if i := strings.IndexFunc(got, func(r rune) bool { return r >= utf8.RuneSelf || r < ' ' && r != '\n' }); i >= 0 {
				t.Errorf("%s after %q: %q", name, keys, got[i:min(len(got), i+20)])
			}
			if strings.Contains(strings.Join(strings.Split(got, "\n")[1:], ""), "?????") {
				t.Errorf("%s after %q: shapes have no place in ASCII\n%s", name, keys, got)
			}
		}
	}
}

// Rule 7: help is made from the key map, and every binding of it is in there once, with words, and with keys of its own.
func TestEveryKeyHasHelp(t *testing.T) {
	controls := []Control{{Key: "X", Help: "stop it"}}
	k := newKeys(true, controls)
	used := map[string]string{}
	listed := map[string]int{}
	for _, g := range k.groups() {
		for _, b := range g.keys {
			listed[b.Help().Key+"|"+b.Help().Desc]++
		}
	}
	each := func(field string, b key.Binding) {
		if b.Help().Key == "" || b.Help().Desc == "" {
			t.Errorf("%s has no help", field)
		}
		if n := listed[b.Help().Key+"|"+b.Help().Desc]; n != 1 {
			t.Errorf("%s is %d times in the help", field, n)
		}
		for _, name := range b.Keys() {
			if other, taken := used[name]; taken {
				t.Errorf("%s and %s are both on %q", field, other, name)
			}
			used[name] = field
		}
	}
	v := reflect.ValueOf(k)
	for i := range v.NumField() {
		switch f := v.Field(i).Interface().(type) {
		case key.Binding:
			each(v.Type().Field(i).Name, f)
		case []key.Binding:
			for _, b := range f {
				each("control "+b.Help().Key, b)
			}
		default:
			t.Errorf("%s is no binding", v.Type().Field(i).Name)
		}
	}
	m := replayed(t, made("well"), Size{120, 44})
	m.ui.keys = k
	type_(m, "?")
	for _, g := range k.groups() {
		for _, b := range g.keys {
			if !strings.Contains(m.View(), b.Help().Key) || !strings.Contains(m.View(), b.Help().Desc) {
				t.Errorf("the help page has no %q: %q", b.Help().Key, b.Help().Desc)
			}
		}
	}
}

func TestKeysThatLead(t *testing.T) {
	m := watched(t, "well", Size{120, 36})
	quits := func(k string) bool {
		_, cmd := m.Update(keyOf(k))
		if cmd == nil {
			return false
		}
		_, quit := cmd().(tea.QuitMsg)
		return quit
	}
	for range 5 {
		if quits("esc") {
			t.Error("esc quits")
		}
	}
	type_(m, "down enter")
	if m.ui.page != peerPage || !strings.Contains(m.View(), "peer "+name(m.pic.byID[m.ui.cursor])) {
		t.Error("enter opens no peer")
	}
	before := m.ui.cursor
	type_(m, "]")
	if m.ui.cursor == before || m.ui.page != peerPage {
		t.Error("] does not go to the next peer")
	}
	type_(m, "esc")
	if m.ui.page != overviewPage {
		t.Error("esc does not go back")
	}
	type_(m, "3")
	if m.ui.page != eventsPage {
		t.Error("3 is not the events")
	}
	if type_(m, "/ b"); quits("q") {
		t.Error("q quits while a filter is typed")
	}
	if m.ui.filter != "bq" {
		t.Errorf("the filter is %q", m.ui.filter)
	}
	if !quits("ctrl+c") {
		t.Error("ctrl+c does not quit from a prompt")
	}
	if type_(m, "esc esc"); !quits("q") || !quits("ctrl+c") {
		t.Error("q or ctrl+c does not quit")
	}
}

// Rule 8: what was recorded shows the same again.
func TestRecordAndReplay(t *testing.T) {
	var b bytes.Buffer
	r := situations["diverging"]()
	m := newModel(Options{Replay: r}, &look{})
	m.now = m.now.UTC()
	m.w, m.h = 120, 36
	r.play(func(msg any) {
		if err := recordTo(&b, msg); err != nil {
			t.Fatal(err)
		}
		m.Update(msg)
	}, func(time.Duration) bool { return true })
	again, err := ReadRecording(&b, "again")
	if err != nil {
		t.Fatal(err)
	}
	if got := replayed(t, again, Size{120, 36}).View(); got != m.View() {
		t.Errorf("got\n%s\nwant\n%s", got, m.View())
	}
}

func TestRecordingsThatAreNone(t *testing.T) {
	for text, want := range map[string]string{
		"":                                  "x: no picture in it: it is no recording of g2g top",
		"\n{}\n":                            "x: line 2: neither a snapshot nor an event",
		"{\"snapshot\":{\"timeMs\":[]}}":    "x: line 1: proto:",
		"PNG":                               "x: line 1: invalid character 'P'",
		"{\"event\":{\"kind\":\"dead\"}}\n": "x: no picture in it: it is no recording of g2g top",
	} {
		if _, err := ReadRecording(strings.NewReader(text), "x"); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

// Rule 9: drawing changes nothing, and draws the same twice.
func TestViewIsPure(t *testing.T) {
	for _, size := range sizes {
		m := replayed(t, made("late-and-dead"), size)
		for _, keys := range []string{"1", "2", "3", "?", "esc z", "z", "z", "z", "z"} {
			type_(m, keys)
			snap, ui := proto.Clone(m.pic.Snapshot), m.ui
			first := view(&m.scene)
			if view(&m.scene) != first {
				t.Errorf("%v after %q: twice is not the same", size, keys)
			}
			if !proto.Equal(snap, m.pic.Snapshot) || !reflect.DeepEqual(ui.held, m.ui.held) || ui.top != m.ui.top || ui.cursor != m.ui.cursor {
				t.Errorf("%v after %q: drawing changed something", size, keys)
			}
		}
	}
}

// A thousand peers, of which the lanes hold all and the table shows some.
func thousand() *Recording {
	w := newWorld()
	w.now = start.Add(-20 * time.Second)
	chance := rand.New(rand.NewPCG(1, 2))
	for i := range 986 {
		w.nodes = append(w.nodes, &member{
			name: "node-" + string(rune('a'+i%26)) + short(idOf(string(rune(i))))[6:], mode: "server", ms: 0.2 + 300*chance.Float64(), state: "alive", factor: 1,
			leafEnd: start.Add(9 * time.Hour),
		})
	}
	w.run(start.Add(-time.Second))
	w.told = append(w.told, w.snapshot(true))
	return &Recording{told: w.told, name: "thousand"}
}

func BenchmarkUpdate1000(b *testing.B) {
	m := replayed(b, thousand(), Size{120, 36})
	s := proto.Clone(m.pic.Snapshot).(*adminpb.Snapshot)
	for b.Loop() {
		s.TimeMs += 1000
		m.Update(pictureMsg{s})
	}
}
