package cmd

import (
	"time"

	"github.com/spf13/cobra"
)

func (a *app) eventsCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "events",
		Short: "Show what happened",
		Long:  "Shows the events that the node in the folder has kept: joins, peers that changed state, refusals, certificates.",
		Example: `  g2g events --since 10m
  g2g events --follow -o jsonl | jq -r 'select(.severity == "warning") | .detail'`,
		Args: exactly(0),
	}
	since := c.Flags().Duration("since", 0, "only those younger than this")
	follow := c.Flags().Bool("follow", false, "go on with those to come")
	f := output(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		if *since < 0 {
			return wrongUsage("--since is negative", "try --since 10m")
		}
		if *follow && f.value == asJSON {
			return wrongUsage("-o json cannot follow: an array has an end", "one object a line: -o jsonl")
		}
		if *follow {
			return a.followEvents(c, f.value, *since)
		}
		var events []eventView
		err := a.ask(c.Context(), func(node *client) error {
			return node.Events(c.Context(), *since, false, func(e eventView) error {
				events = append(events, e)
				return nil
			})
		})
		if err != nil {
			return err
		}
		return eventListing.write(a.out, f.value, events)
	}
	return c
}

// followEvents prints each event as it comes: columns cannot be measured beforehand, so they are fixed.
func (a *app) followEvents(c *cobra.Command, f string, since time.Duration) error {
	err := a.ask(c.Context(), func(node *client) error {
		return node.Events(c.Context(), since, true, func(e eventView) error {
			if f == asTable {
				return table(a.out, nil, eventListing.cells([]eventView{e}))
			}
			return eventListing.write(a.out, f, []eventView{e})
		})
	})
	return muteInterrupt(c, err)
}

var eventListing = listing[eventView]{
	name: func(e eventView) string { return e.Kind },
	columns: []column[eventView]{
		{"TIME", func(e eventView) string { return moment(e.Time) }},
		{"SEVERITY", func(e eventView) string { return e.Severity }},
		{"KIND", func(e eventView) string { return e.Kind }},
		{"PEER", eventPeer},
		{"DETAIL", func(e eventView) string { return e.Detail }},
	},
}

func eventPeer(e eventView) string {
	if e.Name != "" {
		return e.Name
	}
	return shortID(e.Peer)
}
