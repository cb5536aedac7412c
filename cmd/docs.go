package cmd

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"github.com/spf13/pflag"
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
		root := newApp(a.in, a.out, a.err, a.environ).root() // a tree of its own, whose texts can be changed
		root.DisableAutoGenTag = true
		n, err := writePages(root, args[0])
		if err != nil {
			return err
		}
		a.Note("wrote %s to %s", count(n, "page"), args[0])
		return nil
	}
	return c
}

// writePages writes the page of a command and those of the commands below it, and counts them.
func writePages(c *cobra.Command, dir string) (pages int, err error) {
	if c.Hidden {
		return 0, nil
	}
	for _, sub := range c.Commands() {
		n, err := writePages(sub, dir)
		pages += n
		if err != nil {
			return pages, err
		}
	}
	section := "1"
	if c.IsAdditionalHelpTopicCommand() && c.Name() != "help" {
		section = "7"
	}
	asMarkdown(c)
	name := strings.ReplaceAll(c.CommandPath(), " ", "-") + "." + section
	if err := writePage(c, section, filepath.Join(dir, name)); err != nil {
		return pages, fmt.Errorf("write %s: %w", name, err)
	}
	return pages + 1, nil
}

func writePage(c *cobra.Command, section, path string) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	header := &doc.GenManHeader{Section: section, Source: "g2g " + buildVersion().Version, Manual: "g2g"}
	err = doc.GenMan(c, header, file)
	if closing := file.Close(); err == nil {
		err = closing
	}
	return err
}

// asMarkdown prepares a command's texts for a page: they are written for a terminal, a page is made from Markdown.
func asMarkdown(c *cobra.Command) {
	c.Long = markdown(c.Long)
	c.LocalFlags().VisitAll(func(f *pflag.Flag) { f.Usage = unmarked.Replace(f.Usage) })
}

// unmarked takes their meaning from the characters that Markdown has one for.
var unmarked = strings.NewReplacer(`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "<", `\<`, ">", `\>`, "[", `\[`, "]", `\]`, "#", `\#`)

// markdown keeps the lines of what stands in columns or is indented, and lets all other paragraphs flow.
func markdown(text string) string {
	paragraphs := strings.Split(text, "\n\n")
	for i, p := range paragraphs {
		if strings.Contains(p, "  ") {
			paragraphs[i] = "```\n" + p + "\n```"
		} else {
			paragraphs[i] = unmarked.Replace(p)
		}
	}
	return strings.Join(paragraphs, "\n\n")
}
