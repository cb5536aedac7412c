package cmd

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/g2g-net/g2g/node/order"
	"github.com/g2g-net/g2g/proto/adminpb"
)

type groupView struct {
	Letter  string       `json:"letter"`
	LabelMS float64      `json:"label_ms"`
	Members []memberView `json:"members"`
}

type memberView struct {
	ID        string  `json:"id"`
	Name      string  `json:"name"`
	LatencyMS float64 `json:"latency_ms"`
}

type placeView struct {
	Position     int      `json:"position"`
	ID           string   `json:"id"`
	Name         string   `json:"name"`
	Group        string   `json:"group"`
	GroupLabelMS *float64 `json:"group_label_ms"` // missing where the peer was never measured
	LatencyMS    *float64 `json:"latency_ms"`
	Address      string   `json:"address"`
}

func groupsOf(groups []*adminpb.Group) []groupView {
	views := make([]groupView, len(groups))
	for i, g := range groups {
		views[i] = groupView{Letter: g.GetLetter(), LabelMS: g.GetLabelMs(), Members: []memberView{}}
		for _, m := range g.GetMembers() {
			views[i].Members = append(views[i].Members, memberView{ID: m.GetId(), Name: m.GetName(), LatencyMS: m.GetLatencyMs()})
		}
	}
	return views
}

func orderOf(places []*adminpb.Place) []placeView {
	views := make([]placeView, len(places))
	for i, p := range places {
		views[i] = placeView{Position: int(p.GetPosition()), ID: p.GetId(), Name: p.GetName(), Group: p.GetGroup(), Address: p.GetAddress()}
		if p.GetGroup() != "" {
			label, latency := p.GetGroupLabelMs(), p.GetLatencyMs()
			views[i].GroupLabelMS, views[i].LatencyMS = &label, &latency
		}
	}
	return views
}

func (a *app) groupsCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "groups",
		Short: "List the latency groups, the farthest first",
		Long: `Lists the groups that the other nodes fall into by their distance from this one, the farthest first. A is the nearest. The
label is the mean latency of the members. How groups come about: docs/latency.md.`,
		Example: "  g2g groups\n  g2g groups -o json | jq '.[].label_ms'",
		Args:    exactly(0),
	}
	f := output(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		p, err := a.picture(c.Context())
		if err != nil {
			return err
		}
		return groupListing.write(a.out, f.value, p.groups)
	}
	return c
}

var groupListing = listing[groupView]{
	name: func(g groupView) string { return g.Letter },
	columns: []column[groupView]{
		{"GROUP", func(g groupView) string { return g.Letter }},
		{"LATENCY", func(g groupView) string { return fractional(g.LabelMS) }},
		{"PEERS", func(g groupView) string { return strconv.Itoa(len(g.Members)) }},
		{"MEMBERS", func(g groupView) string {
			names := make([]string, len(g.Members))
			for i, m := range g.Members {
				names[i] = m.Name
			}
			return list(names)
		}},
	},
}

// maxLimit bounds --limit: more than any view holds.
const maxLimit = 1_000_000

func (a *app) orderCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "order",
		Short: "Print the virtual query order",
		Long: `Prints in which order this node asks the others: one of the farthest group, one of the nearest, one of the second farthest,
and so on, each peer once. Who cannot be asked is not in it: peers that are late, dead, left, unreachable or in client mode. Which member of
a group comes first changes with every rebuild.`,
		Example: `  g2g order --limit 5
  g2g order --service pkg.Search -o name`,
		Args: exactly(0),
	}
	limit := c.Flags().Int("limit", 0, "only the first N places; 0 for all")
	service := c.Flags().String("service", "", "only peers that serve this gRPC service, or that name this shared address in their contact")
	f := output(c)
	mustComplete(c, "service", a.completeService)
	c.RunE = func(c *cobra.Command, _ []string) error {
		if *limit < 0 || *limit > maxLimit {
			return wrongUsage(fmt.Sprintf("--limit %d is not 0 to %d", *limit, maxLimit), "")
		}
		p, err := a.picture(c.Context())
		if err != nil {
			return err
		}
		places := p.order
		if c.Flags().Changed("service") {
			if places = p.serving(*service); len(places) == 0 {
				return &failure{why: fmt.Errorf("nobody in the order serves %q", *service), hint: "see what is served: g2g peers", code: exitNobody}
			}
		}
		if *limit > 0 {
			places = places[:min(*limit, len(places))]
		}
		return orderListing.write(a.out, f.value, places)
	}
	return c
}

var orderListing = listing[placeView]{
	name: func(p placeView) string { return p.Name },
	columns: []column[placeView]{
		{"POS", func(p placeView) string { return strconv.Itoa(p.Position) }},
		{"NAME", func(p placeView) string { return p.Name }},
		{"GROUP", func(p placeView) string { return p.Group }},
		{"LABEL", func(p placeView) string { return latencyText(p.GroupLabelMS) }},
		{"LATENCY", func(p placeView) string { return latencyText(p.LatencyMS) }},
		{"ADDRESS", func(p placeView) string { return p.Address }},
		{"ID", func(p placeView) string { return shortID(p.ID) }},
	},
}

// serving is the order as it would be if only the peers were there that serve or name a service.
func (p picture) serving(service string) []placeView {
	serves := map[string]bool{}
	for _, peer := range p.peers {
		serves[peer.ID] = slices.Contains(peer.Serves, service) || slices.Contains(peer.Services, service)
	}
	number := map[string]int{"": order.Unmeasured}
	for i, g := range p.groups {
		number[g.Letter] = i
	}
	places := make([]order.Place[placeView], len(p.order))
	for i, place := range p.order {
		places[i] = order.Place[placeView]{Peer: place, Group: number[place.Group]}
	}
	var out []placeView
	for i, place := range order.Only(places, func(p placeView) bool { return serves[p.ID] }) {
		place.Peer.Position = i + 1
		out = append(out, place.Peer)
	}
	return out
}

func (a *app) completeService(c *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	named := func(p peerView) []string { return slices.Concat(p.Serves, p.Services) }
	return a.servicesOfPeers(c.Context(), named), cobra.ShellCompDirectiveNoFileComp
}

// servicesOfPeers is what the peers name, each once, ordered.
func (a *app) servicesOfPeers(ctx context.Context, of func(peerView) []string) (services []string) {
	for _, p := range a.completionPicture(ctx).peers {
		services = append(services, of(p)...)
	}
	slices.Sort(services)
	return slices.Compact(services)
}

// fractional is milliseconds for people, with three digits that count.
func fractional(ms float64) string {
	text := strconv.FormatFloat(ms, 'g', 3, 64)
	if strings.Contains(text, "e") {
		text = strconv.FormatFloat(ms, 'f', 0, 64)
	}
	return text + "ms"
}

func latencyText(ms *float64) string {
	if ms == nil {
		return ""
	}
	return fractional(*ms)
}

func positionText(position uint32) string {
	if position == 0 {
		return ""
	}
	return strconv.Itoa(int(position))
}
