package cmd

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/g2g-net/g2g/node/config"
)

// helpTopics are the pages of help that belong to no command.
func helpTopics() []*cobra.Command {
	return []*cobra.Command{
		{Use: "exit-codes", Short: "What the exit codes mean", Long: exitCodesText()},
		{Use: "environment", Short: "Environment variables", Long: config.HelpEnvironment() + environmentMore},
		{Use: "formatting", Short: "Output formats, errors and colours", Long: formattingText},
	}
}

func exitCodesText() string {
	var b strings.Builder
	b.WriteString("Every command ends with one of these:\n\n")
	for _, e := range exitMeanings {
		fmt.Fprintf(&b, "%5d  %s\n", e.code, e.meaning)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

const environmentMore = `
Also read: HOME (default folder), NO_COLOR and TERM (colours and rewritten lines), NOTIFY_SOCKET, WATCHDOG_USEC and
WATCHDOG_PID (systemd).`

const formattingText = `Data goes to stdout and nothing else does; errors, hints, notes and progress go to stderr.

-o table   columns for people, the same on a terminal and in a pipe (default)
-o json    one JSON document: an array for lists, an object for single things
-o jsonl   one JSON object a line
-o name    one name a line

JSON keys are snake_case; durations carry their unit (_ms, _s); times are RFC 3339 in UTC, null for never; IDs are
complete. A format that a command does not have is an error.

Errors read "g2g: error: WHAT: WHY", then "g2g: hint: WHAT TO TRY". With -o json or jsonl one more line on stderr holds
the same as an object: {"error", "hint", "code"}, code being the exit code.

-q keeps success lines and progress away. Work that lasts over 2 s shows progress: on a terminal one line that is
rewritten, otherwise one line a step. Colours appear only on a terminal, and not with NO_COLOR set or TERM=dumb.`

// configHelp is the help topic behind `g2g help config`: the command's usage stands there too, for config is both.
func configHelp() string { return config.Help() }

// helpCommand shows help, and refuses what it has no page for.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND|TOPIC]",
		Short:   "Help about a command or topic",
		Long:    "Help about a command, or about a topic: exit-codes, environment, config, formatting.",
		Example: "  g2g help peers\n  g2g help exit-codes",
		ValidArgsFunction: func(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			at, rest, err := c.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return helpNames(at), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, args []string) error {
			at, rest, err := c.Root().Find(args)
			if err != nil || len(rest) > 0 {
				before := strings.Replace(at.CommandPath(), "g2g", "g2g help", 1)
				return unknownCommand(at, before, slices.Concat(rest, args)[0])
			}
			at.InitDefaultHelpFlag()
			return at.Help()
		},
	}
}

func helpNames(c *cobra.Command) []cobra.Completion {
	var names []cobra.Completion
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() || sub.IsAdditionalHelpTopicCommand() {
			names = append(names, cobra.CompletionWithDesc(sub.Name(), sub.Short))
		}
	}
	return names
}
