package config

import (
	"fmt"
	"slices"
	"strings"
)

const templateHead = `# The configuration of a g2g node. A flag wins over the environment, that over this file, that over the default.
# Lines with one # before a key show its default: remove the # to change it.
# "g2g config view --origin" prints what holds and why; "g2g config check FILE" checks a file.
`

// Template writes c as a commented configuration file. Name is always set, so that the node keeps it when the host is
// renamed; every other key that has its default is shown behind a #, so that a later version may better it.
// Parse of it, applied to Default, gives c again.
func Template(c Config) []byte {
	var b strings.Builder
	b.WriteString(templateHead)
	defaults := Default()
	current := ""
	for _, k := range Keys() {
		if k.isPassage() {
			fmt.Fprintf(&b, "\n%s%s", k.comment(), k.tables(c))
			continue
		}
		name, key := splitPath(k.Path)
		if name != current {
			fmt.Fprintf(&b, "\n[%s]\n", name)
			current = name
		}
		value := k.texts(c)
		mark := ""
		if k.Path != "name" && slices.Equal(value, k.texts(defaults)) {
			mark = "#"
		}
		fmt.Fprintf(&b, "\n%s%s%s = %s\n", k.comment(), mark, key, k.literal(value))
	}
	return []byte(b.String())
}

// tables writes the passages of k, or in a comment what one looks like.
func (k Key) tables(c Config) string {
	write := func(mark string, p Passage) string {
		return fmt.Sprintf("%[1]s[[%[2]s]]\n%[1]s%[3]s = %[4]s\n%[1]s%[5]s = %[6]s\n", mark, k.Path, serviceKey, tomlString(p.Service), k.second, tomlString(p.Address))
	}
	var tables []string
	for _, text := range k.texts(c) {
		p, _ := parsePassage(text)
		tables = append(tables, write("", p))
	}
	if tables == nil {
		address := "127.0.0.1:9000"
		if k.Path == "forward" {
			address = "127.0.0.1:9100" // the examples of both may stand in one file
		}
		return "# Such as\n" + write("#   ", Passage{"pkg.Service", address})
	}
	return strings.Join(tables, "\n")
}

// splitPath parts "gossip.listen" into table and key; a key outside the tables has no table.
func splitPath(path string) (name, key string) {
	if name, key, ok := strings.Cut(path, "."); ok {
		return name, key
	}
	return "", path
}

// comment writes what the table says about k, as lines of a configuration file.
func (k Key) comment() string {
	also := "Also " + k.Env
	if k.Flag != "" {
		also += " and --" + k.Flag
	}
	return wrap("# ", k.Doc, 100) + wrap("# ", "Want "+k.Rule+".", 100) + wrap("# ", also+". Counts after "+k.countsAfter()+".", 100)
}

// literal writes texts as k's value in TOML.
func (k Key) literal(texts []string) string {
	if k.Type == Switch {
		return strings.Join(texts, "")
	}
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = tomlString(text)
	}
	if k.isList() {
		return "[" + strings.Join(quoted, ", ") + "]"
	}
	if k.Type == Switch {
		return strings.Join(texts, "")
	}
	return strings.Join(quoted, "")
}

// tomlString writes a basic string of TOML, whose escapes are fewer than Go's.
func tomlString(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// wrap breaks text between words into lines of at most width bytes, each behind prefix.
func wrap(prefix, text string, width int) string {
	var b strings.Builder
	line := prefix
	for _, word := range strings.Fields(text) {
		if len(line) > len(prefix) && len(line)+len(word) > width {
			b.WriteString(strings.TrimRight(line, " ") + "\n")
			line = prefix
		}
		line += word + " "
	}
	return b.String() + strings.TrimRight(line, " ") + "\n"
}
