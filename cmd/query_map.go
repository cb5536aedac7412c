package cmd

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"slices"

	"github.com/g2g-net/g2g/pki"
)

// A graphLink is a connection that one node keeps to another.
type graphLink struct {
	From      string   `json:"from"`
	FromName  string   `json:"from_name"`
	To        string   `json:"to"` // empty where that node did not answer
	ToName    string   `json:"to_name"`
	ToBegins  string   `json:"to_begins"`  // the first bytes of its ID's hash, in hex
	LatencyMS *float64 `json:"latency_ms"` // null where it was not measured
}

// A componentView is nodes that are connected with each other, over any number of links between nodes that answered.
type componentView struct {
	Component int      `json:"component"` // from 1, the largest first
	Size      int      `json:"size"`
	Members   []string `json:"members"` // names
}

// chart makes links and components of what the nodes said.
func (v *queryView) chart() {
	at := map[string]int{} // by the beginning of an ID, which stands for the whole
	for i, a := range v.Answers {
		if id, err := pki.ParseID(a.ID); err == nil {
			at[string(id[:8])] = i
		}
	}
	parts := newParts(len(v.Answers))
	v.Links = []graphLink{}
	for i, a := range v.Answers {
		for _, l := range a.links {
			g := graphLink{From: a.ID, FromName: a.Name, ToBegins: hex.EncodeToString(l.GetIdBegins())}
			if ms := l.GetLatencyMs(); ms > 0 {
				g.LatencyMS = &ms
			}
			if j, ok := at[string(bytes.Clone(l.GetIdBegins()))]; ok {
				g.To, g.ToName = v.Answers[j].ID, v.Answers[j].Name
				parts.join(i, j)
			}
			v.Links = append(v.Links, g)
		}
	}
	v.components(parts)
}

// components numbers the parts, the largest first, among equals by the name that comes first.
func (v *queryView) components(p parts) {
	members := map[int][]int{}
	for i := range v.Answers {
		members[p.of(i)] = append(members[p.of(i)], i)
	}
	groups := make([][]int, 0, len(members))
	for _, group := range members { // sorted below
		slices.SortFunc(group, func(i, j int) int { return cmp.Compare(v.Answers[i].Name, v.Answers[j].Name) })
		groups = append(groups, group)
	}
	slices.SortFunc(groups, func(a, b []int) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(v.Answers[a[0]].Name, v.Answers[b[0]].Name), cmp.Compare(a[0], b[0]))
	})
	v.Components = []componentView{}
	for n, group := range groups {
		c := componentView{Component: n + 1, Size: len(group)}
		for _, i := range group {
			v.Answers[i].Component = n + 1
			c.Members = append(c.Members, v.Answers[i].Name)
		}
		v.Components = append(v.Components, c)
	}
}

// parts are disjoint sets: each number leads to another of its set, or to itself.
type parts []int

func newParts(n int) parts {
	p := make(parts, n)
	for i := range p {
		p[i] = i
	}
	return p
}

func (p parts) of(i int) int {
	for p[i] != i {
		p[i] = p[p[i]]
		i = p[i]
	}
	return i
}

func (p parts) join(i, j int) { p[p.of(i)] = p.of(j) }
