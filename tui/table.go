package tui

import (
	"fmt"
	"math"
	"strings"

	"github.com/g2g-net/g2g/proto/adminpb"
)

// A columnKind is a column of the table of peers.
type columnKind int

const (
	stateColumn columnKind = iota
	nameColumn
	groupColumn
	placeColumn
	latencyColumn
	sparkColumn
	medianColumn
	p99Column
	ageColumn
	barColumn
	ageSparkColumn
	distanceColumn
	endColumn
	epochColumn
	modeColumn
	depthColumn
	witnessColumn
	addressColumn
	columnKinds
)

// A column says how its cells are made. The bar and the sparklines are drawn, not written.
type column struct {
	title string
	help  string
	width int
	left  bool // cells begin at its left end
	cell  func(s *scene, p *adminpb.Peer) word
}

// dropped is the order in which columns go when there is no room for all.
var dropped = []columnKind{
	addressColumn, depthColumn, epochColumn, modeColumn, witnessColumn, ageSparkColumn, medianColumn, p99Column, sparkColumn,
	distanceColumn, groupColumn, endColumn, placeColumn, latencyColumn, barColumn, ageColumn,
}

// hiddenAtFirst are the columns that `c` brings.
var hiddenAtFirst = [columnKinds]bool{
	medianColumn: true, p99Column: true, epochColumn: true, modeColumn: true, depthColumn: true, witnessColumn: true, addressColumn: true,
}

var columns = [columnKinds]column{
	stateColumn: {title: "STATE", help: "state, with the reason of a dead one", width: 9, left: true},
	nameColumn: {title: "PEER", help: "name", left: true, cell: func(_ *scene, p *adminpb.Peer) word {
		return word{plain, name(p)}
	}},
	groupColumn: {title: "GRP", help: "latency group; A is the nearest", width: 3, left: true, cell: func(_ *scene, p *adminpb.Peer) word {
		return word{plain, " " + orDash(p.GetGroup())}
	}},
	placeColumn: {title: "#", help: "place in the query order", width: 3, cell: func(_ *scene, p *adminpb.Peer) word {
		if p.GetPosition() == 0 {
			return word{dim, "·"}
		}
		return word{plain, fmt.Sprint(p.GetPosition())}
	}},
	latencyColumn: {title: "RTT", help: "round trip, the quickest fifth of the last ones", width: 7, cell: func(_ *scene, p *adminpb.Peer) word {
		return word{plain, latency(latencyOf(p))}
	}},
	sparkColumn: {title: "last 60 s", help: "round trips of the last minute", width: 20, left: true},
	medianColumn: {title: "MEDIAN", help: "median round trip", width: 7, cell: func(_ *scene, p *adminpb.Peer) word {
		return word{plain, latency(orNaN(p.MedianMs))}
	}},
	p99Column: {title: "P99", help: "99th percentile of the round trips", width: 7, cell: func(_ *scene, p *adminpb.Peer) word {
		return word{plain, latency(orNaN(p.P99Ms))}
	}},
	ageColumn: {title: "AGE", help: "how long ago its signature advanced", width: 6, cell: func(_ *scene, p *adminpb.Peer) word {
		return word{ageStyle(p), span(millis(p.GetAgeMs()))}
	}},
	barColumn:      {title: "SIG. AGE", help: "the age against its limit", left: true},
	ageSparkColumn: {title: "age, 60 s", help: "ages of the last minute", width: 20, left: true},
	distanceColumn: {title: "DIST", help: "distance of its signature", width: 5, cell: func(_ *scene, p *adminpb.Peer) word {
		return word{plain, distance(distanceOf(p))}
	}},
	endColumn: {title: "CERT", help: "until its certificate ends", width: 6, cell: func(s *scene, p *adminpb.Peer) word {
		end := endOf("", p.GetLeaf(), s.pic.GetTimeMs())
		st := end.s
		if st != plain {
			st |= bold
		}
		return word{st, end.text()}
	}},
	epochColumn: {title: "EPOCH", help: "of its certificate", width: 10, cell: func(_ *scene, p *adminpb.Peer) word {
		if p.GetLeaf().GetEpoch() == 0 {
			return word{dim, "-"}
		}
		return word{plain, fmt.Sprint(p.GetLeaf().GetEpoch())}
	}},
	modeColumn: {title: "MODE", help: "server or client", width: 6, left: true, cell: func(_ *scene, p *adminpb.Peer) word {
		return word{plain, orDash(p.GetMode())}
	}},
	depthColumn: {title: "DEPTH", help: "admissions up to the founder", width: 5, cell: func(_ *scene, p *adminpb.Peer) word {
		return word{plain, fmt.Sprint(p.GetDepth())}
	}},
	witnessColumn: {title: "WIT", help: "peers that brought no news of it since it is late", width: 3, cell: func(_ *scene, p *adminpb.Peer) word {
		return word{plain, fmt.Sprint(p.GetWitnesses())}
	}},
	addressColumn: {title: "ADDRESS", help: "the first it tells", width: 21, left: true, cell: func(_ *scene, p *adminpb.Peer) word {
		if len(p.GetAddresses()) == 0 {
			return word{dim, "-"}
		}
		return word{plain, p.GetAddresses()[0]}
	}},
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

func ageStyle(p *adminpb.Peer) style {
	switch m := markOf(p); m.s {
	case warn, bad:
		return m.s | bold
	}
	return plain
}

// A slotted column has its place in the table.
type slotted struct {
	kind columnKind
	x, w int
}

const (
	gap    = 1  // between columns
	minBar = 14 // columns of a bar that still tells something
	margin = 1  // for the cursor
)

// layout gives each column its place. Those for which there is no room are left out; the bar takes what is left over.
func layout(s *scene, rows []*adminpb.Peer, w int) []slotted {
	widths := [columnKinds]int{}
	for k := range columns {
		widths[k] = columns[k].width
	}
	widths[nameColumn] = 4
	for _, p := range rows {
		widths[nameColumn] = max(widths[nameColumn], width(name(p)))
	}
	widths[nameColumn] = min(widths[nameColumn], max(8, w/7))
	widths[barColumn] = minBar
	if w < 70 {
		widths[stateColumn] = 6
	}
	on := [columnKinds]bool{}
	total := margin
	for k := range on {
		on[k] = !s.ui.hidden[k] && (columnKind(k) != ageSparkColumn || w >= 130)
		if on[k] {
			total += widths[k] + gap
		}
	}
	for _, k := range dropped {
		if total <= w {
			break
		}
		if on[k] {
			on[k] = false
			total -= widths[k] + gap
		}
	}
	if on[barColumn] && total < w {
		widths[barColumn] += min(w-total, 60)
	}
	var slots []slotted
	x := margin
	for k := range on {
		if on[k] {
			slots = append(slots, slotted{columnKind(k), x, widths[k]})
			x += widths[k] + gap
		}
	}
	return slots
}

// drawPeers is the table: a header, and the rows around the selected one.
func drawPeers(a area, s *scene, framed bool) {
	rows := s.rows()
	n := max(0, a.h-tableBorder(framed)-1)
	cursor := place(rows, s.ui.cursor)
	top := scroll(s.ui.top, cursor, n, len(rows))
	in := panel(a, framed, tableTitle(s), tableRight(s, top, min(top+n, len(rows)), len(rows)))
	if in.w == 0 || in.h == 0 {
		return
	}
	in = area{c: in.c, x: in.x - 1, y: in.y, w: in.w + 1, h: in.h} // the cursor stands at the border
	slots := layout(s, rows, in.w)
	drawHeader(in, s, slots)
	if len(rows) == 0 {
		in.put(1, 1, dim, "no peer"+map[bool]string{true: " fits the filter", false: " yet"}[s.ui.filter != ""])
		return
	}
	for y, p := range rows[top:min(top+n, len(rows))] {
		drawRow(in, y+1, s, p, slots, top+y == cursor && s.ui.cursor != "")
	}
}

func tableBorder(framed bool) int {
	if framed {
		return 2
	}
	return 1
}

func tableTitle(s *scene) string {
	if s.ui.filter != "" {
		return "peers [/" + s.ui.filter + "]"
	}
	return "peers"
}

func tableRight(s *scene, from, to, total int) []word {
	if total > 0 {
		from++
	}
	direction := "▾"
	if s.ui.backward {
		direction = "▴"
	}
	of := fmt.Sprintf("%d-%d of %d", from, to, total)
	if all := len(s.pic.GetPeers()); all != total {
		of += fmt.Sprintf(" (%d in all)", all)
	}
	sorted := "  sorted by "
	if s.ui.sort == byTrouble {
		sorted = "  "
	}
	return []word{{plain, of}, {dim, sorted}, {plain, sortNames[s.ui.sort] + " " + direction}}
}

func drawHeader(a area, s *scene, slots []slotted) {
	for _, sl := range slots {
		c := columns[sl.kind]
		st := dim
		if sortedColumns[s.ui.sort] == sl.kind {
			st = bold
		}
		switch {
		case sl.kind == barColumn:
			drawBarHeader(a.at(sl.x, 0, sl.w, 1), s)
		case c.left:
			a.put(sl.x, 0, st, fit(c.title, sl.w))
		default:
			a.right(sl.x+sl.w, 0, st, c.title)
		}
	}
}

// limitAt is the column of a bar where the limit stands: the same in every row, so that the limits are one line.
func limitAt(w int) int { return w * 3 / 4 }

// drawBarHeader says what the limit is and how many ages it stands on.
func drawBarHeader(a area, s *scene) {
	self := s.pic.GetSelf()
	if self.GetLimitMs() <= 0 {
		a.put(0, 0, dim, fit(fmt.Sprintf("no limit yet (n %d)", self.GetLimitN()), a.w))
		return
	}
	at := limitAt(a.w)
	limit := "limit " + span(millis(self.GetLimitMs()))
	for _, text := range []string{fmt.Sprintf("%s (n %d)", limit, self.GetLimitN()), limit, span(millis(self.GetLimitMs()))} {
		if width(text) > at {
			continue
		}
		a.right(at, 0, plain, text)
		if width(text)+9 <= at {
			a.put(0, 0, dim, "SIG. AGE")
		}
		break
	}
	a.put(at, 0, bold, "┃")
}

func drawRow(a area, y int, s *scene, p *adminpb.Peer, slots []slotted, selected bool) {
	if selected {
		a.put(0, y, bold, "▸")
	}
	m := markOf(p)
	for _, sl := range slots {
		switch sl.kind {
		case stateColumn:
			x := a.put(sl.x, y, m.s|bold, m.glyph)
			st := m.s
			if m.s == good {
				st = plain
			}
			text := m.word
			if sl.w < columns[stateColumn].width {
				text = m.brief
			}
			a.put(x+1, y, st, fit(text, sl.w-2))
		case sparkColumn:
			a.put(sl.x, y, dim, sparkline(condense(s.past.window(p.GetId(), latencies, s.slot(), minute), sl.w)))
		case ageSparkColumn:
			a.put(sl.x, y, dim, sparkline(condense(s.past.window(p.GetId(), ages, s.slot(), minute), sl.w)))
		case barColumn:
			drawBar(a.at(sl.x, y, sl.w, 1), s, p)
		default:
			drawCell(a, y, s, p, sl, selected)
		}
	}
}

func drawCell(a area, y int, s *scene, p *adminpb.Peer, sl slotted, selected bool) {
	c := columns[sl.kind]
	w := c.cell(s, p)
	text := fit(w.text, sl.w)
	st := w.s
	if p.GetState() == "left" || p.GetState() == "evicted" {
		st = dim
	}
	if c.left {
		if selected && sl.kind == nameColumn {
			st, text = st|reverse|bold, pad(text, sl.w)
		}
		a.put(sl.x, y, st, text)
		return
	}
	a.right(sl.x+sl.w, y, st, text)
}

// drawBar shows an age against its limit, which stands in one column whatever it is. Where there is no limit there is no bar.
func drawBar(a area, s *scene, p *adminpb.Peer) {
	limit := p.GetLimitMs()
	if limit <= 0 {
		limit = s.pic.GetSelf().GetLimitMs()
	}
	if limit <= 0 || a.w < 4 || p.GetState() == "left" || p.GetState() == "evicted" {
		return
	}
	at := limitAt(a.w)
	scale := float64(at) / float64(limit)
	halves := int(math.Round(min(max(float64(p.GetAgeMs()), 0)*scale, float64(4*a.w)) * 2))
	st := markOf(p).s
	full := min(halves/2, a.w)
	a.put(0, 0, st, strings.Repeat("━", full))
	if halves%2 == 1 && full < a.w {
		a.put(full, 0, st, "╸")
	}
	if halves > 2*a.w {
		a.put(a.w-1, 0, st|bold, "▶")
	}
	if mean := s.pic.GetSelf().GetMeanMs(); mean > 0 && !math.IsInf(mean, 0) {
		if m := int(min(mean*scale, float64(a.w))); m > full && m < at {
			a.put(m, 0, dim, "┊")
		}
	}
	a.put(at, 0, bold, "┃")
}
