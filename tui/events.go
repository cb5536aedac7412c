package tui

import (
	"fmt"
	"strings"

	"github.com/g2g-net/g2g/proto/adminpb"
)

// keptEvents is how many of the latest events a screen knows.
const keptEvents = 2000

// eventMark is how an event is shown. Its colour is that of what it is about, where it is about a state.
func eventMark(e *adminpb.Event) (glyph string, s style) {
	switch e.GetSeverity() {
	case "error":
		return "✗", bad
	case "warning":
		return "▲", warn
	}
	if e.GetKind() == "alive" || e.GetKind() == "reachable" {
		return "●", good
	}
	return "·", dim
}

// chosen are the events of a scene that fit what was asked for, oldest first; with a peer only its own.
func (s *scene) chosen(peer string) []*adminpb.Event {
	var out []*adminpb.Event
	for _, e := range s.events {
		switch {
		case peer != "" && e.GetPeer() != peer,
			s.ui.serious && peer == "" && e.GetSeverity() == "info",
			s.ui.kind != "" && peer == "" && e.GetKind() != s.ui.kind,
			peer == "" && s.ui.page == eventsPage && !eventFits(e, s.ui.filter):
		default:
			out = append(out, e)
		}
	}
	return out
}

func eventFits(e *adminpb.Event, filter string) bool {
	text := strings.ToLower(e.GetName() + " " + e.GetKind() + " " + e.GetDetail())
	for _, w := range strings.Fields(strings.ToLower(filter)) {
		w, not := strings.CutPrefix(w, "!")
		if _, value, ok := strings.Cut(w, ":"); ok {
			w = value
		}
		if strings.Contains(text, w) == not {
			return false
		}
	}
	return true
}

// kinds are those of the events, in the order of their first coming.
func kinds(events []*adminpb.Event) []string {
	var out []string
	seen := map[string]bool{}
	for _, e := range events {
		if !seen[e.GetKind()] {
			seen[e.GetKind()] = true
			out = append(out, e.GetKind())
		}
	}
	return out
}

// drawEvents lists the latest first.
func drawEvents(a area, s *scene, framed bool, title, peer string) {
	events := s.chosen(peer)
	var right []word
	if peer == "" {
		right = eventsRight(s, len(events))
	} else {
		right = []word{{dim, count(len(events), "event")}}
	}
	in := panel(a, framed, title, right)
	if len(events) == 0 {
		in.put(0, 0, dim, "none")
		return
	}
	back := 0
	if peer == "" && s.ui.page == eventsPage {
		back = min(s.ui.eventTop, max(0, len(events)-in.h))
	}
	for i, y := len(events)-1-back, 0; i >= 0 && y < in.h; i-- {
		if in.w < 70 && in.h >= 6 {
			y += drawTallEvent(in.at(0, y, in.w, in.h-y), s, events[i])
			continue
		}
		drawEvent(in, y, s, events[i], peer == "")
		y++
	}
}

// drawTallEvent is for narrow panels: the detail stands under the rest. It returns how many lines it took.
func drawTallEvent(a area, s *scene, e *adminpb.Event) int {
	drawEvent(a, 0, s, &adminpb.Event{TimeMs: e.GetTimeMs(), Kind: e.GetKind(), Severity: e.GetSeverity(), Name: e.GetName(), Peer: e.GetPeer()}, true)
	const left, most = 9, 3
	text := []rune(e.GetDetail())
	y := 1
	for ; len(text) > 0 && y <= most; y++ {
		n, w := 0, 0
		for n < len(text) && w+runeWidth(text[n]) <= a.w-left {
			w += runeWidth(text[n])
			n++
		}
		if n == 0 {
			break
		}
		if y == most {
			a.put(left, y, plain, fit(string(text), a.w-left))
			continue
		}
		if blank := lastBlank(text[:n]); n < len(text) && blank > 0 {
			n = blank + 1
		}
		a.put(left, y, plain, string(text[:n]))
		text = text[n:]
	}
	return y
}

func lastBlank(text []rune) int {
	for i := len(text) - 1; i > 0; i-- {
		if text[i] == ' ' {
			return i
		}
	}
	return -1
}

func eventsRight(s *scene, n int) []word {
	words := []word{{dim, count(n, "event")}}
	if s.ui.serious {
		words = append(words, word{plain, "  ▲✗ only"})
	}
	if s.ui.kind != "" {
		words = append(words, word{plain, "  " + s.ui.kind})
	}
	if s.ui.filter != "" && s.ui.page == eventsPage {
		words = append(words, word{plain, "  /" + s.ui.filter})
	}
	if s.ui.eventTop > 0 && s.ui.page == eventsPage {
		words = append(words, word{warn, fmt.Sprintf("  %d newer above", s.ui.eventTop)})
	}
	return words
}

func drawEvent(a area, y int, s *scene, e *adminpb.Event, named bool) {
	glyph, st := eventMark(e)
	x := a.put(0, y, dim, s.clock(e.GetTimeMs(), "15:04:05")) + 1
	x = a.put(x, y, st|bold, glyph) + 1
	kind := 11
	if a.w < 70 {
		kind = 8
	}
	a.put(x, y, st, fit(e.GetKind(), kind))
	x += kind + 1
	if named {
		who := e.GetName()
		if who == "" {
			who = short(e.GetPeer())
		}
		w := min(max(8, a.w/10), 14)
		a.put(x, y, bold, fit(who, w))
		x += w + 1
	}
	a.put(x, y, plain, fit(e.GetDetail(), a.w-x))
}
