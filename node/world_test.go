package node

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"

	"github.com/g2g-net/g2g/node/config"
	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/transport"
	"github.com/g2g-net/g2g/node/transport/memnet"
	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

// world is a set of whole nodes, with real gRPC, TLS and folders, on a network in memory. It lives inside a synctest bubble, so
// that time is virtual: waiting costs nothing and a slow machine changes no verdict.
type world struct {
	t     *testing.T
	net   *memnet.Network
	hosts map[string]*memnet.Host
}

// actor is one node of the world, whether it runs or not.
type actor struct {
	*Node
	w    *world
	name string
	dir  string
	cfg  config.Config
	host *memnet.Host
	dial transport.Dialer // the host's, unless a test puts another before the start
	bind func(address string) (net.Listener, error)
	cut  atomic.Bool // it can dial nobody any more
	stop context.CancelFunc
	done chan error

	services func(grpc.ServiceRegistrar) // the program's; nil for none
}

func inWorld(t *testing.T, oneWay time.Duration, f func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		delay := func(netip.Addr, netip.Addr) time.Duration { return oneWay }
		f(&world{t: t, net: memnet.New(delay), hosts: map[string]*memnet.Host{}})
	})
}

func (w *world) actor(i int) *actor {
	a := &actor{w: w, name: fmt.Sprintf("n%d", i), dir: w.t.TempDir()}
	ip := fmt.Sprintf("10.0.%d.%d", i/250, i%250+1)
	a.host = w.net.Host(ip)
	a.bind = a.host.Listen
	a.dial = func(ctx context.Context, address string) (net.Conn, error) {
		if a.cut.Load() {
			return nil, net.ErrClosed
		}
		return a.host.Dial(ctx, address)
	}
	a.cfg = config.Default()
	a.cfg.Name, a.cfg.Gossip.Listen, a.cfg.Register.Listen = a.name, ip+":0", ip+":0"
	return a
}

// founder makes and starts the first node.
func (w *world) founder(change ...func(*actor)) *actor {
	w.t.Helper()
	a := w.actor(0)
	for _, f := range change {
		f(a)
	}
	if _, err := Found(a.dir, a.cfg, "test"); err != nil {
		w.t.Fatal(err)
	}
	a.start()
	return a
}

func (a *actor) start() {
	a.w.t.Helper()
	if err := a.open(); err != nil {
		a.w.t.Fatal(err)
	}
	<-a.Ready()
}

// open starts the node without waiting for its ports.
func (a *actor) open() error {
	opt := Options{Listen: func(_, address string) (net.Listener, error) { return a.bind(address) }, Dial: a.dial, NoAdmin: true, Services: a.services}
	if os.Getenv("TEST_LOG") != "" {
		opt.Log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug})).With("node", a.name)
	}
	n, err := OpenWith(a.dir, a.cfg, opt)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	a.Node, a.stop, a.done = n, stop, done
	go func() { done <- n.Run(ctx) }()
	return nil
}

// halt stops the node with a goodbye and waits for its last goroutine.
func (a *actor) halt() {
	a.w.t.Helper()
	a.stop()
	if err := <-a.done; err != nil {
		a.w.t.Errorf("%s: %v", a.name, err)
	}
	a.Node = nil
}

// kill ends the node without a goodbye that anybody hears.
func (a *actor) kill() {
	a.w.t.Helper()
	a.cut.Store(true)
	if m := a.member.Load(); m != nil {
		m.registry.CloseAll()
	}
	a.halt()
	a.cut.Store(false)
}

// token mints one of this node.
func (a *actor) token(req gossip.NominateRequest) pki.Token {
	a.w.t.Helper()
	if req.Life == 0 {
		req.Life = 30 * time.Minute
	}
	if req.Uses == 0 {
		req.Uses = 1
	}
	if req.Mode == 0 {
		req.Mode = pki.Server
	}
	token, _, err := a.Nominate(context.Background(), req)
	if err != nil {
		a.w.t.Fatal(err)
	}
	return token
}

// joiner starts a new node and joins it by a token of nominator.
func (w *world) joiner(i int, nominator *actor) *actor {
	w.t.Helper()
	return w.joinerWith(i, nominator, func(*actor) {})
}

func (w *world) joinerWith(i int, nominator *actor, change func(*actor)) *actor {
	w.t.Helper()
	a := w.actor(i)
	change(a)
	a.start()
	if _, err := a.Join(context.Background(), nominator.token(gossip.NominateRequest{}), ""); err != nil {
		w.t.Fatalf("%s joins: %v", a.name, err)
	}
	return a
}

// alive counts the server-mode peers that the node lists as alive.
func (a *actor) alive() (n int) {
	a.w.t.Helper()
	p, err := a.Picture(context.Background())
	if err != nil {
		a.w.t.Fatal(err)
	}
	if p.Gossip == nil {
		return 0
	}
	for _, peer := range p.Gossip.Peers {
		if peer.State == view.Alive && peer.Mode == pki.Server {
			n++
		}
	}
	return n
}

// pass lets virtual time pass.
func (w *world) pass(d time.Duration) { time.Sleep(d) }

// until waits for a condition in virtual time, at most limit, and returns how long it took.
func (w *world) until(limit time.Duration, what string, ok func() bool) time.Duration {
	w.t.Helper()
	began := time.Now()
	for !ok() {
		if time.Since(began) > limit {
			w.t.Fatalf("not within %s: %s", limit, what)
		}
		time.Sleep(10 * time.Millisecond) // virtual
	}
	return time.Since(began)
}

func (w *world) allAlive(limit time.Duration, nodes []*actor, want int) time.Duration {
	w.t.Helper()
	return w.until(limit, fmt.Sprintf("every node lists %d others", want), func() bool {
		for _, a := range nodes {
			if a.alive() != want {
				return false
			}
		}
		return true
	})
}

func haltAll(nodes []*actor) {
	for _, a := range nodes {
		a.halt()
	}
}
