package cmd

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A condition is something that `g2g wait` waits for.
type condition struct {
	text    string
	subject string // joined, converged, peer, or what is counted
	op      string // of a count
	n       int
	peer    string // of peer:NAME=STATE
	state   string
	bound   float64 // of signatures<D
}

const (
	subjectJoined    = "joined"
	subjectConverged = "converged"
	subjectPeer      = "peer"
	subjectPeers     = "peers"
	subjectClients   = "clients"

	subjectSignatures = "signatures"
	subjectOrder      = "order"
	subjectGroups     = "groups"
)

// counted are the subjects that can be compared with a number.
var counted = []string{subjectPeers, stateAlive, stateLate, stateDead, stateLeft, stateEvicted, unreachable, subjectClients, subjectOrder, subjectGroups}

var comparison = regexp.MustCompile(`^([a-z]+)\s*([<>=!]+)\s*([0-9]+)$`)

var operators = map[string]func(a, b int) bool{
	">=": func(a, b int) bool { return a >= b },
	"<=": func(a, b int) bool { return a <= b },
	"==": func(a, b int) bool { return a == b },
	"!=": func(a, b int) bool { return a != b },
	">":  func(a, b int) bool { return a > b },
	"<":  func(a, b int) bool { return a < b },
}

// maxCount bounds the number in a condition: far above what a view can hold.
const maxCount = 1_000_000

// parseCondition reads joined, converged, SUBJECT OP N or peer:NAME=STATE.
func parseCondition(text string) (condition, error) {
	text = strings.TrimSpace(text)
	switch {
	case text == subjectJoined, text == subjectConverged:
		return condition{text: text, subject: text}, nil
	case strings.HasPrefix(text, subjectPeer+":"):
		return parsePeerCondition(text)
	case strings.HasPrefix(text, subjectSignatures):
		return parseSignatures(text)
	}
	parts := comparison.FindStringSubmatch(text)
	if parts == nil {
		return condition{}, unknownCondition(text)
	}
	subject, op := parts[1], parts[2]
	if !slices.Contains(counted, subject) {
		return condition{}, wrongChoice("condition", subject, counted)
	}
	if operators[op] == nil {
		return condition{}, wrongUsage(fmt.Sprintf("condition %q: %q compares nothing", text, op), "one of >=, <=, ==, !=, >, <")
	}
	n, err := strconv.Atoi(parts[3])
	if err != nil || n > maxCount {
		return condition{}, wrongUsage(fmt.Sprintf("condition %q: the number is over %d", text, maxCount), "")
	}
	return condition{text: text, subject: subject, op: op, n: n}, nil
}

var signatures = regexp.MustCompile(`^signatures\s*<\s*([0-9]*\.?[0-9]+)$`)

// parseSignatures reads signatures<D.
func parseSignatures(text string) (condition, error) {
	parts := signatures.FindStringSubmatch(text)
	if parts == nil {
		return condition{}, wrongUsage(fmt.Sprintf("condition %q is not signatures<D", text), "D is a distance from 0 to 1: try 'signatures<0.05'")
	}
	bound, err := strconv.ParseFloat(parts[1], 64)
	if err != nil || bound > 1 {
		return condition{}, wrongUsage(fmt.Sprintf("condition %q: a distance is at most 1", text), "")
	}
	return condition{text: text, subject: subjectSignatures, op: "<", bound: bound}, nil
}

func unknownCondition(text string) error {
	words := append([]string{subjectJoined, subjectConverged, subjectSignatures}, counted...)
	name, _, _ := strings.Cut(strings.NewReplacer(">", " ", "<", " ", "=", " ", "!", " ").Replace(text), " ")
	hint := "conditions: joined, converged, 'alive==4', 'peers>=4', peer:NAME=STATE"
	if near := nearest(name, words); len(near) > 0 && near[0] != name {
		hint = didYouMean(near)
	}
	return wrongUsage(fmt.Sprintf("unknown condition %q", text), hint)
}

func parsePeerCondition(text string) (condition, error) {
	rest := strings.TrimPrefix(text, subjectPeer+":")
	at := strings.LastIndex(rest, "=")
	if at <= 0 || at == len(rest)-1 {
		return condition{}, wrongUsage(fmt.Sprintf("condition %q is not peer:NAME=STATE", text), "try peer:node-b=alive")
	}
	name, state := rest[:at], rest[at+1:]
	if allowed := append(slices.Clone(states), unreachable); !slices.Contains(allowed, state) {
		return condition{}, wrongChoice("state", state, allowed)
	}
	return condition{text: text, subject: subjectPeer, peer: name, state: state}, nil
}

// An outcome is what a condition came to against one picture.
type outcome struct {
	Condition string   `json:"condition"`
	Met       bool     `json:"met"`
	Seen      string   `json:"seen"`
	Who       []string `json:"who"` // the nodes that the condition failed on
}

// judge holds a condition against what the node shows.
func (c condition) judge(p picture) outcome {
	o := outcome{Condition: c.text, Who: []string{}}
	switch c.subject {
	case subjectJoined:
		o.Met, o.Seen = p.self.Network != "", "not in a network"
		if o.Met {
			o.Seen = "in network " + p.self.Network
		}
	case subjectConverged:
		o.Met, o.Seen = p.self.Converged, "converged"
		if !o.Met {
			o.Seen, o.Who = "others list another alive set", nonNil(p.self.Disagree)
		}
	case subjectPeer:
		c.judgePeer(p, &o)
	case subjectSignatures:
		c.judgeSignatures(p, &o)
	default:
		c.judgeCount(p, &o)
	}
	return o
}

func (c condition) judgePeer(p picture, o *outcome) {
	peer, err := resolve(p.peers, c.peer)
	if err != nil {
		o.Seen = reason(err)
		return
	}
	o.Seen = describe(peer)
	o.Met = peer.State == c.state || c.state == unreachable && peer.Unreachable
	if !o.Met {
		o.Who = []string{peer.Name}
	}
}

// judgeSignatures holds the largest distance to a peer that is alive against the bound. A peer that this node talks to must have
// one: its signature has come, and can be compared. Of others only what is known counts.
func (c condition) judgeSignatures(p picture, o *outcome) {
	largest, compared := 0.0, 0
	for _, peer := range peersIn(p.peers, stateAlive) {
		switch {
		case peer.Distance != nil && *peer.Distance < c.bound:
			compared++
			largest = max(largest, *peer.Distance)
		case peer.Distance != nil:
			compared++
			largest = max(largest, *peer.Distance)
			o.Who = append(o.Who, peer.Name+" at "+distanceText(peer.Distance))
		case peer.Active:
			o.Who = append(o.Who, peer.Name+" has none")
		}
	}
	o.Met = compared > 0 && len(o.Who) == 0
	o.Seen = "no distance"
	if compared > 0 {
		o.Seen = fmt.Sprintf("%.4f at most among %s", largest, count(compared, "peer"))
	}
}

func (c condition) judgeCount(p picture, o *outcome) {
	in, out := c.split(p.peers)
	seen := len(in)
	switch c.subject {
	case subjectClients:
		seen = int(p.self.status.Clients)
	case subjectGroups:
		seen = len(p.groups)
	}
	o.Met, o.Seen = operators[c.op](seen, c.n), strconv.Itoa(seen)
	if o.Met {
		return
	}
	wrong := in // too many
	if seen < c.n {
		wrong = out // too few: those that could have counted
	}
	for _, peer := range wrong {
		o.Who = append(o.Who, peer.Name+" "+describe(peer))
	}
}

// split parts the peers into those that the condition counts and those that it might have.
func (c condition) split(peers []peerView) (in, out []peerView) {
	switch c.subject {
	case subjectPeers:
		return peers, nil
	case subjectClients, subjectGroups:
		return nil, nil
	case subjectOrder:
		in = matching(peers, func(p peerView) bool { return p.Position > 0 })
	default:
		in = peersIn(peers, c.subject)
	}
	out = matching(peers, func(p peerView) bool {
		return p.Mode != modeClient && !slices.ContainsFunc(in, func(q peerView) bool { return q.ID == p.ID })
	})
	return in, out
}

// describe is a peer's state in words.
func describe(p peerView) string {
	words := p.State
	if p.Reason != "" {
		words += " (" + p.Reason + ")"
	}
	if p.Unreachable {
		words += ", unreachable"
	}
	return words
}
