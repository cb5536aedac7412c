package tui

// A panelKind is one of the overview's panels.
type panelKind int

const (
	noPanel panelKind = iota
	lanesPanel
	orderPanel
	distancePanel
	peersPanel
	eventsPanel
	panelKinds
)

// panel draws the border of a panel with its title, and gives what is inside. Where the screen is small the border is one
// rule above.
func panel(a area, framed bool, title string, right []word) area {
	if a.w < 4 || a.h < 1 {
		return area{c: a.c}
	}
	if framed {
		return frame(a, title, right)
	}
	a.fill(0, 0, a.w, faint, '─')
	edge(a, 2, a.w-2, title, right)
	return a.at(1, 1, a.w-1, a.h-1)
}

func frame(a area, title string, right []word) area {
	a.fill(0, 0, a.w, faint, '─')
	a.fill(0, a.h-1, a.w, faint, '─')
	for y := 1; y < a.h-1; y++ {
		a.put(0, y, faint, "│")
		a.put(a.w-1, y, faint, "│")
	}
	a.put(0, 0, faint, "╭")
	a.put(a.w-1, 0, faint, "╮")
	a.put(0, a.h-1, faint, "╰")
	a.put(a.w-1, a.h-1, faint, "╯")
	edge(a, 2, a.w-2, title, right)
	return a.at(2, 1, a.w-4, a.h-2)
}

// edge writes a title into the upper border, and what belongs to it at the right end where there is room for all of it.
func edge(a area, from, to int, title string, right []word) {
	x := a.put(from, 0, bold, fit(" "+title+" ", to-from))
	n := wordsWidth(right)
	if n == 0 || to-n-2 < x+1 {
		return
	}
	at := to - n - 2
	at = a.put(at, 0, faint, " ")
	at = a.words(at, 0, right)
	a.put(at, 0, faint, " ")
}
