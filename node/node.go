// Package node runs one node of a network: it owns the clock, the sockets, the files and the goroutines around the gossip
// machine.
package node

import (
	"context"
	crand "crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"github.com/g2g-net/g2g/node/admin"
	"github.com/g2g-net/g2g/node/config"
	"github.com/g2g-net/g2g/node/fanout"
	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/store"
	"github.com/g2g-net/g2g/node/transport"
	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

// What callers branch on. None of them changed anything but where said.
var (
	ErrFolderBusy  = store.ErrBusy        // another process serves the folder
	ErrNoNetwork   = admin.ErrNoNetwork   // the folder belongs to no network yet
	ErrHasNetwork  = admin.ErrHasNetwork  // the folder belongs to a network already
	ErrRefused     = admin.ErrRefused     // by an acceptor or a nominator
	ErrUnreachable = admin.ErrUnreachable // nobody answered at the token's addresses
)

// Version is the program's, for people.
var Version = "devel"

const (
	inboxSize   = 256             // requests that wait for the loop; one more is refused
	maxSends    = 128             // calls to peers under way
	maxResting  = 2               // goroutines that have performed one and wait for the next
	maxReaching = 4               // dials on behalf of members under way
	goodbyeTime = 2 * time.Second // that a leaving node waits for its goodbye to be heard
	dialTimeout = time.Second
	hostsEvery  = 5 * time.Second

	// orderSpacing is between two orders that are published: while many come at once each turn would make one.
	orderSpacing = 200 * time.Millisecond
	// idleConnection is how long a connection to a peer that is not active is kept unused: longer than any call.
	idleConnection = time.Minute
)

// Options are the places where tests and programs put something else. The zero Options are a real node's.
type Options struct {
	Log     *slog.Logger // nil for none
	Listen  func(network, address string) (net.Listener, error)
	Dial    transport.Dialer
	Random  io.Reader // makes keys and secrets; nil for the system's
	NoAdmin bool      // opens no admin socket
	// Stalled tells, before each sign of life, whether the node shall make none although it answers; nil for never. It is for
	// showing what becomes of such a node.
	Stalled func() bool
	// Services registers a program's gRPC services on the Gossip port, before it opens; nil for none. Every member may call
	// them, in either mode, and CallerFrom tells who does. Names in the packages g2g and g2g.* are refused. A client-mode
	// member has no port, so it serves none. No call outlives its connection, which ends a sixth of leaf.life after it was
	// made, and a grace of a twenty-fourth (at most 10 minutes): a stream is cut then and must be begun anew, and a unary call
	// that takes longer than the grace may be. A message has at most 4 MiB, a call's headers 8 KiB.
	Services func(grpc.ServiceRegistrar)
}

// A Node is a folder that is open, and while Run runs, a process of the network. Its methods may be called from many
// goroutines.
type Node struct {
	dir      *store.Dir
	cfg      atomic.Pointer[config.Config] // Reload replaces it
	opt      Options
	log      *slog.Logger
	identity *pki.Identity
	started  time.Time

	inbox    chan *job
	waiting  shares        // places in it
	stop     chan struct{} // closed by Leave
	stopped  chan struct{} // closed when the loop has ended
	ready    chan struct{}
	once     sync.Once
	joining  sync.Mutex
	tasks    sync.WaitGroup
	sends    chan struct{} // a place a call under way
	errands  chan gossip.Send
	resting  chan struct{} // a place a goroutine that waits for an errand
	reaching chan struct{} // a place a dial on behalf of a member
	turns    atomic.Uint64
	work     work
	ring     *admin.Ring
	refusals [2]seldom // that are told: of holders of tokens, and of anybody
	past     *admin.History
	adminAt  string
	programs transport.Services
	queries  *fanout.Engine
	forwards []*forward // Run's own

	leaf    atomic.Pointer[pki.Leaf]
	trust   atomic.Pointer[pki.Trust]
	member  atomic.Pointer[member] // nil without a network
	contact atomic.Pointer[view.Contact]
	order   atomic.Pointer[queryOrder]              // never nil
	hosts   atomic.Pointer[map[netip.Addr]struct{}] // of members, refreshed now and then

	// The loop's own.
	machine   *gossip.Machine
	rotateAt  time.Time
	hostsAt   time.Time        // when hosts is refreshed next
	orderAt   time.Time        // when order was published last
	reordered bool             // it is another one since
	readings  []gossip.Reading // room for the next
	fatal     error
}

// Open opens the folder of a node, which an Init or a first Open made, and locks it. Close it, or Run it to its end.
func Open(dir string, cfg config.Config, log *slog.Logger) (*Node, error) {
	return OpenWith(dir, cfg, Options{Log: log})
}

// OpenWith is Open with other sockets, randomness or logs.
func OpenWith(dir string, cfg config.Config, opt Options) (*Node, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("open node: %w", err)
	}
	opt = opt.withDefaults()
	programs, err := transport.CollectServices(opt.Services)
	if err == nil {
		err = checkRoutes(cfg.Routes, programs)
	}
	if err != nil {
		return nil, fmt.Errorf("open node: %w", err)
	}
	if err := store.Create(dir); err != nil {
		return nil, fmt.Errorf("open node: %w", err)
	}
	d, err := store.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("open node: %w", err)
	}
	identity, err := d.EnsureIdentity(opt.Random)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open node: %w", err), d.Close())
	}
	n := &Node{
		dir: d, opt: opt, log: opt.Log, identity: identity, started: time.Now(),
		inbox: make(chan *job, inboxSize), stop: make(chan struct{}), stopped: make(chan struct{}), ready: make(chan struct{}),
		sends: make(chan struct{}, maxSends), errands: make(chan gossip.Send), resting: make(chan struct{}, maxResting),
		reaching: make(chan struct{}, maxReaching), ring: admin.NewRing(), past: admin.NewHistory(), programs: programs,
	}
	n.cfg.Store(&cfg)
	n.order.Store(newQueryOrder(nil))
	random, err := newRand(opt.Random)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open node: %w", err), d.Close())
	}
	n.queries = fanout.New(fanout.Config{ID: n.ID(), Carrier: asker{n}, Random: random, IDs: opt.Random})
	return n, nil
}

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Listen == nil {
		o.Listen = net.Listen
	}
	if o.Dial == nil {
		d := &net.Dialer{Timeout: dialTimeout}
		o.Dial = func(ctx context.Context, address string) (net.Conn, error) { return d.DialContext(ctx, "tcp", address) }
	}
	if o.Random == nil {
		o.Random = crand.Reader
	}
	return o
}

// newRand seeds the machine's chance from the node's randomness.
func newRand(random io.Reader) (*rand.Rand, error) {
	var seed [32]byte
	if _, err := io.ReadFull(random, seed[:]); err != nil {
		return nil, fmt.Errorf("seed: %w", err)
	}
	if binary.BigEndian.Uint64(seed[:]) == 0 {
		seed[0] = 1
	}
	return rand.New(rand.NewChaCha8(seed)), nil
}

// Close gives the folder free without running the node.
func (n *Node) Close() error { return n.dir.Close() }

// ID is the node's.
func (n *Node) ID() pki.ID { return n.identity.ID() }

// doors is the node as its three ports see it: what transport and admin ask of it, and programs need not.
type doors struct{ *Node }

// Leaf is the one in use. transport asks at each handshake.
func (n doors) Leaf() *pki.Leaf { return n.leaf.Load() }

// Trust is what leaves are judged by now.
func (n doors) Trust() *pki.Trust { return n.trust.Load() }

// Ready is closed once the node's ports are up.
func (n *Node) Ready() <-chan struct{} { return n.ready }

// Info is what a caller prints of a node that is ready.
type Info struct {
	Name     string
	ID       string
	Gossip   string // as bound; empty without a listener
	Register string
	Admin    string
	Member   bool
	Forwards []string // as bound, in the order of the configuration
}

// Info tells the addresses as bound.
func (n *Node) Info() Info {
	info := Info{Name: n.cfg.Load().Name, ID: n.ID().String(), Admin: n.adminAt}
	for _, f := range n.forwards {
		info.Forwards = append(info.Forwards, f.at)
	}
	if m := n.member.Load(); m != nil {
		info.Gossip, info.Register, info.Member = m.gossipAt, m.registerAt, true
	}
	return info
}

// Run serves until the context ends, or Leave; then it says goodbye. It returns when its last goroutine has, and closes the folder.
func (n *Node) Run(ctx context.Context) (err error) {
	stopped := sync.OnceFunc(func() { close(n.stopped) })
	defer stopped()
	defer func() { err = errors.Join(err, n.dir.Close()) }()
	adminServer, err := n.serveAdmin()
	if err != nil {
		return fmt.Errorf("run node: %w", err)
	}
	err = n.openForwards()
	if err == nil {
		err = n.startIfMember()
	}
	if err != nil {
		stopped()
		n.shutdown(adminServer)
		return fmt.Errorf("run node: %w", err)
	}
	close(n.ready)
	n.loop(ctx)
	stopped()
	n.shutdown(adminServer)
	if n.fatal != nil {
		return fmt.Errorf("run node: %w", n.fatal)
	}
	return nil
}

// startIfMember brings the ports up if the folder belongs to a network.
func (n *Node) startIfMember() error {
	genesis, chain, ok, err := n.dir.Membership()
	if err != nil || !ok {
		return err
	}
	ports, err := n.listen(chain.Mode())
	if err != nil {
		return err
	}
	if err := n.startMember(genesis, chain, ports); err != nil {
		ports.close()
		return err
	}
	return nil
}

func (n *Node) serveAdmin() (*grpc.Server, error) {
	if n.opt.NoAdmin {
		return nil, nil
	}
	listener, path, err := admin.Listen(n.dir.Path())
	if err != nil {
		return nil, err
	}
	n.adminAt = path
	s := admin.NewServer(doors{n}, n.ring, n.past, n.log)
	n.tasks.Go(func() { n.served("admin", s.Serve(listener)) })
	return s, nil
}

// served tells that a port went down by itself. A stopped server returns nil.
func (n *Node) served(what string, err error) {
	if err != nil && !errors.Is(err, grpc.ErrServerStopped) && !errors.Is(err, net.ErrClosed) {
		n.log.Error("a port went down", "port", what, "error", err)
	}
}

// shutdown closes every port and connection, and waits for the goroutines.
func (n *Node) shutdown(adminServer *grpc.Server) {
	n.closeForwards()
	if m := n.member.Load(); m != nil {
		m.close()
	}
	n.ring.Close() // ends the streams that follow
	stopServer(adminServer)
	n.tasks.Wait()
}

// stopTime is how long calls under way may take to end when the node stops.
const stopTime = time.Second

// stopServer lets calls under way end for a moment, then cuts them.
func stopServer(s *grpc.Server) {
	if s == nil {
		return
	}
	timer := time.AfterFunc(stopTime, s.Stop)
	defer timer.Stop()
	s.GracefulStop()
}

// Leave ends Run, and returns when goodbye was said.
func (n *Node) Leave(ctx context.Context) error {
	n.once.Do(func() { close(n.stop) })
	select {
	case <-n.stopped:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
