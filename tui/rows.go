package tui

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/g2g-net/g2g/proto/adminpb"
)

// A sortKey is what the rows of the table are sorted by.
type sortKey int

const (
	byTrouble sortKey = iota
	byAge
	byLatency
	byPlace
	byGroup
	byDistance
	byEnd
	byName
	sortKeys
)

var sortNames = [sortKeys]string{
	byTrouble: "worst first", byAge: "age", byLatency: "rtt", byPlace: "order", byGroup: "group", byDistance: "distance",
	byEnd: "certificate", byName: "name",
}

// sortedColumns are the columns that the keys sort by, for the mark in the header.
var sortedColumns = map[sortKey]columnKind{
	byTrouble: stateColumn, byAge: ageColumn, byLatency: latencyColumn, byPlace: placeColumn, byGroup: groupColumn,
	byDistance: distanceColumn, byEnd: endColumn, byName: nameColumn,
}

// comparers put what asks for attention first: the oldest, the farthest, the certificate that ends next. What is not known
// comes last, whichever way the rows are turned.
var comparers = [sortKeys]func(a, b *adminpb.Peer) int{
	byTrouble: func(a, b *adminpb.Peer) int {
		if c := cmp.Compare(worse(a), worse(b)); c != 0 || worse(a) >= 3 {
			return cmp.Or(c, comparePlace(a, b))
		}
		return cmp.Compare(b.GetAgeMs(), a.GetAgeMs())
	},
	byAge:      func(a, b *adminpb.Peer) int { return cmp.Compare(b.GetAgeMs(), a.GetAgeMs()) },
	byLatency:  func(a, b *adminpb.Peer) int { return compareKnown(latencyOf(a), latencyOf(b)) },
	byPlace:    comparePlace,
	byGroup:    func(a, b *adminpb.Peer) int { return strings.Compare(b.GetGroup(), a.GetGroup()) },
	byDistance: func(a, b *adminpb.Peer) int { return compareKnown(distanceOf(a), distanceOf(b)) },
	byEnd: func(a, b *adminpb.Peer) int {
		return compareKnown(-orMissing(a.GetLeaf().GetNotAfter()), -orMissing(b.GetLeaf().GetNotAfter()))
	},
	byName: func(a, b *adminpb.Peer) int { return strings.Compare(name(a), name(b)) },
}

func comparePlace(a, b *adminpb.Peer) int {
	return compareKnown(-orMissing(int64(a.GetPosition())), -orMissing(int64(b.GetPosition())))
}

func orMissing(n int64) float64 {
	if n == 0 {
		return math.NaN()
	}
	return float64(n)
}

// compareKnown puts the greater first and what is missing last.
func compareKnown(a, b float64) int {
	switch {
	case math.IsNaN(a) && math.IsNaN(b):
		return 0
	case math.IsNaN(a):
		return 1
	case math.IsNaN(b):
		return -1
	}
	return cmp.Compare(b, a)
}

// rows are the peers of the table: those that the filter lets through, in the order that was asked for. While the cursor
// moves they stay as they were.
func (s *scene) rows() []*adminpb.Peer {
	if s.pic == nil {
		return nil
	}
	rows := make([]*adminpb.Peer, 0, len(s.pic.GetPeers()))
	fits := filterOf(s.ui.filter)
	for _, p := range s.pic.GetPeers() {
		if fits(p) {
			rows = append(rows, p)
		}
	}
	compare := comparers[s.ui.sort]
	slices.SortStableFunc(rows, func(a, b *adminpb.Peer) int {
		c := compare(a, b)
		if s.ui.backward {
			c = -c
		}
		return cmp.Or(c, strings.Compare(name(a), name(b)), strings.Compare(a.GetId(), b.GetId()))
	})
	if s.now.Before(s.ui.until) {
		return held(rows, s.ui.held)
	}
	return rows
}

// held puts rows into an order from before; those that are new come last.
func held(rows []*adminpb.Peer, ids []string) []*adminpb.Peer {
	place := make(map[string]int, len(ids))
	for i, id := range ids {
		place[id] = i + 1
	}
	slices.SortStableFunc(rows, func(a, b *adminpb.Peer) int {
		pa, pb := place[a.GetId()], place[b.GetId()]
		if pa == 0 || pb == 0 {
			return cmp.Compare(pb, pa)
		}
		return cmp.Compare(pa, pb)
	})
	return rows
}

// filterOf reads words that must all fit: `state:late`, `group:D`, `mode:client`, `name:ams`, `service:NAME`, or a part of a
// name or ID. A `!` before one turns it round.
func filterOf(text string) func(*adminpb.Peer) bool {
	words := strings.Fields(strings.ToLower(text))
	return func(p *adminpb.Peer) bool {
		for _, w := range words {
			w, not := strings.CutPrefix(w, "!")
			if w != "" && fitsWord(p, w) == not {
				return false
			}
		}
		return true
	}
}

func fitsWord(p *adminpb.Peer, word string) bool {
	key, value, ok := strings.Cut(word, ":")
	if ok {
		switch key {
		case "state":
			return p.GetState() == value || p.GetReason() == value || value == "unreachable" && p.GetUnreachable()
		case "group":
			return strings.EqualFold(p.GetGroup(), value)
		case "mode":
			return p.GetMode() == value
		case "service":
			return slices.Contains(p.GetServices(), value)
		case "name":
			word = value
		}
	}
	return strings.Contains(strings.ToLower(name(p)), word) || strings.HasPrefix(p.GetId(), word)
}

// place is where the selected peer stands among the rows; the first where it does not.
func place(rows []*adminpb.Peer, id string) int {
	return max(0, slices.IndexFunc(rows, func(p *adminpb.Peer) bool { return p.GetId() == id }))
}

// scroll is the first row to show, so that the selected one is among n.
func scroll(top, cursor, n, total int) int {
	if cursor < top {
		top = cursor
	}
	if cursor >= top+n {
		top = cursor - n + 1
	}
	return max(0, min(top, total-n))
}
