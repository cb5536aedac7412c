package tui

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/charmbracelet/lipgloss"
	"github.com/muesli/termenv"
)

// Themes are the values of Options.Theme.
var Themes = []string{"auto", "dark", "light", "16", "none"}

// palette is blue, yellow and orange rather than green and red, which many cannot tell apart. On 16 colours it is those
// that the terminal's own theme sees to.
var palette = [colours]lipgloss.TerminalColor{
	dim:   shade("#8B949E", "245", "8", "#57606A", "241", "8"),
	faint: shade("#4A525C", "239", "8", "#B0B7BF", "249", "7"),
	good:  shade("#56B4E9", "75", "14", "#0072B2", "25", "4"),
	warn:  shade("#F0C24B", "221", "11", "#8A5A00", "94", "3"),
	bad:   shade("#FF7F50", "209", "9", "#B33C00", "130", "1"),
}

func shade(dark, dark256, dark16, light, light256, light16 string) lipgloss.TerminalColor {
	return lipgloss.CompleteAdaptiveColor{
		Dark:  lipgloss.CompleteColor{TrueColor: dark, ANSI256: dark256, ANSI: dark16},
		Light: lipgloss.CompleteColor{TrueColor: light, ANSI256: light256, ANSI: light16},
	}
}

// A look turns styles into what a terminal obeys, and shapes into what it can show.
type look struct {
	open  [styles]string // what begins a style; all empty without colours
	ascii bool
}

// reset ends every style.
const reset = "\x1b[0m"

// newLook reads from the environment what the terminal can, unless the theme settles it.
func newLook(out io.Writer, theme string, ascii bool) (*look, error) {
	if theme == "" {
		theme = "auto"
	}
	if !slices.Contains(Themes, theme) {
		return nil, fmt.Errorf("no theme %q: there are %s", theme, strings.Join(Themes, ", "))
	}
	r := lipgloss.NewRenderer(out)
	switch {
	case theme == "none" || termenv.EnvNoColor():
		r.SetColorProfile(termenv.Ascii)
	case theme == "16":
		r.SetColorProfile(termenv.ANSI)
	case theme == "dark", theme == "light": // asked for by name, also where no terminal is
		r.SetHasDarkBackground(theme == "dark")
		if r.ColorProfile() == termenv.Ascii {
			r.SetColorProfile(termenv.TrueColor)
		}
	}
	return lookOf(r, ascii), nil
}

func lookOf(r *lipgloss.Renderer, ascii bool) *look {
	l := &look{ascii: ascii}
	if r.ColorProfile() == termenv.Ascii {
		return l
	}
	for i := range l.open {
		s := style(i)
		sgr := lipgloss.NewStyle().Renderer(r).Bold(s&bold != 0).Reverse(s&reverse != 0)
		if int(s&colour) < len(palette) && palette[s&colour] != nil {
			sgr = sgr.Foreground(palette[s&colour])
		}
		l.open[i], _, _ = strings.Cut(sgr.Render("x"), "x")
	}
	return l
}

// coloured says whether styles show. Where they do not, shapes must say all.
func (l *look) coloured() bool { return l.open[reverse] != "" }

// change is what lies between two styles.
func (l *look) change(from, to style) string {
	if l.open[from] == "" {
		return l.open[to]
	}
	return reset + l.open[to]
}

// rune is what stands for a rune.
func (l *look) rune(r rune) rune {
	if !l.ascii || r < 0x80 {
		return r
	}
	if a, ok := asASCII[r]; ok {
		return a
	}
	switch {
	case r == '\u2800':
		return ' '
	case r > 0x2800 && r < 0x2900: // braille
		return '*'
	}
	return '?'
}

// asASCII is the second alphabet of the screen, for terminals and fonts that have no other.
var asASCII = map[rune]rune{
	'●': '*', '▲': '!', '✗': 'x', '○': 'o', '⊘': '%', '◐': '?', '◆': '@', '▸': '>', '▮': '#',
	'━': '=', '╸': '-', '┃': '|', '┊': ':', '▶': '>', '╭': '+', '╮': '+', '╰': '+', '╯': '+', '─': '-', '│': '|',
	'┴': '+', '└': '+', '┓': '.', '┛': '\'', '·': '.', '•': ',', '…': '~', '›': '>', '↓': 'v', '↑': '^', '→': '=', '←': '<',
	'▾': 'v', '▴': '^', '▁': '_', '▂': '.', '▃': '-', '▄': '-', '▅': '=', '▆': '=', '▇': '^', '█': '#', '░': '.', '×': 'x', '≥': '>',
}
