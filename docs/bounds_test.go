package docs_test

import (
	"flag"
	"go/constant"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/g2g-net/g2g/node/config"
)

var update = flag.Bool("update", false, "rewrite the figures on the pages from the constants and the configuration's keys")

// figured are the pages whose figures are the code's.
var figured = []string{
	"protocol.md", "design.md", "requirements.md", "signature.md", "detection.md", "latency.md", "cost.md", "security.md", "simulator.md", "operations.md",
	"services.md", "programs.md",
}

var (
	// named finds "`room.Name` (value)".
	named = regexp.MustCompile("`([a-z]+\\.[A-Za-z]+)` \\(([^()]*)\\)")
	// row finds a row of the table of bounds: what, value, name.
	row = regexp.MustCompile("(?m)^\\| ([^|]+) \\| ([^|]*)\\| `([a-z]+\\.[A-Za-z]+)` \\|$")
)

const boundsBegin, boundsEnd = "<!-- bounds -->", "<!-- /bounds -->"

// A teller knows the value behind a name on a page.
type teller struct {
	constants
	keys map[string]string
}

func newTeller(t *testing.T) teller {
	t.Helper()
	sources, err := tree()
	if err != nil {
		t.Fatal(err)
	}
	tell := teller{allConstants(sources), map[string]string{}}
	for _, k := range config.Keys() {
		tell.keys[k.Path] = k.Default
	}
	return tell
}

func (t teller) tell(name string) (string, error) {
	if value, ok := t.keys[name]; ok {
		return value, nil
	}
	f, err := t.value(name)
	if err != nil {
		return "", err
	}
	return f.String(), nil
}

// rooms tells the names of constants and keys from those of files.
func (t teller) rooms(name string) bool {
	room, _, _ := strings.Cut(name, ".")
	begins := func(other string) bool { return strings.HasPrefix(other, room+".") }
	return slices.ContainsFunc(slices.Collect(maps.Keys(t.constants)), begins) || slices.ContainsFunc(slices.Collect(maps.Keys(t.keys)), begins)
}

// corrected is a page with the right figures, and the complaints about what it names.
func (t teller) corrected(page string) (string, []string) {
	var complaints []string
	tell := func(name string) string {
		value, err := t.tell(name)
		if err != nil {
			complaints = append(complaints, err.Error())
		}
		return value
	}
	page = named.ReplaceAllStringFunc(page, func(s string) string {
		name := named.FindStringSubmatch(s)[1]
		if !t.rooms(name) {
			return s
		}
		return "`" + name + "` (" + tell(name) + ")"
	})
	before, table, found := strings.Cut(page, boundsBegin)
	table, after, ended := strings.Cut(table, boundsEnd)
	if !found || !ended {
		return page, complaints
	}
	table = row.ReplaceAllStringFunc(table, func(s string) string {
		m := row.FindStringSubmatch(s)
		return "| " + m[1] + " | " + tell(m[3]) + " | `" + m[3] + "` |"
	})
	return before + boundsBegin + table + boundsEnd + after, complaints
}

func TestPagesGiveTheRightFigures(t *testing.T) {
	tell := newTeller(t)
	for _, name := range figured {
		page, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		want, complaints := tell.corrected(string(page))
		for _, c := range complaints {
			t.Errorf("%s: %s", name, c)
		}
		if want == string(page) || len(complaints) > 0 {
			continue
		}
		if !*update {
			t.Errorf("docs/%s gives other figures than the code: run go test ./docs -run Figures -update", name)
			continue
		}
		if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// public tells the constants that bound or time something and are meant to be seen: exported, a number called Max..., or a
// duration.
func (c constants) public() (names []string) {
	for name := range c {
		_, base, _ := strings.Cut(name, ".")
		f, err := c.value(name)
		if err != nil || base[0] < 'A' || base[0] > 'Z' || strings.HasPrefix(name, "cmd.") {
			continue
		}
		if f.duration || strings.HasPrefix(base, "Max") && f.Kind() == constant.Int {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func TestEveryBoundIsInTheTable(t *testing.T) {
	page, err := os.ReadFile("protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), boundsBegin)
	table, _, _ = strings.Cut(table, boundsEnd)
	count := map[string]int{}
	for _, m := range row.FindAllStringSubmatch(table, -1) {
		count[m[3]]++
	}
	names := newTeller(t).public()
	if len(names) < 40 {
		t.Errorf("only %d constants found: the rule has gone blind", len(names))
	}
	for _, name := range names {
		if count[name] != 1 {
			t.Errorf("%s stands %d times in the table of docs/protocol.md", name, count[name])
		}
	}
}

func TestFiguresRuleBites(t *testing.T) {
	s, err := parse("node/view/a.go", `package view
import "time"
const (
	MaxA = 2 * (3 + 4)
	MaxB = MaxA << 10
	Long = 3 * time.Hour / 2
	part = 0.2
)`)
	if err != nil {
		t.Fatal(err)
	}
	tell := teller{allConstants([]source{s}), map[string]string{"leaf.life": "10s"}}
	got, complaints := tell.corrected("`view.MaxA` (1) `view.Long` (x) `leaf.life` (9s) `view.none` (1) `state.db` (a file)\n<!-- bounds -->\n| a | | `view.MaxB` |\n| b | 7 | `view.part` |\n<!-- /bounds -->")
	want := "`view.MaxA` (14) `view.Long` (1h30m) `leaf.life` (10s) `view.none` () `state.db` (a file)\n<!-- bounds -->\n| a | 14336 | `view.MaxB` |\n| b | 0.2 | `view.part` |\n<!-- /bounds -->"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if !slices.Equal(complaints, []string{"there is no constant view.none"}) {
		t.Errorf("complaints: %q", complaints)
	}
	if got := tell.public(); !slices.Equal(got, []string{"view.Long", "view.MaxA", "view.MaxB"}) {
		t.Errorf("public: %q", got)
	}
}
