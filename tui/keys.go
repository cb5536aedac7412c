package tui

import (
	"fmt"

	"github.com/charmbracelet/bubbles/key"
)

// A keyMap is every key that does something. The help page and the foot of the screen are made from it.
type keyMap struct {
	Up, Down, PageUp, PageDown, First, Last key.Binding
	Open, Back, Previous, Next              key.Binding

	Overview, Peer, Events, Pause, Now key.Binding

	Filter, Sort, Reverse, Columns, Zoom, In, Out key.Binding
	Serious, Kind                                 key.Binding

	Export, Save, Mouse, Help, Quit key.Binding

	Ping, Rotate, Nominate key.Binding

	Controls []key.Binding // of a demo
}

func bind(help, text string, keys ...string) key.Binding {
	return key.NewBinding(key.WithKeys(keys...), key.WithHelp(help, text))
}

// newKeys is the key map; what acts on the node is off unless it is allowed.
func newKeys(actions bool, controls []Control) keyMap {
	k := keyMap{
		Up: bind("↑ k", "up", "up", "k"), Down: bind("↓ j", "down", "down", "j"),
		PageUp: bind("pgup", "a screen up", "pgup", "ctrl+b"), PageDown: bind("pgdn", "a screen down", "pgdown", "ctrl+f"),
		First: bind("g", "first", "g", "home"), Last: bind("G", "last", "G", "end"),
		Open: bind("enter", "peer's detail", "enter", "l", "right"), Back: bind("esc", "back", "esc", "h", "left"),
		Previous: bind("[", "previous peer", "["), Next: bind("]", "next peer", "]"),

		Overview: bind("1", "overview", "1"), Peer: bind("2", "peer", "2"), Events: bind("3", "events", "3"),
		Pause: bind("space", "pause", " "), Now: bind("r", "try the node now", "r"),

		Filter: bind("/", "filter", "/"), Sort: bind("s", "sort", "s"), Reverse: bind("S", "turn the sorting round", "S"),
		Columns: bind("c", "columns", "c"), Zoom: bind("z", "the next panel alone, large", "z"),
		In: bind("+", "narrow the axis, or charts", "+", "="), Out: bind("-", "widen it", "-"),
		Serious: bind("v", "warnings and errors only", "v"), Kind: bind("t", "events of one kind", "t"),

		Export: bind("E", "export, to be replayed", "E"), Save: bind("ctrl+s", "save the screen as text", "ctrl+s"),
		Mouse: bind("m", "mouse on, off", "m"), Help: bind("?", "help", "?"), Quit: bind("q", "quit", "q", "ctrl+c"),

		Ping: bind("p", "ping the peer", "p"), Rotate: bind("R", "renew this node's certificate", "R"),
		Nominate: bind("N", "make a token", "N"),
	}
	for _, b := range []*key.Binding{&k.Ping, &k.Rotate, &k.Nominate} {
		b.SetEnabled(actions)
	}
	for _, c := range controls {
		k.Controls = append(k.Controls, bind(c.Key, c.Help, c.Key))
	}
	return k
}

// clash says which key of a control does something else already.
func (k keyMap) clash() error {
	taken := map[string]string{}
	for _, g := range k.groups() {
		for _, b := range g.keys {
			for _, pressed := range b.Keys() {
				if other, is := taken[pressed]; is {
					return fmt.Errorf("the key %s is both for %q and for %q", pressed, other, b.Help().Desc)
				}
				taken[pressed] = b.Help().Desc
			}
		}
	}
	return nil
}

// A keyGroup is a part of the help page.
type keyGroup struct {
	title string
	keys  []key.Binding
}

func (k keyMap) groups() []keyGroup {
	act := "act (only with --allow-actions)"
	if k.Ping.Enabled() {
		act = "act"
	}
	groups := []keyGroup{
		{"move", []key.Binding{k.Up, k.Down, k.PageUp, k.PageDown, k.First, k.Last, k.Open, k.Back, k.Previous, k.Next}},
		{"look", []key.Binding{k.Overview, k.Peer, k.Events, k.Filter, k.Sort, k.Reverse, k.Columns, k.Zoom, k.In, k.Out, k.Serious, k.Kind}},
		{"screen", []key.Binding{k.Pause, k.Now, k.Export, k.Save, k.Mouse, k.Help, k.Quit}},
		{act, []key.Binding{k.Ping, k.Rotate, k.Nominate}},
	}
	if len(k.Controls) > 0 {
		groups = append(groups, keyGroup{"demo: the selected node", k.Controls})
	}
	return groups
}

// shortHelp is what the foot of the screen says of them.
func (k keyMap) shortHelp(s *scene) []key.Binding {
	move := bind("↑↓", "peer", "up")
	views := bind("1-3", "view", "1")
	detail := bind("enter", "detail", "enter")
	var out []key.Binding
	switch {
	case s.ui.help, s.ui.choosing:
		return []key.Binding{k.Back, k.Quit}
	case s.ui.page == peerPage:
		out = append(out, k.Back, bind("[ ]", "previous, next", "["), bind("+ -", "time", "+"))
	case s.ui.page == eventsPage:
		out = append(out, k.Back, bind("t", "kind", "t"), bind("v", "severity", "v"), k.Filter)
	case len(s.ui.briefs) > 0:
		out = append(out, move)
		for i, b := range k.Controls {
			out = append(out, bind(b.Help().Key, s.ui.briefs[i], b.Keys()...))
		}
		out = append(out, detail, k.Sort, k.Filter)
	default:
		out = append(out, move, detail, views, k.Sort, k.Filter)
	}
	if !s.ui.paused.IsZero() {
		out = append(out, bind("space", "go on", " "))
	} else {
		out = append(out, k.Pause)
	}
	if k.Ping.Enabled() {
		out = append(out, bind("p", "ping", "p"), bind("R", "rotate", "R"), bind("N", "nominate", "N"))
	}
	return append(out, k.Help, k.Quit)
}
