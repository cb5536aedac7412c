package cmd

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestMarkdown(t *testing.T) {
	for text, want := range map[string]string{
		"One line\nand more.":        "One line\nand more.",
		"A <b> and *c* in G2G_DIR":   `A \<b\> and \*c\* in G2G\_DIR`,
		"Text.\n\n  columns  kept":   "Text.\n\n```\n  columns  kept\n```",
		"Head:\n  a  b\n\nTail [x].": "```\nHead:\n  a  b\n```\n\nTail \\[x\\].",
	} {
		if got := markdown(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// There is a page for every command and topic, and nothing else; none says who made it or when, but for the month.
func TestEveryCommandHasAPage(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "1700000000")
	dir := filepath.Join(t.TempDir(), "man")
	got := run(t, "", nil, "docs", "man", dir)
	if got.code != exitDone || got.out != "" || !strings.Contains(got.err, "pages to "+dir) {
		t.Fatalf("exit %d, %q, %q", got.code, got.out, got.err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var pages []string
	for _, e := range entries {
		pages = append(pages, e.Name())
	}
	for _, want := range []string{"g2g.1", "g2g-cert-rotate.1", "g2g-docs-man.1", "g2g-services-add.1", "g2g-exit-codes.7", "g2g-environment.7", "g2g-config.1"} {
		if !slices.Contains(pages, want) {
			t.Errorf("there is no %s in %q", want, pages)
		}
	}
	page, err := os.ReadFile(filepath.Join(dir, "g2g-wait.1"))
	if err != nil {
		t.Fatal(err)
	}
	wantFound(t, string(page), ".TH \"G2G-WAIT\" \"1\" \"Nov 2023\"", "alive==N         so many", "g2g wait --for 'alive==4'")
	if strings.Contains(string(page), "cobra") {
		t.Errorf("%s", page)
	}
}

func TestPagesNeedAFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := run(t, "", nil, "docs", "man", file); got.code != exitFailed || !strings.Contains(got.err, "docs man: make the folder: ") {
		t.Errorf("exit %d, %q", got.code, got.err)
	}
	if got := run(t, "", nil, "docs", "man"); got.code != exitUsage {
		t.Errorf("exit %d, %q", got.code, got.err)
	}
}
