package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/g2g-net/g2g/tui"
)

// topFlags are how a dashboard is shown.
type topFlags struct {
	once           bool
	batch          bool
	n              int
	record, replay string
	actions        bool
	interval       time.Duration
	theme          string
	ascii, mouse   bool
	size           string
}

func (a *app) topCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "top",
		Short: "Watch a node: who is late or dead, far, next; do signatures converge; which certificate ends",
		Long: `Opens the dashboard of the node in the folder. The second line of the screen answers in words whether anyone is late or
dead, who is far, in which order a query would go, whether signatures converge, and whose certificate ends next; the panels
show why. It stays when the node goes away, with the last data and its age, and comes back with it.

It changes nothing, unless --allow-actions lets it ping, rotate and nominate; each act shows the command that it equals.
A recording is a file that --replay shows again, without a node.`,
		Example: `  g2g top
  g2g top --once                          # the same screen as text
  g2g top --record trouble.jsonl          # keep what is seen
  g2g top --replay trouble.jsonl`,
		Args: exactly(0),
	}
	f := &topFlags{}
	c.Flags().BoolVar(&f.once, "once", false, "print one screen as text and end")
	c.Flags().BoolVar(&f.batch, "batch", false, "print screens as text, one an interval")
	c.Flags().IntVarP(&f.n, "screens", "n", 1, "how many screens --batch prints")
	c.Flags().StringVar(&f.record, "record", "", "keep what is seen in a new file")
	c.Flags().StringVar(&f.replay, "replay", "", "show a recording instead of a node")
	c.Flags().BoolVar(&f.actions, "allow-actions", false, "let keys ping, rotate and nominate")
	c.Flags().DurationVar(&f.interval, "interval", time.Second, "least time between two pictures, from 200ms")
	c.Flags().StringVar(&f.theme, "theme", "auto", strings.Join(tui.Themes, "|"))
	c.Flags().BoolVar(&f.ascii, "ascii", false, "draw with ASCII characters only")
	c.Flags().BoolVar(&f.mouse, "mouse", false, "take clicks and the wheel")
	c.Flags().StringVar(&f.size, "size", "", "WIDTHxHEIGHT of a screen as text (default the terminal's, else 120x36)")
	mustComplete(c, "theme", cobra.FixedCompletions(tui.Themes, cobra.ShellCompDirectiveNoFileComp))
	c.RunE = func(c *cobra.Command, _ []string) error { return a.top(c.Context(), f) }
	return c
}

// check says what does not go together.
func (f *topFlags) check() error {
	switch {
	case f.n < 1:
		return wrongUsage(fmt.Sprintf("-n %d is less than 1", f.n), "")
	case f.n > 1 && !f.batch:
		return wrongUsage("-n is for --batch", fmt.Sprintf("g2g top --batch -n %d", f.n))
	case f.interval < 200*time.Millisecond:
		return wrongUsage(fmt.Sprintf("--interval %s is less than 200ms", f.interval), "")
	case f.record != "" && f.replay != "":
		return wrongUsage("--record and --replay exclude each other: a recording is there already", "")
	case !slices.Contains(tui.Themes, f.theme):
		return wrongUsage(fmt.Sprintf("no theme %q", f.theme), "there are "+strings.Join(tui.Themes, ", "))
	case f.actions && (f.replay != "" || f.once || f.batch):
		return wrongUsage("--allow-actions is for the dashboard of a node", "")
	}
	return nil
}

func (a *app) top(ctx context.Context, f *topFlags) error {
	if err := f.check(); err != nil {
		return err
	}
	text := f.once || f.batch
	if !text && !a.interactive() {
		return wrongUsage("the dashboard needs a terminal", "one screen as text: g2g top --once; for scripts: g2g peers -o json, g2g status -o json")
	}
	opt := tui.Options{
		In: a.in, Out: a.out, Interval: f.interval, Theme: f.theme, ASCII: f.ascii, Mouse: f.mouse, AllowActions: f.actions,
	}
	if err := a.topSource(&opt, f); err != nil {
		return err
	}
	if f.record != "" {
		file, err := os.OpenFile(f.record, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return fmt.Errorf("record: %w", err)
		}
		defer file.Close() // each write was looked at
		opt.Record = file
	}
	if !text {
		return tui.Run(ctx, opt)
	}
	size, err := a.textSize(f.size)
	if err != nil {
		return err
	}
	if !a.screen && f.theme == "auto" {
		opt.Theme = "none"
	}
	err = tui.Batch(ctx, opt, size, f.n)
	if ctx.Err() == nil && (status.Code(err) == codes.DeadlineExceeded || errors.Is(err, context.DeadlineExceeded)) {
		return silent(opt.Name)
	}
	return err
}

// topSource is what the dashboard shows: the node in the folder, or a recording.
func (a *app) topSource(opt *tui.Options, f *topFlags) error {
	if f.replay != "" {
		file, err := os.Open(f.replay)
		if err != nil {
			return fmt.Errorf("replay: %w", err)
		}
		defer file.Close()
		opt.Name = f.replay
		opt.Replay, err = tui.ReadRecording(file, f.replay)
		return err
	}
	dir, err := a.dir()
	if err != nil {
		return err
	}
	opt.Name = dir
	if a.dirFlag != "" {
		opt.Dir = shellWord(dir)
	}
	opt.Dial = topDial(dir)
	return nil
}

// topDial reaches the node in a folder for a dashboard.
func topDial(dir string) tui.Dial {
	return func(ctx context.Context) (tui.Conn, error) {
		c, err := dial(ctx, dir)
		if err != nil {
			return tui.Conn{}, err
		}
		return tui.Conn{AdminClient: c.rpc, Close: c.Close}, nil
	}
}

// interactive says whether a person sits at both ends.
func (a *app) interactive() bool { return a.screen && isTerminal(a.in) }

// textSize is that of a screen which is printed.
func (a *app) textSize(asked string) (tui.Size, error) {
	const usual, most = "120x36", 1000
	if asked == "" {
		if w, h, ok := screenSize(a.out); ok && a.screen {
			return tui.Size{Width: w, Height: h - 1}, nil // the prompt has a line
		}
		asked = usual
	}
	w, h, ok := strings.Cut(asked, "x")
	width, err1 := strconv.Atoi(w)
	height, err2 := strconv.Atoi(h)
	if !ok || err1 != nil || err2 != nil || width < 1 || height < 1 || width > most || height > most {
		return tui.Size{}, wrongUsage(fmt.Sprintf("--size %q is not WIDTHxHEIGHT", asked), "try --size "+usual)
	}
	return tui.Size{Width: width, Height: height}, nil
}

func screenSize(out io.Writer) (w, h int, ok bool) {
	file, isFile := out.(*os.File)
	if !isFile {
		return 0, 0, false
	}
	w, h, err := term.GetSize(int(file.Fd()))
	return w, h, err == nil && w > 0 && h > 1
}
