package cmd

import (
	"io"

	"github.com/spf13/cobra"
)

func (a *app) completionCommand() *cobra.Command {
	shells := []struct {
		name, load string
		write      func(*cobra.Command, io.Writer) error
	}{
		{"bash", "source <(g2g completion bash)", func(c *cobra.Command, w io.Writer) error { return c.GenBashCompletionV2(w, true) }},
		{"zsh", "g2g completion zsh > \"${fpath[1]}/_g2g\"", (*cobra.Command).GenZshCompletion},
		{"fish", "g2g completion fish | source", func(c *cobra.Command, w io.Writer) error { return c.GenFishCompletion(w, true) }},
		{"powershell", "g2g completion powershell | Out-String | Invoke-Expression", (*cobra.Command).GenPowerShellCompletionWithDesc},
	}
	var subs []*cobra.Command
	for _, shell := range shells {
		subs = append(subs, &cobra.Command{
			Use:     shell.name,
			Short:   "Print the completion script for " + shell.name,
			Long:    "Prints the script that makes " + shell.name + " complete commands, flags, and live the names of peers and states.",
			Example: "  " + shell.load,
			Args:    exactly(0),
			RunE:    func(c *cobra.Command, _ []string) error { return shell.write(c.Root(), a.out) },
		})
	}
	return group(&cobra.Command{
		Use:   "completion",
		Short: "Print the completion script for a shell",
	}, subs...)
}
