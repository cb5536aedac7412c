package cmd

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func (a *app) tokenCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:   "token",
		Short: "List, inspect and revoke tokens",
	}, a.tokenListCommand(), a.tokenInspectCommand(), a.tokenRevokeCommand())
}

func (a *app) tokenListCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "list",
		Short: "List the nominations known here",
		Long: `Lists the nominations behind the tokens that this node and others of the network have minted, as far as they are
known here: whose, for which mode, how often they were and may be used, until when, and by whom. The tokens themselves are kept nowhere.`,
		Example: "  g2g token list\n  g2g token list -o json | jq '.[] | select(.uses_left > 0)'",
		Args:    exactly(0),
	}
	f := output(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		var all []nominationView
		err := a.ask(c.Context(), func(node *client) (err error) {
			all, err = node.Nominations(c.Context())
			return err
		})
		if err != nil {
			return err
		}
		return nominationListing(time.Now()).write(a.out, f.value, all)
	}
	return c
}

func nominationListing(now time.Time) listing[nominationView] {
	return listing[nominationView]{
		name: func(n nominationView) string { return n.TokenID },
		columns: []column[nominationView]{
			{"TOKEN", func(n nominationView) string { return n.TokenID }},
			{"BY", nominatorName},
			{"MODE", func(n nominationView) string { return n.Mode }},
			{"STATE", func(n nominationView) string { return nominationState(n, now) }},
			{"USED", func(n nominationView) string { return fmt.Sprintf("%d/%d", n.Used, n.Uses) }},
			{"UNTIL", func(n nominationView) string { return until(n.NotAfter, now) }},
			{"LABEL", func(n nominationView) string { return n.Label }},
			{"USED BY", nominationUsers},
		},
	}
}

func nominatorName(n nominationView) string {
	if n.NominatorName != "" {
		return n.NominatorName
	}
	return shortID(n.Nominator)
}

func nominationUsers(n nominationView) string {
	names := make([]string, len(n.Users))
	for i, u := range n.Users {
		names[i] = u.Name
		if u.Name == "" {
			names[i] = shortID(u.ID)
		}
	}
	return list(names)
}

// nominationState says what would happen to somebody who came with the token now.
func nominationState(n nominationView, now time.Time) string {
	switch {
	case n.RevokedAt != nil:
		return "revoked"
	case n.UsesLeft == 0:
		return "used up"
	case n.NotAfter != nil && !now.Before(*n.NotAfter):
		return "expired"
	}
	return "open"
}

func (a *app) tokenRevokeCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "revoke TOKEN-ID",
		Short: "Void a token before its time",
		Long: `Voids a token that this node minted, by the ID that "g2g token list" shows or an unambiguous prefix of it. Who has
joined with it stays a member.`,
		Example:           "  g2g token revoke $(g2g token list -o name | head -1)",
		Args:              exactly(1, "TOKEN-ID"),
		ValidArgsFunction: a.completeTokens,
	}
	f := output(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		if strings.HasPrefix(args[0], serverToken) || strings.HasPrefix(args[0], clientToken) {
			return wrongUsage("this is a token, not a token ID", "g2g token inspect - shows the ID of a token")
		}
		var revoked nominationView
		err := a.ask(c.Context(), func(node *client) (err error) {
			revoked, err = node.Revoke(c.Context(), args[0])
			return err
		})
		if err != nil {
			return err
		}
		a.Note("revoked %s: %d of %s were used", revoked.TokenID, revoked.Used, count(int(revoked.Uses), "use"))
		if f.value == asTable {
			return nil
		}
		return writeObject(a.out, f.value, revoked, revoked.TokenID, nil)
	}
	return c
}

// completeTokens offers the IDs of the nominations known here.
func (a *app) completeTokens(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, cancel := context.WithTimeout(c.Context(), completionTime)
	defer cancel()
	var ids []cobra.Completion
	_ = a.ask(ctx, func(node *client) error {
		all, err := node.Nominations(ctx)
		for _, n := range all {
			ids = append(ids, cobra.CompletionWithDesc(n.TokenID, n.Mode+" "+n.Label))
		}
		return err
	})
	return ids, cobra.ShellCompDirectiveNoFileComp
}
