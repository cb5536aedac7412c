package cmd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

// goneTime is longer than a node takes to say goodbye and to end its calls.
const goneTime = 15 * time.Second

// gone waits until no node answers in a folder.
func gone(ctx context.Context, dir string) error {
	ctx, cancel := context.WithTimeout(ctx, goneTime)
	defer cancel()
	for {
		node, err := dial(ctx, dir)
		switch {
		case errors.Is(err, errNoNode):
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("the node in %s said goodbye but has not stopped within %s", dir, goneTime)
		case err == nil:
			node.Close()
		}
		pause(ctx, again/4)
	}
}

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
		err = a.ask(c.Context(), func(node *client) error {
			if err := node.Leave(c.Context()); err != nil {
				return err
			}
			return gone(c.Context(), dir)
		})
		if err != nil {
			return err
		}
		a.Note("the node in %s has left; it comes back with g2g serve%s", dir, a.atDir(dir))
		return nil
	}
	return c
}
