package cmd

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"
)

// A terminal shapes the words that g2g speaks to people. Data goes to out and nothing else does; errors, hints, notes
// and progress go to err.
type terminal struct {
	in       io.Reader
	out, err io.Writer
	quiet    bool // no notes and no progress
	live     bool // err is a terminal: lines can be rewritten
	screen   bool // out is a terminal
	colour   bool // err may be coloured
}

func newTerminal(in io.Reader, out, err io.Writer, getenv func(string) string) *terminal {
	dumb := getenv("TERM") == "dumb"
	t := &terminal{in: in, out: out, err: err, screen: isTerminal(out) && !dumb, live: isTerminal(err) && !dumb}
	t.colour = t.live && getenv("NO_COLOR") == ""
	return t
}

func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// Failed writes an error: the line, what belongs to it, the hint, and with asJSON one object more.
func (t *terminal) Failed(f failure, usage string, asJSON bool) {
	what := f.Error()
	line := "g2g: " + t.paint(red, "error:") + " " + tidy(what)
	if f.hint != "" {
		line += "\ng2g: " + t.paint(bold, "hint:") + " " + tidy(f.hint)
	}
	if f.usage && usage != "" {
		line += "\nusage: " + usage
	}
	fmt.Fprintln(t.err, line)
	if asJSON {
		_ = json.NewEncoder(t.err).Encode(errorView{Error: what, Hint: f.hint, Code: f.code})
	}
}

type errorView struct {
	Error string `json:"error"`
	Hint  string `json:"hint"`
	Code  int    `json:"code"`
}

// Note writes a line on what has changed, or what comes next.
func (t *terminal) Note(format string, args ...any) {
	if !t.quiet {
		fmt.Fprintln(t.err, "g2g: "+tidy(fmt.Sprintf(format, args...)))
	}
}

// Hint writes advice that no error came with.
func (t *terminal) Hint(format string, args ...any) {
	fmt.Fprintln(t.err, "g2g: "+t.paint(bold, "hint:")+" "+tidy(fmt.Sprintf(format, args...)))
}

const (
	red  = "31"
	bold = "1"
	// clearLine goes to the start of the line and empties it; clearScreen empties the screen.
	clearLine   = "\r\x1b[2K"
	clearScreen = "\x1b[H\x1b[2J"
)

func (t *terminal) paint(colour, text string) string {
	if !t.colour {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

// tidy shows what a terminal would obey instead of showing: other nodes' words reach the screen through here. Line
// breaks stay, indented, for errors of several lines.
func tidy(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = plain(line)
	}
	return strings.Join(lines, "\n  ")
}

// plain makes one line of printable text of any text.
func plain(text string) string {
	if strings.IndexFunc(text, unprintable) < 0 {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if unprintable(r) {
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

func unprintable(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }

// table aligns cells in columns two spaces apart. Plain text: the same on a terminal and in a pipe.
func table(w io.Writer, header []string, rows [][]string) error {
	all := rows
	if header != nil {
		all = append([][]string{header}, rows...)
	}
	widths := make([]int, 0, 8)
	for _, row := range all {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(shown(cell)))
		}
	}
	var b strings.Builder
	for _, row := range all {
		var line strings.Builder
		for i, cell := range row {
			cell = shown(cell)
			line.WriteString(cell)
			line.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+2))
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// shown is a cell as it stands in a table: never empty, so that columns can be cut by a script.
func shown(cell string) string {
	if cell == "" {
		return "-"
	}
	return plain(cell)
}

// list joins words for a table's cell.
func list(words []string) string { return strings.Join(words, ",") }

// yes is a flag in a table.
func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// span is a duration for people, with at most two units.
func span(d time.Duration) string {
	switch {
	case d < 0:
		return "-" + span(-d)
	case d < time.Second:
		return fmt.Sprintf("%dms", d.Milliseconds())
	case d < 10*time.Second:
		return fmt.Sprintf("%.1fs", d.Truncate(100*time.Millisecond).Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd%02dh", int(d.Hours())/24, int(d.Hours())%24)
}

// milliseconds is span for a count of them.
func milliseconds(ms int64) string { return span(time.Duration(ms) * time.Millisecond) }

// count says how many of a thing there are.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
