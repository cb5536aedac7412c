package cmd

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

func (a *app) statusCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "status",
		Short:   "Show how this node is",
		Long:    "Shows the node in the folder: who it is, where it can be reached, how many others it sees in which state.",
		Example: "  g2g status\n  g2g status -o json | jq .peers.alive",
		Args:    exactly(0),
	}
	f := output(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		p, err := a.picture(c.Context())
		if err != nil {
			return err
		}
		return writeObject(a.out, f.value, p.self.status, p.self.Name, statusFields(p.self.status, p.taken))
	}
	return c
}

func statusFields(s statusView, now time.Time) []field {
	return []field{
		{"name", s.Name},
		{"id", s.ID},
		{"network", named(s.Network, s.NetworkName)},
		{"mode", statusMode(s)},
		{"version", s.Version},
		{"uptime", span(max(time.Duration(s.UptimeS)*time.Second, time.Second))},
		{"gossip", s.GossipAddress},
		{"register", s.RegisterAddress},
		{"advertised", list(s.Advertised)},
		{"observed", list(s.Observed)},
		{"peers", statusPeers(s.Peers)},
		{"clients", fmt.Sprint(s.Clients)},
		{"connected", count(int(s.Active), "peer")},
		{"order", fmt.Sprintf("%s in %s", count(s.OrderLength, "place"), count(s.Groups, "group"))},
		{"limit", fmt.Sprintf("%s (over %d ages)", milliseconds(s.LimitMS), s.LimitN)},
		{"signature", signatureText(s.Signature)},
		{"leaf", leafText(s.Leaf, now)},
		{"converged", yes(s.Converged)},
		{"isolated", yes(s.Isolated)},
	}
}

// named is an ID with the name that people gave it.
func named(id, name string) string {
	if name == "" {
		return id
	}
	return fmt.Sprintf("%s (%s)", id, name)
}

func statusMode(s statusView) string {
	if s.Mode == "" {
		return "no member yet"
	}
	return fmt.Sprintf("%s, depth %d", s.Mode, s.Depth)
}

func statusPeers(n peerCounts) string {
	return fmt.Sprintf("%d alive, %d late, %d dead, %d left, %d evicted, %d unreachable",
		n.Alive, n.Late, n.Dead, n.Left, n.Evicted, n.Unreachable)
}

func leafText(l leafView, now time.Time) string {
	if l.NotAfter == nil {
		return ""
	}
	return fmt.Sprintf("epoch %d, until %s", l.Epoch, until(l.NotAfter, now))
}

// until is a moment for people, with how far away it is.
func until(t *time.Time, now time.Time) string {
	if t == nil {
		return ""
	}
	if left := t.Sub(now); left > 0 {
		return fmt.Sprintf("%s (in %s)", moment(t), span(left))
	}
	return fmt.Sprintf("%s (%s ago)", moment(t), span(now.Sub(*t)))
}

// moment is a time in a table.
func moment(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.Format(time.RFC3339)
}

func signatureText(s signatureView) string {
	text := fmt.Sprintf("%d, %s old, of %s", s.Sequence, milliseconds(s.AgeMS), countOf(s.Count))
	if s.MeanDistance != nil {
		text += ", mean distance " + distanceText(s.MeanDistance)
	}
	return text
}

func countOf(samples uint64) string {
	if samples == 1 {
		return "1 sample"
	}
	return fmt.Sprintf("%d samples", samples)
}
