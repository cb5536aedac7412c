package cmd

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/g2g-net/g2g/proto/adminpb"
)

// A stalenessView is the limit with every age behind it.
type stalenessView struct {
	LimitMS  int64     `json:"limit_ms"`
	MeanMS   float64   `json:"mean_ms"`
	SdMS     float64   `json:"sd_ms"`
	N        uint32    `json:"n"`
	Stretch  float64   `json:"stretch"`
	FloorMS  int64     `json:"floor_ms"`
	Isolated bool      `json:"isolated"`
	Peers    []ageView `json:"peers"`
}

// An ageView is one peer's age, and what is held against it.
type ageView struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	AgeMS     int64  `json:"age_ms"`
	OwnMS     int64  `json:"own_ms"`
	Trusted   bool   `json:"trusted"`
	Suspect   bool   `json:"suspect"`
	State     string `json:"state"`
	Reason    string `json:"reason"`
	Failures  uint32 `json:"failures"`
	Witnesses uint32 `json:"witnesses"`
}

func (a *app) stalenessCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "staleness",
		Short: "Show the limit of ages and what it stands on",
		Long: `Shows the age from which a peer without progress is late, the mean and deviation of the trusted ages that it comes from, and
of each server-mode peer its age, its own pace, whether its age is trusted, and what is held against it. The limit is never below the
floor: the stretch times the median pace. What the numbers mean: docs/detection.md.`,
		Example: "  g2g staleness\n  g2g staleness -o json | jq .limit_ms",
		Args:    exactly(0),
	}
	f := output(c, asTable, asJSON, asLines)
	c.RunE = func(c *cobra.Command, _ []string) error {
		p, err := a.picture(c.Context())
		if err != nil {
			return err
		}
		return p.staleness.write(a, f.value)
	}
	return c
}

func (s stalenessView) write(a *app, f string) error {
	if err := writeObject(a.out, f, s, "", stalenessFields(s)); err != nil || f != asTable {
		return err
	}
	if len(s.Peers) == 0 {
		return nil
	}
	if _, err := fmt.Fprintln(a.out); err != nil {
		return err
	}
	return ageListing.write(a.out, f, s.Peers)
}

func stalenessFields(s stalenessView) []field {
	limit := milliseconds(s.LimitMS)
	if s.LimitMS == 0 {
		limit = "none yet"
	}
	return []field{
		{"limit", limit},
		{"mean", fmt.Sprintf("%s, deviation %s, of %s", milliseconds(int64(s.MeanMS)), milliseconds(int64(s.SdMS)), count(int(s.N), "trusted age"))},
		{"floor", fmt.Sprintf("%s: the median pace stretched by %.2f", milliseconds(s.FloorMS), s.Stretch)},
		{"isolated", yes(s.Isolated)},
	}
}

var ageListing = listing[ageView]{
	columns: []column[ageView]{
		{"NAME", func(v ageView) string { return v.Name }},
		{"STATE", ageState},
		{"AGE", func(v ageView) string { return milliseconds(v.AgeMS) }},
		{"PACE", func(v ageView) string { return milliseconds(v.OwnMS) }},
		{"TRUSTED", func(v ageView) string { return yes(v.Trusted) }},
		{"SUSPECT", func(v ageView) string { return yes(v.Suspect) }},
		{"FAILURES", func(v ageView) string { return fmt.Sprint(v.Failures) }},
		{"WITNESSES", func(v ageView) string { return fmt.Sprint(v.Witnesses) }},
	},
	name: func(v ageView) string { return v.Name },
}

func ageState(v ageView) string {
	if v.Reason == "" {
		return v.State
	}
	return v.State + " (" + v.Reason + ")"
}

// stalenessOf draws the oldest first.
func stalenessOf(s *adminpb.Snapshot) stalenessView {
	self := s.GetSelf()
	view := stalenessView{
		LimitMS: self.GetLimitMs(), MeanMS: self.GetMeanMs(), SdMS: self.GetSdMs(), N: self.GetLimitN(), Stretch: self.GetStretch(),
		FloorMS: self.GetFloorMs(), Isolated: self.GetIsolated(), Peers: []ageView{},
	}
	for _, p := range s.GetPeers() {
		if p.GetMode() == modeServer {
			view.Peers = append(view.Peers, ageOf(p))
		}
	}
	slices.SortStableFunc(view.Peers, func(a, b ageView) int { return cmp.Compare(b.AgeMS, a.AgeMS) })
	return view
}

func ageOf(p *adminpb.Peer) ageView {
	return ageView{
		ID: p.GetId(), Name: p.GetName(), AgeMS: p.GetAgeMs(), OwnMS: p.GetOwnMs(), Trusted: p.GetTrusted(), Suspect: p.GetSuspect(),
		State: p.GetState(), Reason: p.GetReason(), Failures: p.GetFailures(), Witnesses: p.GetWitnesses(),
	}
}
