package docs_test

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"path"
	"strings"
	"time"
)

// A figure is the value of a constant. Durations count nanoseconds.
type figure struct {
	constant.Value
	duration bool
}

// String is the figure as the pages write it: a duration with its unit, everything else as a plain number or text.
func (f figure) String() string {
	if !f.duration {
		return f.Value.String()
	}
	n, exact := constant.Int64Val(constant.ToInt(f.Value))
	if !exact {
		return f.Value.String() + "ns"
	}
	s := time.Duration(n).String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, zero) {
			s = s[:len(s)-2]
		}
	}
	return s
}

// foreign are the constants of other modules that ours are made of.
var foreign = map[string]figure{
	"time.Millisecond":      {constant.MakeInt64(int64(time.Millisecond)), true},
	"time.Second":           {constant.MakeInt64(int64(time.Second)), true},
	"time.Minute":           {constant.MakeInt64(int64(time.Minute)), true},
	"time.Hour":             {constant.MakeInt64(int64(time.Hour)), true},
	"ed25519.PublicKeySize": {constant.MakeInt64(32), false},
	"ed25519.SignatureSize": {constant.MakeInt64(64), false},
	"sha256.Size":           {constant.MakeInt64(32), false},
}

// constants knows the constants of our packages by the last part of the package's path and their name: "view.MaxServers".
type constants map[string]definition

type definition struct {
	room string
	expr ast.Expr
}

// allConstants gathers those that stand outside of functions, but for tests, generated code and iota.
func allConstants(sources []source) constants {
	c := constants{}
	for _, s := range sources {
		if s.test() || s.generated() {
			continue
		}
		for _, decl := range s.file.Decls {
			if d, ok := decl.(*ast.GenDecl); ok && d.Tok == token.CONST {
				c.add(s, d)
			}
		}
	}
	return c
}

func (c constants) add(s source, d *ast.GenDecl) {
	for _, spec := range d.Specs {
		v := spec.(*ast.ValueSpec)
		for i, name := range v.Names {
			if i < len(v.Values) {
				c[path.Base(s.room())+"."+name.Name] = definition{path.Base(s.room()), v.Values[i]}
			}
		}
	}
}

// value works a constant out.
func (c constants) value(name string) (figure, error) {
	if f, ok := foreign[name]; ok {
		return f, nil
	}
	d, ok := c[name]
	if !ok {
		return figure{}, fmt.Errorf("there is no constant %s", name)
	}
	f, err := c.evaluate(d.room, d.expr)
	if err != nil {
		return figure{}, fmt.Errorf("%s: %w", name, err)
	}
	return f, nil
}

func (c constants) evaluate(room string, expr ast.Expr) (figure, error) {
	switch e := expr.(type) {
	case *ast.BasicLit:
		return figure{Value: constant.MakeFromLiteral(e.Value, e.Kind, 0)}, nil
	case *ast.ParenExpr:
		return c.evaluate(room, e.X)
	case *ast.Ident:
		return c.value(room + "." + e.Name)
	case *ast.SelectorExpr:
		if pkg, ok := e.X.(*ast.Ident); ok {
			return c.value(pkg.Name + "." + e.Sel.Name)
		}
	case *ast.BinaryExpr:
		return c.binary(room, e)
	}
	return figure{}, fmt.Errorf("a %T is more than this test works out", expr)
}

func (c constants) binary(room string, e *ast.BinaryExpr) (figure, error) {
	a, err := c.evaluate(room, e.X)
	if err != nil {
		return figure{}, err
	}
	b, err := c.evaluate(room, e.Y)
	if err != nil {
		return figure{}, err
	}
	switch e.Op {
	case token.SHL:
		by, _ := constant.Uint64Val(b.Value)
		return figure{constant.Shift(a.Value, token.SHL, uint(by)), a.duration}, nil
	case token.QUO:
		op := token.QUO
		if a.Kind() == constant.Int && b.Kind() == constant.Int {
			op = token.QUO_ASSIGN // whole numbers, as the language has it
		}
		return figure{constant.BinaryOp(a.Value, op, b.Value), a.duration && !b.duration}, nil
	}
	return figure{constant.BinaryOp(a.Value, e.Op, b.Value), a.duration || b.duration}, nil
}
