package cmd

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

// A rotatedView is what became of a rotation.
type rotatedView struct {
	Epoch       uint64     `json:"epoch"`
	NotBefore   *time.Time `json:"not_before"`
	NotAfter    *time.Time `json:"not_after"`
	Fingerprint string     `json:"fingerprint"`
	Revoked     bool       `json:"revoked"`     // the older leaves are refused
	MinEpoch    uint64     `json:"min_epoch"`   // leaves of this node below it are refused
	Shown       uint32     `json:"peers_shown"` // peers that met the new leaf before the older ones were revoked
}

func (a *app) certRotateCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "rotate",
		Short: "Renew this node's leaf now",
		Long: `Gives the node in the folder a new leaf with a new key. It does so by itself at about two thirds of a leaf's life, so
this is for when a leaf's key may have leaked, or to see that it works.

No call is lost. Connections that are open go on with the leaf that they began with, and are renewed one after the
other; until then both leaves are accepted.

With --revoke the older leaves are refused everywhere from now on, also on connections that are open: the node first
makes new connections to the peers it talks to, and then tells the network. Calls of programs under way on the older
connections may be cut.`,
		Example: "  g2g cert rotate\n  g2g cert rotate --revoke -o json",
		Args:    exactly(0),
	}
	revoke := c.Flags().Bool("revoke", false, "from now on the older leaves are refused everywhere")
	f := output(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		var made rotatedView
		err := a.ask(c.Context(), func(node *client) (err error) {
			progress := a.Progress("rotating")
			defer progress.End()
			made, err = node.Rotate(c.Context(), *revoke)
			return err
		})
		if err != nil {
			return err
		}
		a.Note("rotated to epoch %d, valid until %s; %s", made.Epoch, moment(made.NotAfter), shownTo(made))
		return writeObject(a.out, f.value, made, fmt.Sprint(made.Epoch), rotatedFields(made, time.Now()))
	}
	return c
}

// shownTo says who has met the new leaf.
func shownTo(r rotatedView) string {
	if !r.Revoked {
		return "peers meet it as their connections are renewed"
	}
	return fmt.Sprintf("it was shown to %s before the older ones were revoked", count(int(r.Shown), "peer"))
}

func rotatedFields(r rotatedView, now time.Time) []field {
	fields := []field{
		{"epoch", fmt.Sprint(r.Epoch)},
		{"valid from", moment(r.NotBefore)},
		{"valid until", until(r.NotAfter, now)},
		{"fingerprint", r.Fingerprint},
		{"revoked", yes(r.Revoked)},
	}
	if r.Revoked {
		fields = append(fields, field{"lowest epoch", fmt.Sprint(r.MinEpoch)}, field{"peers shown", fmt.Sprint(r.Shown)})
	}
	return fields
}
