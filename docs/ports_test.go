package docs_test

import (
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// fixed finds a port other than 0 at the end of an address.
var fixed = regexp.MustCompile(`:0*[1-9][0-9]*$`)

// ports forbids tests to listen on a port of their own choice: arguments of functions called Listen..., fields and
// variables called Listen or Register, and what follows the flags of that name. The tests of the configuration only read such values.
func ports(s source) []string {
	if !s.test() || s.room() == "node/config" || s.room() == "docs" {
		return nil
	}
	var complaints []string
	ast.Inspect(s.file, func(n ast.Node) bool {
		for _, address := range listened(n) {
			complaints = append(complaints, s.complain(address, "listens on the fixed port of %s: use port 0 and ask which it became", address.Value))
		}
		return true
	})
	return complaints
}

// listened lists the addresses with a fixed port that one node of a syntax tree listens on.
func listened(n ast.Node) []*ast.BasicLit {
	switch n := n.(type) {
	case *ast.CallExpr:
		if strings.HasPrefix(lastName(n.Fun), "Listen") {
			return fixedPorts(n.Args)
		}
		return afterFlag(n.Args)
	case *ast.CompositeLit:
		return afterFlag(n.Elts)
	case *ast.KeyValueExpr:
		if listens(n.Key) {
			return fixedPorts([]ast.Expr{n.Value})
		}
	case *ast.AssignStmt:
		if len(n.Lhs) == len(n.Rhs) && slices.ContainsFunc(n.Lhs, listens) {
			return fixedPorts(n.Rhs)
		}
	}
	return nil
}

func listens(name ast.Expr) bool {
	return slices.Contains([]string{"Listen", "Register"}, lastName(name))
}

// lastName is the last name in a chain of selectors.
func lastName(expr ast.Expr) string {
	switch e := expr.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

// text is the value of a string literal.
func text(expr ast.Expr) (string, *ast.BasicLit) {
	lit, ok := expr.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", nil
	}
	value, err := strconv.Unquote(lit.Value)
	if err != nil {
		return "", nil
	}
	return value, lit
}

func fixedPorts(exprs []ast.Expr) []*ast.BasicLit {
	var found []*ast.BasicLit
	for _, expr := range exprs {
		if value, lit := text(expr); lit != nil && fixed.MatchString(value) {
			found = append(found, lit)
		}
	}
	return found
}

// afterFlag lists the fixed ports given to the flags that listen, as one argument or as two.
func afterFlag(args []ast.Expr) []*ast.BasicLit {
	var found []*ast.BasicLit
	previous := ""
	for _, arg := range args {
		value, lit := text(arg)
		flag, joined, _ := strings.Cut(value, "=")
		if lit != nil && (flagListens(previous) && fixed.MatchString(value) || flagListens(flag) && fixed.MatchString(joined)) {
			found = append(found, lit)
		}
		previous = value
	}
	return found
}

func flagListens(flag string) bool { return flag == "--listen" || flag == "--register" }

func TestNoTestUsesAFixedPort(t *testing.T) { keep(t, ports) }

func TestPortsRuleBites(t *testing.T) {
	const why = ": listens on the fixed port of \"%\": use port 0 and ask which it became"
	fault := func(address string) []string {
		return []string{"cmd/a_test.go:2" + strings.Replace(why, "%", address, 1)}
	}
	var samples []sample
	for line, address := range map[string]string{
		`var l = net.Listen("tcp", "127.0.0.1:0")`:           "",
		`var l = net.Listen("tcp", "127.0.0.1:7401")`:        "127.0.0.1:7401",
		`var l = (&net.ListenConfig{}).Listen(c, "", ":80")`: ":80",
		`var c = config{Listen: "[::1]:9000"}`:               "[::1]:9000",
		`func f() { c.Gossip.Listen = ":7401" }`:             ":7401",
		`func f() { c.Register.Listen = ":0" }`:              "",
		`var a = netip.MustParseAddrPort("10.0.0.1:7401")`:   "",
		`var a = []string{"serve", "--listen", ":7401"}`:     ":7401",
		`var a = run("serve", "--register=:7402")`:           "--register=:7402",
		`var a = run("serve", "--register", ":0")`:           "",
		`var a = run("join", "--at", "127.0.0.1:7402")`:      "",
	} {
		s := sample{"cmd/a_test.go", "package a\n" + line, nil}
		if address != "" {
			s.want = fault(address)
		}
		samples = append(samples, s)
	}
	bites(t, ports, samples)
}
