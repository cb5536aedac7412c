package docs_test

import (
	"bufio"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// rooms is the top level of the repository (mission C3): these and nothing else, but dot files.
var rooms = []string{"LICENSE", "README.md", "cmd", "docs", "go.mod", "go.sum", "main.go", "node", "pki", "proto", "tui"}

// misplaced says what is wrong with the names at the top level, given the patterns of what git ignores. A folder's name ends with a slash, and so
// does a pattern that fits folders only.
func misplaced(entries, ignored []string) []string {
	var complaints, names []string
	for _, entry := range entries {
		name := strings.TrimSuffix(entry, "/")
		names = append(names, name)
		leave := strings.HasPrefix(name, ".") || slices.Contains(rooms, name) || slices.ContainsFunc(ignored, func(pattern string) bool {
			whole, err := path.Match(pattern, entry)
			bare, _ := path.Match(pattern, name)
			return err == nil && (whole || bare)
		})
		if !leave {
			complaints = append(complaints, name+" stands at the top level, which has no room for it")
		}
	}
	for _, name := range rooms {
		if !slices.Contains(names, name) {
			complaints = append(complaints, name+" is missing at the top level")
		}
	}
	return complaints
}

// ignores reads the patterns of .gitignore that can fit a name at the top level.
func ignores(t *testing.T) []string {
	t.Helper()
	file, err := os.Open(filepath.Join(root, ".gitignore"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var patterns []string
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if line := strings.TrimSpace(lines.Text()); line != "" && line[0] != '#' {
			patterns = append(patterns, strings.TrimPrefix(line, "/"))
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return patterns
}

func TestTopLevelHasOnlyItsRooms(t *testing.T) {
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		name := entry.Name()
		if entry.IsDir() {
			name += "/"
		}
		names = append(names, name)
	}
	for _, complaint := range misplaced(names, ignores(t)) {
		t.Error(complaint)
	}
}

// What a reader of the README is told to type to pass the tests is what CI ends with.
func TestCIRunsTheTestsAsTheReadmeSays(t *testing.T) {
	const command = "go test ./..."
	script, err := os.ReadFile(filepath.Join(root, ".ci", "run"))
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), command) {
		t.Errorf("README.md does not name %q", command)
	}
	if _, tail, found := strings.Cut(string(script), "\necho \"== test\"\n"); !found || !strings.HasPrefix(tail, command+" ") {
		t.Errorf(".ci/run does not end with %q", command)
	}
}

func TestLayoutRuleBites(t *testing.T) {
	got := misplaced([]string{
		".ci/", "LICENSE", "Makefile", "a/", "b", "cmd/", "docs/", "g2g", "go.mod", "go.sum", "internal/", "main.go", "node/", "pki/", "proto/", "tui/",
	}, []string{"g2g", "a/", "b/"})
	want := []string{
		"Makefile stands at the top level, which has no room for it",
		"b stands at the top level, which has no room for it",
		"internal stands at the top level, which has no room for it",
		"README.md is missing at the top level",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
