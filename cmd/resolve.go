package cmd

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/g2g-net/g2g/pki"
)

// Peer states, and the flag beside them.
const (
	stateAlive   = "alive"
	stateLate    = "late"
	stateDead    = "dead"
	stateLeft    = "left"
	stateEvicted = "evicted"
	unreachable  = "unreachable"
)

var states = []string{stateAlive, stateLate, stateDead, stateLeft, stateEvicted}

// Modes of a member.
const (
	modeServer = "server"
	modeClient = "client"
)

// resolve finds the one peer that a person means: by name, by ID, or by a prefix that only one ID has. A name goes
// before a prefix, a whole ID before both.
func resolve(peers []peerView, text string) (peerView, error) {
	if text == "" {
		return peerView{}, wrongUsage("the peer's name is empty", "")
	}
	found := matching(peers, func(p peerView) bool { return p.ID == text })
	if len(found) == 0 {
		found = matching(peers, func(p peerView) bool { return p.Name == text })
	}
	if len(found) == 0 {
		found = matching(peers, func(p peerView) bool { return beginsWith(p.ID, text) })
	}
	switch len(found) {
	case 0:
		return peerView{}, nobody(peers, text)
	case 1:
		return found[0], nil
	}
	return peerView{}, ambiguous(found, text)
}

// beginsWith says whether a printed ID has a prefix that people may mean: one with more than all IDs share.
func beginsWith(id, text string) bool {
	parsed, err := pki.ParseID(id)
	return err == nil && parsed.HasPrefix(text)
}

func matching(peers []peerView, fits func(peerView) bool) []peerView {
	var found []peerView
	for _, p := range peers {
		if fits(p) {
			found = append(found, p)
		}
	}
	return found
}

func nobody(peers []peerView, text string) error {
	names := make([]string, len(peers))
	for i, p := range peers {
		names[i] = p.Name
	}
	hint := "see who is known: g2g peers"
	if near := nearest(text, names); len(near) > 0 {
		hint = didYouMean(near)
	}
	return &failure{why: fmt.Errorf("no peer %q", text), hint: hint, code: exitNobody}
}

// maxNamed bounds how many peers an error names.
const maxNamed = 8

func ambiguous(found []peerView, text string) error {
	ids := make([]string, 0, maxNamed)
	for _, p := range found[:min(len(found), maxNamed)] {
		ids = append(ids, fmt.Sprintf("%s (%s)", p.ID, p.Name))
	}
	slices.Sort(ids)
	if more := len(found) - maxNamed; more > 0 {
		ids = append(ids, fmt.Sprintf("%d more", more))
	}
	return &failure{
		why:  fmt.Errorf("%q fits %d peers: %s", text, len(found), strings.Join(ids, ", ")),
		hint: "give the ID, or more of it", code: exitUsage,
	}
}

// inState counts the server-mode peers in a state, or those flagged unreachable.
func inState(peers []peerView, state string) int { return len(peersIn(peers, state)) }

func peersIn(peers []peerView, state string) []peerView {
	return matching(peers, func(p peerView) bool {
		return p.Mode != modeClient && (p.State == state || state == unreachable && p.Unreachable)
	})
}

// completePeers offers the names of the peers that the node shows, silently nothing when there is none in time.
func (a *app) completePeers(c *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return a.peerNames(c.Context(), ""), cobra.ShellCompDirectiveNoFileComp
}

// peerNames are completions made of the peers' names; where two peers share a name, of their IDs.
func (a *app) peerNames(ctx context.Context, before string) []cobra.Completion {
	var names []cobra.Completion
	peers := a.completionPicture(ctx).peers
	for _, p := range peers {
		word := p.Name
		if len(matching(peers, func(q peerView) bool { return q.Name == p.Name })) > 1 {
			word = p.ID
		}
		names = append(names, cobra.CompletionWithDesc(before+word, p.State+" "+p.Mode))
	}
	return names
}
