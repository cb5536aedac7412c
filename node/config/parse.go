package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pelletier/go-toml/v2"
	// The only part of go-toml that tells in which line a key stands, which the origin of a setting needs.
	// Its interface may change with a new version of the module; the tests of this package would notice.
	"github.com/pelletier/go-toml/v2/unstable"
)

// MaxFileSize bounds a configuration file, in bytes.
const MaxFileSize = 64 << 10

// Parse reads the text of a configuration file; file is its name for errors and origins. Unknown keys and values
// of a wrong type are errors, "file:line:column: what"; all of them are reported at once. An error comes with an
// empty Layer. Whether values keep their rules is for Validate, since another layer may override them.
func Parse(data []byte, file string) (Layer, error) {
	if len(data) > MaxFileSize {
		return Layer{}, fmt.Errorf("%s: more than %d bytes", file, MaxFileSize)
	}
	// The full decoder refuses what is no TOML, a key given twice among it; the walk below sees only the syntax.
	var whole map[string]any
	if err := toml.Unmarshal(data, &whole); err != nil {
		return Layer{}, syntaxError(file, err)
	}
	w := walk{file: file}
	w.parser.Reset(data)
	w.document()
	if err := w.parser.Error(); err != nil {
		return Layer{}, fmt.Errorf("%s: %w", file, err)
	}
	if len(w.errs) > 0 {
		return Layer{}, errors.Join(atMost(w.errs)...)
	}
	return w.layer, nil
}

func syntaxError(file string, err error) error {
	text := strings.TrimPrefix(err.Error(), "toml: ")
	var at *toml.DecodeError
	if !errors.As(err, &at) {
		return fmt.Errorf("%s: %s", file, text)
	}
	line, column := at.Position()
	return fmt.Errorf("%s:%d:%d: %s", file, line, column, text)
}

// A walk goes once through a document's expressions, in order, and gathers a layer.
type walk struct {
	file   string
	parser unstable.Parser
	layer  Layer
	errs   []error
	open   *passing           // the [[route]] or [[forward]] that is being read
	lists  map[string]*listed // by key path
}

func (w *walk) document() {
	prefix := "" // of the keys' paths: their table's name and a dot
	skip := false
	for w.parser.NextExpression() {
		node := w.parser.Expression()
		switch node.Kind {
		case unstable.Table, unstable.ArrayTable:
			w.end()
			var name string
			name, skip = w.header(node)
			prefix = name + "."
		case unstable.KeyValue:
			switch {
			case skip:
			case w.open != nil:
				w.within(node)
			default:
				w.keyValue(prefix, node)
			}
		}
	}
	w.end()
	w.settle()
}

// header judges "[name]". The keys below a wrong one are skipped: their fault is the header's.
func (w *walk) header(node *unstable.Node) (name string, skip bool) {
	name = keyPath(node)
	if k, ok := lookUp(name); ok && k.isPassage() && node.Kind == unstable.ArrayTable {
		w.begin(k, node)
		return name, false
	}
	found := "a table"
	if node.Kind == unstable.ArrayTable {
		found = "a list of tables"
	}
	if !isTable(name) || node.Kind == unstable.ArrayTable {
		w.refuse(node, name, found)
		return name, true
	}
	return name, false
}

// keyValue judges "key = value" in the table with that prefix.
func (w *walk) keyValue(prefix string, node *unstable.Node) {
	path := prefix + keyPath(node)
	value := node.Value()
	if isTable(path) && value.Kind == unstable.InlineTable {
		entries := value.Children()
		for entries.Next() {
			w.keyValue(path+".", entries.Node())
		}
		return
	}
	k, ok := lookUp(path)
	if ok && k.isPassage() && value.Kind == unstable.Array {
		w.inline(k, node, value)
		return
	}
	texts, typed := stringsOf(k, value)
	if !ok || !typed {
		w.refuse(node, path, kindName(value.Kind))
		return
	}
	line, _ := w.position(node)
	if err := w.layer.set(k, texts, fmt.Sprintf("file %s:%d", w.file, line)); err != nil {
		w.fail(node, err.Error())
	}
}

// refuse reports a key that is unknown or whose value is of a wrong kind.
func (w *walk) refuse(node *unstable.Node, path, found string) {
	for _, k := range table {
		switch {
		case k.Path == path:
			w.fail(node, fmt.Sprintf("%s: found %s; want %s", path, found, k.kind()))
			return
		case strings.HasPrefix(path, k.Path+"."):
			w.fail(node, fmt.Sprintf("%s: found a table; want %s", k.Path, k.kind()))
			return
		}
	}
	if isTable(path) {
		w.fail(node, fmt.Sprintf("%s: found %s; want a table", path, found))
		return
	}
	w.fail(node, "unknown key "+quoted(path)+suggestion(path, paths()))
}

// kind says what kind of TOML value k wants.
func (k Key) kind() string {
	switch k.Type {
	case Addresses:
		return `a list of strings such as ["192.0.2.1:7401"]`
	case Passages:
		return fmt.Sprintf("tables [[%s]], each with %s and %s", k.Path, serviceKey, k.second)
	case Duration:
		return `a string such as "10s"`
	case Switch:
		return "true or false, without quotes"
	default:
		return "a string"
	}
}

func (w *walk) fail(node *unstable.Node, text string) {
	if len(w.errs) >= maxFaults {
		w.errs = append(w.errs, errCut) // finding a line costs a pass over the file; nobody will see this one
		return
	}
	line, column := w.position(node)
	w.failAt(line, column, text)
}

func (w *walk) failAt(line, column int, text string) {
	w.errs = append(w.errs, fmt.Errorf("%s:%d:%d: %s", w.file, line, column, text))
}

// errCut stands for a fault that is only counted.
var errCut = errors.New("one fault too many to show")

// position returns where the key of node begins, counted from 1, the column in bytes.
func (w *walk) position(node *unstable.Node) (line, column int) {
	key := node.Key()
	key.Next() // every key has a part
	start := w.parser.Shape(key.Node().Raw).Start
	return start.Line, start.Column
}

// keyPath joins the parts of a key with dots. A part that holds a dot itself must not look like two, so it is quoted.
func keyPath(node *unstable.Node) string {
	var parts []string
	for key := node.Key(); key.Next(); {
		part := string(key.Node().Data)
		if strings.Contains(part, ".") {
			part = fmt.Sprintf("%q", part)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ".")
}

// stringsOf returns the strings of a value; false when it is not what k wants.
func stringsOf(k Key, value *unstable.Node) ([]string, bool) {
	if k.Type == Switch {
		return []string{string(value.Data)}, value.Kind == unstable.Bool
	}
	if !k.isList() {
		return []string{string(value.Data)}, value.Kind == unstable.String
	}
	if value.Kind != unstable.Array || k.isPassage() {
		return nil, false
	}
	var list []string
	for entries := value.Children(); entries.Next(); {
		if entries.Node().Kind == unstable.Comment {
			continue
		}
		if entries.Node().Kind != unstable.String {
			return nil, false
		}
		list = append(list, string(entries.Node().Data))
	}
	return list, true
}

func kindName(kind unstable.Kind) string {
	switch kind {
	case unstable.String:
		return "a string"
	case unstable.Integer:
		return "an integer"
	case unstable.Float:
		return "a float"
	case unstable.Bool:
		return "a boolean"
	case unstable.Array:
		return "a list"
	case unstable.InlineTable:
		return "a table"
	default:
		return "a date or time"
	}
}
