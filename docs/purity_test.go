package docs_test

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// pure names the rooms of the machine: no clock, socket, file, lock or goroutine, and no chance but what they are given.
var pure = []string{"pki", "node/gossip", "node/view", "node/stale", "node/signature", "node/latency", "node/order"}

// standing are the pure rooms that a node cannot do without. That one is empty means that the rule looks elsewhere.
var standing = pure[:5]

// effects are the standard packages that reach out of the machine, each with all below it.
var effects = []string{"context", "io/ioutil", "log", "net", "os", "plugin", "runtime", "sync", "syscall", "testing", "unsafe"}

// clocks are the names of package time that read a clock or wait for one.
var clocks = []string{"After", "AfterFunc", "NewTicker", "NewTimer", "Now", "Since", "Sleep", "Tick", "Ticker", "Timer", "Until"}

// seeded are the names of math/rand and math/rand/v2 that do not draw from the global source.
var seeded = []string{"ChaCha8", "New", "NewChaCha8", "NewPCG", "NewSource", "NewZipf", "PCG", "Rand", "Source", "Source64", "Zipf"}

func isPure(room string) bool {
	return slices.ContainsFunc(pure, func(p string) bool { return inside(room, p) })
}

// purity holds the files of the machine, without their tests, to being a machine.
func purity(s source) []string {
	if !isPure(s.room()) || s.test() {
		return nil
	}
	complaints := effectful(s)
	names := s.names()
	ast.Inspect(s.file, func(n ast.Node) bool {
		if why := impure(n, names); why != "" {
			complaints = append(complaints, s.complain(n, "%s", why))
		}
		return true
	})
	return complaints
}

// effectful complains about the imports of a file.
func effectful(s source) []string {
	var complaints []string
	for _, spec := range s.file.Imports {
		if why := reach(importPath(spec)); why != "" {
			complaints = append(complaints, s.complain(spec, "imports %s: %s", importPath(spec), why))
		}
		if spec.Name != nil && spec.Name.Name == "." {
			complaints = append(complaints, s.complain(spec, "a dot import hides where names come from"))
		}
	}
	return complaints
}

// reach says why the machine may not import a package, or nothing.
func reach(target string) string {
	first, _, _ := strings.Cut(target, "/")
	room, ours := strings.CutPrefix(target, module+"/")
	switch {
	case ours && !isPure(room):
		return "the machine stands on pure rooms only"
	case !ours && strings.Contains(first, "."):
		return "the machine stands on the standard library only"
	case target == "net/netip" || target == "log/slog": // of slog only the values, by which a secret prints redacted
		return ""
	case target == "crypto/rand":
		return "chance is an argument"
	case slices.ContainsFunc(effects, func(e string) bool { return inside(target, e) }):
		return "the machine has no effects"
	}
	return ""
}

// impure says what is not pure about one node of a syntax tree, or nothing.
func impure(n ast.Node, names map[string]string) string {
	switch n := n.(type) {
	case *ast.ChanType:
		return "a channel"
	case *ast.GoStmt:
		return "a go statement"
	case *ast.SelectStmt:
		return "a select"
	case *ast.SendStmt:
		return "a send"
	case *ast.UnaryExpr:
		if n.Op == token.ARROW {
			return "a receive"
		}
	case *ast.CallExpr:
		if f, ok := n.Fun.(*ast.Ident); ok && (f.Name == "print" || f.Name == "println") {
			return "prints"
		}
	case *ast.SelectorExpr:
		return impureName(n, names)
	}
	return ""
}

// impureName says what is not pure about a name of another package.
func impureName(n *ast.SelectorExpr, names map[string]string) string {
	pkg, ok := n.X.(*ast.Ident)
	if !ok {
		return ""
	}
	name := n.Sel.Name
	switch names[pkg.Name] {
	case "time":
		if slices.Contains(clocks, name) {
			return "time." + name + ": time is an argument"
		}
	case "math/rand", "math/rand/v2":
		if !slices.Contains(seeded, name) {
			return "rand." + name + " draws from the global source: chance is an argument"
		}
	case "log/slog":
		if !strings.HasSuffix(name, "Value") && name != "LogValuer" {
			return "slog." + name + ": the machine logs nothing"
		}
	case "fmt":
		if strings.HasPrefix(name, "Print") || strings.HasPrefix(name, "Scan") {
			return "fmt." + name + " reaches the terminal"
		}
	}
	return ""
}

func TestMachineIsPure(t *testing.T) {
	keep(t, purity)
	sources, err := tree()
	if err != nil {
		t.Fatal(err)
	}
	for _, room := range standing {
		if !slices.ContainsFunc(sources, func(s source) bool { return s.room() == room && !s.test() }) {
			t.Errorf("%s: no source file: the rule has checked nothing there", room)
		}
	}
}

func TestPurityRuleBites(t *testing.T) {
	const file = "pki/a.go"
	of := func(lines ...string) string { return "package a; " + strings.Join(lines, "\n") }
	bites(t, purity, []sample{
		{"node/node.go", of(`import "os"`), nil},
		{"pki/a_test.go", of(`import "os"`), nil},
		{file, of(`import ("crypto/tls"; "io"; "net/netip"; "` + module + `/pki/vector")`), nil},
		{"node/view/a.go", of(`import "` + module + `/node/stale"`), nil},
		{"node/view/a.go", of(`import "` + module + `/node/wire"`), []string{"node/view/a.go:1: imports " + module + "/node/wire: the machine stands on pure rooms only"}},
		{file, of(`import "golang.org/x/time/rate"`), []string{"pki/a.go:1: imports golang.org/x/time/rate: the machine stands on the standard library only"}},
		{file, of(`import "crypto/rand"`), []string{"pki/a.go:1: imports crypto/rand: chance is an argument"}},
		{file, of(`import "net"`), []string{"pki/a.go:1: imports net: the machine has no effects"}},
		{file, of(`import "net/url"`), []string{"pki/a.go:1: imports net/url: the machine has no effects"}},
		{file, of(`import "os"`), []string{"pki/a.go:1: imports os: the machine has no effects"}},
		{file, of(`import "sync/atomic"`), []string{"pki/a.go:1: imports sync/atomic: the machine has no effects"}},
		{file, of(`import "context"`), []string{"pki/a.go:1: imports context: the machine has no effects"}},
		{file, of(`import "log"`), []string{"pki/a.go:1: imports log: the machine has no effects"}},
		{file, of(`import "log/slog"`, `func (secret) LogValue() slog.Value { return slog.StringValue("redacted") }`), nil},
		{file, of(`import "log/slog"`, `func f() { slog.Info("x") }`), []string{"pki/a.go:2: slog.Info: the machine logs nothing"}},
		{file, of(`import . "time"`), []string{"pki/a.go:1: a dot import hides where names come from"}},
		{file, of(`import "time"`, `var limit = 3 * time.Second`), nil},
		{file, of(`import "time"`, `var a = time.Now()`), []string{"pki/a.go:2: time.Now: time is an argument"}},
		{file, of(`import clock "time"`, `var now = clock.Now`), []string{"pki/a.go:2: time.Now: time is an argument"}},
		{file, of(`import "time"`, `func f(t time.Time) { time.Since(t)`, `time.Until(t)`, `time.Sleep(1)`, `time.AfterFunc(1, nil) }`), []string{
			"pki/a.go:2: time.Since: time is an argument",
			"pki/a.go:3: time.Until: time is an argument",
			"pki/a.go:4: time.Sleep: time is an argument",
			"pki/a.go:5: time.AfterFunc: time is an argument",
		}},
		{file, of(`import "time"`, `type a struct { t *time.Timer }`), []string{"pki/a.go:2: time.Timer: time is an argument"}},
		{file, of(`import "math/rand/v2"`, `func f(r *rand.Rand) int { return r.IntN(3) }`), nil},
		{file, of(`import "math/rand/v2"`, `var a = rand.IntN(3)`), []string{"pki/a.go:2: rand.IntN draws from the global source: chance is an argument"}},
		{file, of(`import "math/rand"`, `var a = rand.Perm`), []string{"pki/a.go:2: rand.Perm draws from the global source: chance is an argument"}},
		{file, of(`type a struct { c chan int }`), []string{"pki/a.go:1: a channel"}},
		{file, of(`func f(c <-chan int) {`, `<-c }`), []string{"pki/a.go:1: a channel", "pki/a.go:2: a receive"}},
		{file, of(`func f() {`, `go f()`, `select {} }`), []string{"pki/a.go:2: a go statement", "pki/a.go:3: a select"}},
		{file, of(`import "fmt"`, `func f() { fmt.Println()`, `println() }`), []string{"pki/a.go:2: fmt.Println reaches the terminal", "pki/a.go:3: prints"}},
	})
}
