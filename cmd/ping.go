package cmd

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
)

// A tripView is one round trip to a peer.
type tripView struct {
	Seq   uint32   `json:"seq"`
	RttMS *float64 `json:"rtt_ms"` // null where no answer came
	Error string   `json:"error"`
}

// A pingView is what -o json prints: all round trips and their summary.
type pingView struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	Sent       int        `json:"sent"`
	Answered   int        `json:"answered"`
	MinMS      *float64   `json:"min_ms"` // null where no answer came
	MedianMS   *float64   `json:"median_ms"`
	MaxMS      *float64   `json:"max_ms"`
	RoundTrips []tripView `json:"round_trips"`
}

// maxPings bounds one ping, as the node does.
const maxPings = 1000

func (a *app) pingCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "ping PEER",
		Short: "Measure round trips to a peer",
		Long: `Makes calls from the node in the folder to a peer, one after the other, and prints how long each took: over a
connection that is open already, so that no handshake is in it. If the peer cannot be reached the exit code is 3.

PEER is a name, an ID or an unambiguous ID prefix.`,
		Example:           "  g2g ping node-b\n  g2g ping node-b -c 100 -o json | jq .median_ms",
		Args:              exactly(1, "PEER"),
		ValidArgsFunction: a.completePeers,
	}
	times := c.Flags().IntP("count", "c", 4, fmt.Sprintf("how many round trips, 1 to %d", maxPings))
	f := output(c, asTable, asJSON, asLines)
	c.RunE = func(c *cobra.Command, args []string) error {
		if *times < 1 || *times > maxPings {
			return wrongUsage(fmt.Sprintf("--count %d is not 1 to %d", *times, maxPings), "")
		}
		p, err := a.picture(c.Context())
		if err != nil {
			return err
		}
		if args[0] == p.self.Name || args[0] == p.self.ID {
			return wrongUsage(fmt.Sprintf("%q is this node itself", args[0]), "see the others: g2g peers")
		}
		peer, err := resolve(p.peers, args[0])
		if err != nil {
			return err
		}
		return a.ping(c, peer, *times, f.value)
	}
	return c
}

// ping prints each round trip as it comes, and what they come to.
func (a *app) ping(c *cobra.Command, peer peerView, times int, f string) error {
	done := pingView{ID: peer.ID, Name: peer.Name, RoundTrips: []tripView{}}
	err := a.ask(c.Context(), func(node *client) error {
		return node.Ping(c.Context(), peer.ID, uint32(times), func(t tripView) error { //nolint:gosec // at most maxPings
			done.RoundTrips = append(done.RoundTrips, t)
			return a.tellTrip(peer, t, f)
		})
	})
	if err != nil && len(done.RoundTrips) == 0 {
		return unreached(peer, err)
	}
	done.sum()
	if telling := a.tellPing(done, f); telling != nil {
		return telling
	}
	if err == nil && done.Answered == 0 {
		err = unreached(peer, &failure{why: errors.New(done.RoundTrips[0].Error), code: exitUnreachable})
	}
	return muteInterrupt(c, err)
}

// unreached adds what a person can do about a peer that does not answer.
func unreached(peer peerView, err error) error {
	f := explain(err)
	if f.code == exitUnreachable && peer.Mode != modeServer {
		f.why, f.hint = fmt.Errorf("%s is a %s-mode node: it listens nowhere, so nobody can call it", cmp.Or(peer.Name, peer.ID), peer.Mode), "ping from there"
	}
	if f.hint == "" && f.code == exitUnreachable {
		f.hint = fmt.Sprintf("it was last seen %s, at %s: can this machine connect there?", describe(peer), cmp.Or(list(peer.Addresses), "no address"))
	}
	return &f
}

func (a *app) tellTrip(peer peerView, t tripView, f string) error {
	var err error
	switch {
	case f == asLines:
		return writeLines(a.out, []tripView{t})
	case f == asJSON: // at the end
	case t.RttMS == nil:
		_, err = fmt.Fprintf(a.out, "%s seq=%d %s\n", plain(peer.Name), t.Seq, plain(t.Error))
	default:
		_, err = fmt.Fprintf(a.out, "%s seq=%d rtt=%.3fms\n", plain(peer.Name), t.Seq, *t.RttMS)
	}
	return err
}

// sum fills in what follows from the round trips.
func (p *pingView) sum() {
	var answered []float64
	for _, t := range p.RoundTrips {
		if t.RttMS != nil {
			answered = append(answered, *t.RttMS)
		}
	}
	p.Sent, p.Answered = len(p.RoundTrips), len(answered)
	if len(answered) == 0 {
		return
	}
	slices.Sort(answered)
	middle := median(answered)
	p.MinMS, p.MedianMS, p.MaxMS = &answered[0], &middle, &answered[len(answered)-1]
}

// median is that of numbers in order; there is at least one.
func median(sorted []float64) float64 {
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half]
	}
	return (sorted[half-1] + sorted[half]) / 2
}

func (a *app) tellPing(p pingView, f string) error {
	switch {
	case f == asJSON:
		return writeJSON(a.out, p)
	case f == asLines || p.Answered == 0:
		return nil
	}
	_, err := fmt.Fprintf(a.out, "%d of %d answered: min %.3fms, median %.3fms, max %.3fms\n", p.Answered, p.Sent, *p.MinMS, *p.MedianMS, *p.MaxMS)
	return err
}
