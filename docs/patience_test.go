package docs_test

import (
	"go/ast"
	"testing"
)

// patience forbids tests to sleep on the wall clock, be it by a timer that nothing else can cut short. In a file that
// uses testing/synctest the clock is virtual.
func patience(s source) []string {
	names := s.names()
	if !s.test() || names["synctest"] == "testing/synctest" {
		return nil
	}
	var complaints []string
	ast.Inspect(s.file, func(n ast.Node) bool {
		for _, nap := range naps(n, names) {
			complaints = append(complaints, s.complain(nap, "sleeps on the wall clock: wait for the thing itself, or use testing/synctest"))
		}
		return true
	})
	return complaints
}

// naps finds time.Sleep, called or not, and statements of a block that are nothing but <-time.After(...). In a select
// that is a bound, not a nap.
func naps(n ast.Node, names map[string]string) []ast.Node {
	var found []ast.Node
	switch n := n.(type) {
	case *ast.SelectorExpr:
		if fromTime(n, "Sleep", names) {
			found = append(found, n)
		}
	case *ast.BlockStmt:
		for _, stmt := range n.List {
			if awaitsTime(stmt, names) {
				found = append(found, stmt)
			}
		}
	}
	return found
}

func awaitsTime(stmt ast.Stmt, names map[string]string) bool {
	expr, ok := stmt.(*ast.ExprStmt)
	if !ok {
		return false
	}
	receive, ok := expr.X.(*ast.UnaryExpr)
	if !ok {
		return false
	}
	call, ok := receive.X.(*ast.CallExpr)
	return ok && fromTime(call.Fun, "After", names)
}

// fromTime says whether an expression is the given name of package time.
func fromTime(expr ast.Expr, name string, names map[string]string) bool {
	sel, ok := expr.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != name {
		return false
	}
	pkg, ok := sel.X.(*ast.Ident)
	return ok && names[pkg.Name] == "time"
}

func TestNoTestSleeps(t *testing.T) { keep(t, patience) }

func TestPatienceRuleBites(t *testing.T) {
	const why = "sleeps on the wall clock: wait for the thing itself, or use testing/synctest"
	bites(t, patience, []sample{
		{"cmd/a.go", "package a; import \"time\"\nfunc f() { time.Sleep(1) }", nil},
		{"cmd/a_test.go", "package a; import \"time\"\nfunc f() { time.Sleep(1) }", []string{"cmd/a_test.go:2: " + why}},
		{"cmd/a_test.go", "package a; import t \"time\"\nvar f = t.Sleep", []string{"cmd/a_test.go:2: " + why}},
		{"cmd/a_test.go", "package a; import \"time\"\nfunc f() { <-time.After(1) }", []string{"cmd/a_test.go:2: " + why}},
		{"cmd/a_test.go", "package a; import \"time\"\nfunc f() { select { case <-c: case <-time.After(1): t.Fatal() } }", nil},
		{"cmd/a_test.go", "package a; import (\"time\"; \"testing/synctest\")\nfunc f() { synctest.Wait(); time.Sleep(1) }", nil},
	})
}
