package tui

// drawHelp lays a card with all keys over the body. It is made from the key map.
func drawHelp(a area, s *scene) {
	groups := s.ui.keys.groups()
	lines := len(helpLegend) + 1
	left, right := 0, 0 // the groups are laid into two columns, each into the shorter one
	type at struct{ x, y int }
	places := make([]at, len(groups))
	w := min(a.w, 100)
	half := (w - 4) / 2
	for i, g := range groups {
		if left <= right {
			places[i] = at{0, left}
			left += len(g.keys) + 2
			continue
		}
		places[i] = at{half, right}
		right += len(g.keys) + 2
	}
	h := min(a.h, max(left, right)+lines+1)
	in := card(a, w, h, "help", "? or esc closes")
	if h < max(left, right)+lines+1 {
		drawNarrowHelp(in, groups)
		return
	}
	for i, g := range groups {
		x, y := places[i].x, places[i].y
		in.put(x, y, bold, fit(g.title, half))
		for j, b := range g.keys {
			helpLine(in.at(x, y+1+j, half, 1), b.Help().Key, b.Help().Desc, b.Enabled())
		}
	}
	for i, line := range helpLegend {
		in.words(0, in.h-len(helpLegend)+i, line)
	}
}

// drawNarrowHelp has no room for groups: keys in as many columns as fit.
func drawNarrowHelp(in area, groups []keyGroup) {
	x, y := 0, 0
	const column = 26
	for _, g := range groups {
		for _, b := range g.keys {
			if y == in.h {
				x, y = x+column, 0
			}
			helpLine(in.at(x, y, column-1, 1), b.Help().Key, b.Help().Desc, b.Enabled())
			y++
		}
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
