package cmd

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

func (a *app) peersCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "peers",
		Short: "List the other nodes, and how they are",
		Long: `Lists the other nodes of the network as the node in the folder sees them, never the node itself.

States: alive; late (no progress for limit_ms); dead, with a reason: stalled (answers, makes no progress) or silent;
left; evicted. A peer is unreachable while this node has no working connection to it.`,
		Example: `  g2g peers
  g2g peers --filter state:dead -o name
  g2g peers --filter serves:pkg.Search
  g2g peers --sort -age,name --watch`,
		Args: exactly(0),
	}
	filters := c.Flags().StringArrayP("filter", "f", nil, "KEY:VALUE, all of them must fit: "+strings.Join(keysOf(filterKeys), ", "))
	sort := c.Flags().StringP("sort", "s", "name", "KEY or -KEY, with commas: "+strings.Join(keysOf(comparers), ", "))
	watch := c.Flags().BoolP("watch", "w", false, "print again at every change")
	f := output(c)
	mustComplete(c, "filter", a.completeFilter)
	mustComplete(c, "sort", cobra.FixedCompletions(keysOf(comparers), cobra.ShellCompDirectiveNoFileComp))
	c.RunE = func(c *cobra.Command, _ []string) error {
		choice, err := parseChoice(*filters, *sort)
		if err != nil {
			return err
		}
		if *watch {
			return a.watchPeers(c, f.value, choice)
		}
		p, err := a.picture(c.Context())
		if err != nil {
			return err
		}
		return a.printPeers(p, f.value, choice)
	}
	return c
}

// A peerChoice says which peers are printed, and in which order.
type peerChoice struct {
	filters []filter
	compare func(a, b peerView) int
}

func parseChoice(filters []string, sort string) (peerChoice, error) {
	var choice peerChoice
	for _, text := range filters {
		f, err := parseFilter(text)
		if err != nil {
			return peerChoice{}, err
		}
		choice.filters = append(choice.filters, f)
	}
	var err error
	choice.compare, err = parseSort(sort)
	return choice, err
}

func (c peerChoice) of(peers []peerView) []peerView {
	chosen := choose(peers, c.filters)
	slices.SortStableFunc(chosen, c.compare)
	return chosen
}

func (a *app) printPeers(p picture, f string, choice peerChoice) error {
	peers := choice.of(p.peers)
	if err := peerListing.write(a.out, f, peers); err != nil {
		return err
	}
	if len(peers) > 0 {
		return nil
	}
	if len(choice.filters) > 0 {
		return &failure{why: errors.New("the filter matched nobody"), hint: fmt.Sprintf("%s known: g2g peers", count(len(p.peers), "peer")), code: exitNobody}
	}
	if p.self.Network == "" {
		a.Note("this node has no network: join one with g2g join")
	}
	return nil
}

// watchPeers prints every picture: on a terminal over the last one, elsewhere one after another.
func (a *app) watchPeers(c *cobra.Command, f string, choice peerChoice) error {
	first := true
	err := a.ask(c.Context(), func(node *client) error {
		return node.Watch(c.Context(), func(p picture) error {
			before := ""
			switch {
			case f == asTable && a.screen:
				before = clearScreen
			case f == asTable && !first:
				before = "\n"
			}
			first = false
			if f == asJSON {
				return writeLines(a.out, [][]peerView{nonNil(choice.of(p.peers))})
			}
			if _, err := fmt.Fprint(a.out, before); err != nil {
				return err
			}
			return peerListing.write(a.out, f, choice.of(p.peers))
		})
	})
	return muteInterrupt(c, err)
}

// muteInterrupt lets a stream that a person ended go without words.
func muteInterrupt(c *cobra.Command, err error) error {
	if err != nil && c.Context().Err() != nil {
		return &failure{why: errInterrupted, code: exitInterrupted, mute: true}
	}
	return err
}

var peerListing = listing[peerView]{
	name: func(p peerView) string { return p.Name },
	columns: []column[peerView]{
		{"NAME", func(p peerView) string { return p.Name }},
		{"STATE", describe},
		{"MODE", func(p peerView) string { return p.Mode }},
		{"AGE", func(p peerView) string { return milliseconds(p.AgeMS) }},
		{"DISTANCE", func(p peerView) string { return distanceText(p.Distance) }},
		{"GROUP", func(p peerView) string { return p.Group }},
		{"POS", func(p peerView) string { return positionText(p.Position) }},
		{"LATENCY", func(p peerView) string { return latencyText(p.LatencyMS) }},
		{"P99", func(p peerView) string { return latencyText(p.P99MS) }},
		{"ADDRESSES", func(p peerView) string { return list(p.Addresses) }},
		{"SERVICES", func(p peerView) string { return list(p.Services) }},
		{"DEPTH", func(p peerView) string { return fmt.Sprint(p.Depth) }},
		{"ID", func(p peerView) string { return shortID(p.ID) }},
	},
}

// shortIDLength is enough of an ID to be unambiguous in any network that fits on a screen; PEER takes it as a prefix.
const shortIDLength = 14

func shortID(id string) string { return id[:min(len(id), shortIDLength)] }

// completeFilter offers keys, then the values of a key.
func (a *app) completeFilter(c *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	key, _, ok := strings.Cut(typed, ":")
	switch {
	case !ok:
		return withSuffix(keysOf(filterKeys), ":"), cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
	case key == "name":
		return a.peerNames(c.Context(), "name:"), cobra.ShellCompDirectiveNoFileComp
	case key == "serves":
		serves := a.servicesOfPeers(c.Context(), func(p peerView) []string { return p.Serves })
		return withPrefix("serves:", serves), cobra.ShellCompDirectiveNoFileComp
	}
	return withPrefix(key+":", filterKeys[key]), cobra.ShellCompDirectiveNoFileComp
}

func withSuffix(words []string, suffix string) []string {
	all := make([]string, len(words))
	for i, word := range words {
		all[i] = word + suffix
	}
	return all
}
