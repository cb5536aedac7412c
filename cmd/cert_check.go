package cmd

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/g2g-net/g2g/pki"
)

// A dueView is a leaf that ends within the time asked about, or has ended.
type dueView struct {
	ID       string     `json:"id"`
	Name     string     `json:"name"`
	Self     bool       `json:"self"`
	Epoch    uint64     `json:"epoch"`
	NotAfter *time.Time `json:"not_after"`
	LeftS    int64      `json:"left_s"` // below zero when it has ended
}

func (a *app) certCheckCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "check",
		Short: "Tell by exit code whether a leaf ends soon",
		Long: `Ends with 7 if the leaf of the node in the folder ends within the time of --within, and prints it; with 0 and nothing
printed if not. With --peers the leaves of all peers that this node has a connection to are looked at too, as those
connections showed them.

A node renews its leaf when between 34 and 44 hundredths of its life are left, so a healthy one always has more than a
third: 8h of leaf.life 24h. Below that, renewal has failed. A peer that has told of a newer leaf has renewed it, whatever
its open connections still show. Without --within a leaf is due when less than a quarter of its life is left.`,
		Example: "  g2g cert check || echo the leaf was not renewed\n  g2g cert check --within 8h --peers -o json",
		Args:    exactly(0),
	}
	within := c.Flags().Duration("within", 0, "how long a leaf must still be valid (default a quarter of its life)")
	peers := c.Flags().Bool("peers", false, "also the leaves of the peers")
	f := output(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		if *within < 0 || c.Flags().Changed("within") && *within == 0 {
			return wrongUsage("--within is not above zero", "try --within 8h")
		}
		p, err := a.picture(c.Context())
		if err != nil {
			return err
		}
		if p.self.Leaf.NotAfter == nil {
			return &failure{why: errors.New("this node has no network, so it has no leaf"), hint: "join one: g2g join", code: exitFailed}
		}
		certs := certsOf(p)
		if !*peers {
			certs = certs[:1]
		}
		return a.tellDue(dueOf(certs, p.taken, *within), f.value, certs, p.taken)
	}
	return c
}

// dueOf are the leaves that end soon. Those of peers without a connection are not known here.
func dueOf(certs []chainView, now time.Time, within time.Duration) []dueView {
	due := []dueView{}
	for _, c := range certs {
		if c.NotAfter == nil {
			continue
		}
		enough := within
		if enough == 0 {
			enough = quarterOf(c)
		}
		if left := c.NotAfter.Sub(now); left < enough {
			due = append(due, dueView{ID: c.ID, Name: c.Name, Self: c.Self, Epoch: c.Epoch, NotAfter: c.NotAfter, LeftS: int64(left / time.Second)})
		}
	}
	return due
}

// quarterOf is a quarter of a leaf's life, from its making to its end.
func quarterOf(c chainView) time.Duration {
	if c.NotBefore == nil {
		return 0
	}
	return (c.NotAfter.Sub(*c.NotBefore) - pki.LeafBackdate) / 4
}

func (a *app) tellDue(due []dueView, f string, certs []chainView, now time.Time) error {
	if f != asTable || len(due) > 0 {
		if err := dueListing(now).write(a.out, f, due); err != nil {
			return err
		}
	}
	unknown := 0
	for _, c := range certs {
		if c.NotAfter == nil {
			unknown++
		}
	}
	if len(due) == 0 {
		a.Note("%s looked at, none ends soon%s", leaves(len(certs)-unknown), unseen(unknown))
		return nil
	}
	return &failure{
		why:  fmt.Errorf("%s of %d end soon or have ended%s", leaves(len(due)), len(certs)-unknown, unseen(unknown)),
		hint: "why it was not renewed: the log of its node, and g2g events there; to renew it now: g2g cert rotate", code: exitUnhealthy,
	}
}

func leaves(n int) string {
	if n == 1 {
		return "1 leaf"
	}
	return fmt.Sprintf("%d leaves", n)
}

func unseen(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("; %s not looked at, whose leaf no connection has shown yet", count(n, "peer"))
}

func dueListing(now time.Time) listing[dueView] {
	return listing[dueView]{
		name: func(d dueView) string { return d.Name },
		columns: []column[dueView]{
			{"NAME", func(d dueView) string { return d.Name }},
			{"SELF", func(d dueView) string { return yes(d.Self) }},
			{"EPOCH", func(d dueView) string { return fmt.Sprint(d.Epoch) }},
			{"UNTIL", func(d dueView) string { return until(d.NotAfter, now) }},
			{"ID", func(d dueView) string { return shortID(d.ID) }},
		},
	}
}
