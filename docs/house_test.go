// Package docs_test keeps the rules of the house that no compiler checks.
//
// Each rule is a function from one source file to complaints, "file:line: what is wrong". It is run over the whole
// repository, and over short samples that break it, so that a rule that has gone blind fails too.
package docs_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const (
	root   = ".."                     // the repository, as seen from this package's folder
	module = "github.com/g2g-net/g2g" // as in go.mod
)

// A source is one parsed Go file of the repository.
type source struct {
	fset *token.FileSet
	file *ast.File
	path string // from the repository's root, with slashes
}

// room is the folder of the file, which is its package's import path without the module; "" for main.
func (s source) room() string {
	if dir := path.Dir(s.path); dir != "." {
		return dir
	}
	return ""
}

func (s source) test() bool { return strings.HasSuffix(s.path, "_test.go") }

func (s source) generated() bool { return ast.IsGenerated(s.file) }

// complain says what is wrong with a node of the file's syntax tree.
func (s source) complain(n ast.Node, format string, args ...any) string {
	return fmt.Sprintf("%s:%d: %s", s.path, s.fset.Position(n.Pos()).Line, fmt.Sprintf(format, args...))
}

// names maps the name by which the file calls each package to the package's import path.
func (s source) names() map[string]string {
	names := make(map[string]string)
	for _, spec := range s.file.Imports {
		whole := importPath(spec)
		name := path.Base(whole)
		if version := strings.TrimPrefix(name, "v"); version != name && strings.Trim(version, "0123456789") == "" {
			name = path.Base(path.Dir(whole)) // math/rand/v2 is rand
		}
		if spec.Name != nil {
			name = spec.Name.Name
		}
		names[name] = whole
	}
	return names
}

func importPath(spec *ast.ImportSpec) string {
	whole, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		panic(err) // the parser has accepted it
	}
	return whole
}

func parse(name, text string) (source, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, text, parser.ParseComments)
	return source{fset: fset, file: file, path: name}, err
}

// tree parses every Go file of the repository once, whatever system its build tags name, in the order of their paths.
var tree = sync.OnceValues(func() ([]source, error) {
	var sources []source
	err := walk(func(name string) error {
		if path.Ext(name) != ".go" {
			return nil
		}
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			return err
		}
		s, err := parse(name, string(text))
		sources = append(sources, s)
		return err
	})
	return sources, err
})

// walk visits every file of the repository; hidden folders are no part of the house.
func walk(visit func(name string) error) error {
	return fs.WalkDir(os.DirFS(root), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case !entry.IsDir():
			return visit(name)
		case name != "." && strings.HasPrefix(entry.Name(), "."):
			return fs.SkipDir
		}
		return nil
	})
}

// A rule finds what is wrong with one file.
type rule func(source) []string

// keep applies a rule to every file of the repository.
func keep(t *testing.T, r rule) {
	t.Helper()
	sources, err := tree()
	if err != nil {
		t.Fatal(err)
	}
	if len(sources) == 0 {
		t.Fatal("no Go file found: the rule has checked nothing")
	}
	for _, s := range sources {
		for _, complaint := range r(s) {
			t.Error(complaint)
		}
	}
}

// A sample is a file that breaks a rule, or nearly does, and the complaints it must get.
type sample struct {
	path, text string
	want       []string
}

// bites shows that a rule still complains.
func bites(t *testing.T, r rule, samples []sample) {
	t.Helper()
	for _, c := range samples {
		s, err := parse(c.path, c.text)
		if err != nil {
			t.Fatalf("%s: %v", c.path, err)
		}
		if got := r(s); !slices.Equal(got, c.want) {
			t.Errorf("of\n%s\n got  %q\n want %q", c.text, got, c.want)
		}
	}
}
