package tui

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/g2g-net/g2g/proto/adminpb"
)

// A page is what fills the screen between the verdict and the keys.
type page int

const (
	overviewPage page = iota
	peerPage
	eventsPage
)

// A scene is everything that a screen is drawn from. Drawing changes nothing in it.
type scene struct {
	pic    *picture // nil before the first
	past   *history
	events []*adminpb.Event // oldest first
	link   link
	now    time.Time // of the clock on the screen, in its zone
	look   *look
	ui     ui
	w, h   int
}

// A link is how the node is reached.
type link struct {
	name   string    // of what is watched: the node's folder, or a recording
	replay bool      // the pictures come from a recording
	ended  bool      // and it is over
	at     time.Time // when the last picture came, by the screen's clock
	down   string    // why there is no connection; empty while there is one
	try    int       // which attempt is next
	next   time.Time // and when
}

// ui is what the person at the keys has chosen.
type ui struct {
	page     page
	help     bool
	cursor   string // ID of the selected peer
	top      int    // first row of the table that is shown
	sort     sortKey
	backward bool
	filter   string
	hidden   [columnKinds]bool
	zoom     panelKind
	fitted   bool // the axis of the lanes holds only the decades in use
	back     int  // how much of the past the charts show: an index of spans
	serious  bool // only events that are warnings or errors
	kind     string
	eventTop int // how many events the list is scrolled back
	held     []string
	until    time.Time // until when held is the order of the rows
	paused   time.Time // when; zero for not
	waiting  int       // pictures that came since
	note     string
	noteBad  bool
	prompt   *prompt
	choosing bool // of columns
	choice   int
	keys     keyMap
	briefs   []string // of the controls among them
	actions  bool
	every    time.Duration
}

// A picture is a snapshot with what views look up in it.
type picture struct {
	*adminpb.Snapshot
	byID   map[string]*adminpb.Peer
	counts counts
	lanes  []lane
	far    *adminpb.Peer // the living peer with the greatest latency; nil for none
	end    leafEnd       // the certificate that ends first
}

// counts are of the others that are in server mode, as in `g2g status`.
type counts struct{ alive, late, dead, left, evicted int }

// A lane is a group with the peers that stand in it, nearest first.
type lane struct {
	letter string
	word   string // far, mid, near
	label  float64
	peers  []spot
}

// A spot is a peer at its latency.
type spot struct {
	id string
	ms float64
}

func newPicture(s *adminpb.Snapshot) *picture {
	p := &picture{Snapshot: s, byID: make(map[string]*adminpb.Peer, len(s.GetPeers()))}
	for _, peer := range s.GetPeers() {
		p.byID[peer.GetId()] = peer
		p.counts.add(peer)
	}
	p.lanes, p.far, p.end = lanesOf(p), p.farthest(), p.nextEnd()
	return p
}

func (c *counts) add(p *adminpb.Peer) {
	if p.GetMode() == "client" {
		return
	}
	switch p.GetState() {
	case "alive":
		c.alive++
	case "late":
		c.late++
	case "dead":
		c.dead++
	case "left":
		c.left++
	case "evicted":
		c.evicted++
	}
}

// lanesOf gives a lane to each group, farthest first, and one more to peers that have a latency and no group any more.
func lanesOf(p *picture) []lane {
	groups := p.GetSelf().GetGroups()
	lanes := make([]lane, 0, len(groups)+1)
	placed := map[string]bool{}
	for i, g := range groups {
		l := lane{letter: g.GetLetter(), word: farness(i, len(groups)), label: g.GetLabelMs()}
		for _, m := range g.GetMembers() {
			l.peers = append(l.peers, spot{m.GetId(), m.GetLatencyMs()})
			placed[m.GetId()] = true
		}
		lanes = append(lanes, l)
	}
	out := lane{letter: "-", word: "out", label: math.NaN()}
	for _, peer := range p.GetPeers() {
		if placed[peer.GetId()] || peer.LatencyMs == nil {
			continue
		}
		s := spot{peer.GetId(), peer.GetLatencyMs()}
		i := slices.IndexFunc(lanes, func(l lane) bool { return l.letter == peer.GetGroup() })
		if i < 0 || peer.GetGroup() == "" {
			out.peers = append(out.peers, s)
			continue
		}
		lanes[i].peers = append(lanes[i].peers, s)
	}
	if len(out.peers) > 0 {
		lanes = append([]lane{out}, lanes...)
	}
	return lanes
}

// farness is the word for a group's place among n: the order pops from the far half and from its mirror in turn.
func farness(i, n int) string {
	switch {
	case n == 1:
		return "all"
	case 2*i+1 == n:
		return "mid"
	case 2*i < n:
		return "far"
	}
	return "near"
}

// slot is the time of the picture in the history.
func (s *scene) slot() int64 {
	if s.pic == nil {
		return 0
	}
	return slotOf(s.pic.GetTimeMs())
}

// patience is how old a picture may be before the node counts as silent.
func (s *scene) patience() time.Duration { return max(10*time.Second, 3*s.ui.every) }

// stale says whether what is shown is no longer so.
func (s *scene) stale() bool {
	if s.pic == nil || s.link.replay {
		return false
	}
	return s.link.down != "" || s.now.Sub(s.link.at) > s.patience()
}

// A mark is how a state is shown: a shape, a word and a colour that say the same.
type mark struct {
	glyph string
	word  string
	brief string // of at most four letters
	s     style
}

func markOf(p *adminpb.Peer) mark {
	switch p.GetState() {
	case "alive":
		if p.GetUnreachable() {
			return mark{"◐", "no link", "link", warn}
		}
		return mark{"●", "alive", "ok", good}
	case "late":
		return mark{"▲", "late", "late", warn}
	case "dead":
		word := "dead"
		if r := p.GetReason(); r != "" {
			word = r
		}
		return mark{"✗", word, "dead", bad}
	case "left":
		return mark{"○", "left", "left", dim}
	case "evicted":
		return mark{"⊘", "evicted", "evic", bad}
	}
	return mark{"?", p.GetState(), "?", dim}
}

// worse orders states by how much they ask for somebody's attention.
func worse(p *adminpb.Peer) int {
	switch p.GetState() {
	case "dead":
		return 0
	case "late":
		return 1
	case "alive":
		if p.GetUnreachable() {
			return 2
		}
		return 3
	case "evicted":
		return 4
	}
	return 5
}

// name is what a peer is called; its ID where it has not said.
func name(p *adminpb.Peer) string {
	if p.GetName() != "" {
		return p.GetName()
	}
	return short(p.GetId())
}

// named is what an ID is called, as far as this picture knows.
func (p *picture) named(id string) string {
	if peer, ok := p.byID[id]; ok {
		return name(peer)
	}
	if id != "" && id == p.GetSelf().GetId() && p.GetSelf().GetName() != "" {
		return p.GetSelf().GetName()
	}
	return short(id)
}

// A leafEnd is when somebody's certificate ends.
type leafEnd struct {
	name string
	left time.Duration
	s    style // plain while there is time, warn in the last quarter of its life, bad in the last twelfth
	ok   bool  // an end is known
}

func endOf(name string, l *adminpb.Leaf, nowMs int64) leafEnd {
	if l.GetNotAfter() == 0 {
		return leafEnd{name: name}
	}
	left := millis(min(max(l.GetNotAfter(), -maxMillis/1000), maxMillis/1000)*1000 - nowMs)
	life := day
	if l.GetNotBefore() > 0 && l.GetNotAfter() > l.GetNotBefore() {
		life = millis(min(l.GetNotAfter()-l.GetNotBefore(), maxMillis/1000) * 1000)
	}
	end := leafEnd{name: name, left: left, ok: true}
	switch {
	case left < life/12:
		end.s = bad
	case left < life/4:
		end.s = warn
	}
	return end
}

// text is the time that is left, with a mark when it is short.
func (e leafEnd) text() string {
	switch {
	case !e.ok:
		return "-"
	case e.left <= 0:
		return "ended!"
	case e.s != plain:
		return span(e.left) + "!"
	}
	return span(e.left)
}

// nextEnd is whose certificate ends first: a peer's that is still there, or this node's own.
func (p *picture) nextEnd() leafEnd {
	next := endOf(p.GetSelf().GetName(), p.GetSelf().GetLeaf(), p.GetTimeMs())
	for _, peer := range p.GetPeers() {
		if state := peer.GetState(); state == "left" || state == "evicted" || state == "dead" {
			continue
		}
		if end := endOf(name(peer), peer.GetLeaf(), p.GetTimeMs()); end.ok && (!next.ok || end.left < next.left) {
			next = end
		}
	}
	return next
}

// farthest is the living peer with the greatest latency, or nil.
func (p *picture) farthest() *adminpb.Peer {
	var far *adminpb.Peer
	for _, peer := range p.GetPeers() {
		if peer.GetState() != "alive" || peer.GetMode() == "client" || peer.LatencyMs == nil {
			continue
		}
		if far == nil || peer.GetLatencyMs() > far.GetLatencyMs() {
			far = peer
		}
	}
	return far
}

// sweep is the letters of the groups in the order of the first round of queries.
func (p *picture) sweep() []string {
	var letters []string
	for _, place := range p.GetSelf().GetOrder() {
		if slices.Contains(letters, place.GetGroup()) {
			break
		}
		letters = append(letters, place.GetGroup())
	}
	return letters
}

// inState is the names of the peers in a state that the counts count.
func (p *picture) inState(state string) (names []string, reasons []string) {
	for _, peer := range p.GetPeers() {
		if peer.GetState() != state || peer.GetMode() == "client" {
			continue
		}
		names = append(names, name(peer))
		if r := peer.GetReason(); r != "" && !slices.Contains(reasons, r) {
			reasons = append(reasons, r)
		}
	}
	return names, reasons
}

// unlinked counts the living, of those that the counts count, to whom there is no connection from here.
func (p *picture) unlinked() (n int) {
	for _, peer := range p.GetPeers() {
		if peer.GetUnreachable() && peer.GetMode() != "client" && (peer.GetState() == "alive" || peer.GetState() == "late") {
			n++
		}
	}
	return n
}

// clock is a moment of the node, in the zone of the screen.
func (s *scene) clock(ms int64, layout string) string {
	if ms == 0 {
		return strings.Repeat("-", min(len(layout), 1))
	}
	return time.UnixMilli(ms).In(s.now.Location()).Format(layout)
}
