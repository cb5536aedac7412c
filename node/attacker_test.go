package node

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"github.com/g2g-net/g2g/node/transport"
	"github.com/g2g-net/g2g/node/transport/memnet"
	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/node/wire"
	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/gossippb"
)

// attacker speaks the protocol by hand, with whatever identity, chain and leaf the test gives him. It is a transport.Source.
type attacker struct {
	w        *world
	identity *pki.Identity
	genesis  pki.Genesis // of the network under attack: anybody can read it at a Registration port
	chain    pki.Chain   // zero for a stranger
	host     *memnet.Host
	leaf     atomic.Pointer[pki.Leaf]
	registry *transport.Registry
	pool     *transport.Pool
}

func (a *attacker) Leaf() *pki.Leaf   { return a.leaf.Load() }
func (a *attacker) Trust() *pki.Trust { return &pki.Trust{Genesis: a.genesis} }
func (a *attacker) ID() pki.ID        { return a.identity.ID() }

// stranger has an identity, knows the network, and is no member. His leaf says that he is of the network, which anybody's can.
func (w *world) stranger(ip string, of *actor) *attacker {
	w.t.Helper()
	identity, err := pki.NewIdentity(rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	a := &attacker{w: w, identity: identity, genesis: of.genesis(), host: w.net.Host(ip), registry: transport.NewRegistry()}
	a.pool = transport.NewPool(transport.PoolConfig{Source: a, Registry: a.registry, Dial: a.host.Dial})
	w.t.Cleanup(a.pool.Close)
	a.mint(1, time.Hour)
	return a
}

// member is an admitted stranger: the founder's key, which the test reads from the founder's folder, admits him directly. No
// node has heard of him.
func (w *world) member(ip string, of *actor, mode pki.Mode) *attacker {
	w.t.Helper()
	a := w.stranger(ip, of)
	root, chain := w.root(of)
	nomination := pki.Nomination{Mode: mode, MayNominate: mode == pki.Server}
	var err error
	if a.chain, err = chain.Admit(root, a.identity.Key(), nomination, time.Now()); err != nil {
		w.t.Fatal(err)
	}
	a.mint(1, time.Hour)
	return a
}

// root is the identity and the chain of a node whose folder the test reads while it runs.
func (w *world) root(of *actor) (*pki.Identity, pki.Chain) {
	return of.identity, of.member.Load().chain
}

func (a *actor) genesis() pki.Genesis { return a.member.Load().genesis }

// mint gives the attacker an honest leaf of his own.
func (a *attacker) mint(epoch uint64, life time.Duration) {
	a.w.t.Helper()
	leaf, err := pki.MintLeaf(rand.Reader, a.identity, a.genesis.Network(), a.chain, epoch, time.Now(), life)
	if err != nil {
		a.w.t.Fatal(err)
	}
	a.leaf.Store(leaf)
}

// to is a connection to the node's Gossip port.
func (a *attacker) to(victim *actor) *grpc.ClientConn {
	a.w.t.Helper()
	conn, err := a.pool.Conn(victim.ID(), []string{victim.Info().Gossip})
	if err != nil {
		a.w.t.Fatal(err)
	}
	return conn
}

func (a *attacker) gossip(victim *actor) gossippb.GossipClient {
	return gossippb.NewGossipClient(a.to(victim))
}

// contact seals one of the attacker's own. Change may put anything into it that the gate at home would let through.
func (a *attacker) contact(change ...func(*view.Contact)) *view.Contact {
	a.w.t.Helper()
	c := view.Contact{
		Name: "mallory", Mode: pki.Server, Sequence: uint64(time.Now().UnixMilli()), NotAfter: time.Now().Add(time.Hour).Unix(),
		Epoch: 1, Incarnation: 1, Anchor: view.Link{1}, Period: time.Second, Chain: a.chain,
	}
	if !a.chain.IsZero() {
		c.Mode = a.chain.Mode()
	}
	for _, f := range change {
		f(&c)
	}
	out, err := wire.SealContact(a.identity, a.genesis.Network(), c)
	if err != nil {
		a.w.t.Fatal(err)
	}
	return out
}

// serve starts a Registration port with the attacker's leaf and gives its address. It ends with the test.
func (a *attacker) serve(service gossippb.RegistrationServer) string {
	server := transport.NewRegistrationServer(transport.ServerConfig{Source: a, Registry: a.registry})
	gossippb.RegisterRegistrationServer(server, service)
	return a.listen(server)
}

// serveGossip does so with a Gossip port.
func (a *attacker) serveGossip(service gossippb.GossipServer) string {
	server := transport.NewGossipServer(transport.ServerConfig{Source: a, Registry: a.registry})
	gossippb.RegisterGossipServer(server, service)
	return a.listen(server)
}

func (a *attacker) listen(server *grpc.Server) string {
	a.w.t.Helper()
	l, err := a.host.Listen(":0")
	if err != nil {
		a.w.t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l)
	}()
	a.w.t.Cleanup(func() {
		server.Stop()
		<-done
	})
	return l.Addr().String()
}

// registration is an attacker's stream at a Registration port, and what it was welcomed with.
type registration struct {
	gossippb.Registration_RegisterClient
	welcome  *gossippb.RegisterWelcome
	exporter [pki.ExporterSize]byte
}

// register begins a registration by hand and says hello.
func (a *attacker) register(at string) registration {
	a.w.t.Helper()
	conn, _, err := transport.DialRegistration(context.Background(), a.host.Dial, at, a.genesis.Network().Pin())
	if err != nil {
		a.w.t.Fatal(err)
	}
	a.w.t.Cleanup(func() { _ = conn.Close() })
	stream, err := gossippb.NewRegistrationClient(conn).Register(context.Background())
	if err != nil {
		a.w.t.Fatal(err)
	}
	r := registration{Registration_RegisterClient: stream}
	resp, err := r.ask(&gossippb.RegisterRequest{Step: &gossippb.RegisterRequest_Hello{
		Hello: &gossippb.RegisterHello{ProtocolMin: wire.ProtocolVersion, ProtocolMax: wire.ProtocolVersion},
	}})
	if err != nil {
		a.w.t.Fatal(err)
	}
	if r.exporter, err = transport.Exporter(stream.Context()); err != nil {
		a.w.t.Fatal(err)
	}
	r.welcome = resp.GetWelcome()
	return r
}

func (r registration) ask(req *gossippb.RegisterRequest) (*gossippb.RegisterResponse, error) {
	if err := r.Send(req); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return r.Recv()
}

// say sends a claim.
func (r registration) say(c *gossippb.RegisterClaim) error {
	_, err := r.ask(&gossippb.RegisterRequest{Step: &gossippb.RegisterRequest_Claim{Claim: c}})
	return err
}

// claim seals, with a token and an identity, what this connection asks for.
func (r registration) claim(a *attacker, token pki.Token, contact *view.Contact) *gossippb.RegisterClaim {
	a.w.t.Helper()
	acceptor, err := pki.KeyFrom(r.welcome.GetContact().GetKey())
	if err != nil {
		a.w.t.Fatal(err)
	}
	binding := wire.Bind(a.genesis.Network(), acceptor.ID(), r.exporter, [pki.NonceSize]byte(r.welcome.GetNonce()), token.ID(), contact)
	tokenSeal, identitySeal, err := token.Claim(a.identity, binding)
	if err != nil {
		a.w.t.Fatal(err)
	}
	return wire.EncodeRegisterClaim(pki.Claim{
		Binding: binding, Nominator: token.Nominator, TokenKey: token.Key(), JoinerKey: a.identity.Key(), TokenSeal: tokenSeal, IdentitySeal: identitySeal,
	}, contact, token)
}
