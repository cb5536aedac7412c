package docs_test

import (
	"fmt"
	"go/ast"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// asked are the numbers that docs/requirements.md has one row for.
func asked() (numbers []string) {
	for _, group := range []struct {
		letter string
		last   int
	}{{"C", 5}, {"M", 21}, {"B", 3}} {
		for i := range group.last {
			numbers = append(numbers, fmt.Sprint(group.letter, i+1))
		}
	}
	return numbers
}

var (
	testName = regexp.MustCompile("`((?:Test|Fuzz|Benchmark)[A-Z][A-Za-z0-9]*)`")
	fileName = regexp.MustCompile("`([A-Za-z0-9_.][A-Za-z0-9_./-]*)`")
	link     = regexp.MustCompile(`\]\(([^)#]+)(?:#[^)]*)?\)`)
)

// tests are the names of the tests, fuzz targets and benchmarks of the repository.
func tests(t *testing.T) map[string]bool {
	t.Helper()
	sources, err := tree()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, s := range sources {
		if !s.test() {
			continue
		}
		for _, decl := range s.file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil {
				names[f.Name.Name] = true
			}
		}
	}
	return names
}

// isPath tells what a page names as a file or folder of the repository from its other words. Constants and keys have one dot,
// no slash, and what follows the dot is no ending of a file here.
func isPath(word string) bool {
	return strings.Contains(word, "/") || slices.Contains([]string{".go", ".md", ".mod", ".proto"}, path.Ext(word))
}

// missing says which tests, files and links of a page in a folder do not exist.
func missing(folder, page string, tests map[string]bool, exists func(string) bool) (complaints []string) {
	for _, m := range testName.FindAllStringSubmatch(page, -1) {
		if !tests[m[1]] {
			complaints = append(complaints, "there is no test "+m[1])
		}
	}
	for _, m := range fileName.FindAllStringSubmatch(page, -1) {
		if isPath(m[1]) && !exists(m[1]) {
			complaints = append(complaints, "there is no file "+m[1])
		}
	}
	for _, m := range link.FindAllStringSubmatch(page, -1) {
		if !strings.Contains(m[1], "://") && !exists(path.Join(folder, m[1])) {
			complaints = append(complaints, "there is no page "+m[1])
		}
	}
	return complaints
}

// unasked says which numbers do not have exactly one row, and which rows show no test and do not say that there is none.
func unasked(page string, numbers []string) (complaints []string) {
	rows := map[string]int{}
	for _, line := range strings.Split(page, "\n") {
		cells := strings.Split(line, " | ")
		number := strings.TrimPrefix(cells[0], "| ")
		if !slices.Contains(numbers, number) {
			continue
		}
		rows[number]++
		last := strings.TrimSuffix(cells[len(cells)-1], " |")
		if len(cells) != 4 || !strings.Contains(last, "`") && last != "not yet" {
			complaints = append(complaints, number+" names no test, nor says \"not yet\"")
		}
	}
	for _, number := range numbers {
		if rows[number] != 1 {
			complaints = append(complaints, fmt.Sprintf("%s has %d rows", number, rows[number]))
		}
	}
	return complaints
}

// exists tells whether the repository has a file or folder.
func exists(name string) bool {
	_, err := os.Stat(filepath.Join(root, filepath.FromSlash(name)))
	return err == nil
}

func TestPagesNameWhatExists(t *testing.T) {
	known := tests(t)
	for _, name := range []string{"README.md", "docs/config.md", "docs/design.md", "docs/protocol.md", "docs/requirements.md", "docs/security.md", "docs/signature.md"} {
		page, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, complaint := range missing(path.Dir(name), withoutCode(string(page)), known, exists) {
			t.Errorf("%s: %s", name, complaint)
		}
	}
}

// withoutCode leaves out what stands between two fences, which is no prose, and the domains of seals.
func withoutCode(page string) string {
	var kept []string
	for i, part := range strings.Split(page, "```") {
		if i%2 == 0 {
			kept = append(kept, part)
		}
	}
	return regexp.MustCompile("`(?:g2g/[a-z-]+/v[0-9]+|[a-z0-9]*-[a-z0-9-]+)`").ReplaceAllString(strings.Join(kept, ""), "")
}

func TestEveryRequirementHasItsRow(t *testing.T) {
	page, err := os.ReadFile("requirements.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, complaint := range unasked(string(page), asked()) {
		t.Error(complaint)
	}
}

func TestRequirementsRuleBites(t *testing.T) {
	page := "| C1 | a | `cmd/a.go` | `TestA`, `TestB` |\n| C2 | b | `node.Node` | nothing |\n| C3 | c | [x](y.md) | not yet |\n| C3 | c | d | not yet |\n"
	got := missing("docs", page, map[string]bool{"TestA": true}, func(string) bool { return false })
	want := []string{"there is no test TestB", "there is no file cmd/a.go", "there is no page y.md"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	got = unasked(page, []string{"C1", "C2", "C3", "C4"})
	want = []string{`C2 names no test, nor says "not yet"`, "C3 has 2 rows", "C4 has 0 rows"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
