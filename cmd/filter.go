package cmd

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
)

// A filter keeps the peers whose value under a key fits.
type filter struct{ key, value string }

// filterKeys are what peers can be filtered by, with the values that are possible (none: free text, * stands for any).
var filterKeys = map[string][]string{
	"state":     states,
	"mode":      {modeServer, modeClient},
	"reason":    {"stalled", "silent"},
	"name":      nil,
	"serves":    nil,
	"group":     {"A", "B", "C", "D", "E", "F", "G", "H"},
	unreachable: {"true", "false"},
}

func keysOf[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// parseFilter reads KEY:VALUE.
func parseFilter(text string) (filter, error) {
	key, value, ok := strings.Cut(text, ":")
	if !ok || value == "" {
		return filter{}, wrongUsage(fmt.Sprintf("filter %q is not KEY:VALUE", text), "try --filter state:alive")
	}
	values, known := filterKeys[key]
	if !known {
		return filter{}, wrongChoice("filter key", key, keysOf(filterKeys))
	}
	if values != nil && !slices.Contains(values, value) {
		return filter{}, wrongChoice("value of "+key, value, values)
	}
	if _, err := path.Match(value, ""); err != nil {
		return filter{}, wrongUsage(fmt.Sprintf("filter %q: malformed pattern", text), "")
	}
	return filter{key, value}, nil
}

// wrongChoice is the usage error for a word that is not among those allowed.
func wrongChoice(what, typed string, allowed []string) error {
	hint := "one of " + strings.Join(allowed, ", ")
	if near := nearest(typed, allowed); len(near) > 0 {
		hint = didYouMean(near)
	}
	return wrongUsage(fmt.Sprintf("unknown %s %q", what, typed), hint)
}

func (f filter) fits(p peerView) bool {
	switch f.key {
	case "state":
		return p.State == f.value
	case "mode":
		return p.Mode == f.value
	case "reason":
		return p.Reason == f.value
	case "group":
		return p.Group == f.value
	case unreachable:
		return fmt.Sprint(p.Unreachable) == f.value
	}
	if f.key == "serves" {
		return slices.ContainsFunc(p.Serves, f.matches)
	}
	return f.matches(p.Name)
}

// matches holds a text against the pattern.
func (f filter) matches(text string) bool {
	fits, err := path.Match(f.value, text)
	return fits && err == nil
}

// choose keeps the peers that fit every filter.
func choose(peers []peerView, filters []filter) []peerView {
	return matching(peers, func(p peerView) bool {
		return !slices.ContainsFunc(filters, func(f filter) bool { return !f.fits(p) })
	})
}

// comparers are what peers can be sorted by.
var comparers = map[string]func(a, b peerView) int{
	"name":          func(a, b peerView) int { return cmp.Compare(a.Name, b.Name) },
	"id":            func(a, b peerView) int { return cmp.Compare(a.ID, b.ID) },
	"mode":          func(a, b peerView) int { return cmp.Compare(a.Mode, b.Mode) },
	"state":         func(a, b peerView) int { return slices.Index(states, a.State) - slices.Index(states, b.State) },
	"age":           func(a, b peerView) int { return cmp.Compare(a.AgeMS, b.AgeMS) },
	"sequence":      func(a, b peerView) int { return cmp.Compare(a.Sequence, b.Sequence) },
	"distance":      func(a, b peerView) int { return compareKnown(a.Distance, b.Distance) },
	"epoch":         func(a, b peerView) int { return cmp.Compare(a.Epoch, b.Epoch) },
	"group":         func(a, b peerView) int { return cmp.Compare(a.Group, b.Group) },
	"position":      func(a, b peerView) int { return cmp.Compare(a.Position-1, b.Position-1) }, // 0, out of the order, comes last
	"latency":       func(a, b peerView) int { return compareKnown(a.LatencyMS, b.LatencyMS) },
	"median":        func(a, b peerView) int { return compareKnown(a.MedianMS, b.MedianMS) },
	"p99":           func(a, b peerView) int { return compareKnown(a.P99MS, b.P99MS) },
	"depth":         func(a, b peerView) int { return cmp.Compare(a.Depth, b.Depth) },
	"first_seen":    func(a, b peerView) int { return compareTimes(a.FirstSeen, b.FirstSeen) },
	"last_exchange": func(a, b peerView) int { return compareTimes(a.LastExchange, b.LastExchange) },
}

// compareKnown puts what is not known last.
func compareKnown(a, b *float64) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	return cmp.Compare(*a, *b)
}

func compareTimes(a, b *time.Time) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}
	return a.Compare(*b)
}

// parseSort reads keys apart by commas, each with a minus before it to turn it round; what they leave equal is ordered
// by name, then ID.
func parseSort(text string) (func(a, b peerView) int, error) {
	order := make([]func(a, b peerView) int, 0, 4)
	for word := range strings.SplitSeq(text, ",") {
		key, reverse := strings.CutPrefix(strings.TrimSpace(word), "-")
		compare, known := comparers[strings.ReplaceAll(key, "-", "_")]
		if !known {
			return nil, wrongChoice("sort key", key, keysOf(comparers))
		}
		if reverse {
			order = append(order, func(a, b peerView) int { return compare(b, a) })
			continue
		}
		order = append(order, compare)
	}
	order = append(order, comparers["name"], comparers["id"])
	return func(a, b peerView) int {
		for _, compare := range order {
			if c := compare(a, b); c != 0 {
				return c
			}
		}
		return 0
	}, nil
}
