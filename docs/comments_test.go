package docs_test

import (
	"go/ast"
	"go/token"
	"slices"
	"testing"
)

// explained are the packages that a Go program builds on. Each of their exported names says what it promises.
var explained = []string{"pki", "node", "node/client", "node/fanout"}

// comments wants a doc comment on each exported name of the explained packages: functions, methods of exported types,
// types, constants and variables. The comment of a group speaks for all of its names.
func comments(s source) []string {
	if s.test() || s.generated() || !slices.Contains(explained, s.room()) {
		return nil
	}
	var complaints []string
	for _, decl := range s.file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if ast.IsExported(d.Name.Name) && ast.IsExported(receiver(d)) && !says(d.Doc) {
				complaints = append(complaints, s.complain(d, "%s has no doc comment", d.Name.Name))
			}
		case *ast.GenDecl:
			for _, name := range silent(d) {
				complaints = append(complaints, s.complain(name, "%s has no doc comment", name.Name))
			}
		}
	}
	return complaints
}

// says tells whether a comment has words; a directive has none.
func says(doc *ast.CommentGroup) bool { return doc != nil && doc.Text() != "" }

// receiver is the name of the type that a method belongs to; a function has its own name.
func receiver(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return d.Name.Name
	}
	for expr := d.Recv.List[0].Type; ; {
		switch e := expr.(type) {
		case *ast.StarExpr:
			expr = e.X
		case *ast.IndexExpr:
			expr = e.X
		case *ast.IndexListExpr:
			expr = e.X
		case *ast.Ident:
			return e.Name
		default:
			return ""
		}
	}
}

// silent lists the exported names of a declaration that no comment explains.
func silent(d *ast.GenDecl) []*ast.Ident {
	if d.Tok == token.IMPORT || says(d.Doc) {
		return nil
	}
	var names []*ast.Ident
	for _, spec := range d.Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			if ast.IsExported(s.Name.Name) && !says(s.Doc) {
				names = append(names, s.Name)
			}
		case *ast.ValueSpec:
			for _, name := range s.Names {
				if ast.IsExported(name.Name) && !says(s.Doc) && !says(s.Comment) {
					names = append(names, name)
				}
			}
		}
	}
	return names
}

func TestExportedNamesAreExplained(t *testing.T) { keep(t, comments) }

func TestCommentsRuleBites(t *testing.T) {
	bites(t, comments, []sample{
		{"cmd/a.go", "package a\nfunc A() {}", nil},
		{"node/store/a.go", "package a\nfunc A() {}", nil},
		{"pki/a_test.go", "package a\nfunc A() {}", nil},
		{"node/a.go", "package a\nfunc A() {}", []string{"node/a.go:2: A has no doc comment"}},
		{"pki/a.go", "package a\n// A is.\nfunc A() {}\nfunc b() {}", nil},
		{"pki/a.go", "package a\n//go:noinline\nfunc A() {}", []string{"pki/a.go:3: A has no doc comment"}},
		{"pki/a.go", "package a\ntype A[T any] struct{}\nfunc (a *A[T]) B() {}\ntype c int\nfunc (c) D() {}",
			[]string{"pki/a.go:2: A has no doc comment", "pki/a.go:3: B has no doc comment"}},
		{"pki/a.go", "package a\n// These are.\nconst (\nA = 1\nB = 2\n)", nil},
		{"pki/a.go", "package a\nconst (\nA = 1 // is one\nB = 2\n)\nvar C, d int",
			[]string{"pki/a.go:4: B has no doc comment", "pki/a.go:6: C has no doc comment"}},
	})
}
