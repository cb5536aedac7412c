package cmd

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// pageSection is the section of the manual that a command's page belongs to: topics are no commands.
func pageSection(c *cobra.Command) string {
	if c.IsAdditionalHelpTopicCommand() && c.Name() != "help" {
		return "7"
	}
	return "1"
}

// manPage is the page of a command, in the language of man. cobra has a package for that, which makes Markdown and then a page from it: it
// brings two parsers, which set themselves up in each process of this program.
func manPage(c *cobra.Command, date time.Time) []byte {
	var b strings.Builder
	name := strings.ReplaceAll(c.CommandPath(), " ", "-")
	fmt.Fprintf(&b, ".nh\n.TH %q %q %q %q %q\n", strings.ToUpper(name), pageSection(c), date.Format("Jan 2006"), "g2g "+buildVersion().Version, "g2g")
	heading := func(title, text string) { fmt.Fprintf(&b, "\n.SH %s\n%s", title, text) }
	heading("NAME", inRoff(name+" ")+`\- `+inRoff(c.Short)+"\n")
	heading("SYNOPSIS", strong(c.UseLine())+"\n")
	about := c.Long
	if about == "" {
		about = c.Short
	}
	heading("DESCRIPTION", roff(about))
	c.InitDefaultHelpFlag()
	if flags := pageFlags(c.NonInheritedFlags()); flags != "" {
		heading("OPTIONS", flags)
	}
	if flags := pageFlags(c.InheritedFlags()); flags != "" {
		heading("OPTIONS INHERITED FROM PARENT COMMANDS", flags)
	}
	if c.Example != "" {
		heading("EXAMPLE", kept(c.Example))
	}
	if also := pageLinks(c); also != "" {
		heading("SEE ALSO", also)
	}
	return []byte(b.String())
}

func pageFlags(flags *pflag.FlagSet) string {
	var b strings.Builder
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Deprecated != "" {
			return
		}
		b.WriteString(".TP\n")
		if f.Shorthand != "" {
			b.WriteString(strong("-"+f.Shorthand) + ", ")
		}
		b.WriteString(strong("--" + f.Name))
		if f.DefValue != "" && f.DefValue != "[]" && f.Value.Type() != "bool" {
			b.WriteString("=" + inRoff(f.DefValue))
		}
		b.WriteString("\n" + lines(f.Usage) + "\n")
	})
	return b.String()
}

// pageLinks names the pages of the command above and of those below.
func pageLinks(c *cobra.Command) string {
	var also []string
	link := func(to *cobra.Command) {
		also = append(also, strong(strings.ReplaceAll(to.CommandPath(), " ", "-"))+"("+pageSection(to)+")")
	}
	if c.HasParent() {
		link(c.Parent())
	}
	for _, sub := range c.Commands() {
		if !sub.Hidden {
			link(sub)
		}
	}
	if len(also) == 0 {
		return ""
	}
	return strings.Join(also, ",\n") + "\n"
}

// roff keeps the lines of what stands in columns or is indented, and lets all other paragraphs flow.
func roff(text string) string {
	paragraphs := strings.Split(text, "\n\n")
	for i, p := range paragraphs {
		switch {
		case strings.Contains(p, "  "):
			paragraphs[i] = kept(p)
		case i > 0:
			paragraphs[i] = ".PP\n" + lines(p) + "\n"
		default:
			paragraphs[i] = lines(p) + "\n"
		}
	}
	return strings.Join(paragraphs, "\n")
}

func kept(text string) string { return ".EX\n" + lines(text) + "\n.EE\n" }

// lines takes their meaning from the characters that a line of a page would have one for.
func lines(text string) string {
	text = strings.ReplaceAll(text, `\`, `\e`)
	all := strings.Split(text, "\n")
	for i, line := range all {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			all[i] = `\&` + line
		}
	}
	return strings.Join(all, "\n")
}

// inRoff is lines for words that are typed: their hyphens are the keyboard's.
func inRoff(text string) string { return strings.ReplaceAll(lines(text), "-", `\-`) }

func strong(words string) string { return `\fB` + inRoff(words) + `\fP` }
