package config

import (
	"fmt"

	"github.com/pelletier/go-toml/v2/unstable"
)

// passing is a [[route]] or [[forward]] whose keys are being read.
type passing struct {
	Passage
	key          Key
	line, column int
	seen         map[string]bool
	wrong        bool
}

// listed are the passages of one key that were read so far.
type listed struct {
	texts  []string
	origin string
}

func (k Key) isPassage() bool { return k.Type == Passages }

// begin opens a passage at a node's place.
func (w *walk) begin(k Key, node *unstable.Node) {
	line, column := w.position(node)
	w.open = &passing{key: k, line: line, column: column, seen: map[string]bool{}}
}

// within takes one key of the passage that is open.
func (w *walk) within(node *unstable.Node) {
	p, name, value := w.open, keyPath(node), node.Value()
	path := p.key.Path + "." + name
	switch {
	case name != serviceKey && name != p.key.second:
		w.fail(node, "unknown key "+quoted(path)+suggestion(path, []string{p.key.Path + "." + serviceKey, p.key.Path + "." + p.key.second}))
		p.wrong = true
		return
	case value.Kind != unstable.String:
		w.fail(node, fmt.Sprintf("%s: found %s; want a string", path, kindName(value.Kind)))
		p.wrong = true
		return
	}
	p.seen[name] = true
	if text := string(value.Data); name == serviceKey {
		p.Service = text
	} else {
		p.Address = text
	}
}

// end closes the passage that is open, if one is.
func (w *walk) end() {
	p := w.open
	w.open = nil
	if p == nil || p.wrong {
		return
	}
	for _, name := range []string{serviceKey, p.key.second} {
		if !p.seen[name] {
			w.failAt(p.line, p.column, fmt.Sprintf("%s: it has no %s; want %s", p.key.Path, name, p.key.kind()))
			return
		}
	}
	l := w.list(p.key, p.line)
	l.texts = append(l.texts, p.text())
}

// list is where the passages of a key are gathered; the line is where the first stands.
func (w *walk) list(k Key, line int) *listed {
	if w.lists == nil {
		w.lists = make(map[string]*listed)
	}
	if w.lists[k.Path] == nil {
		w.lists[k.Path] = &listed{origin: fmt.Sprintf("file %s:%d", w.file, line)}
	}
	return w.lists[k.Path]
}

// inline takes passages that stand as a list of inline tables.
func (w *walk) inline(k Key, node, value *unstable.Node) {
	line, _ := w.position(node)
	w.list(k, line)
	for entries := value.Children(); entries.Next(); {
		entry := entries.Node()
		if entry.Kind == unstable.Comment {
			continue
		}
		if entry.Kind != unstable.InlineTable {
			w.refuse(node, k.Path, kindName(value.Kind))
			return
		}
		w.begin(k, node)
		for keys := entry.Children(); keys.Next(); {
			w.within(keys.Node())
		}
		w.end()
	}
}

// settle puts what was listed into the layer.
func (w *walk) settle() {
	for _, k := range table {
		if l, ok := w.lists[k.Path]; ok {
			_ = w.layer.set(k, l.texts, l.origin) // texts of passages can be read
		}
	}
}
