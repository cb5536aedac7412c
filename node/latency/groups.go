package latency

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/g2g-net/g2g/pki"
)

const (
	// Alike is the difference of two labels below which neighbouring groups are one.
	Alike = 100 * time.Microsecond
	// Two groups are one, too, whose labels differ by less than so many times what the distances of both are uncertain by. A new
	// partition must be surer than one that stands: else groups would come and go.
	surelyApart = 3
	stillApart  = 2
	// MaxWaiting bounds what is added to distances: more would make one of regions that are near each other.
	MaxWaiting = 10 * time.Millisecond
	// Strong is by how much a new partition's criterion must be less than the old one's to take its place.
	Strong = 6
	// strayRounds is for how many rounds in a row a peer must lie outside its group to be moved without that.
	strayRounds = 3
	// strayFloors is how many floors outside that is.
	strayFloors = 2
)

// A Peer is one that was measured.
type Peer struct {
	ID pki.ID
	Estimate
}

// log is the peer's place on the line that is cut into groups: the logarithm in milliseconds of its distance and of what is waited for.
func (p Peer) log() float64 { return p.logOf(p.Distance) }

func (p Peer) logOf(d time.Duration) float64 {
	return math.Log(float64(d+p.waiting) / float64(time.Millisecond))
}

// WaitingOf is what is added to the distances of peers before they are compared: what makes a spread as large as that of near peers' round
// trips no more than Floor. What near peers' round trips differ by is waiting, for a processor as a rule, and it is no shorter on the
// way to others: where it is milliseconds, distances of milliseconds are as good as equal, and remain far from hundreds. It is that of the
// middle one of the three nearest, and at most MaxWaiting. The peers are sorted, nearest first.
func WaitingOf(peers []Peer) time.Duration {
	var spreads []time.Duration
	for _, p := range peers[:min(len(peers), 3)] {
		spreads = append(spreads, p.Spread)
	}
	if len(spreads) == 0 {
		return 0
	}
	slices.Sort(spreads)
	return min(time.Duration(float64(spreads[(len(spreads)-1)/2])/Floor), MaxWaiting)
}

// uncertainty is the standard error of the distance, estimated by how far the median of the round trips lies above it: 1.7 times that, by
// the root of their number. It is large where a near peer's round trips are mostly waiting for a processor.
func (p Peer) uncertainty() float64 {
	return 1.7 * float64(p.Median-p.Distance) / math.Sqrt(float64(p.N))
}

// A Group is the peers that are about as far away as each other.
type Group struct {
	Label   time.Duration // mean distance of the members
	Members []Peer        // nearest first
}

// LabelMS is the label in milliseconds with two significant digits, as people and programs are told it.
func (g Group) LabelMS() float64 { return significant(float64(g.Label) / float64(time.Millisecond)) }

func significant(x float64) float64 {
	if x <= 0 {
		return 0
	}
	unit := math.Pow(10, math.Floor(math.Log10(x))-1)
	if unit < 1 {
		return math.Round(x/unit) / math.Round(1/unit) // so that 0.29 is 0.29
	}
	return math.Round(x/unit) * unit
}

// Letter names the group at a place of a list that begins with the farthest: A is the nearest.
func Letter(place, groups int) string { return "ABCDEFGH"[groups-1-place : groups-place] }

// A Change is what a round did to the partition.
type Change struct {
	Regrouped bool     // peers that were together are not any more, or the other way round
	Moved     []pki.ID // those that left what became of most of their group
}

// A Grouping remembers the partition of one round for the next.
//
//  1. of has exactly the peers that had Enough round trips in the last round, each with a group below groups.
//  2. strays has only peers of of.
type Grouping struct {
	of     map[pki.ID]int
	groups int
	floor  float64        // of the last round
	strays map[pki.ID]int // rounds in a row that a peer has lain outside its group
	room   *Room
}

// NewGrouping remembers nothing. It works in the room that is given, or where that is nil in one of its own.
func NewGrouping(r *Room) *Grouping {
	if r == nil {
		r = &Room{}
	}
	return &Grouping{of: map[pki.ID]int{}, strays: map[pki.ID]int{}, floor: Floor, room: r}
}

// Floor is the standard deviation that the last round believed of every group at least.
func (g *Grouping) Floor() float64 { return g.floor }

// Update groups the peers anew, farthest group first. The old partition stays unless the new one is better by Strong, or
// brings home a peer that has lain outside its group for long. Peers with fewer round trips than Enough join the nearest group
// and decide nothing; those without any are in no group. The list is sorted, nearest first.
func (g *Grouping) Update(peers []Peer) ([]Group, Change) {
	slices.SortFunc(peers, nearer)
	founding := peers
	r := g.room
	if few := func(p Peer) bool { return p.N < Enough }; slices.ContainsFunc(peers, few) {
		r.founding = slices.DeleteFunc(append(r.founding[:0], peers...), few)
		founding = r.founding
	}
	waiting := WaitingOf(founding)
	for i := range peers {
		peers[i].waiting = waiting
	}
	for i := range founding {
		founding[i].waiting = waiting
	}
	floor := FloorOf(founding)
	g.floor = floor
	best := r.assign(founding, floor)
	old, fresh := g.carried(founding), best.merged(founding, surelyApart)
	next := fresh
	if old != nil && !g.better(founding, old, fresh, floor, best.variance(founding, floor)) {
		next = old.merged(founding, stillApart)
	}
	change := g.change(founding, old, next)
	g.remember(founding, next)
	return assemble(peers, founding, next), change
}

// Room is what an Update works in. Groupings may share one in one goroutine.
type Room struct {
	founding []Peer
	best     []float64
	from     []int32
}

func nearer(a, b Peer) int {
	if c := cmp.Compare(a.Distance, b.Distance); c != 0 {
		return c
	}
	return a.ID.Compare(b.ID)
}

// carried is the old partition on the new distances. A peer that is new joins the group whose mean is nearest. It is nil where
// nobody is known.
func (g *Grouping) carried(peers []Peer) assignment {
	known := make(assignment, len(peers))
	for i, p := range peers {
		known[i] = nobody
		if group, ok := g.of[p.ID]; ok {
			known[i] = group
		}
	}
	means := known.meanLogs(peers, g.groups)
	if len(means) == 0 {
		return nil
	}
	for i, p := range peers {
		if known[i] == nobody {
			known[i] = nearest(means, p.log())
		}
	}
	return known.numbered(peers)
}

// better tells whether the fresh partition takes the old one's place, and counts rounds of strays. Both are judged by the variance of the best
// one: where peers are together only because they are not surely apart, that they differ says nothing of how much the others may.
func (g *Grouping) better(peers []Peer, old, fresh assignment, floor, v float64) bool {
	moved, strays := movedBetween(old, fresh), old.strays(peers, floor)
	home := false
	for i, p := range peers {
		if !strays[i] {
			delete(g.strays, p.ID)
			continue
		}
		g.strays[p.ID]++
		home = home || g.strays[p.ID] >= strayRounds && moved[i]
	}
	return home || fresh.criterion(peers, v)+Strong < old.criterion(peers, v)
}

// change compares two partitions as far as they are about peers of the last round.
func (g *Grouping) change(peers []Peer, old, next assignment) (c Change) {
	if old == nil || old.same(next, func(i int) bool { _, known := g.of[peers[i].ID]; return known }) {
		return Change{}
	}
	c.Regrouped = true
	for i, moved := range movedBetween(old, next) {
		if _, known := g.of[peers[i].ID]; known && moved {
			c.Moved = append(c.Moved, peers[i].ID)
		}
	}
	return c
}

func (g *Grouping) remember(peers []Peer, a assignment) {
	strays := g.strays
	clear(g.of)
	g.strays, g.groups = map[pki.ID]int{}, a.groups()
	for i, p := range peers {
		g.of[p.ID] = a[i]
		if n := strays[p.ID]; n > 0 {
			g.strays[p.ID] = n
		}
	}
}

// assemble makes the groups that people see of the partition, with the peers that only join.
func assemble(peers, founding []Peer, a assignment) []Group {
	groups := make([]Group, a.groups())
	means := a.meanLogs(founding, len(groups))
	sizes := make([]int, len(groups))
	for _, group := range a {
		sizes[group]++
	}
	for group, size := range sizes {
		groups[group].Members = make([]Peer, 0, size)
	}
	for i, p := range founding { // nearest first, as they are
		groups[a[i]].Members = append(groups[a[i]].Members, p)
	}
	for _, p := range peers {
		if p.N > 0 && p.N < Enough && len(groups) > 0 {
			to := &groups[nearest(means, p.log())]
			to.Members = append(to.Members, p)
		}
	}
	for i := range groups {
		if len(groups[i].Members) > sizes[i] {
			slices.SortFunc(groups[i].Members, nearer)
		}
		var sum time.Duration
		for _, p := range groups[i].Members {
			sum += p.Distance
		}
		groups[i].Label = sum / time.Duration(len(groups[i].Members))
	}
	slices.Reverse(groups)
	return groups
}
