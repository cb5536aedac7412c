package docs_test

import (
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// literals are the texts that stand in the code, but for tests and generated code.
func literals(t *testing.T) []string {
	t.Helper()
	sources, err := tree()
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, s := range sources {
		if s.test() || s.generated() {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if text, err := strconv.Unquote(lit.Value); err == nil {
					texts = append(texts, text)
				}
			}
			return true
		})
	}
	return texts
}

func protocolPage(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// quoted lists the texts of refusals on a page: what stands between backticks in the second column, or in the first where
// there are two, of the tables between the markers.
func quoted(page string) []string {
	var texts []string
	for _, section := range strings.Split(page, "<!-- refusals -->")[1:] {
		section, _, _ = strings.Cut(section, "<!-- /refusals -->")
		for _, line := range strings.Split(section, "\n") {
			cells := strings.Split(line, " | ")
			for _, cell := range cells[:max(0, len(cells)-1)] {
				cell = strings.TrimPrefix(cell, "| ")
				if text, ok := strings.CutPrefix(cell, "`"); ok && strings.HasSuffix(text, "`") {
					texts = append(texts, strings.TrimSuffix(text, "`"))
				}
			}
		}
	}
	return texts
}

// said tells whether the code has a text: each of its pieces between what is filled in stands in some literal. Spaces and
// colons at their ends are where the code puts texts together.
func said(text string, texts []string) bool {
	for _, piece := range strings.Split(text, "…") {
		piece = strings.Trim(piece, " :")
		if !slices.ContainsFunc(texts, func(s string) bool { return strings.Contains(s, piece) }) {
			return false
		}
	}
	return true
}

func TestProtocolPageQuotesTheRefusals(t *testing.T) {
	texts := literals(t)
	refusals := quoted(protocolPage(t))
	if len(refusals) < 40 {
		t.Errorf("only %d refusals found on the page: the rule has gone blind", len(refusals))
	}
	for _, text := range refusals {
		if !said(text, texts) {
			t.Errorf("docs/protocol.md quotes %q, which no code says", text)
		}
	}
}

func TestRefusalsRuleBites(t *testing.T) {
	got := quoted("a `x`\n<!-- refusals -->\n| code | text |\n| A | `no … here` | when `y` |\n| `gone` | |\n<!-- /refusals -->\n| B | `z` | |\n")
	if !slices.Equal(got, []string{"no … here", "gone"}) {
		t.Errorf("quoted: %q", got)
	}
	if texts := []string{"there is no %s here"}; !said("no … here", texts) || said("no … gone", texts) {
		t.Error("said does not tell the one from the other")
	}
}

// Every string that separates one kind of hash or seal from another is on the page.
func TestProtocolPageNamesEveryDomain(t *testing.T) {
	page := protocolPage(t)
	domain := regexp.MustCompile(`^(g2g/[a-z-]+/v[0-9]+|EXPORTER-[a-z0-9-]+|g2g[a-z][0-9]_)$`)
	found := 0
	for _, text := range literals(t) {
		if domain.MatchString(text) {
			found++
			if !strings.Contains(page, "`"+text+"`") && !strings.Contains(page, `"`+text+`"`) {
				t.Errorf("docs/protocol.md does not name %q", text)
			}
		}
	}
	if found < 15 {
		t.Errorf("only %d domains found in the code: the rule has gone blind", found)
	}
}

// Every service, method, message and field of gossip.proto is on the page; of the page's own words only those.
func TestProtocolPageNamesEveryMessage(t *testing.T) {
	page := protocolPage(t)
	proto, err := os.ReadFile(filepath.Join(root, "proto", "gossippb", "gossip.proto"))
	if err != nil {
		t.Fatal(err)
	}
	word := regexp.MustCompile(`(?m)^(?:service|message) (\w+)|^  rpc (\w+)|^ +(?:repeated )?\w+ (\w+) = [1-9]`)
	found := word.FindAllStringSubmatch(string(proto), -1)
	if len(found) < 60 {
		t.Errorf("only %d names found in gossip.proto: the rule has gone blind", len(found))
	}
	for _, m := range found {
		name := m[1] + m[2] + m[3]
		if m[2] != "" && strings.Contains(page, "\n### "+name+"\n") || slices.Contains([]string{"hello", "claim", "ready", "welcome", "admitted", "done"}, name) {
			continue // a method with a section of its own; a step that its message names
		}
		if !strings.Contains(page, "`"+name+"`") {
			t.Errorf("docs/protocol.md does not name `%s` of gossip.proto", name)
		}
	}
}
