package cmd

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func (a *app) docsCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:   "docs",
		Short: "Write this help as files",
	}, a.docsManCommand())
}

func (a *app) docsManCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "man DIR",
		Short: "Write man pages",
		Long: `Writes a man page for each command, in section 1, and for each help topic, in section 7, into DIR, which is made if
it is not there. SOURCE_DATE_EPOCH gives their date, so that a build can be repeated.`,
		Example: "  g2g docs man ~/.local/share/man/man1\n  man g2g-nominate",
		Args:    exactly(1, "DIR"),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
	}
	c.RunE = func(_ *cobra.Command, args []string) error {
		if err := os.MkdirAll(args[0], 0o755); err != nil { //nolint:gosec // pages are for every user
			return fmt.Errorf("make the folder: %w", err)
		}
		date, err := pageDate(a.getenv)
		if err != nil {
			return err
		}
		n, err := writePages(newApp(a.in, a.out, a.err, a.environ).root(), args[0], date) // a tree that no command line has added to
		if err != nil {
			return err
		}
		a.Note("wrote %s to %s", count(n, "page"), args[0])
		return nil
	}
	return c
}

// writePages writes the page of a command and those of the commands below it, and counts them.
func writePages(c *cobra.Command, dir string, date time.Time) (pages int, err error) {
	if c.Hidden {
		return 0, nil
	}
	for _, sub := range c.Commands() {
		n, err := writePages(sub, dir, date)
		pages += n
		if err != nil {
			return pages, err
		}
	}
	name := strings.ReplaceAll(c.CommandPath(), " ", "-") + "." + pageSection(c)
	if err := os.WriteFile(filepath.Join(dir, name), manPage(c, date), 0o644); err != nil { //nolint:gosec // pages are for every user
		return pages, fmt.Errorf("write %s: %w", name, err)
	}
	return pages + 1, nil
}

// pageDate is today, or what SOURCE_DATE_EPOCH says.
func pageDate(getenv func(string) string) (time.Time, error) {
	epoch := getenv("SOURCE_DATE_EPOCH")
	if epoch == "" {
		return time.Now(), nil
	}
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH=%q is no number of seconds", epoch)
	}
	return time.Unix(seconds, 0).UTC(), nil
}
