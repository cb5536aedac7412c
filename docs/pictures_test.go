package docs_test

import (
	"bytes"
	"context"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/g2g-net/g2g/tui"
)

// pictures are the screens on the pages, each of a recording.
var pictures = []struct {
	file, recording, theme string
	size                   tui.Size
}{
	{"top.svg", "late-and-dead", "dark", tui.Size{Width: 120, Height: 36}},
	{"top-light.svg", "late-and-dead", "light", tui.Size{Width: 120, Height: 36}},
	{"top-small.svg", "region-cut", "dark", tui.Size{Width: 80, Height: 24}},
}

// The pictures on the pages are what `g2g top --replay` shows of the recordings in tui/testdata.
func TestPictures(t *testing.T) {
	for _, p := range pictures {
		got := drawing(screen(t, p.recording, p.theme, p.size), p.size, p.theme)
		if *update {
			if err := os.WriteFile(p.file, got, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if want, err := os.ReadFile(p.file); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is another now: go test ./docs -run TestPictures -update (%v)", p.file, err)
		}
	}
}

// screen is a recording's last picture, with colours.
func screen(t *testing.T, recording, theme string, size tui.Size) string {
	t.Helper()
	t.Setenv("NO_COLOR", "")
	file, err := os.Open(filepath.Join(root, "tui", "testdata", recording+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	replay, err := tui.ReadRecording(file, recording)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := tui.Batch(context.Background(), tui.Options{Replay: replay, Out: &out, Theme: theme, Interval: time.Second, Zone: time.UTC}, size, 1); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// A cell of a picture, in its colours.
type pixel struct {
	r        rune
	fg, bg   string
	bold     bool
	reversed bool
}

const cellWidth, cellHeight = 8.4, 17.0

// ink and paper are a theme's colours where no other is said.
func ink(theme string) (fg, bg string) {
	if theme == "light" {
		return "#24292f", "#ffffff"
	}
	return "#d8dee6", "#16181d"
}

// drawing makes a picture of text with colours. Boxes and blocks are drawn rather than written: they must join in any font.
func drawing(text string, size tui.Size, theme string) []byte {
	fg, bg := ink(theme)
	var b bytes.Buffer
	w, h := float64(size.Width)*cellWidth+16, float64(size.Height)*cellHeight+16
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f">`+"\n", w, h, w, h)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" rx="6" fill="%s"/>`+"\n", bg)
	b.WriteString(`<g transform="translate(8,8)" font-family="DejaVu Sans Mono,Menlo,Consolas,monospace" font-size="14" xml:space="preserve">` + "\n")
	for y, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		drawLine(&b, y, pixels(line, fg, bg))
	}
	b.WriteString("</g>\n</svg>\n")
	return b.Bytes()
}

var sgr = regexp.MustCompile("\x1b\\[([0-9;]*)m")

// pixels reads a line of text with the sequences that colour it.
func pixels(line, fg, bg string) (row []pixel) {
	now := pixel{fg: fg, bg: bg}
	add := func(text string) {
		for _, r := range text {
			p := now
			p.r = r
			if p.reversed {
				p.fg, p.bg = p.bg, p.fg
			}
			row = append(row, p)
		}
	}
	for line != "" {
		at := sgr.FindStringSubmatchIndex(line)
		if at == nil {
			break
		}
		add(line[:at[0]])
		now = coloured(now, strings.Split(line[at[2]:at[3]], ";"), fg, bg)
		line = line[at[1]:]
	}
	add(line)
	return row
}

func coloured(p pixel, codes []string, fg, bg string) pixel {
	for i := 0; i < len(codes); i++ {
		switch codes[i] {
		case "", "0":
			p = pixel{fg: fg, bg: bg}
		case "1":
			p.bold = true
		case "7":
			p.reversed = true
		case "38":
			if i+4 < len(codes) {
				p.fg = "#" + hex(codes[i+2]) + hex(codes[i+3]) + hex(codes[i+4])
			}
			i += 4
		}
	}
	return p
}

func hex(decimal string) string {
	n, _ := strconv.Atoi(decimal)
	return fmt.Sprintf("%02x", n)
}

// drawLine draws one line of cells: what lies under them, then runs of letters of one look, then shapes.
func drawLine(b *bytes.Buffer, y int, row []pixel) {
	top := float64(y) * cellHeight
	for x, p := range row {
		if p.reversed {
			fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`+"\n", float64(x)*cellWidth, top, cellWidth+0.4, cellHeight, p.bg)
		}
	}
	for x := 0; x < len(row); {
		if n := straight(row[x:]); n > 1 {
			fmt.Fprintf(b, `<path d="M%.1f %.1fh%.1f" stroke="%s" stroke-width="%d"/>`+"\n", float64(x)*cellWidth, top+cellHeight/2,
				float64(n)*cellWidth, row[x].fg, strokes[row[x].r][2])
			x += n
			continue
		}
		if row[x].r == ' ' || drawShape(b, float64(x)*cellWidth, top, row[x]) {
			x++
			continue
		}
		end := x + 1
		for end < len(row) && row[end].fg == row[x].fg && row[end].bold == row[x].bold && written(row[end].r) {
			end++
		}
		text := make([]rune, 0, end-x)
		for _, p := range row[x:end] {
			text = append(text, p.r)
		}
		word := strings.TrimRight(string(text), " ")
		weight := ""
		if row[x].bold {
			weight = ` font-weight="bold"`
		}
		fmt.Fprintf(b, `<text x="%.1f" y="%.1f" textLength="%.1f" fill="%s"%s>%s</text>`+"\n", float64(x)*cellWidth, top+13,
			float64(len([]rune(word)))*cellWidth, row[x].fg, weight, html.EscapeString(word))
		x = end
	}
}

// straight is how many cells from the first on are one horizontal line.
func straight(row []pixel) int {
	n := 0
	for n < len(row) && (row[n].r == '─' || row[n].r == '━') && row[n].r == row[0].r && row[n].fg == row[0].fg {
		n++
	}
	return n
}

// written says whether a rune is a letter and not a shape.
func written(r rune) bool { return r < 0x2190 || r == '…' }

// strokes are the arms of box characters from the middle of their cell: up, down, left, right; 2 is thick.
var strokes = map[rune][4]int{
	'─': {0, 0, 1, 1}, '│': {1, 1, 0, 0}, '━': {0, 0, 2, 2}, '┃': {2, 2, 0, 0}, '╭': {0, 1, 0, 1}, '╮': {0, 1, 1, 0}, '╰': {1, 0, 0, 1}, '╯': {1, 0, 1, 0},
	'┴': {1, 0, 1, 1}, '└': {1, 0, 0, 1}, '┓': {0, 2, 2, 0}, '┛': {2, 0, 2, 0}, '╸': {0, 0, 2, 0}, '┊': {1, 1, 0, 0},
}

// drawShape draws boxes, blocks and the dots of braille; other runes it leaves.
func drawShape(b *bytes.Buffer, x, y float64, p pixel) bool {
	if arms, ok := strokes[p.r]; ok {
		dash := ""
		if p.r == '┊' {
			dash = ` stroke-dasharray="2 2"`
		}
		mx, my := x+cellWidth/2, y+cellHeight/2
		for i, end := range [4][2]float64{{mx, y}, {mx, y + cellHeight}, {x, my}, {x + cellWidth, my}} {
			if arms[i] > 0 {
				fmt.Fprintf(b, `<path d="M%.1f %.1fL%.1f %.1f" stroke="%s" stroke-width="%d"%s/>`+"\n", mx, my, end[0], end[1], p.fg, arms[i], dash)
			}
		}
		return true
	}
	switch {
	case p.r >= '▁' && p.r <= '█':
		height := cellHeight * float64(p.r-'▁'+1) / 8
		fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`+"\n", x, y+cellHeight-height, cellWidth+0.4, height, p.fg)
	case written(p.r):
		return false
	default:
		fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="middle" fill="%s">%s</text>`+"\n", x+cellWidth/2, y+13, p.fg, string(p.r))
	}
	return true
}
