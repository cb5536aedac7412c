package tui

import (
	"slices"

	"github.com/charmbracelet/bubbles/key"
)

// helpWidth is what a column of keys with their words needs; it may have a third more.
const helpWidth = 37

// drawHelp lays a card with all keys over the body. It is made from the key map, in as many columns as it needs to fit.
func drawHelp(a area, s *scene) {
	groups := s.ui.keys.groups()
	below := len(helpLegend) + 1
	for columns := 2; columns*helpWidth+4 <= a.w; columns++ {
		places, tallest := laid(groups, columns)
		if tallest+below+2 > a.h {
			continue
		}
		in := card(a, columns*helpWidth*4/3+4, tallest+below+2, "help", "? or esc closes")
		for i, g := range groups {
			column := in.at(places[i].column*in.w/columns, places[i].y, in.w/columns-1, len(g.keys)+1)
			column.put(0, 0, bold, fit(g.title, column.w))
			for j, b := range g.keys {
				helpLine(column.at(0, 1+j, column.w, 1), b.Help().Key, b.Help().Desc, b.Enabled())
			}
		}
		for i, line := range helpLegend {
			in.words(0, in.h-len(helpLegend)+i, line)
		}
		return
	}
	drawNarrowHelp(card(a, 3*helpWidth, a.h, "help", "? or esc closes"), groups)
}

// A helpPlace is where a group of keys begins.
type helpPlace struct{ column, y int }

// laid puts each group into the column that is the shortest, with a line between two groups, and tells the height of the tallest.
func laid(groups []keyGroup, columns int) (places []helpPlace, tallest int) {
	heights := make([]int, columns)
	for _, g := range groups {
		shortest := slices.Index(heights, slices.Min(heights))
		places = append(places, helpPlace{shortest, heights[shortest]})
		heights[shortest] += len(g.keys) + 2
	}
	return places, slices.Max(heights) - 1
}

// drawNarrowHelp has no room for groups: keys in as few columns as hold them.
func drawNarrowHelp(in area, groups []keyGroup) {
	var keys []key.Binding
	for _, g := range groups {
		keys = append(keys, g.keys...)
	}
	if in.h < 1 {
		return
	}
	columns := (len(keys) + in.h - 1) / in.h
	for i, b := range keys {
		helpLine(in.at(i/in.h*in.w/columns, i%in.h, in.w/columns-1, 1), b.Help().Key, b.Help().Desc, b.Enabled())
	}
}

func helpLine(a area, keys, text string, on bool) {
	st := plain
	if !on {
		st = dim
	}
	a.put(0, 0, st|bold, keys)
	a.put(7, 0, st, fit(text, a.w-7))
}

// helpLegend says what the shapes mean.
var helpLegend = [][]word{
	{
		{good, "●"}, {plain, " alive  "}, {warn, "◐"}, {plain, " alive, no link from here  "}, {warn, "▲"}, {plain, " late: age > limit  "},
		{bad, "✗"}, {plain, " dead  "}, {dim, "○"}, {plain, " left  "}, {bad, "⊘"}, {plain, " evicted"},
	},
	{
		{dim, "┊"}, {plain, " mean age  "}, {bold, "┃"}, {plain, " limit = mean + 2 sd  "}, {bold, "2"}, {plain, " two peers in one place  "},
		{bold, "!"}, {plain, " certificate ends soon  "}, {bold, "↓"}, {plain, " distances shrink"},
	},
}

// card clears a place in the middle and puts a frame round it.
func card(a area, w, h int, title, right string) area {
	w, h = min(w, a.w), min(h, a.h)
	out := a.at((a.w-w)/2, (a.h-h)/2, w, h)
	out.clear()
	return frame(out, title, []word{{dim, right}})
}

// drawChooser lists the columns, to be switched on and off.
func drawChooser(a area, s *scene) {
	in := card(a, 66, min(a.h, int(columnKinds)+2), "columns", "space switches, esc closes")
	top := scroll(0, s.ui.choice, in.h, int(columnKinds))
	for y := range in.h {
		k := top + y
		if k >= int(columnKinds) {
			return
		}
		box := "[x] "
		if s.ui.hidden[k] {
			box = "[ ] "
		}
		st := plain
		if k == s.ui.choice {
			in.put(0, y, bold, "▸")
			st = bold
		}
		x := in.put(2, y, st, box+pad(columns[k].title, 10))
		in.put(x+1, y, dim, fit(columns[k].help, in.w-x-1))
	}
}
