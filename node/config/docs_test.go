package config

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite docs/config.md from the table of keys")

const docsPath = "../../docs/config.md"

func TestDocs(t *testing.T) {
	want := document()
	if *update {
		if err := os.WriteFile(docsPath, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(docsPath)
	if err != nil {
		t.Fatal(err)
	}
	if strings.ReplaceAll(string(got), "\r\n", "\n") != want {
		t.Errorf("docs/config.md is not what the table of keys gives: run go test ./node/config -run TestDocs -update")
	}
}

func document() string {
	var b strings.Builder
	b.WriteString(`# Configuration

<!-- Made from the table in node/config/key.go by: go test ./node/config -run TestDocs -update -->

A node reads ` + "`g2g.toml`" + ` in its folder. A flag wins over the environment, that over the file, that over the default;
` + "`g2g config view --origin`" + ` shows each value and where it came from, ` + "`g2g config check FILE`" + ` checks a file.

- ` + "`g2g init`" + ` writes the file with every key explained. A key behind a ` + "`#`" + ` has its default.
- An unknown key is an error with its line and column, so is a value of a wrong type. Everything wrong is reported at once.
  The file has at most ` + fmt.Sprint(MaxFileSize) + ` bytes.
- A duration is a number with its unit, ` + "`500ms`, `10s`, `1h30m`" + `; in the file it stands in quotes.
- A list is ` + "`[\"a:1\", \"b:2\"]`" + ` in the file, ` + "`a:1,b:2`" + ` in the environment, and a repeated flag.
- An empty environment variable counts as unset. A variable that begins with ` + "`G2G_`" + ` and means nothing is an error.

## Keys

A key with a dot stands in a table: ` + "`gossip.listen`" + ` is ` + "`listen`" + ` below ` + "`[gossip]`" + `.

A node that runs reads the file again on SIGHUP. What is marked *reload* counts from then on, the rest from the next start.

| key | type | default | flag | counts after | what must hold |
| --- | --- | --- | --- | --- | --- |
`)
	for _, k := range Keys() {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s |\n", k.Path, k.Type, shown(k), shownFlag(k), k.countsAfter(), k.Rule)
	}
	b.WriteString("\n## What each does and costs\n")
	for _, k := range Keys() {
		fmt.Fprintf(&b, "\n### `%s`\n\n%s\n\nEnvironment: `%s`.", k.Path, k.Doc, k.Env)
		if k.Unit != "" {
			fmt.Fprintf(&b, " Unit: %s.", k.Unit)
		}
		b.WriteString("\n")
	}
	b.WriteString("\n## Environment\n\n| variable | meaning |\n| --- | --- |\n")
	for _, v := range Variables() {
		fmt.Fprintf(&b, "| `%s` | %s |\n", v.Name, v.Doc)
	}
	return b.String()
}

func shown(k Key) string {
	if k.Path == "name" || k.Default == "" {
		return k.shownDefault()
	}
	return "`" + k.Default + "`"
}

func shownFlag(k Key) string {
	if k.Flag == "" {
		return ""
	}
	return "`--" + k.Flag + "`"
}

func TestHelp(t *testing.T) {
	config, environment := Help(), HelpEnvironment()
	for _, k := range Keys() {
		if !strings.Contains(config, "\n"+k.Path+"\n") || !strings.Contains(config, "Environment: "+k.Env+"\n") {
			t.Errorf("help config lacks %s", k.Path)
		}
		if k.Flag != "" && !strings.Contains(config, "Flag: --"+k.Flag+"\n") {
			t.Errorf("help config lacks --%s", k.Flag)
		}
		if !strings.Contains(environment, k.Env+" ") {
			t.Errorf("help environment lacks %s", k.Env)
		}
	}
	for _, name := range []string{"G2G_DIR ", "G2G_TOKEN "} {
		if !strings.Contains(environment, name) {
			t.Errorf("help environment lacks %s", name)
		}
	}
	for line := range strings.Lines(config + environment) {
		if len(line) > 121 {
			t.Errorf("line of %d bytes: %s", len(line), line)
		}
	}
}
