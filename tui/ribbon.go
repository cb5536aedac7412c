package tui

import (
	"fmt"
	"slices"

	"github.com/g2g-net/g2g/proto/adminpb"
)

// drawOrder shows the virtual query order as a ribbon on two heights, far groups above near ones: an order that does not
// alternate is seen as two boxes on one line.
func drawOrder(a area, s *scene, framed bool) {
	order := s.pic.GetSelf().GetOrder()
	in := panel(a, framed, "virtual query order", orderTitle(order, a.w))
	if len(order) == 0 {
		in.put(0, 0, dim, "nobody can be queried yet")
		return
	}
	if in.h < 2 {
		drawNames(in, 0, s, order)
		return
	}
	far := s.farLetters()
	in.put(0, 0, plain, "far")
	in.put(0, 1, dim, "near")
	lines := in.h
	for top, i := 0, 0; top+1 < lines && i < len(order); top += 3 {
		i += drawRibbon(in, top, s, order[i:], far)
		if top+2 < lines {
			names := order[max(0, i-ribbonBoxes(in.w)):]
			if s.ui.zoom == orderPanel {
				names = names[:min(len(names), ribbonBoxes(in.w))]
			}
			drawNames(in.at(6, 0, in.w-6, in.h), top+2, s, names)
		}
		if s.ui.zoom != orderPanel {
			break
		}
	}
}

func orderTitle(order []*adminpb.Place, w int) []word {
	if w < 60 {
		return []word{{dim, count(len(order), "place")}}
	}
	return []word{{dim, "far, near, far, near … " + count(len(order), "place")}}
}

// boxWidth is the columns from the start of one box to that of the next.
const boxWidth = 17

func ribbonBoxes(w int) int { return max(1, (w-6+2)/boxWidth) }

// farLetters are the groups whose boxes stand on the upper line.
func (s *scene) farLetters() []string {
	var letters []string
	for _, l := range s.pic.lanes {
		if l.word == "far" || l.word == "mid" {
			letters = append(letters, l.letter)
		}
	}
	return letters
}

// drawRibbon draws as many places as there is room for, and returns how many.
func drawRibbon(a area, y int, s *scene, order []*adminpb.Place, far []string) int {
	n := min(ribbonBoxes(a.w), len(order))
	x := 6
	for i, place := range order[:n] {
		high := slices.Contains(far, place.GetGroup())
		line := y + 1
		if high {
			line = y
		}
		end := drawBox(a, x, line, s, place)
		if i+1 < n {
			nextHigh := slices.Contains(far, order[i+1].GetGroup())
			a.fill(end+1, line, x+boxWidth-2-end-1, good, '━')
			switch {
			case high && !nextHigh:
				a.put(x+boxWidth-2, line, good, "┓")
			case !high && nextHigh:
				a.put(x+boxWidth-2, line, good, "┛")
			default:
				a.put(x+boxWidth-2, line, good, "━")
			}
		} else if len(order) > n {
			a.put(end+1, line, dim, "…")
		}
		x += boxWidth
	}
	return n
}

// drawBox is one place of the order; where colours do not make it a box, brackets do.
func drawBox(a area, x, y int, s *scene, place *adminpb.Place) int {
	text := fit(fmt.Sprintf("%d %s %s", place.GetPosition(), place.GetGroup(), latency(place.GetGroupLabelMs())), boxWidth-4)
	if !s.look.coloured() {
		return a.put(x, y, bold, "["+text+"]")
	}
	st := reverse
	if place.GetId() == s.ui.cursor {
		st |= bold | good
	}
	return a.put(x, y, st, " "+text+" ")
}

// drawNames says who is asked, in order, as far as the line goes.
func drawNames(a area, y int, s *scene, order []*adminpb.Place) {
	x := 0
	for i, place := range order {
		text := fmt.Sprintf("%d·%s", place.GetPosition(), s.pic.named(place.GetId()))
		room := a.w - x
		if i+1 < len(order) {
			room -= 2
		}
		if width(text) > room {
			a.put(x, y, dim, "…")
			return
		}
		st := plain
		if place.GetId() == s.ui.cursor {
			st = bold | good
		}
		x = a.put(x, y, st, text) + 2
	}
}
