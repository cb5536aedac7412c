package docs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// threats are the rows of the tables of docs/security.md whose last column is the test.
func threats(page string) (rows []string) {
	inside := false
	for line := range strings.Lines(page) {
		line = strings.TrimSpace(line)
		switch {
		case !strings.HasPrefix(line, "|"):
			inside = false
		case strings.HasSuffix(line, "| test |"):
			inside = true
		case inside && !strings.HasPrefix(line, "| ---"):
			rows = append(rows, line)
		}
	}
	return rows
}

// untested says which rows do not end with the name of exactly one test that exists.
func untested(rows []string, tests map[string]bool) (complaints []string) {
	for _, row := range rows {
		names := testName.FindAllStringSubmatch(row, -1)
		if len(names) != 1 || !tests[names[0][1]] || !strings.HasSuffix(row, "| "+names[0][0]+" |") {
			complaints = append(complaints, row+": it does not end with one test that exists")
		}
	}
	return complaints
}

func TestEveryThreatHasItsTest(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "docs", "security.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := threats(string(page))
	if len(rows) < 30 {
		t.Errorf("only %d rows were found", len(rows))
	}
	for _, complaint := range untested(rows, tests(t)) {
		t.Error(complaint)
	}
}

func TestThreatsRuleBites(t *testing.T) {
	const page = "| who | test |\n| --- | --- |\n| a | `TestA` |\n| b | `TestB` |\n| c | |\n\n| who | other |\n| --- | --- |\n| d | |\n"
	got := untested(threats(page), map[string]bool{"TestA": true})
	if len(got) != 2 || !strings.HasPrefix(got[0], "| b |") || !strings.HasPrefix(got[1], "| c |") {
		t.Errorf("%q", got)
	}
}
