package tui

import (
	"math"
	"strings"
	"time"
)

// dots are the bits of a braille cell, by row and column.
var dots = [4][2]rune{{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}}

// plot draws samples as dots, two to a cell across and four down, with the values at the left and the time below. A limit
// above 0 is a line across. What is missing is not drawn.
func plot(a area, w []float32, limit float64, label func(float64) string) {
	const left = 8
	cols, rows := a.w-left-1, a.h-1
	lo, hi := bounds(w)
	if cols < 4 || rows < 1 {
		return
	}
	if math.IsNaN(lo) {
		a.put(0, 0, dim, "no samples yet")
		return
	}
	lo, hi = scale(lo, hi, limit)
	a.right(left-2, 0, dim, label(hi))
	if rows > 1 {
		a.right(left-2, rows-1, dim, label(lo))
	}
	for y := range rows {
		a.put(left-1, y, faint, "│")
	}
	height := float64(4*rows - 1)
	level := func(v float64) int { return int(math.Round((hi - v) / (hi - lo) * height)) }
	if limit > 0 && limit <= hi {
		a.fill(left, level(limit)/4, cols, faint, '─')
		a.put(left, level(limit)/4, dim, "limit ")
	}
	cells := make([]rune, cols*rows)
	for i, v := range w {
		f := float64(v)
		if math.IsNaN(f) || math.IsInf(f, 0) {
			continue
		}
		x := 0
		if len(w) > 1 {
			x = i * (2*cols - 1) / (len(w) - 1)
		}
		y := min(max(level(f), 0), 4*rows-1)
		cells[y/4*cols+x/2] |= dots[y%4][x%2]
	}
	for i, c := range cells {
		if c != 0 {
			a.put(left+i%cols, i/cols, good, string(0x2800|c))
		}
	}
	a.put(left-1, rows, faint, "└"+strings.Repeat("─", cols))
	a.put(left, rows, dim, "-"+span(time.Duration(len(w))*step)+" ")
	a.right(left+cols, rows, dim, " now")
}

// scale gives the values some air, and begins at 0 where there is a limit to compare with.
func scale(lo, hi, limit float64) (float64, float64) {
	if limit > 0 {
		return 0, max(hi, limit*1.1)
	}
	air := max((hi-lo)/10, math.Abs(hi)/50, 1e-6)
	return max(lo-air, min(lo, 0)), hi + air
}
