// Package gossip decides whom to talk to, what to believe and whom to admit.
package gossip

import (
	"io"
	"math/rand/v2"
	"time"

	"github.com/g2g-net/g2g/node/signature"
	"github.com/g2g-net/g2g/node/stale"
	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

// Numbers that nobody should change. docs/protocol.md lists them with the other bounds.
const (
	MaxActive       = 16   // peers with warm connections
	MaxReserve      = 1000 // addresses on disk
	ReserveLife     = 30 * 24 * time.Hour
	CallTimeout     = 2 * time.Second
	busyJoinTimeout = 8 * time.Second // of joins after a start, and on a busy machine: a handshake that is given up there is made anew
	fanOut          = 3               // peers that a push goes to
	pushDelay       = 50 * time.Millisecond
	lookEvery       = time.Second            // while nobody is late
	roundSlack      = lookEvery / 5          // by which rounds, in which is seen to what need not be at once, come earlier or later, to be with a beat
	pushSpacing     = 200 * time.Millisecond // between two pushes: where much is new it goes together
	soonDelay       = 20 * time.Millisecond
	soonSpacing     = 200 * time.Millisecond
	lastSoonWait    = 10 * time.Second // the most that soonSpacing grows to with a peer that says it has more and brings nothing
	reserveEvery    = time.Second      // a dial to the reserve while peers are known
	reserveLater    = 10 * time.Second // where all in it were lost longer ago than recentlyLost
	reserveCalm     = 30 * time.Second // the same in a calm view that holds no dead one
	recentlyLost    = time.Hour
	isolatedDials   = 3 // a look, while nobody is
	saveReserve     = 5 * time.Second
	fewAddresses    = 8                     // on the disk, up to which twice as many are saved at once
	syncSpacing     = 2 * time.Second       // between two pulls of nominations from one peer
	vainSyncSpacing = time.Minute           // while neither side has changed since a pull that brought nothing
	alarmSpacing    = time.Minute           // between two alarms of one kind about one peer
	renewalSpacing  = 2 * time.Second       // between two epochs that begin because peers refuse the leaf
	reclaimSpacing  = 5 * time.Second       // between two answers to a newer contact of this node's own: two holders of one identity must not race
	maxPending      = 64                    // contacts waiting to be pushed
	maxHashes       = 8 * view.LadderLength // that the beats of one message may cost
	strangerEvery   = 10                    // answers to a partner whose view is full, of which one brings a contact that it does not hold
	jitter          = 0.2
	firstRetry      = time.Second
	lastRetry       = 30 * time.Second
	lifeSpacing     = time.Second      // between a beat and one more for peers that are met again
	urgentSpacing   = 2 * time.Second  // between two urgent joins that push out an active peer
	soonActive      = 4                // active peers that are sought at once
	topUpEvery      = 12 * time.Second // then one, half of that more or less
	enoughActive    = 12               // active peers, from which more are sought now and then only
	mixEvery        = 5 * time.Minute  // after which a full set of active peers in a full view parts with one, half of that more or less
	soughtAtOnce    = 8                // peers to join that one look draws
	soughtFor       = 30 * time.Second // for how long these are as good as others
	clientActive    = 3                // server-mode peers that a client-mode member exchanges with
	fewActive       = 2                // active peers, below which joining is urgent
	firstDials      = 4                // joins under way at once: a network that starts at one moment must not drown in handshakes
	isolatedRetry   = 5 * time.Second  // the longest wait of a node that nobody is active with
	failuresAllowed = 2                // in a row, before a peer counts as unreachable
	contactLives    = 3                // lives of a leaf that a contact is believed
)

// Config is what a machine needs to know of its node.
type Config struct {
	Identity  *pki.Identity
	Genesis   pki.Genesis
	Chain     pki.Chain
	Name      string
	Addresses []string // Gossip addresses to advertise; none in client mode
	Services  []string
	Serves    []string      // full names of the gRPC services on the Gossip port, ordered; none in client mode
	Observe   bool          // adds addresses that peers see this node at, once one of them reached it there
	Interval  time.Duration // between two exchanges that this node begins, +- jitter; calmIntervals times as long in a calm view, but calmAtMost
	Period    time.Duration // between two beats
	LeafLife  time.Duration
	Strict    bool          // the plain rule for ages, without what makes it right where few are left or many die at once
	Rebuild   time.Duration // between two rounds that make the order, and the groups unless there are many peers; zero for rebuildEvery
	Stacks    bool          // the members of a group stay in the order in which they came
	Random    *rand.Rand    // decides between equals; a seed repeats a run
	Secrets   io.Reader     // makes tokens and ladders; the system's outside of tests and simulations

	// OnlyPublish leaves it to Publish to make beats, as in every node that works. Without, Advance makes one each Period, for
	// simulations whose nodes have no work to do.
	OnlyPublish bool

	// Terse leaves out notices of severity Info but for goodbyes, and what the order is now, for simulations: nobody reads them there.
	Terse bool

	// Spare is where messages come from, for simulations; nil for new memory.
	Spare *Spare

	// SealSummary seals a signature of this node's.
	SealSummary func(signature.Statement) (*view.Summary, error)

	// Seal makes a contact of this node's fields. It fails where they do not fit into a contact.
	Seal func(view.Contact) (*view.Contact, error)
}

// A Machine is what a node decides, without clock, socket, file or goroutine. It is not safe for concurrent use.
//
//  1. Every value given to it has passed wire, and from is who the connection proved.
//  2. Time never goes back between two calls; a call that is late only delays.
//  3. What Effects names in Save is on disk before anything in Sends or in an answer leaves.
type Machine struct {
	cfg       Config
	base      []string // the addresses that were configured; cfg.Addresses are these, and what was found out
	id        pki.ID   // of the identity
	own       Own
	contact   *view.Contact
	ladder    *view.Ladder
	beat      view.Beat
	published time.Time // of the beat
	said      published
	left      bool

	view     *view.View
	active   []pki.ID // ordered
	links    []link   // with the active ones, in the same places
	attempts map[pki.ID]*attempt
	calls    map[uint64]*call
	lastCall uint64
	reserve  reserve
	observed []observation

	pending  []pending // contacts to push, in the order they came
	lastPush time.Time
	soon     []pki.ID // peers to exchange with at once
	inTurn   bool     // whom the last regular exchange was with: the one whose turn it was, or one drawn

	sought     []pki.ID      // peers to join next
	soughtAt   time.Time     // when they were drawn
	free, warm []int         // room to draw a partner in
	fresh      []IndexedBeat // and to gather beats
	me         view.Entry    // and for this node's own record
	held       []*view.Entry // and for what the next digest stands for
	room       *room         // and for what is larger
	prefetched uint64        // means nothing

	// What decides who is late and who is dead.
	detector   *stale.Detector
	bound      stale.Bound   // the limit of the last look
	nextAges   time.Time     // when ages are next judged in a full view in which nothing happens
	ages       []stale.Age   // that it stands on
	unheard    []*view.Entry // of a full view: who was not heard of for long, the longest first
	noMore     bool          // unheard were all
	doubts     map[pki.ID]*doubt
	doubted    []*doubt // the same, ordered by ID
	answers    [2]answer
	began      time.Time // this machine
	awoke      time.Time // when this node last overslept
	halts      halts
	spoken     time.Time           // when a peer last asked or answered
	alone      time.Time           // when one did after this node had been alone
	strain     time.Duration       // how late the driver was of late
	filled     time.Time           // when the view was last seen full
	fell       [manyFell]time.Time // when the last peers did, the latest first
	stirred    time.Time           // when something happened last that others should hear of soon
	nextAmong  time.Time           // when one more may be asked after because of that
	cameAt     time.Time           // when a peer that was new here was first heard of
	dialled    int                 // members of the reserve since dialledAt, while nobody is reached
	dialledAt  time.Time
	hints      []Hint // to tell
	acquittals []acquittal
	verdicts   []verdict

	hintBudget                                                                   float64
	hintBudgetAt, companionAt, nextCompanion, nextHint, lastHint, nextOverlooked time.Time

	nominations *nominations
	services    *services
	distances   distances
	nextTopUp   time.Time // when more than enoughActive peers are next sought
	nextMix     time.Time // when a full set of active peers of a full view next parts with one
	nextUrgent  time.Time // when an urgent join may next push out an active peer
	nextSqueeze time.Time // when one may next find a place in a full view
	unreachable bool      // a peer of the view may be
	nextRenewal time.Time // when a refused leaf is next a reason for a new epoch
	accepted    bool      // a call of this node's, since its epoch began
	nextStray   time.Time // when a node that reaches nobody next visits what peers named
	trust       *pki.Trust
	effects     Effects
	aliveHash   uint64
	aliveAt     time.Time // when the alive set last changed
	aliveNew    time.Time // when it may have changed since aliveHash was made; zero for not

	nextBeat, nextExchange, nextLook, nextPush, nextSoon, nextReserve, nextSaveReserve, nextPrune, nextReclaim, nextRound time.Time
}

// call is a request under way.
type call struct {
	to    pki.ID
	req   Message
	begun time.Time
	held  []*view.Entry // of an exchange: who stands at each place of the digest; nil for this node
	twice bool          // without answer it is two failures
}

// New makes the machine of a member that starts now. Its first Effects save its new incarnation.
func New(cfg Config, now time.Time, saved Saved) (*Machine, error) {
	if cfg.Rebuild <= 0 {
		cfg.Rebuild = rebuildEvery
	}
	shared := cfg.Spare.shared()
	m := &Machine{
		room: shared,
		cfg:  cfg, id: cfg.Identity.ID(), base: cfg.Addresses, own: saved.Own, view: view.New(cfg.Identity.ID()),
		attempts: map[pki.ID]*attempt{}, calls: map[uint64]*call{},
		reserve: newReserve(saved.Reserve, now), nominations: newNominations(saved),
		services: newServices(cfg.Services, saved.Services, now), distances: newDistances(now, &shared.groups),
		aliveAt: now, began: now,
		detector: stale.NewDetector(stale.Config{Strict: cfg.Strict, Period: cfg.Period, Least: leastLimit}),
		doubts:   map[pki.ID]*doubt{}, hintBudget: hintBurst, hintBudgetAt: now,
	}
	m.rebuildTrust()
	m.aliveChanged(now)
	m.alive()
	m.own.Epoch = next(m.own.Epoch, now)
	if err := m.climb(now); err != nil {
		return nil, err
	}
	m.beatAt(now)
	m.nextLook, m.nextReserve, m.nextPrune = now, now, now
	m.nextExchange = now.Add(m.interval(now))
	m.nextSaveReserve = now.Add(saveReserve) // what is known now is what was on disk
	return m, nil
}

// ID is this node's.
func (m *Machine) ID() pki.ID { return m.id }

// Contact is what this node says of itself now.
func (m *Machine) Contact() *view.Contact { return m.contact }

// Epoch is the leaf's.
func (m *Machine) Epoch() uint64 { return m.own.Epoch }

// Trust is what leaves are judged by. It is immutable; Effects.Trust tells when there is a new one.
func (m *Machine) Trust() *pki.Trust { return m.trust }

func (m *Machine) mode() pki.Mode { return m.cfg.Chain.Mode() }

// Deadline is when Advance next has work.
func (m *Machine) Deadline() time.Time {
	next := m.nextLook
	for _, t := range [...]time.Time{m.nextBeat, m.nextExchange, m.nextPush, m.nextSoon, m.nextHint, m.nextCompanion, m.distances.next} {
		if !t.IsZero() && t.Before(next) {
			next = t
		}
	}
	return next
}

// Advance does what is due.
func (m *Machine) Advance(now time.Time) {
	m.strains(now)
	m.tick(now)
	if m.left {
		m.nextLook = now.Add(lookEvery)
		m.nextBeat, m.nextExchange, m.nextPush, m.nextSoon, m.nextHint, m.nextCompanion = time.Time{}, time.Time{}, time.Time{}, time.Time{}, time.Time{}, time.Time{}
		m.distances.next = time.Time{}
		return
	}
	if !m.nextBeat.IsZero() && !now.Before(m.nextBeat) {
		m.idleBeat(now)
	}
	if !now.Before(m.nextLook) {
		m.look(now)
	}
	if !m.nextHint.IsZero() && !now.Before(m.nextHint) {
		m.tellHints(now)
	}
	if !now.Before(m.distances.next) {
		m.round(now)
	}
	if !m.nextCompanion.IsZero() && !now.Before(m.nextCompanion) {
		m.accompany(now)
	}
	if !m.nextPush.IsZero() && !now.Before(m.nextPush) {
		m.push(now)
	}
	if !m.nextSoon.IsZero() && !now.Before(m.nextSoon) {
		m.exchangeSoon(now)
	}
	if !now.Before(m.nextExchange) {
		m.nextExchange = now.Add(m.interval(now))
		m.sooner(now)
		m.exchangeNext(now)
	}
}

// together does in the turn of a beat what would soon have one of its own: to wake up costs a process more than the work. The exchange after
// this one comes later rather than earlier than its interval, with a beat again if there is one by then.
func (m *Machine) together(now time.Time) {
	apart := m.apart(now)
	slack := time.Duration(jitter * float64(apart))
	if m.nextRound.Sub(now) <= 2*roundSlack {
		m.nextRound = now
		m.look(now)
	}
	if m.nextExchange.Sub(now) <= slack {
		m.nextExchange = now.Add(apart + time.Duration(m.cfg.Random.Float64()*float64(slack)))
		m.sooner(now)
		m.exchangeNext(now)
	}
}

func (m *Machine) exchangeNext(now time.Time) {
	if to, ok := m.partner(now); ok {
		m.exchange(now, to)
	}
}

// interval is the time to the next exchange, 20 % more or less.
func (m *Machine) interval(now time.Time) time.Duration {
	return time.Duration(float64(m.apart(now)) * (1 + jitter*(2*m.cfg.Random.Float64()-1)))
}
