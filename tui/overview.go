package tui

// The least screen that is drawn; below it five lines say what they can.
const minWidth, minHeight = 60, 16

// View draws a scene. It is never wider nor higher than the scene says, and its lines do not wrap.
func view(s *scene) string {
	if s.w <= 0 || s.h <= 0 {
		return ""
	}
	c := newCanvas(s.w, s.h)
	a := c.area()
	if s.w < minWidth || s.h < minHeight {
		drawSmall(a, s)
		return c.text(s.look)
	}
	drawTitle(a.at(0, 0, a.w, 1), s)
	verdict(a.at(0, 1, a.w, 1), s)
	body := a.at(0, 2, a.w, a.h-3)
	drawBody(body, s)
	if s.stale() {
		a.at(0, 1, a.w, a.h-2).mute()
	}
	drawFooter(a.at(0, a.h-1, a.w, 1), s)
	switch {
	case s.ui.help:
		drawHelp(body, s)
	case s.ui.choosing:
		drawChooser(body, s)
	}
	return c.text(s.look)
}

func drawBody(a area, s *scene) {
	framed := s.framed()
	switch {
	case s.pic == nil:
		drawWaiting(a, s)
	case s.ui.page == peerPage && s.pic.byID[s.ui.cursor] != nil:
		drawPeer(a, s, s.pic.byID[s.ui.cursor], framed)
	case s.ui.page == peerPage:
		in := panel(a, framed, "peer "+short(s.ui.cursor), nil)
		in.put(0, 0, warn, "this peer is no longer known to the node")
	case s.ui.page == eventsPage:
		drawEvents(a, s, framed, "events", "")
	case s.ui.zoom != noPanel:
		drawPanel(a, s, s.ui.zoom, framed)
	default:
		for _, p := range overview(s, a) {
			drawPanel(p.area, s, p.kind, framed)
		}
	}
}

// framed says whether panels have borders all round, for which a small screen has no room.
func (s *scene) framed() bool { return s.w >= 100 && s.h >= 30 }

// A placed panel has its part of the screen.
type placed struct {
	kind panelKind
	area area
}

// overview parts the screen among the panels. The peers get what the others leave.
func overview(s *scene, a area) []placed {
	if !s.framed() {
		return smallOverview(s, a)
	}
	lanes := max(1, len(s.pic.lanes))
	lanesHeight := min(lanes, max(4, (a.h-22)/2)) + 4
	orderWidth := a.w * 2 / 3
	if a.w-orderWidth < 42 {
		orderWidth = a.w - 42
	}
	const orderHeight = 5
	peersTop := lanesHeight + orderHeight
	out := []placed{
		{lanesPanel, a.at(0, 0, a.w, lanesHeight)},
		{orderPanel, a.at(0, lanesHeight, orderWidth, orderHeight)},
		{distancePanel, a.at(orderWidth, lanesHeight, a.w-orderWidth, orderHeight)},
	}
	if a.w >= 150 {
		events := a.w / 3
		return append(out, placed{peersPanel, a.at(0, peersTop, a.w-events, a.h-peersTop)},
			placed{eventsPanel, a.at(a.w-events, peersTop, events, a.h-peersTop)})
	}
	events := max(4, min(8, (a.h-peersTop)/5), a.h-peersTop-len(s.pic.GetPeers())-tableBorder(true)-1) // or what the peers leave
	return append(out, placed{peersPanel, a.at(0, peersTop, a.w, a.h-peersTop-events)},
		placed{eventsPanel, a.at(0, a.h-events, a.w, events)})
}

// smallOverview has rules for borders and no room for distances and events.
func smallOverview(s *scene, a area) []placed {
	order := 3
	if a.h < 18 {
		order = 2
	}
	lanes := min(max(1, len(s.pic.lanes)), max(4, (a.h-order-1)/2)) + 2
	top := lanes + order
	return []placed{
		{lanesPanel, a.at(0, 0, a.w, lanes)}, {orderPanel, a.at(0, lanes, a.w, order)}, {peersPanel, a.at(0, top, a.w, a.h-top)},
	}
}

func drawPanel(a area, s *scene, kind panelKind, framed bool) {
	switch kind {
	case lanesPanel:
		drawLanes(a, s, framed)
	case orderPanel:
		drawOrder(a, s, framed)
	case distancePanel:
		drawDistance(a, s, framed)
	case peersPanel:
		drawPeers(a, s, framed)
	case eventsPanel:
		drawEvents(a, s, framed, "events", "")
	case noPanel, panelKinds:
	}
}

// tableHeight is how many rows of peers the scene shows.
func tableHeight(s *scene) int {
	if s.pic == nil {
		return 0
	}
	a := newCanvas(s.w, 0).area()
	a.h = max(0, s.h-3)
	if s.ui.zoom == peersPanel {
		return max(0, a.h-tableBorder(s.framed())-1)
	}
	for _, p := range overview(s, a) {
		if p.kind == peersPanel {
			return max(0, p.area.h-tableBorder(s.framed())-1)
		}
	}
	return 0
}
