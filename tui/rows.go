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

// A row is a peer with what it is sorted by, found once and not at each comparison.
type row struct {
	peer *adminpb.Peer
	rank int     // the lower the sooner
	key  float64 // then the greater the sooner; NaN, which is unknown, comes last
	text string  // then by this
}

// rankers put what asks for attention first: the oldest, the farthest, the certificate that ends next.
var rankers = [sortKeys]func(p *adminpb.Peer) row{
	byTrouble: func(p *adminpb.Peer) row {
		if worse(p) < 3 {
			return row{rank: worse(p), key: float64(p.GetAgeMs())}
		}
		return row{rank: worse(p), key: -orMissing(int64(p.GetPosition()))}
	},
	byAge:      func(p *adminpb.Peer) row { return row{key: float64(p.GetAgeMs())} },
	byLatency:  func(p *adminpb.Peer) row { return row{key: latencyOf(p)} },
	byPlace:    func(p *adminpb.Peer) row { return row{key: -orMissing(int64(p.GetPosition()))} },
	byGroup:    func(p *adminpb.Peer) row { return row{key: letterOf(p.GetGroup())} },
	byDistance: func(p *adminpb.Peer) row { return row{key: distanceOf(p)} },
	byEnd:      func(p *adminpb.Peer) row { return row{key: -orMissing(p.GetLeaf().GetNotAfter())} },
	byName:     func(*adminpb.Peer) row { return row{} },
}

func orMissing(n int64) float64 {
	if n == 0 {
		return math.NaN()
	}
	return float64(n)
}

// letterOf orders groups by their letters: Z comes before AA.
func letterOf(group string) float64 {
	n := math.NaN()
	for i, r := range group {
		if i == 0 {
			n = 0
		}
		n = n*27 + float64(r-'A'+1)
	}
	return n
}

// compare is the order of two rows. Turned round, what is not known still comes last.
func (r row) compare(other row, backward bool) int {
	turn := 1
	if backward {
		turn = -1
	}
	unknown := func(r row) int {
		if math.IsNaN(r.key) {
			return 1
		}
		return 0
	}
	switch {
	case r.rank != other.rank:
		return turn * cmp.Compare(r.rank, other.rank)
	case unknown(r) != unknown(other):
		return cmp.Compare(unknown(r), unknown(other))
	case r.key != other.key && unknown(r) == 0:
		return turn * cmp.Compare(other.key, r.key)
	case r.key == 0 && other.key == 0: // by name only
		return turn * strings.Compare(r.text, other.text)
	}
	return strings.Compare(r.text, other.text)
}

// rows are the peers of the table: those that the filter lets through, in the order that was asked for. While the cursor
// moves they stay as they were.
func (s *scene) rows() []*adminpb.Peer {
	if s.pic == nil {
		return nil
	}
	sorted := make([]row, 0, len(s.pic.GetPeers()))
	fits := filterOf(s.ui.filter)
	for _, p := range s.pic.GetPeers() {
		if fits(p) {
			r := rankers[s.ui.sort](p)
			r.peer, r.text = p, name(p)
			sorted = append(sorted, r)
		}
	}
	slices.SortFunc(sorted, func(a, b row) int {
		return cmp.Or(a.compare(b, s.ui.backward), strings.Compare(a.peer.GetId(), b.peer.GetId()))
	})
	rows := make([]*adminpb.Peer, len(sorted))
	for i, r := range sorted {
		rows[i] = r.peer
	}
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
