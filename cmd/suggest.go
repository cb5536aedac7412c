package cmd

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// nearest are the words that somebody may have meant: at most two edits away (one for short words), or longer ones
// with the same beginning.
func nearest(typed string, words []string) []string {
	type near struct {
		word  string
		edits int
	}
	typed = strings.ToLower(typed)
	if len(typed) < 2 || len(typed) > 64 {
		return nil
	}
	var found []near
	for _, word := range words {
		edits := distance(typed, strings.ToLower(word))
		if edits <= min(2, len(typed)/2) || strings.HasPrefix(strings.ToLower(word), typed) {
			found = append(found, near{word, edits})
		}
	}
	slices.SortStableFunc(found, func(a, b near) int { return a.edits - b.edits })
	best := make([]string, 0, 3)
	for _, f := range found[:min(len(found), 3)] {
		best = append(best, f.word)
	}
	return best
}

// distance counts the edits between two words: a letter put in, left out, exchanged, or swapped with its neighbour.
func distance(a, b string) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		now := make([]int, len(b)+1)
		now[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			now[j] = min(last[j]+1, now[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				now[j] = min(now[j], before[j-2]+1)
			}
		}
		before, last = last, now
	}
	return last[len(b)]
}

func didYouMean(words []string) string {
	return "did you mean " + strings.Join(words, " or ") + "?"
}

// unknownCommand is the error for a word that is no subcommand of c; before is what stands in front of it in a call.
func unknownCommand(c *cobra.Command, before, typed string) error {
	names := make([]string, 0, len(c.Commands()))
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() || sub.IsAdditionalHelpTopicCommand() || sub.Name() == "help" {
			names = append(names, sub.Name())
		}
	}
	near := nearest(typed, names)
	hint := "see the commands: " + c.CommandPath() + " --help"
	if len(near) > 0 {
		hint = didYouMean(withPrefix(before+" ", near))
	}
	return wrongUsage(fmt.Sprintf("unknown command %q", typed), hint)
}

// flagError makes what pflag complains of a usage error, with a guess at the flag that was meant.
func flagError(c *cobra.Command, err error) error {
	hint := "see " + c.CommandPath() + " --help"
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return wrongUsage(err.Error(), hint)
	}
	if unknown.GetSpecifiedShortnames() != "" {
		return wrongUsage(err.Error(), hint)
	}
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	if near := nearest(unknown.GetSpecifiedName(), names); len(near) > 0 {
		hint = didYouMean(withPrefix("--", near))
	}
	return wrongUsage(fmt.Sprintf("unknown flag --%s", unknown.GetSpecifiedName()), hint)
}

func withPrefix(prefix string, words []string) []string {
	all := make([]string, len(words))
	for i, word := range words {
		all[i] = prefix + word
	}
	return all
}

// group makes a command that only holds others: without one of their names it is a usage error.
func group(c *cobra.Command, subs ...*cobra.Command) *cobra.Command {
	c.AddCommand(subs...)
	c.Use += " COMMAND"
	c.DisableFlagsInUseLine = true
	c.Args = func(c *cobra.Command, args []string) error {
		if len(args) > 0 {
			return unknownCommand(c, c.CommandPath(), args[0])
		}
		names := make([]string, len(subs))
		for i, sub := range subs {
			names[i] = sub.Name()
		}
		return wrongUsage("needs a subcommand: "+strings.Join(names, ", "), "see "+c.CommandPath()+" --help")
	}
	c.RunE = func(*cobra.Command, []string) error { return nil }
	return c
}

// exactly takes as many arguments as have names, the optional ones last.
func exactly(required int, names ...string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) < required {
			return wrongUsage(names[len(args)]+" is missing", "see "+c.CommandPath()+" --help")
		}
		if len(args) > len(names) {
			return wrongUsage(fmt.Sprintf("unexpected argument %q", args[len(names)]), "see "+c.CommandPath()+" --help")
		}
		return nil
	}
}
