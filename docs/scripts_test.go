package docs_test

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// scriptFault says what is wrong with one line of a test script.
func scriptFault(line string) string {
	words := strings.Fields(line)
	if len(words) == 0 || strings.HasPrefix(words[0], "#") {
		return ""
	}
	if slices.Contains(words, "sleep") {
		return "sleeps on the wall clock: wait for the thing itself"
	}
	runs := slices.ContainsFunc(words, func(w string) bool { return slices.Contains(runners, w) })
	for i, word := range words {
		flag, joined, _ := strings.Cut(word, "=")
		if runs && (flagListens(flag) && fixed.MatchString(joined) || i > 0 && flagListens(words[i-1]) && fixed.MatchString(word)) {
			return "listens on a fixed port: use port 0 and ask which it became"
		}
	}
	return ""
}

func TestScriptsNeitherSleepNorUseAFixedPort(t *testing.T) {
	err := walk(func(name string) error {
		if !strings.HasPrefix(name, "cmd/testdata/") || !slices.Contains([]string{".txt", ".txtar", ".sh"}, path.Ext(name)) {
			return nil
		}
		data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			return err
		}
		for i, line := range strings.Split(string(data), "\n") {
			if why := scriptFault(line); why != "" {
				t.Errorf("%s:%d: %s", name, i+1, why)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestScriptRuleBites(t *testing.T) {
	for line, bad := range map[string]bool{
		"exec sleep 1":                             true,
		"# no sleep here":                          false,
		"g2g serve --dir a --listen :0 &":          false,
		"g2g serve --dir a --listen :7401 &":       true,
		"g2g serve --register=127.0.0.1:7402":      true,
		"g2g config view --listen :7401":           false,
		"! g2g join $TOKEN --at 127.0.0.1:1":       false,
		"stderr 'g2g: error: listen on :7401: .*'": false,
	} {
		if got := scriptFault(line) != ""; got != bad {
			t.Errorf("%q: fault %v, want %v", line, got, bad)
		}
	}
}
