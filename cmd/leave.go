package cmd

import "github.com/spf13/cobra"

func (a *app) leaveCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "leave",
		Short: "Say goodbye and stop the node",
		Long: `Tells the peers that the node in the folder goes, and stops it. They list it as left; it stays a member, and
"g2g serve" brings it back.`,
		Example: "  g2g leave",
		Args:    exactly(0),
	}
	c.RunE = func(c *cobra.Command, _ []string) error {
		dir, err := a.dir()
		if err != nil {
			return err
		}
		if err := a.ask(c.Context(), func(node *client) error { return node.Leave(c.Context()) }); err != nil {
			return err
		}
		a.Note("the node in %s has left; it comes back with g2g serve%s", dir, a.atDir(dir))
		return nil
	}
	return c
}
