package cmd

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// Levels of a finding.
const (
	levelOK      = "ok"
	levelWarning = "warning"
	levelProblem = "problem"
)

// A finding is one thing that doctor looked at.
type finding struct {
	Level string `json:"level"`
	Check string `json:"check"` // what it is about, one word
	What  string `json:"what"`
	Hint  string `json:"hint"` // how to mend it; empty where there is nothing to mend
}

func (a *app) doctorCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Find what is wrong with this set-up, and how to mend it",
		Long: `Looks at the folder and its files, the configuration, the clock, and the node that runs there: its ports, its leaf, the
addresses that it tells, whether it reaches the others, and what it has warned of lately. Where no node runs it looks
whether one could: it opens the state as a start would, and tries the ports.

Each finding is ok, a warning (it works, but something may be other than meant) or a problem (something does not work or
is not safe). If there is a problem the exit code is 7.`,
		Example: "  g2g doctor\n  g2g doctor -o json | jq '.[] | select(.level != \"ok\")'",
		Args:    exactly(0),
	}
	f := output(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		dir, err := a.dir()
		if err != nil {
			return err
		}
		d := &doctor{a: a, dir: dir, now: time.Now()}
		progress := a.Progress("looking")
		d.examine(c.Context())
		progress.End()
		if c.Context().Err() != nil {
			return context.Cause(c.Context())
		}
		if err := d.tell(f.value); err != nil {
			return err
		}
		return d.verdict()
	}
	return c
}

// A doctor looks at one folder and the node in it, and keeps what it finds.
type doctor struct {
	a     *app
	dir   string
	now   time.Time
	found []finding

	locked bool // the identity cannot be read, so that nothing that rests on it can be judged
}

func (d *doctor) ok(check, format string, args ...any) {
	d.found = append(d.found, finding{levelOK, check, fmt.Sprintf(format, args...), ""})
}

func (d *doctor) warn(check, hint, format string, args ...any) {
	d.found = append(d.found, finding{levelWarning, check, fmt.Sprintf(format, args...), hint})
}

func (d *doctor) problem(check, hint, format string, args ...any) {
	d.found = append(d.found, finding{levelProblem, check, fmt.Sprintf(format, args...), hint})
}

// examine goes from the folder outward; without a folder there is nothing more to see.
func (d *doctor) examine(ctx context.Context) {
	if !d.folder() {
		return
	}
	d.files()
	loaded, ok := d.config()
	d.clock()
	d.node(ctx, loaded, ok)
}

func (d *doctor) count(level string) (n int) {
	for _, f := range d.found {
		if f.Level == level {
			n++
		}
	}
	return n
}

func (d *doctor) verdict() error {
	problems := d.count(levelProblem)
	said := fmt.Sprintf("%s, %s", count(problems, "problem"), count(d.count(levelWarning), "warning"))
	if problems == 0 {
		d.a.Note("%s", said)
		return nil
	}
	return &failure{why: fmt.Errorf("%s", said), hint: "mend the first problem first: others may follow from it", code: exitUnhealthy}
}

var findingListing = listing[finding]{
	name: func(f finding) string { return f.Check },
	columns: []column[finding]{
		{"LEVEL", func(f finding) string { return f.Level }},
		{"CHECK", func(f finding) string { return f.Check }},
		{"WHAT", func(f finding) string { return f.What }},
	},
}

// tell prints the findings; in a table each hint stands below its finding, since the two together are wider than a screen.
func (d *doctor) tell(f string) error {
	if f != asTable {
		return findingListing.write(d.a.out, f, d.found)
	}
	var b bytes.Buffer
	if err := findingListing.write(&b, f, d.found); err != nil {
		return err
	}
	var text strings.Builder
	row := -1 // the header
	for line := range strings.Lines(b.String()) {
		text.WriteString(line)
		if row >= 0 && d.found[row].Hint != "" {
			text.WriteString("         hint: " + plain(d.found[row].Hint) + "\n")
		}
		row++
	}
	_, err := d.a.out.Write([]byte(text.String()))
	return err
}
