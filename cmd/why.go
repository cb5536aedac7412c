package cmd

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/g2g-net/g2g/proto/adminpb"
)

// A whyView is every number behind a peer's place.
type whyView struct {
	ID       string       `json:"id"`
	Name     string       `json:"name"`
	State    string       `json:"state"`
	Age      whyAgeView   `json:"staleness"`
	Distance distanceView `json:"latency"`
	Group    whyGroupView `json:"group"`
	Position whyPlaceView `json:"position"`
}

// A whyAgeView is what stands behind the peer's state.
type whyAgeView struct {
	ageView
	LimitMS     int64   `json:"limit_ms"`
	Stretch     float64 `json:"stretch"`
	Unreachable bool    `json:"unreachable"`
	Why         string  `json:"why"`
}

// A distanceView is what was measured, and what it comes to.
type distanceView struct {
	Samples   []sampleView `json:"samples"` // oldest first
	CountS    int64        `json:"count_s"` // for how long a sample counts
	LatencyMS *float64     `json:"latency_ms"`
	MedianMS  *float64     `json:"median_ms"`
	P99MS     *float64     `json:"p99_ms"`
}

type sampleView struct {
	AgeS  float64 `json:"age_s"`
	RTTMS float64 `json:"rtt_ms"`
}

// A whyGroupView is the peer's group, and where it ends.
type whyGroupView struct {
	Letter  string   `json:"letter"`
	LabelMS *float64 `json:"label_ms"`
	FromMS  *float64 `json:"from_ms"` // the nearest member
	ToMS    *float64 `json:"to_ms"`
	NearMS  *float64 `json:"near_ms"` // the farthest of the next nearer group
	FarMS   *float64 `json:"far_ms"`  // the nearest of the next farther group
	Floor   float64  `json:"floor"`
	Why     string   `json:"why"`
}

type whyPlaceView struct {
	Position uint32 `json:"position"`
	Of       int    `json:"of"`
	Why      string `json:"why"`
}

func (a *app) whyCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "why PEER",
		Short: "Explain a peer's state, distance, group and place",
		Long: `Prints every number behind a peer's state: its age, its own pace, the limit, and what is held against it. Then those behind its
place in the query order: the round trips that were measured, the distance that they come to, where its group begins and ends, and
why it is in the order or not. What the numbers mean: docs/detection.md and docs/latency.md.`,
		Example:           "  g2g why node-b\n  g2g why node-b -o json | jq .latency.samples",
		Args:              exactly(1, "PEER"),
		ValidArgsFunction: a.completePeers,
	}
	f := output(c, asTable, asJSON, asLines)
	c.RunE = func(c *cobra.Command, args []string) error {
		return a.ask(c.Context(), func(node *client) error {
			p, err := node.Picture(c.Context())
			if err != nil {
				return err
			}
			peer, err := resolve(p.peers, args[0])
			if err != nil {
				return err
			}
			view, err := node.Why(c.Context(), p, peer)
			if err != nil {
				return err
			}
			return writeObject(a.out, f.value, view, peer.Name, whyFields(view))
		})
	}
	return c
}

// Why asks for what stands behind a peer's place in a picture.
func (c *client) Why(ctx context.Context, p picture, peer peerView) (whyView, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	reply, err := c.rpc.Why(ctx, &adminpb.WhyRequest{Peer: peer.ID})
	if err != nil {
		return whyView{}, err
	}
	return p.why(peer, reply), nil
}

func (p picture) why(peer peerView, reply *adminpb.WhyResponse) whyView {
	view := whyView{
		ID: peer.ID, Name: peer.Name, State: describe(peer), Age: p.whyAge(peer),
		Distance: distanceView{
			Samples: []sampleView{}, CountS: reply.GetCountsMs() / 1000,
			LatencyMS: peer.LatencyMS, MedianMS: peer.MedianMS, P99MS: peer.P99MS,
		},
		Group:    p.whyGroup(peer, reply.GetFloor()),
		Position: whyPlaceView{Position: peer.Position, Of: len(p.order), Why: p.whyPlace(peer)},
	}
	for _, s := range reply.GetRoundTrips() {
		view.Distance.Samples = append(view.Distance.Samples, sampleView{
			AgeS: float64(s.GetAgeMs()) / 1000, RTTMS: float64(s.GetRttUs()) / 1000,
		})
	}
	return view
}

func (p picture) whyAge(peer peerView) whyAgeView {
	s := p.staleness
	view := whyAgeView{LimitMS: s.LimitMS, Stretch: s.Stretch, Unreachable: peer.Unreachable, Why: "judged by its silence alone: it is in client mode"}
	i := slices.IndexFunc(s.Peers, func(a ageView) bool { return a.ID == peer.ID })
	if i < 0 {
		view.ageView = ageView{ID: peer.ID, Name: peer.Name, AgeMS: peer.AgeMS, State: peer.State, Reason: peer.Reason}
		return view
	}
	view.ageView = s.Peers[i]
	limit, own := milliseconds(s.LimitMS), milliseconds(int64(s.Stretch*float64(view.OwnMS)))
	switch {
	case peer.State == stateDead || peer.State == stateLeft:
		view.Why = "no longer judged; a newer beat or contact brings it back"
	case view.OwnMS == 0:
		view.Why = "in no list: the node has just started, or its view is full and the peer is not active"
	case view.AgeMS <= s.LimitMS:
		view.Why = "within the limit of " + limit
	case view.Suspect:
		view.Why = fmt.Sprintf("past the limit of %s and its own pace stretched to %s: it is being asked", limit, own)
	default:
		view.Why = fmt.Sprintf("past the limit of %s, not past its own pace stretched to %s", limit, own)
	}
	return view
}

// enoughSamples is how many an estimate needs to found or move groups (docs/latency.md).
const enoughSamples = 3

func (p picture) whyGroup(peer peerView, floor float64) whyGroupView {
	view := whyGroupView{Letter: peer.Group, Floor: floor, Why: "never measured: it is in no group, and comes last in the order"}
	i := slices.IndexFunc(p.groups, func(g groupView) bool { return g.Letter == peer.Group })
	switch {
	case i < 0 && peer.Mode == modeClient:
		view.Why = "a client-mode member has no port to be measured at"
		return view
	case i < 0 && peer.LatencyMS != nil:
		view.Why = fmt.Sprintf("not grouped yet: groups are founded on peers with at least %d samples, at the next rebuild", enoughSamples)
		return view
	case i < 0:
		return view
	}
	g := p.groups[i]
	first, last := g.Members[0].LatencyMS, g.Members[len(g.Members)-1].LatencyMS
	view.LabelMS, view.FromMS, view.ToMS = &g.LabelMS, &first, &last
	view.Why = fmt.Sprintf("%s is the mean of %s, from %s to %s", fractional(g.LabelMS), count(len(g.Members), "member"), fractional(first), fractional(last))
	if i > 0 {
		far := p.groups[i-1].Members[0].LatencyMS
		view.FarMS = &far
		view.Why += fmt.Sprintf("; %s begins at %s", p.groups[i-1].Letter, fractional(far))
	}
	if i < len(p.groups)-1 {
		members := p.groups[i+1].Members
		near := members[len(members)-1].LatencyMS
		view.NearMS = &near
		view.Why += fmt.Sprintf("; %s ends at %s", p.groups[i+1].Letter, fractional(near))
	}
	return view
}

// whyPlace says why a peer has its place in the order, or none.
func (p picture) whyPlace(peer peerView) string {
	switch {
	case peer.Mode == modeClient:
		return "out of the order: a client-mode member cannot be asked"
	case peer.State != stateAlive:
		return "out of the order: it is " + describe(peer)
	case peer.Unreachable:
		return "out of the order: this node has no working connection to it"
	case peer.Position == 0:
		return "out of the order: it has just come"
	case peer.Group == "":
		return "at the end: its distance is not known"
	}
	var letters []string
	turn := 0
	for _, place := range p.order[:peer.Position] {
		letters = append(letters, place.Group)
		if place.Group == peer.Group {
			turn++
		}
	}
	const shown = 12
	if more := len(letters) - shown; more > 0 {
		letters = append([]string{"..."}, letters[more:]...)
	}
	return fmt.Sprintf("number %d of its group in this rebuild; groups up to here: %s", turn, strings.Join(letters, " "))
}

func whyFields(v whyView) []field {
	fields := []field{
		{"name", v.Name}, {"id", v.ID}, {"state", v.State},
		{"age", fmt.Sprintf("%s, its own pace is %s", milliseconds(v.Age.AgeMS), milliseconds(v.Age.OwnMS))},
		{"", v.Age.Why},
		{"against it", fmt.Sprintf("%s without answer, witnesses %d, reachable %s", count(int(v.Age.Failures), "call"), v.Age.Witnesses, yes(!v.Age.Unreachable))},
		{"latency", latencyText(v.Distance.LatencyMS)},
		{"", fmt.Sprintf("20th percentile of %s of the last %s", count(len(v.Distance.Samples), "sample"), span(time.Duration(v.Distance.CountS)*time.Second))},
		{"median, p99", latencyText(v.Distance.MedianMS) + ", " + latencyText(v.Distance.P99MS)},
		{"samples", samplesText(v.Distance.Samples)},
		{"group", strings.TrimSpace(v.Group.Letter + " " + latencyText(v.Group.LabelMS))},
		{"", v.Group.Why},
		{"floor", fmt.Sprintf("%.2f: groups closer than about %.0f%% are one", v.Group.Floor, 100*v.Group.Floor)},
		{"position", fmt.Sprintf("%s of %d", zeroText(v.Position.Position), v.Position.Of)},
		{"", v.Position.Why},
	}
	if len(v.Distance.Samples) == 0 {
		return slices.DeleteFunc(fields, func(f field) bool { return f.label == "median, p99" || f.label == "floor" })
	}
	return fields
}

func zeroText(position uint32) string {
	if position == 0 {
		return "none"
	}
	return positionText(position)
}

// samplesText are the samples sorted, since the distance is one of them.
func samplesText(samples []sampleView) string {
	var rtts []float64
	for _, s := range samples {
		rtts = append(rtts, s.RTTMS)
	}
	slices.Sort(rtts)
	texts := make([]string, len(rtts))
	for i, rtt := range rtts {
		texts[i] = fractional(rtt)
	}
	return strings.Join(texts, " ")
}
