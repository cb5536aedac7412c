// Package gossip decides whom to talk to, what to believe and whom to admit.
package gossip

import (
	"fmt"
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
	Interval  time.Duration // between two exchanges that this node begins, +- jitter
	Period    time.Duration // between two beats
	LeafLife  time.Duration
	Strict    bool          // the plain rule for ages, without what makes it right where few are left or many die at once
	Rebuild   time.Duration // between two rounds of groups and order; zero for rebuildEvery
	Stacks    bool          // the members of a group stay in the order in which they came
	Random    *rand.Rand    // decides between equals; a seed repeats a run
	Secrets   io.Reader     // makes tokens and ladders; the system's outside of tests and simulations

	// OnlyPublish leaves it to Publish to make beats, as in every node that works. Without, Advance makes one each Period, for
	// simulations whose nodes have no work to do.
	OnlyPublish bool

	// Terse leaves the details out of notices of severity Info, for simulations: nobody reads them there.
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

	free, warm []int         // room to draw a partner in
	fresh      []IndexedBeat // and to gather beats
	held       []*view.Entry // and for what the next digest stands for
	alives     []byte        // and the IDs of who is alive
	prefetched uint64        // means nothing

	// What decides who is late and who is dead.
	detector   *stale.Detector
	bound      stale.Bound // the limit of the last look
	ages       []stale.Age // that it stands on
	doubts     map[pki.ID]*doubt
	doubted    []*doubt // the same, ordered by ID
	answers    [2]answer
	began      time.Time // this machine
	awoke      time.Time // when this node last overslept
	halts      halts
	spoken     time.Time           // when a peer last asked or answered
	alone      time.Time           // when one did after this node had been alone
	strain     time.Duration       // how late the driver was of late
	fell       [manyFell]time.Time // when the last peers did, the latest first
	nextAmong  time.Time           // when one more may be asked after because of that
	cameAt     time.Time           // when a peer that was new here was first heard of
	dialled    int                 // members of the reserve since dialledAt, while nobody is reached
	dialledAt  time.Time
	hints      []Hint // to tell
	acquittals []acquittal
	verdicts   []verdict

	hintBudget                                                                   float64
	hintBudgetAt, companionAt, nextCompanion, nextHint, lastHint, nextOverlooked time.Time

	nominations    *nominations
	services       *services
	distances      distances
	nextTopUp      time.Time // when more than enoughActive peers are next sought
	nextUrgent     time.Time // when an urgent join may next push out an active peer
	nextSqueeze    time.Time // when one may next find a place in a full view
	unreachable    bool      // a peer of the view may be
	noneOverlooked time.Time // until when no peer has been unheard for long enough to be asked after
	nextRenewal    time.Time // when a refused leaf is next a reason for a new epoch
	accepted       bool      // a call of this node's, since its epoch began
	nextStray      time.Time // when a node that reaches nobody next visits what peers named
	trust          *pki.Trust
	effects        Effects
	aliveHash      uint64
	aliveAt        time.Time // when the alive set last changed
	aliveNew       time.Time // when it may have changed since aliveHash was made; zero for not

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
	m := &Machine{
		cfg: cfg, id: cfg.Identity.ID(), base: cfg.Addresses, own: saved.Own, view: view.New(cfg.Identity.ID()),
		attempts: map[pki.ID]*attempt{}, calls: map[uint64]*call{},
		reserve: newReserve(saved.Reserve, now), nominations: newNominations(saved),
		services: newServices(cfg.Services, saved.Services, now), distances: newDistances(now),
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
	m.nextExchange = now.Add(m.interval())
	m.nextSaveReserve = now.Add(saveReserve) // what is known now is what was on disk
	return m, nil
}

// next is the epoch or the incarnation after one. It never goes back, also not behind a backup that is restored: peers
// would take what follows for old.
func next(number uint64, now time.Time) uint64 {
	return max(number+1, uint64(max(0, now.Unix())))
}

// climb begins a new incarnation with a new ladder, and publishes the contact that goes with it. On error the old ones stand:
// beats of a ladder whose anchor nobody was told would be taken for lies.
func (m *Machine) climb(now time.Time) error {
	own, ladder, beat := m.own, m.ladder, m.beat
	m.own.Incarnation = next(m.own.Incarnation, now)
	higher, err := view.NewLadder(m.cfg.Secrets, m.ID(), m.own.Incarnation)
	if err == nil {
		m.ladder, m.beat = higher, view.Beat{}
		err = m.publish(now)
	}
	if err != nil {
		m.own, m.ladder, m.beat = own, ladder, beat
		return fmt.Errorf("begin incarnation: %w", err)
	}
	return nil
}

// publish makes and tells a new contact. On error the old one stands.
func (m *Machine) publish(now time.Time) error {
	sequence := max(m.own.Sequence+1, uint64(max(0, now.UnixMilli())))
	c, err := m.cfg.Seal(view.Contact{
		Name: m.cfg.Name, Mode: m.cfg.Chain.Mode(), Sequence: sequence, NotAfter: now.Add(contactLives * m.cfg.LeafLife).Unix(),
		Epoch: m.own.Epoch, MinEpoch: m.own.MinEpoch, Incarnation: m.own.Incarnation, Anchor: m.ladder.Anchor(), Period: m.cfg.Period,
		Addresses: m.cfg.Addresses, Services: m.services.addresses(), Serves: m.cfg.Serves, Chain: m.cfg.Chain, Left: m.left,
	})
	if err != nil {
		return fmt.Errorf("publish contact: %w", err)
	}
	m.own.Sequence, m.contact = sequence, c
	own := m.own
	m.effects.Save.Own = &own
	m.queue(now, m.ID())
	if m.mode() == pki.Client && !m.left {
		for _, id := range m.active { // nobody passes a client's contact on
			m.join(now, id)
		}
	}
	return nil
}

// ID is this node's.
func (m *Machine) ID() pki.ID { return m.id }

// Contact is what this node says of itself now.
func (m *Machine) Contact() *view.Contact { return m.contact }

// Epoch is the leaf's.
func (m *Machine) Epoch() uint64 { return m.own.Epoch }

// Trust is what leaves are judged by. It is immutable; Effects.Trust tells when there is a new one.
func (m *Machine) Trust() *pki.Trust { return m.trust }

// tellActive tells this node's contact to every active peer, beside what is pushed on.
func (m *Machine) tellActive(now time.Time) {
	for _, id := range m.active {
		if m.mode() == pki.Client {
			m.send(now, id, JoinRequest{Contact: m.contact})
		} else {
			m.send(now, id, PushRequest{Contacts: []*view.Contact{m.contact}})
		}
	}
}

// Leave says goodbye: the contact says so from now on, and the active peers are told at once.
func (m *Machine) Leave(now time.Time) {
	if m.left {
		return
	}
	m.left = true
	if err := m.publish(now); err != nil {
		m.notice(KindLeft, Error, pki.ID{}, "%v", err)
		return
	}
	m.saveReserve(now)
	m.pending = nil
	m.tellActive(now)
}

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
		m.nextExchange = now.Add(m.interval())
		m.sooner(now)
		m.exchangeNext(now)
	}
}

// together does in the turn of a beat what would soon have one of its own: to wake up costs a process more than the work. The exchange after
// this one comes later rather than earlier than its interval, with a beat again if there is one by then.
func (m *Machine) together(now time.Time) {
	slack := time.Duration(jitter * float64(m.cfg.Interval))
	if m.nextRound.Sub(now) <= 2*roundSlack {
		m.nextRound = now
		m.look(now)
	}
	if m.nextExchange.Sub(now) <= slack {
		m.nextExchange = now.Add(m.cfg.Interval + time.Duration(m.cfg.Random.Float64()*float64(slack)))
		m.sooner(now)
		m.exchangeNext(now)
	}
}

func (m *Machine) exchangeNext(now time.Time) {
	if to, ok := m.partner(now); ok {
		m.exchange(now, to)
	}
}

// interval is the configured one, 20 % more or less.
func (m *Machine) interval() time.Duration {
	return time.Duration(float64(m.cfg.Interval) * (1 + jitter*(2*m.cfg.Random.Float64()-1)))
}

// Effects takes what has gathered since the last call.
func (m *Machine) Effects() Effects {
	if m.effects.Trust {
		m.rebuildTrust() // once a turn, however many contacts raised an epoch
	}
	if m.effects.Save.ReserveChanged {
		m.effects.Save.Reserve = m.reserve.list()
	}
	e := m.effects
	e.Order, m.distances.news = m.distances.news, false
	m.effects = Effects{}
	return e
}

func (m *Machine) notice(k Kind, s Severity, peer pki.ID, format string, args ...any) {
	n := Notice{Kind: k, Severity: s, Peer: peer}
	if !m.cfg.Terse || s != Info {
		n.Detail = fmt.Sprintf(format, args...)
	}
	if e := m.view.Get(peer); e != nil {
		n.Name = e.Name
	}
	m.effects.Notices = append(m.effects.Notices, n)
}

// alarm is a notice that a peer could cause as often as it likes, so it is given once in alarmSpacing.
func (m *Machine) alarm(now time.Time, last *time.Time, k Kind, s Severity, peer pki.ID, format string, args ...any) {
	if !last.IsZero() && now.Sub(*last) < alarmSpacing {
		return
	}
	*last = now
	m.notice(k, s, peer, format, args...)
}

// send asks a peer of the view.
func (m *Machine) send(now time.Time, to pki.ID, req Message) *call {
	m.lastCall++
	c := &call{to: to, req: req, begun: now}
	m.calls[m.lastCall] = c
	m.effects.Sends = append(m.effects.Sends, Send{
		Call: m.lastCall, To: to, Addresses: m.Addresses(to), Request: req, Timeout: CallTimeout, Fresh: m.attempt(to).failures > 0,
	})
	return c
}
