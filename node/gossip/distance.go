package gossip

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/g2g-net/g2g/node/latency"
	"github.com/g2g-net/g2g/node/order"
	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

const (
	rebuildEvery    = 30 * time.Second
	activeSpacing   = 45 * time.Second // between two round trips to an active peer
	visitSpacing    = 15 * time.Second // between two visits of peers that are not active
	firstSpacing    = 8 * time.Second  // the same while some were never measured
	roundsApart     = time.Second      // between two rounds, when peers are measured for the first time, for each placedAtOnce that were measured
	placedAtOnce    = 4
	placedSlower    = 32               // peers measured, for each of which after the first that time is as long once more
	regroupedAtOnce = 32               // peers measured: for each so many more groups wait for a round more
	restsFor        = 45 * time.Second // for how long the connection of a visit may be counted on
	turnsApart      = 16               // peers that take turns, for each of which one more is drawn at once
	keptVisited     = 24               // peers that take turns, up to which the connections to them stay
	strainedSpacing = 5 * time.Second  // between two looks at which a strained node measures: one whose machine is always busy knows distances too
	measuredAtOnce  = 4                // active peers asked for round trips in one look
	measureTimeout  = 5 * time.Second  // for the round trips of one visit, with its handshake
)

// distances are how far away the peers are, and what follows from it.
//
//  1. of has only peers that were in the view at the last round, or were measured since.
//  2. places is made of groups and of the view as it was when stale was last false.
type distances struct {
	of       map[pki.ID]*path
	grouping *latency.Grouping
	groups   []latency.Group // of the last round, farthest first
	places   []order.Place[pki.ID]
	spare    []pki.ID // room for the next told
	told     []pki.ID // who was in the order when its change was last told, ordered
	untold   bool     // who may be in the order may have changed since
	stale    bool     // the same, since the order was made
	news     bool     // the order is another than Effects last said
	visited  int      // peers that take turns in being visited
	turns    []turn   // the next of them
	next     time.Time
	regroup  time.Time // no round groups the peers anew before
	visit    time.Time
	active   time.Time // when the next active peer is to be measured, of those that were active then
	anyway   time.Time // a strained node measures nobody before
}

// path is what is remembered of measuring one peer.
type path struct {
	samples latency.Samples
	asked   time.Time // or when it visited this node last
	visited time.Time // when this node called it last, over a connection that rests for a while
	asking  bool
}

// A turn is whose it is to be visited, as long as the peer was not measured since it was drawn.
type turn struct {
	id    pki.ID
	asked time.Time
}

func newDistances(now time.Time, r *latency.Room) distances {
	return distances{of: map[pki.ID]*path{}, grouping: latency.NewGrouping(r), next: now, visit: now, stale: true, untold: true}
}

func (m *Machine) path(id pki.ID) *path {
	d := m.distances.of[id]
	if d == nil {
		d = &path{}
		m.distances.of[id] = d
	}
	return d
}

// measure asks for round trips, once a look. Active peers are asked regularly: it costs a small call each. Of the others one at a time is
// visited, those measured longest ago first: that costs a handshake. So the cost does not grow with the view, and yet everybody in it is
// measured in turn. Who cannot be reached is visited too, which brings it back.
func (m *Machine) measure(now time.Time) {
	if m.starting(now) || m.strained() && now.Before(m.distances.anyway) {
		return // what is measured now is how busy this machine is
	}
	m.distances.anyway = now.Add(strainedSpacing)
	if !now.Before(m.distances.active) {
		m.askActive(now)
	}
	m.retry(now)
	if now.Before(m.distances.visit) {
		return
	}
	m.distances.visit = now.Add(visitSpacing)
	if t, ok := m.nextTurn(); ok {
		if t.asked.IsZero() {
			m.distances.visit = now.Add(firstSpacing)
		}
		m.ask(now, t.id, m.path(t.id))
	}
}

// askActive asks for round trips to those active peers whose time has come, and finds when that of the next one does.
func (m *Machine) askActive(now time.Time) {
	m.distances.active = now.Add(activeSpacing)
	asked := 0
	for _, id := range m.active {
		d := m.path(id)
		if !now.Before(d.asked.Add(activeSpacing)) && !d.asking && asked < measuredAtOnce {
			asked++
			m.ask(now, id, d)
		}
		m.distances.active = earliest(m.distances.active, d.asked.Add(activeSpacing))
	}
}

// Warm tells whether a connection to the peer stays when it is not used: to an active one, and where few take turns in being visited to all,
// since a handshake costs more than a connection that rests until the next visit.
func (m *Machine) Warm(id pki.ID) bool {
	return m.Active(id) || m.distances.visited <= keptVisited && m.view.Get(id) != nil
}

// connected tells whether a connection to the peer is likely up.
func (m *Machine) connected(now time.Time, id pki.ID) bool {
	d := m.distances.of[id]
	return d != nil && !d.asking && !d.visited.IsZero() && now.Sub(d.visited) < restsFor
}

// retry visits one peer that could not be reached, when its time has come. Peers that are sought to be active are dialled anyway; this one
// comes back to the order without being needed.
func (m *Machine) retry(now time.Time) {
	if !m.unreachable {
		return
	}
	for _, e := range m.view.Entries() {
		if !e.Unreachable || !m.measurable(e) || m.attempt(e.ID).joining || now.Before(m.attempt(e.ID).next) {
			continue
		}
		if d := m.path(e.ID); !d.asking {
			m.ask(now, e.ID, d)
			return
		}
	}
}

// ask has the driver measure a peer. One that is not known well yet is asked for as much as a visit brings.
func (m *Machine) ask(now time.Time, id pki.ID, d *path) {
	count := MaxPings
	if d.asked.IsZero() {
		count = latency.Enough // a place now; more in its turn
	}
	if m.Active(id) && d.samples.Count(now.Add(-latency.Fresh)) >= latency.Enough || m.view.Get(id).Unreachable {
		count = 1 // of one that is not reached an answer is what is asked for; the rest comes in its turn
	}
	d.asked, d.visited, d.asking = now, now, true
	m.send(now, id, PingRequest{Count: count})
	s := &m.effects.Sends[len(m.effects.Sends)-1]
	s.Fresh = m.attempt(id).failures > 0
	if count > 1 {
		s.Timeout = measureTimeout
	}
}

// nextTurn is the peer to visit next. Where many take turns, one look at all of them finds the next few, which are those measured longest ago.
func (m *Machine) nextTurn() (turn, bool) {
	if t, ok := m.takeTurn(); ok {
		return t, true
	}
	m.drawTurns()
	return m.takeTurn()
}

// takeTurn takes the first that may still be visited, of those drawn.
func (m *Machine) takeTurn() (turn, bool) {
	return takeFirst(&m.distances.turns, func(t turn) bool {
		e, d := m.view.Get(t.id), m.distances.of[t.id]
		if d == nil {
			d = &path{}
		}
		return e != nil && m.measurable(e) && !m.Active(t.id) && !d.asking && d.asked.Equal(t.asked)
	})
}

// drawTurns counts who takes turns, and finds whose is next, one of each turnsApart: those measured longest ago, of those never measured some by
// chance, or all nodes would visit the same ones.
func (m *Machine) drawTurns() {
	m.distances.visited = 0
	active, ids := ascending(m.active), m.view.IDs()
	all := m.room.turns[:0]
	for i, e := range m.view.Walk() {
		if !m.measurable(e) || active.has(ids[i]) {
			continue
		}
		m.distances.visited++
		if d := m.distances.of[ids[i]]; d == nil {
			all = append(all, turn{id: ids[i]})
		} else if !d.asking {
			all = append(all, turn{ids[i], d.asked})
		}
	}
	m.room.turns = all
	m.cfg.Random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	slices.SortStableFunc(all, func(a, b turn) int { return a.asked.Compare(b.asked) })
	m.distances.turns = slices.Clone(all[:min(len(all), 1+m.distances.visited/turnsApart)])
}

// takesTurn has a newcomer visited before those who were measured. Where all who were drawn are new it waits for the next draw, as others do.
func (m *Machine) takesTurn(e *view.Entry) {
	if d := m.distances.of[e.ID]; !e.Server() || d != nil && !d.asked.IsZero() {
		return // it has none, or was measured before it left
	}
	m.distances.visited++ // until the next draw counts them anew
	turns := m.distances.turns
	measured := slices.IndexFunc(turns, func(t turn) bool { return !t.asked.IsZero() })
	if len(turns) > view.MaxServers {
		m.distances.turns = nil // all are drawn anew
	} else if measured >= 0 {
		m.distances.turns = slices.Insert(turns, m.cfg.Random.IntN(measured+1), turn{id: e.ID})
	}
}

// measurable tells whether a peer has a place among the groups: it can be called, and it is not gone.
func (m *Machine) measurable(e *view.Entry) bool {
	return e.Server() && e.State != view.Unheard && !e.State.Fallen()
}

// pinged takes the round trips that a visit brought.
func (m *Machine) pinged(now time.Time, id pki.ID, rtts []time.Duration) {
	m.path(id).asking = false
	for _, rtt := range rtts {
		m.Measure(now, id, rtt)
	}
}

// Timed takes round trips to a peer that visited this node, as timed on this side: then it need not be visited. So of two that are not
// active peers of each other one visits.
func (m *Machine) Timed(now time.Time, id pki.ID, rtts []time.Duration) {
	e := m.view.Get(id)
	if e == nil || !m.measurable(e) {
		return
	}
	m.path(id).asked = now
	for _, rtt := range rtts {
		m.Measure(now, id, rtt)
	}
}

// Measure takes one round trip to a peer: of a call of fixed size, over a connection that was up before. What is measured of
// anybody else, this node itself for one, counts for nothing.
func (m *Machine) Measure(now time.Time, id pki.ID, rtt time.Duration) {
	if m.view.Get(id) == nil {
		return
	}
	d := m.path(id)
	d.samples.Add(now, rtt)
	if d.samples.Count(now.Add(-latency.Fresh)) == latency.Enough { // it has a group of its own now
		in := placedIn(len(m.distances.of))
		if m.view.Full() {
			in = max(in, m.cfg.Rebuild) // it is one of hundreds, most of whom were not measured yet either
		}
		soon := now.Add(in)
		m.distances.next, m.distances.regroup = earliest(m.distances.next, soon), earliest(m.distances.regroup, soon)
	}
}

// placedIn is in what time groups are made anew where a peer may join one, of so many that were measured.
func placedIn(measured int) time.Duration {
	return roundsApart * time.Duration(1+measured/placedAtOnce*max(1, measured/placedSlower))
}

// estimate is what the round trips to a peer say now: those of some minutes, or where peers take turns in being visited for longer than
// that, of two cycles; a cycle is half of all visits, as the other half comes from the peers.
func (m *Machine) estimate(now time.Time, id pki.ID) latency.Estimate {
	d := m.distances.of[id]
	if d == nil {
		return latency.Estimate{}
	}
	return d.samples.Estimate(now.Add(-m.counts(id)))
}

// counts is for how long a round trip to a peer does. A visit brings several at once, so of visits fewer need to be kept: then a peer that
// moved is noticed as soon as one that is active.
func (m *Machine) counts(id pki.ID) time.Duration {
	if m.Active(id) {
		return latency.Fresh
	}
	return max(latency.Fresh/2, visitSpacing*time.Duration(m.distances.visited))
}

// round makes a new order, of new groups where it is time.
func (m *Machine) round(now time.Time) {
	m.distances.next = now.Add(m.cfg.Rebuild)
	if !now.Before(m.distances.regroup) {
		m.regroup(now)
	}
	m.reorder()
}

// regroup costs as much as there are peers, and as few of many are measured anew between two rounds: the more there are, the fewer rounds do it.
func (m *Machine) regroup(now time.Time) {
	peers := m.room.peers[:0]
	for id := range m.distances.of { // in any order: each is judged alone, and Update sorts those that count
		e := m.view.Get(id)
		if e == nil {
			delete(m.distances.of, id)
			continue
		}
		if estimate := m.estimate(now, id); estimate.N > 0 && m.measurable(e) {
			peers = append(peers, latency.Peer{ID: id, Estimate: estimate})
		}
	}
	m.room.peers = peers
	m.distances.regroup = now.Add(m.cfg.Rebuild * time.Duration(1+len(m.distances.of)/regroupedAtOnce)) // of those that are still there
	before := len(m.distances.groups)
	groups, change := m.distances.grouping.Update(peers)
	m.distances.groups = groups
	if change.Regrouped {
		m.notice(KindRegrouped, Info, pki.ID{}, "%d groups, were %d: %s%s", len(groups), before, labels(groups), m.moved(change.Moved))
	}
}

// labels is the groups for people, nearest first.
func labels(groups []latency.Group) string {
	var texts []string
	for i, g := range slices.Backward(groups) {
		texts = append(texts, fmt.Sprintf("%s %gms (%d)", latency.Letter(i, len(groups)), g.LabelMS(), len(g.Members)))
	}
	return strings.Join(texts, ", ")
}

// maxNamed is how many peers one notice names.
const maxNamed = 8

func (m *Machine) moved(ids []pki.ID) string {
	if len(ids) == 0 {
		return ""
	}
	return "; moved: " + m.names(ids)
}

func (m *Machine) names(ids []pki.ID) string {
	if m.cfg.Terse {
		return ""
	}
	var names []string
	for _, id := range ids[:min(len(ids), maxNamed)] {
		name := id.Short()
		if e := m.view.Get(id); e != nil {
			name = e.Name
		}
		names = append(names, name)
	}
	if more := len(ids) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	return strings.Join(names, ", ")
}

// reorder has the order made anew before somebody looks at it again. Until then it costs nothing.
func (m *Machine) reorder() {
	m.distances.stale, m.distances.untold, m.distances.news = true, true, true
}

// eligible tells whether a peer has a place in the order.
func eligible(e *view.Entry) bool {
	return e != nil && e.Server() && e.State == view.Alive && !e.Unreachable
}

// arrange makes the query order of the groups, and of who is there now.
func (m *Machine) arrange() {
	m.distances.stale = false
	stacks := make([][]pki.ID, len(m.distances.groups))
	grouped := make(map[pki.ID]bool, len(m.view.Entries()))
	for i, g := range m.distances.groups {
		for _, p := range g.Members {
			grouped[p.ID] = true
			if eligible(m.view.Get(p.ID)) {
				stacks[i] = append(stacks[i], p.ID)
			}
		}
	}
	var others []pki.ID
	for _, e := range m.view.Entries() {
		if !grouped[e.ID] && eligible(e) {
			others = append(others, e.ID)
		}
	}
	if stacks = append(stacks, others); m.cfg.Stacks {
		m.stack(stacks)
	} else {
		order.Shuffle(stacks, m.cfg.Random)
	}
	last := len(stacks) - 1
	m.distances.places = order.Append(order.Of(stacks[:last]), stacks[last])
}

// stack puts the members of each group in the order in which they came.
func (m *Machine) stack(stacks [][]pki.ID) {
	for _, s := range stacks {
		slices.SortFunc(s, func(a, b pki.ID) int {
			if c := m.view.Get(a).FirstSeen.Compare(m.view.Get(b).FirstSeen); c != 0 {
				return c
			}
			return a.Compare(b)
		})
	}
}

// tellOrder tells who came into the order, and who went, since it was last told. The order itself is made for those who ask for it.
func (m *Machine) tellOrder() {
	if !m.distances.untold || m.cfg.Terse {
		return // a simulation's order is read by nobody
	}
	m.distances.untold = false
	now, all := m.distances.spare[:0], m.view.IDs()
	for i, e := range m.view.Walk() {
		if eligible(e) {
			now = append(now, all[i])
		}
	}
	in, out := without(now, m.distances.told), without(m.distances.told, now)
	m.distances.told, m.distances.spare = now, m.distances.told
	if len(in)+len(out) == 0 {
		return
	}
	text := ""
	if len(in) > 0 {
		text += "; in: " + m.names(in)
	}
	if len(out) > 0 {
		text += "; out: " + m.names(out)
	}
	m.notice(KindOrder, Info, pki.ID{}, "%d places%s", len(now), text)
}

// without are the entries of a that are not in b; both are ordered.
func without(a, b []pki.ID) (out []pki.ID) {
	there := ascending(b)
	for _, id := range a {
		if !there.has(id) {
			out = append(out, id)
		}
	}
	return out
}
