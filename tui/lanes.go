package tui

import (
	"fmt"
	"math"
	"strings"
)

// An axis is a stretch of whole decades of milliseconds, drawn over some columns.
type axis struct {
	lo, hi int // powers of ten
	cols   int
}

// column is where a latency stands; what lies outside stands at the end.
func (x axis) column(ms float64) int {
	if math.IsNaN(ms) || ms <= 0 {
		return 0
	}
	at := (math.Log10(ms) - float64(x.lo)) / float64(x.hi-x.lo) * float64(x.cols-1)
	return int(math.Round(min(max(at, 0), float64(x.cols-1))))
}

// The least and the greatest power of ten that an axis goes to: 1 µs and 100 s.
const lowest, highest = -3, 5

// axisOf holds 0.1 ms to 1 s and moves only by whole decades, when somebody stands outside: nothing rescales under the eye.
// A fitted one holds the decades in use and no more.
func axisOf(lanes []lane, fitted bool, cols int) axis {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, l := range lanes {
		for _, p := range l.peers {
			if p.ms > 0 && !math.IsInf(p.ms, 0) {
				lo, hi = min(lo, p.ms), max(hi, p.ms)
			}
		}
	}
	x := axis{lo: -1, hi: 3, cols: max(cols, 1)}
	if math.IsInf(lo, 0) {
		return x
	}
	first := min(max(int(math.Floor(math.Log10(lo)+1e-9)), lowest), highest-1)
	last := min(max(int(math.Ceil(math.Log10(hi)-1e-9)), first+1), highest)
	if fitted {
		x.lo, x.hi = first, last
		return x
	}
	x.lo, x.hi = min(x.lo, first), max(x.hi, last)
	return x
}

func decade(power int) string {
	if power >= 3 {
		return fmt.Sprintf("%.0fs", math.Pow10(power-3))
	}
	return fmt.Sprintf("%g", math.Pow10(power))
}

// laneLegend says what the shapes mean.
func laneLegend(w int) []word {
	words := []word{{good, "●"}, {dim, " alive "}, {warn, "▲"}, {dim, " late "}, {bad, "✗"}, {dim, " dead"}}
	if w >= 76 {
		words = append(words, word{dim, "  2 = two peers"})
	}
	return words
}

// drawLanes gives each latency group a line on one shared axis, the farthest on top.
func drawLanes(a area, s *scene, framed bool) {
	title := "latency groups"
	if a.w >= 100 {
		title += ", as seen from " + s.pic.GetSelf().GetName()
	}
	in := panel(a, framed, title, laneLegend(a.w))
	if len(s.pic.lanes) == 0 {
		in.put(0, 0, dim, "no latency measured yet")
		return
	}
	footer := 1
	if framed {
		footer = 2
	}
	room, named := in.h-footer, false
	if s.ui.zoom == lanesPanel && room >= 2*len(s.pic.lanes) {
		room, named = room/2, true
	}
	lanes, cut := someLanes(s.pic.lanes, room)
	left, right := 18, 13
	if in.w < 70 {
		left, right = 9, 8
	}
	x := axisOf(s.pic.lanes, s.ui.fitted, in.w-left-right)
	y := 0
	for i, l := range lanes {
		if i == cut {
			in.put(0, y, dim, fmt.Sprintf("… %d more groups: z", len(s.pic.lanes)-len(lanes)))
			y++
		}
		drawLane(in, y, s, l, x, left)
		y++
		if named {
			in.put(left, y, dim, fit(members(s, l), in.w-left))
			y++
		}
	}
	drawAxis(in, y, x, left, framed)
}

// members names who stands in a lane, nearest first.
func members(s *scene, l lane) string {
	names := make([]string, len(l.peers))
	for i, p := range l.peers {
		names[i] = s.pic.named(p.id) + " " + latency(p.ms)
	}
	return strings.Join(names, ", ")
}

// someLanes are those that n lines have room for: half of them the farthest, half the nearest, and a line between them,
// before the lane cut, that says how many are left out.
func someLanes(lanes []lane, n int) (some []lane, cut int) {
	if len(lanes) <= n {
		return lanes, -1
	}
	n = max(n-1, 0)
	far := (n + 1) / 2
	some = append(append(some, lanes[:far]...), lanes[len(lanes)-(n-far):]...)
	return some, far
}

func drawLane(a area, y int, s *scene, l lane, x axis, left int) {
	wordStyle := dim
	if l.word == "far" {
		wordStyle = plain
	}
	a.put(0, y, bold, fit(l.letter, 2))
	a.put(2, y, wordStyle, l.word)
	if left >= 18 {
		a.put(7, y, plain, fit(count(len(l.peers), "peer"), 9))
	} else {
		a.put(6, y, plain, fmt.Sprint(min(len(l.peers), 99)))
	}
	a.put(left-2, y, faint, "│")
	a.fill(left, y, x.cols, faint, '·')
	drawSpots(a, y, s, l, x, left)
	label := "mean " + latency(l.label)
	switch {
	case math.IsNaN(l.label) && left < 18:
		label = "none"
	case math.IsNaN(l.label):
		label = "no group"
	case left < 18:
		label = latency(l.label)
	}
	a.put(left+x.cols+1, y, plain, label)
}

// drawSpots puts a shape where each peer stands, a digit where several share the place, on a thin line from the first to the
// last of them.
func drawSpots(a area, y int, s *scene, l lane, x axis, left int) {
	if len(l.peers) == 0 {
		return
	}
	type place struct {
		n        int
		m        mark
		worst    int
		selected bool
	}
	places := make(map[int]*place, len(l.peers))
	lo, hi := x.cols, 0
	for _, spot := range l.peers {
		at := x.column(spot.ms)
		lo, hi = min(lo, at), max(hi, at)
		p := places[at]
		if p == nil {
			p = &place{worst: math.MaxInt}
			places[at] = p
		}
		p.n++
		p.selected = p.selected || spot.id == s.ui.cursor
		if peer := s.pic.byID[spot.id]; peer == nil {
			if p.m.glyph == "" {
				p.m = mark{glyph: "●", s: dim}
			}
		} else if worse(peer) < p.worst {
			p.worst, p.m = worse(peer), markOf(peer)
		}
	}
	a.fill(left+lo, y, hi-lo+1, dim, '─')
	for at, p := range places {
		glyph, st := p.m.glyph, p.m.s
		if p.n > 1 {
			glyph = fmt.Sprint(p.n)
			if p.n > 9 {
				glyph = "+"
			}
		}
		if p.selected {
			st |= reverse
		}
		a.put(left+at, y, st|bold, glyph)
	}
	for at, p := range places {
		if p.selected && !s.look.coloured() { // then brackets show it, where nobody else stands
			if places[at-1] == nil {
				a.put(left+at-1, y, bold, "[")
			}
			if places[at+1] == nil {
				a.put(left+at+1, y, bold, "]")
			}
		}
	}
}

// drawAxis writes the decades: under the line where there is room, else into it.
func drawAxis(a area, y int, x axis, left int, framed bool) {
	a.put(left-2, y, faint, "└"+strings.Repeat("─", x.cols+1))
	for p := x.lo; p <= x.hi; p++ {
		at := left + x.column(math.Pow10(p))
		label := decade(p)
		if framed {
			a.put(at, y, faint, "┴")
			a.put(at, y+1, dim, label)
			continue
		}
		if p == x.hi {
			at = left + x.cols - width(label)
		}
		a.put(at, y, dim, label)
	}
	a.put(left+x.cols+1, y, dim, "log ms")
}
