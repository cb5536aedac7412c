package cmd

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/g2g-net/g2g/pki"
)

func (a *app) nominateCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "nominate",
		Short: "Mint a token that lets another node join",
		Long: `Lets the node in the folder nominate another one: prints a token, alone, on stdout. It is shown this once and kept
nowhere. Whoever has it can join, so carry it by a way that you trust.`,
		Example: `  g2g nominate | ssh other g2g join -
  g2g nominate --mode client --ttl 24h --uses 10 --label "build machines"
  g2g nominate --dir a | g2g join - --dir b`,
		Args: exactly(0),
	}
	var n nomination
	c.Flags().StringVar(&n.mode, "mode", modeServer, "server or client")
	c.Flags().DurationVar(&n.ttl, "ttl", 30*time.Minute, "how long the token holds, in whole seconds")
	c.Flags().Uint32Var(&n.uses, "uses", 1, "how many nodes may join with it")
	c.Flags().StringVar(&n.forID, "for", "", "only the node with this ID may use it")
	c.Flags().StringVar(&n.label, "label", "", "a note for g2g token list")
	c.Flags().BoolVar(&n.noNominate, "no-nominate", false, "who joins with it may not nominate others")
	c.Flags().StringSliceVar(&n.at, "at", nil, "Registration address to write into the token (repeatable; default: what the node advertises)")
	f := output(c)
	mustComplete(c, "mode", cobra.FixedCompletions([]string{modeServer, modeClient}, cobra.ShellCompDirectiveNoFileComp))
	c.RunE = func(c *cobra.Command, _ []string) error {
		if err := n.check(); err != nil {
			return err
		}
		var minted mintedView
		err := a.ask(c.Context(), func(node *client) (err error) {
			minted.Token, minted.nominationView, err = node.Nominate(c.Context(), n)
			return err
		})
		if err != nil {
			return err
		}
		if err := printToken(a, f.value, minted); err != nil {
			return err
		}
		a.Note("nominated a %s-mode node: %s, holds %s", minted.Mode, count(int(minted.Uses), "use"), span(n.ttl))
		return nil
	}
	return c
}

type mintedView struct {
	Token string `json:"token"`
	nominationView
}

// printToken prints the token alone, unless the whole story is asked for.
func printToken(a *app, f string, m mintedView) error {
	if f == asTable {
		f = asName
	}
	return writeObject(a.out, f, m, m.Token, nil)
}

// check refuses what the node would refuse too, before it is asked.
func (n nomination) check() error {
	switch {
	case n.mode != modeServer && n.mode != modeClient:
		return wrongChoice("mode", n.mode, []string{modeServer, modeClient})
	case n.ttl < time.Second || n.ttl%time.Second != 0:
		return wrongUsage(fmt.Sprintf("--ttl %s is not at least 1s in whole seconds", n.ttl), "try --ttl 30m")
	case n.ttl > pki.MaxTokenLife:
		return wrongUsage(fmt.Sprintf("--ttl %s is over %s", n.ttl, span(pki.MaxTokenLife)), "")
	case n.uses == 0 || n.uses > pki.MaxUses:
		return wrongUsage(fmt.Sprintf("--uses %d is not 1 to %d", n.uses, pki.MaxUses), "")
	case len(n.at) > pki.MaxTokenAddresses:
		return wrongUsage(fmt.Sprintf("--at: %d addresses are over the bound of %d", len(n.at), pki.MaxTokenAddresses), "")
	}
	for _, address := range n.at {
		if err := checkAt(address); err != nil {
			return err
		}
	}
	if n.forID == "" {
		return nil
	}
	if err := checkID(n.forID); err != nil {
		return wrongUsage(fmt.Sprintf("--for: %v", err), "the other node prints its ID with g2g status -o json | jq -r .id")
	}
	return nil
}
