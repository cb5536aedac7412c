package tui

import (
	"strings"
	"unicode"

	"github.com/mattn/go-runewidth"
)

// A style is how a cell looks: one colour, with bold and reverse. What it comes to on a terminal is the theme's matter.
type style uint8

const (
	plain style = iota
	dim
	faint // frames and rules
	good
	warn
	bad
	colours       // how many there are
	bold    style = 8
	reverse style = 16
	styles        = 32
	colour  style = 7 // the bits that hold it
)

// A cell is one place of the screen. A rune of two cells is followed by a cell that has none.
type cell struct {
	r rune
	s style
}

// A canvas is a screen of cells. What does not fit on it is not there: nothing can wrap.
type canvas struct {
	w, h  int
	cells []cell
}

func newCanvas(w, h int) *canvas {
	c := &canvas{w: w, h: h, cells: make([]cell, w*h)}
	for i := range c.cells {
		c.cells[i].r = ' '
	}
	return c
}

// mute makes a part of the screen grey: what it shows is old.
func (a area) mute() {
	for y := range a.h {
		row := a.c.cells[(a.y+y)*a.c.w+a.x:][:a.w]
		for x := range row {
			row[x].s = row[x].s&reverse | dim
		}
	}
}

// widths counts cells. What is ambiguous is narrow: who has a terminal where it is not takes --ascii.
var widths = runewidth.Condition{StrictEmojiNeutral: true}

func width(text string) int {
	n := 0
	for _, r := range text {
		n += runeWidth(r)
	}
	return n
}

func runeWidth(r rune) int {
	switch {
	case r < 0x7f: // what is below a blank is shown as a dot
		return 1
	case drawn(r):
		return 1
	case !unicode.IsPrint(r) || half(r):
		return 1 // shown as a dot
	}
	return widths.RuneWidth(r)
}

// drawn says whether a rune is a box, a block or braille, of which the screen is made.
func drawn(r rune) bool { return r >= 0x2500 && r < 0x25A0 || r >= 0x2800 && r < 0x2900 }

// shown is a rune that a terminal shows and does not obey.
func shown(r rune) rune {
	switch {
	case r >= ' ' && r < 0x7f || drawn(r):
		return r
	case !unicode.IsPrint(r) || half(r):
		return '·'
	}
	return r
}

// half says whether a rune is half a flag: how wide it is depends on what stands beside it.
func half(r rune) bool { return r >= 0x1F1E6 && r <= 0x1F1FF }

// An area is a rectangle of a canvas, that views draw on with its own coordinates.
type area struct {
	c          *canvas
	x, y, w, h int
}

func (c *canvas) area() area { return area{c: c, w: c.w, h: c.h} }

// at is the part of an area from a place on, cut to what there is.
func (a area) at(x, y, w, h int) area {
	x, y = min(max(x, 0), a.w), min(max(y, 0), a.h)
	return area{c: a.c, x: a.x + x, y: a.y + y, w: min(max(w, 0), a.w-x), h: min(max(h, 0), a.h-y)}
}

// put writes text from a place on, as far as the area goes, and returns the column after it.
func (a area) put(x, y int, s style, text string) int {
	for _, r := range text {
		n := runeWidth(r)
		if n == 0 {
			continue
		}
		if y >= 0 && y < a.h && x >= 0 && x+n <= a.w {
			a.c.set(a.x+x, a.y+y, n, cell{shown(r), s})
		}
		x += n
	}
	return x
}

// set writes a rune of n cells. What it covers half of goes whole.
func (c *canvas) set(x, y, n int, with cell) {
	row := c.cells[y*c.w:][:c.w]
	if row[x].r == 0 {
		row[x-1].r = ' '
	}
	if x+n < c.w && row[x+n].r == 0 {
		row[x+n].r = ' '
	}
	row[x] = with
	if n == 2 {
		row[x+1] = cell{0, with.s}
	}
}

// right writes text so that it ends before a column.
func (a area) right(x, y int, s style, text string) { a.put(x-width(text), y, s, text) }

// fill writes one rune n times.
func (a area) fill(x, y, n int, s style, r rune) {
	for i := range n {
		a.put(x+i, y, s, string(r))
	}
}

// clear empties the area.
func (a area) clear() {
	for y := range a.h {
		a.fill(0, y, a.w, plain, ' ')
	}
}

// text is the screen as lines, of which none is wider than it. Blanks at the end of a line are left out.
func (c *canvas) text(l *look) string {
	var b strings.Builder
	b.Grow(len(c.cells) * 2)
	for y := range c.h {
		if y > 0 {
			b.WriteByte('\n')
		}
		c.line(&b, c.cells[y*c.w:][:c.w], l)
	}
	return b.String()
}

func (c *canvas) line(b *strings.Builder, row []cell, l *look) {
	for len(row) > 0 && row[len(row)-1].r == ' ' && (row[len(row)-1].s&reverse == 0 || !l.coloured()) {
		row = row[:len(row)-1]
	}
	open := plain
	for i, cell := range row {
		if cell.r == 0 && i > 0 {
			continue
		}
		s := cell.s
		if cell.r == ' ' && s&reverse == 0 {
			s = open // a blank looks the same in every colour
			if open&reverse != 0 {
				s = plain
			}
		}
		if s != open {
			b.WriteString(l.change(open, s))
			open = s
		}
		b.WriteRune(l.rune(cell.r))
		if l.ascii && i+1 < len(row) && row[i+1].r == 0 {
			b.WriteByte('?') // the second half of a wide rune
		}
	}
	if open != plain {
		b.WriteString(l.change(open, plain))
	}
}
