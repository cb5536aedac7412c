package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"github.com/g2g-net/g2g/node/config"
	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/proxy"
	"github.com/g2g-net/g2g/node/signature"
	"github.com/g2g-net/g2g/node/transport"
	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/node/wire"
	"github.com/g2g-net/g2g/pki"
)

// member is what a node has once it belongs to a network: ports, connections and the gate. It is made once.
type member struct {
	genesis    pki.Genesis
	chain      pki.Chain
	gate       *wire.Gate
	registry   *transport.Registry
	pool       *transport.Pool
	gossip     *grpc.Server // nil in client mode
	register   *grpc.Server
	gossipAt   string
	registerAt string
	routes     *proxy.Routes            // nil without any
	serves     []string                 // full names of the gRPC services on the Gossip port
	tokenHosts atomic.Pointer[[]string] // Registration addresses that a token carries
}

// ports are the two listeners, bound before anybody is told of them; nil in client mode.
type ports struct{ gossip, register net.Listener }

func (p ports) close() {
	if p.gossip != nil {
		_ = p.gossip.Close()
	}
	if p.register != nil {
		_ = p.register.Close()
	}
}

// listen binds the ports. Where the configuration leaves the port open, the last one is tried first.
func (n *Node) listen(mode pki.Mode) (ports, error) {
	if mode == pki.Client {
		return ports{}, nil
	}
	lastGossip, lastRegister, err := n.dir.Ports()
	if err != nil {
		return ports{}, err
	}
	var p ports
	cfg := n.cfg.Load()
	if p.gossip, err = n.bind("gossip", cfg.Gossip.Listen, lastGossip); err != nil {
		return ports{}, err
	}
	if p.register, err = n.bind("register", cfg.Register.Listen, lastRegister); err != nil {
		p.close()
		return ports{}, err
	}
	g, r := portOf(p.gossip), portOf(p.register)
	if g != lastGossip || r != lastRegister {
		if err := n.dir.SavePorts(g, r); err != nil {
			p.close()
			return ports{}, err
		}
	}
	return p, nil
}

func (n *Node) bind(what, address string, last uint16) (net.Listener, error) {
	host, port, err := net.SplitHostPort(address)
	if err == nil && port == "0" && last != 0 {
		l, err := n.opt.Listen("tcp", net.JoinHostPort(host, fmt.Sprint(last)))
		if err == nil {
			return l, nil
		}
		n.log.Warn("the last port is taken: another is used and told to the peers", "port", what, "last", last)
	}
	l, err := n.opt.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for %s: %w", what, err)
	}
	return l, nil
}

func portOf(l net.Listener) uint16 {
	a, err := netip.ParseAddrPort(l.Addr().String())
	if err != nil {
		return 0
	}
	return a.Port()
}

// startMember makes the machine, brings its first numbers to the disk, and only then opens the ports. Where it fails the node is
// no member. Its caller is the loop, or runs before it.
func (n *Node) startMember(genesis pki.Genesis, chain pki.Chain, p ports) (err error) {
	saved, err := n.dir.Load()
	if err != nil {
		return err
	}
	m := &member{genesis: genesis, chain: chain, gate: wire.NewGate(genesis), registry: transport.NewRegistry(), serves: n.serves()}
	m.registry.VerifyChain = m.gate.VerifyChain
	m.gate.Recall(chain.Hash())
	for _, a := range saved.Reserve {
		m.gate.Recall(a.Chain)
	}
	if p.gossip != nil {
		m.gossipAt, m.registerAt = p.gossip.Addr().String(), p.register.Addr().String()
	}
	now := time.Now()
	if n.machine, err = n.newMachine(now, m, saved); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			n.machine = nil
		}
	}()
	if n.turn(nil); n.fatal != nil {
		return n.fatal
	}
	if err := n.mint(now, genesis, chain, n.machine.Epoch()); err != nil {
		return err
	}
	if p.gossip != nil {
		if m.routes, err = n.openRoutes(); err != nil {
			return err
		}
	}
	m.pool = transport.NewPool(transport.PoolConfig{
		Source: doors{n}, Registry: m.registry, Dial: n.opt.Dial, Broken: n.broken, Watch: proxy.Reach(),
	})
	n.member.Store(m)
	n.serve(m, p)
	if n.cfg.Load().Signature.Source == config.SourceData {
		n.tasks.Go(n.publishData)
	}
	return nil
}

func (n *Node) newMachine(now time.Time, m *member, saved gossip.Saved) (*gossip.Machine, error) {
	random, err := newRand(n.opt.Random)
	if err != nil {
		return nil, err
	}
	cfg := n.cfg.Load()
	s := m.settings(*cfg)
	m.tokensCarry(s.Addresses)
	return gossip.New(gossip.Config{
		Identity: n.identity, Genesis: m.genesis, Chain: m.chain, Name: s.Name, Addresses: s.Addresses, Services: s.Services, Serves: s.Serves,
		Observe: s.Observe, Interval: s.Interval, Period: cfg.Signature.Period, LeafLife: cfg.Leaf.Life, Strict: cfg.Stale.Strict,
		Rebuild: cfg.Order.Rebuild, Stacks: cfg.Order.Strict, Random: random, Secrets: n.opt.Random,
		OnlyPublish: true,
		SealSummary: func(s signature.Statement) (*view.Summary, error) {
			return wire.SealSummary(n.identity, m.genesis.Network(), s)
		},
		Seal: func(c view.Contact) (*view.Contact, error) {
			return wire.SealContact(n.identity, m.genesis.Network(), c)
		},
	}, now, saved)
}

// serve opens both ports to the world.
func (n *Node) serve(m *member, p ports) {
	if p.gossip == nil {
		if !n.programs.None() || len(n.cfg.Load().Routes) > 0 {
			n.log.Warn("no service of programs is served: a client-mode member has no port", "services", n.serves())
		}
		return
	}
	gate := transport.NewGate(transport.GateConfig{Known: n.knows})
	life := n.cfg.Load().Leaf.Life
	sc := transport.ServerConfig{
		Source: doors{n}, Registry: m.registry, Log: n.log,
		MaxConnectionAge: life / 6, MaxConnectionAgeGrace: min(10*time.Minute, life/24),
		Services: n.programs,
	}
	if m.routes != nil { // else it would be an interface with nothing in it
		sc.Routes = m.routes
	}
	m.gossip = transport.NewGossipServer(sc)
	(&transport.GossipService{ID: n.ID(), Gate: m.gate, Handler: doors{n}, Queries: n.queries}).AddTo(m.gossip)
	m.register = transport.NewRegistrationServer(sc)
	(&transport.RegistrationService{Gate: m.gate, Acceptor: doors{n}}).AddTo(m.register)
	n.tasks.Go(func() { n.served("gossip", m.gossip.Serve(gate.Listen(p.gossip))) })
	n.tasks.Go(func() { n.served("register", m.register.Serve(gate.Listen(p.register))) })
}

// knows tells whether a member has this address, by the picture that was taken last.
func (n *Node) knows(a netip.Addr) bool {
	hosts := n.hosts.Load()
	if hosts == nil {
		return false
	}
	_, ok := (*hosts)[a]
	return ok
}

func (m *member) close() {
	for _, s := range []*grpc.Server{m.register, m.gossip} {
		stopServer(s)
	}
	if m.routes != nil {
		_ = m.routes.Close() // its calls have ended
	}
	m.pool.Close()
	m.registry.CloseAll()
}

// ask performs one call of the machine.
func (m *member) ask(s gossip.Send) (gossip.Message, error) {
	ctx, cancel := context.WithTimeout(context.Background(), s.Timeout)
	defer cancel()
	return m.askIn(ctx, s)
}

func (m *member) askIn(ctx context.Context, s gossip.Send) (gossip.Message, error) {
	if s.Fresh {
		m.pool.Freshen(s.To)
	}
	conn, err := m.pool.Conn(s.To, s.Addresses)
	if err != nil {
		return nil, err
	}
	if ping, ok := s.Request.(gossip.PingRequest); ok {
		rtts, err := m.pool.Measure(ctx, s.To, s.Addresses, ping.Count)
		if len(rtts) > 0 {
			err = nil // what came before tells enough
		}
		return gossip.PingResponse{RTTs: rtts}, err
	}
	begun := time.Now()
	resp, err := transport.Ask(ctx, conn, m.gate, s.Request)
	if !transport.Unreached(err) {
		return resp, err
	}
	again, end, ok := m.pool.Anew(ctx, s.To, begun, s.Fresh)
	if !ok {
		return nil, err
	}
	defer end()
	return transport.Ask(again, conn, m.gate, s.Request, grpc.WaitForReady(true))
}

// failure says how a call failed that was begun at a time.
func (m *member) failure(to pki.ID, begun time.Time, err error) gossip.Failure {
	switch {
	case transport.Refused(err):
		return gossip.Declined
	case m.pool.Absent(to, begun):
		return gossip.Absent
	}
	return gossip.Unanswered
}

// broken has the machine look after a peer whose connection ended. It must not wait: it is called where connections close. What is lost
// by that exchanges will show.
func (n *Node) broken(id pki.ID) {
	n.offer(func(now time.Time, m *gossip.Machine) { m.Broken(now, id) })
}

// Receive answers a member's request through the machine.
func (n doors) Receive(ctx context.Context, from pki.ID, req gossip.Message) (resp gossip.Message, err error) {
	err = n.doFor(ctx, from, func(now time.Time, m *gossip.Machine) { resp = m.Receive(now, from, req) })
	return resp, err
}

// Reach dials an address of a member's and looks for it there, for as many members at once as there are places.
func (n doors) Reach(ctx context.Context, from pki.ID, req gossip.ReachRequest) error {
	select {
	case n.reaching <- struct{}{}:
		defer func() { <-n.reaching }()
	default:
		return transport.ErrBusy
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	m := n.member.Load()
	return transport.Found(ctx, transport.PoolConfig{Source: n, Registry: m.registry, Dial: n.dialFor(req.Observed)}, req.Address, from)
}

// Timed takes round trips to a member that measured this node. Where the inbox is full they are lost: it must not wait.
func (n doors) Timed(from pki.ID, rtts []time.Duration) {
	n.offer(func(now time.Time, m *gossip.Machine) { m.Timed(now, from, rtts) })
}

// Decide judges a claim on a token of this node.
func (n doors) Decide(ctx context.Context, claim pki.Claim) (chain pki.Chain, err error) {
	var verdict error
	admit := func(now time.Time, m *gossip.Machine) { chain, verdict = m.Admit(now, claim) }
	if claim.Binding.Acceptor == n.ID() {
		err = n.do(ctx, admit) // of strangers, whom the limits on registrations hold
	} else {
		err = n.doFor(ctx, claim.Binding.Acceptor, admit)
	}
	return chain, errors.Join(err, verdict)
}
