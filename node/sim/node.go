package sim

import (
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/signature"
	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/node/wire"
	"github.com/g2g-net/g2g/pki"
)

const (
	never    = math.MaxInt64
	leafLife = 24 * time.Hour
	// inboxSize is how much a stopped node's sockets hold, as much as the inbox of a real one.
	inboxSize = 256
)

// A node is one member, whether it runs or not.
type node struct {
	w        *world
	index    int
	name     string
	region   int
	host     string
	identity *pki.Identity
	id       pki.ID
	chain    pki.Chain
	parent   *node // who admitted it
	disk     gossip.Saved

	machine  *gossip.Machine // nil while it does not run
	life     int             // counts starts: what belongs to an earlier one is void
	armed    int64           // when its timer goes off
	stalled  bool            // its signature loop has ended
	stopped  bool            // as by SIGSTOP
	flapping bool            // to be stopped or blocked again and again
	blocked  bool            // nothing leaves it, and nothing that comes is looked at
	held     []*flight       // what it would have sent meanwhile
	inbox    []event         // what came in while it was stopped or blocked
	inUse    skew            // of its clock since it started
	skew     skew            // of its clock from its next start on: what runs measures time on a clock that never jumps
	loss     float64         // of what it sends and gets, beside the world's
	sides                    // where it stands
	old      sides           // where it stood before the last heal

	healthy    int64 // since when nothing was done to it; never while something is
	made       []int64
	madeOf     uint64    // the incarnation that made counts for
	seen       []version // of those in its view at the last look, since it started, by the order of their starts
	sights     []sight   // the same in the order of its view, and room for the next
	sightsRoom []sight
}

// sides is where the network is broken for a node.
type sides struct {
	side int  // of a split
	cut  bool // from everybody
}

// A skew is how wrong a clock is.
type skew struct {
	offset int64   // nanoseconds
	drift  float64 // seconds a second
}

// clock is what the node's own clock shows.
func (n *node) clock() time.Time {
	return epoch.Add(time.Duration(n.w.now + n.inUse.offset + int64(float64(n.w.now)*n.inUse.drift)))
}

// due is when the world's clock stands where the node's stands at t, not before.
func (n *node) due(t time.Time) int64 {
	own := int64(t.Sub(epoch)) - n.inUse.offset
	if n.inUse.drift == 0 {
		return own
	}
	return int64(float64(own)/(1+n.inUse.drift)) + 1
}

func (w *world) found() error {
	founder, err := identity("founder")
	if err != nil {
		return err
	}
	if w.genesis, err = pki.Found(secrets{w.r}, founder, "sim", epoch); err != nil {
		return err
	}
	w.network = w.genesis.Network()
	return nil
}

func identity(name string) (*pki.Identity, error) {
	seed := sha256.Sum256([]byte("g2g/sim/" + name))
	return pki.IdentityFrom(ed25519.NewKeyFromSeed(seed[:]))
}

// admit makes one more member: the first is the founder's, each other of a random one before it, as deep as chains go.
func (w *world) admit() (n *node, err error) {
	i := len(w.nodes)
	n = &node{w: w, index: i, name: fmt.Sprintf("n%d", i), host: fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255), armed: never, healthy: never}
	n.region = w.plan.draw(w.r)
	if n.identity, err = identity(n.name); err != nil {
		return nil, err
	}
	n.id = n.identity.ID()
	if i == 0 {
		err = n.admitRoot()
	} else {
		err = n.admitBelow()
	}
	w.nodes, w.byID[n.id] = append(w.nodes, n), n
	return n, err
}

func (n *node) admitRoot() error {
	founder, err := identity("founder")
	if err == nil {
		n.chain, err = pki.AdmitRoot(founder, n.w.genesis, n.identity.Key(), epoch)
	}
	return err
}

func (n *node) admitBelow() (err error) {
	for n.parent == nil || !n.parent.chain.MayNominate() {
		n.parent = n.w.nodes[n.w.r.IntN(n.index)]
	}
	nomination := pki.Nomination{Network: n.w.network, Nominator: n.parent.identity.Key(), Mode: pki.Server, MayNominate: true}
	n.chain, err = n.parent.chain.Admit(n.parent.identity, n.identity.Key(), nomination, epoch)
	return err
}

// secrets is chance as an io.Reader: a simulated node has nothing to hide.
type secrets struct{ r *rand.Rand }

func (s secrets) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(s.r.Uint32()) //nolint:gosec // low bits are meant
	}
	return len(b), nil
}

// start runs a node from what is on its disk.
func (w *world) start(n *node) {
	if n.machine != nil {
		return
	}
	n.inUse = n.skew
	random := rand.New(rand.NewPCG(w.r.Uint64(), 2))
	m, err := gossip.New(gossip.Config{
		Identity: n.identity, Genesis: w.genesis, Chain: n.chain, Name: n.name, Addresses: []string{n.host + ":7401"},
		Interval: w.plan.Interval, Period: w.plan.Period, LeafLife: leafLife, Strict: w.plan.Strict,
		Random: random, Secrets: secrets{random}, Seal: n.seal, SealSummary: n.sealSummary, OnlyPublish: true, Terse: true, Spare: w.spare,
	}, n.clock(), n.disk)
	if err != nil {
		w.checks.fail(n, "does not start: %v", err)
		return
	}
	n.machine, n.armed, n.stopped, n.stalled = m, never, false, false
	n.inbox, n.blocked, n.held = nil, false, nil
	n.life++
	if n.healthy = w.now; n.life == 1 {
		n.healthy -= int64(grace) // nothing is the reason of a verdict on somebody new
	}
	n.seen, n.sights = nil, nil
	w.running++
	n.flush()
	n.work(n.life)
	if n.disk.Reserve == nil && (!w.plan.Joined || w.now > w.joined) {
		n.register()
	}
}

// work publishes the node's signature, and does so again after each period for as long as this life lasts. The data never
// change, so that the signature is told to each peer once.
func (n *node) work(life int) {
	if n.life != life || n.machine == nil {
		return
	}
	if n.up() && !n.stalled {
		n.publish()
	}
	n.w.at(n.w.now+int64(n.w.plan.Period), func() { n.work(life) })
}

func (n *node) publish() {
	n.do(func(now time.Time) {
		if _, err := n.machine.Publish(now, signature.Signature{}); err != nil && !errors.Is(err, gossip.ErrHasty) {
			n.w.checks.fail(n, "does not publish: %v", err)
		}
	})
}

// broken tells those with warm connections to the node that they ended.
func (n *node) broken() {
	for _, peer := range n.w.nodes {
		if peer == n || peer.machine == nil || n.w.parted(n, peer) || !peer.machine.Active(n.id) && !n.machine.Active(peer.id) {
			continue
		}
		life := peer.life
		n.w.at(n.w.now+n.w.travel(n, peer), func() {
			if peer.life == life && peer.up() {
				peer.do(func(now time.Time) { peer.machine.Broken(now, n.id) })
			}
		})
	}
}

// register stands for the registration of a new member: the acceptor introduces it to some peers, and dials back.
func (n *node) register() {
	by := n.acceptor()
	if by == nil {
		return
	}
	n.do(func(now time.Time) { n.machine.Introduce(now, by.id, by.machine.Introduction(n.id)) })
	life, byLife := n.life, by.life
	n.w.at(n.w.now+n.w.travel(by, n), func() {
		if n.life != life || by.life != byLife || by.machine == nil || n.machine == nil {
			return
		}
		var answer gossip.Message
		n.do(func(now time.Time) { answer = n.machine.Receive(now, by.id, by.machine.Greeting(by.clock())) })
		contact := n.machine.Contact()
		n.w.at(n.w.now+n.w.travel(n, by), func() {
			if by.life == byLife && by.machine != nil {
				by.do(func(now time.Time) { by.machine.Meet(now, contact, answer.(gossip.JoinResponse)) })
			}
		})
	})
}

// acceptor is the nominator if it runs, else the first that does.
func (n *node) acceptor() *node {
	if n.parent != nil && n.parent.up() {
		return n.parent
	}
	for _, by := range n.w.nodes {
		if by != n && by.up() {
			return by
		}
	}
	return nil
}

// up tells whether the node runs, working whether it answers and makes progress, too.
func (n *node) up() bool      { return n.machine != nil && !n.stopped }
func (n *node) working() bool { return n.up() && !n.stalled && !n.blocked }

func (n *node) sealSummary(s signature.Statement) (*view.Summary, error) {
	return wire.SealSummary(n.identity, n.w.network, s)
}

func (n *node) seal(c view.Contact) (*view.Contact, error) {
	return wire.UnsealedContact(n.identity, n.w.network, c)
}

// kill ends the process: what it did not save is gone.
func (n *node) kill() {
	if n.machine == nil {
		return
	}
	n.broken()
	n.machine, n.stopped, n.blocked, n.inbox, n.held, n.armed = nil, false, false, nil, nil, never
	n.life++
	n.w.running--
}

// do has the machine take an input, then performs the effects.
func (n *node) do(f func(now time.Time)) {
	f(n.clock())
	n.flush()
}

// timer goes off. A timer that was set before another that is due earlier is void.
func (n *node) timer() {
	if n.machine == nil || n.armed != n.w.now {
		return
	}
	n.armed = never
	if n.stopped {
		return
	}
	if now := n.clock(); !now.Before(n.machine.Deadline()) {
		n.w.count().turns++
		n.machine.Advance(now)
		if !n.machine.Deadline().After(now) {
			n.w.checks.fail(n, "has still work due after Advance: a busy loop")
			n.kill()
			return
		}
	}
	n.flush()
}

// flush performs effects as a driver does: save, then send, then tell. Then it sets the timer.
func (n *node) flush() {
	e := n.machine.Effects()
	n.save(e.Save)
	n.beaten()
	for _, s := range e.Sends {
		n.send(s)
	}
	n.w.spare.Done(e.Sends)
	for _, notice := range e.Notices {
		n.w.told(n, notice)
	}
	n.arm()
}

func (n *node) arm() {
	due := max(n.due(n.machine.Deadline()), n.w.now)
	if due == n.w.now && n.clock().Before(n.machine.Deadline()) {
		due += int64(time.Microsecond) // a drifting clock was rounded
	}
	if due < n.armed {
		n.armed = due
		n.w.queue.put(event{at: due, kind: timer, node: n})
	}
}

func (n *node) save(s gossip.Save) {
	if s.Own != nil {
		n.w.checks.own(n, n.disk.Own, *s.Own)
		n.disk.Own = *s.Own
	}
	if s.ReserveChanged && n.w.keeps {
		n.disk.Reserve = append(n.disk.Reserve[:0], s.Reserve...)
	}
}

// beaten notes when the node's newest beat was made.
func (n *node) beaten() {
	b := n.machine.Beat(n.clock())
	if incarnation := n.machine.Contact().Incarnation; incarnation != n.madeOf {
		n.made, n.madeOf = nil, incarnation
	}
	for uint64(len(n.made)) < b.Sequence {
		n.made = append(n.made, n.w.now-int64(b.Age))
	}
}

// stop halts the process as SIGSTOP does; proceed is SIGCONT. The timer goes first: it has been due for long.
func (n *node) stop() { n.stopped = true }

func (n *node) proceed() {
	if n.machine == nil || !n.stopped {
		return
	}
	n.stopped = false
	n.armed = never
	if !n.stalled && n.machine.Overslept(n.clock()) {
		n.publish() // as a driver does, before anybody who asks is answered
	}
	n.arm()
	n.open()
}

// open has what came in meanwhile looked at.
func (n *node) open() {
	for _, e := range n.inbox {
		e.at = n.w.now
		n.w.queue.put(e)
	}
	n.inbox = nil
}

// block halts a node before each send and after each receipt. Its clocks go on: it works, it thinks, and its calls run out of time.
func (n *node) block() { n.blocked = true }

func (n *node) unblock() {
	if n.machine == nil || !n.blocked {
		return
	}
	n.blocked = false
	held := n.held
	n.held = nil
	for _, f := range held {
		if !f.ended && n.w.now < f.deadline {
			f.leave()
		}
	}
	n.open()
}

// keep holds what comes to a stopped node until it goes on.
func (n *node) keep(e event) {
	if len(n.inbox) < inboxSize {
		n.inbox = append(n.inbox, e)
	}
}

// leave says goodbye, then ends.
func (n *node) leave() {
	n.do(n.machine.Leave)
	n.kill()
}
