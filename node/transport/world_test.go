package transport

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/g2g-net/g2g/node/transport/memnet"
	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/gossippb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

// world is a network in memory with a founder.
type world struct {
	t       *testing.T
	net     *memnet.Network
	founder *pki.Identity
	genesis pki.Genesis
	root    *node
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldAt(t, time.Millisecond)
}

// newWorldAt is a world with another latency one way.
func newWorldAt(t *testing.T, latency time.Duration) *world {
	t.Helper()
	return found(t, memnet.New(func(netip.Addr, netip.Addr) time.Duration { return latency }))
}

// other is another network of nodes over the same wires.
func (w *world) other() *world { return found(w.t, w.net) }

func found(t *testing.T, net *memnet.Network) *world {
	t.Helper()
	w := &world{t: t, net: net, founder: identity(t)}
	var err error
	if w.genesis, err = pki.Found(rand.Reader, w.founder, "test", time.Now()); err != nil {
		t.Fatal(err)
	}
	w.root = w.node("10.0.0.1")
	if w.root.chain, err = pki.AdmitRoot(w.founder, w.genesis, w.root.identity.Key(), time.Now()); err != nil {
		t.Fatal(err)
	}
	w.root.settle()
	return w
}

func identity(t *testing.T) *pki.Identity {
	t.Helper()
	i, err := pki.NewIdentity(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// node is a Source with all that a node has of this package.
type node struct {
	world    *world
	identity *pki.Identity
	chain    pki.Chain
	network  pki.NetworkID
	host     *memnet.Host
	leaf     atomic.Pointer[pki.Leaf]
	trust    atomic.Pointer[pki.Trust]
	registry *Registry
	gate     *Gate
	pool     *Pool
	address  string // of its server
}

func (n *node) Leaf() *pki.Leaf   { return n.leaf.Load() }
func (n *node) Trust() *pki.Trust { return n.trust.Load() }
func (n *node) ID() pki.ID        { return n.identity.ID() }

// node makes a stranger: it has an identity, and a leaf without network and chain.
func (w *world) node(ip string) *node {
	w.t.Helper()
	n := &node{world: w, identity: identity(w.t), host: w.net.Host(ip), registry: NewRegistry(), gate: NewGate(GateConfig{})}
	n.trust.Store(&pki.Trust{Genesis: w.genesis})
	n.mint(1, time.Hour)
	n.pool = NewPool(PoolConfig{Source: n, Registry: n.registry, Dial: n.host.Dial})
	w.t.Cleanup(n.pool.Close)
	return n
}

// member makes a node that the root admitted.
func (w *world) member(ip string, mode pki.Mode) *node {
	w.t.Helper()
	n := w.node(ip)
	var err error
	nomination := pki.Nomination{Mode: mode, MayNominate: mode == pki.Server}
	if n.chain, err = w.root.chain.Admit(w.root.identity, n.identity.Key(), nomination, time.Now()); err != nil {
		w.t.Fatal(err)
	}
	n.settle()
	return n
}

// settle gives a node its leaf as a member.
func (n *node) settle() {
	n.network = n.world.genesis.Network()
	n.mint(1, time.Hour)
}

func (n *node) mint(epoch uint64, life time.Duration) {
	n.world.t.Helper()
	leaf, err := pki.MintLeaf(rand.Reader, n.identity, n.network, n.chain, epoch, time.Now(), life)
	if err != nil {
		n.world.t.Fatal(err)
	}
	n.leaf.Store(leaf)
}

// revoke publishes a Trust in which leaves of the node below the epoch are refused.
func (n *node) revoke(id pki.ID, minEpoch uint64) {
	n.trust.Store(&pki.Trust{Genesis: n.Trust().Genesis, MinEpoch: map[pki.ID]uint64{id: minEpoch}})
}

// serve starts a server behind the node's gate until the test ends.
func (n *node) serve(server *grpc.Server) {
	n.world.t.Helper()
	l, err := n.host.Listen(":0")
	if err != nil {
		n.world.t.Fatal(err)
	}
	n.address = l.Addr().String()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(n.gate.Listen(l))
	}()
	n.world.t.Cleanup(func() {
		server.Stop()
		<-done
	})
}

// gossip starts a Gossip server.
func (n *node) gossip(impl gossippb.GossipServer, change ...func(*ServerConfig)) *node {
	config := ServerConfig{Source: n, Registry: n.registry}
	for _, f := range change {
		f(&config)
	}
	server := NewGossipServer(config)
	gossippb.RegisterGossipServer(server, impl)
	n.serve(server)
	return n
}

// registration starts a Registration server.
func (n *node) registration(impl gossippb.RegistrationServer) *node {
	server := NewRegistrationServer(ServerConfig{Source: n, Registry: n.registry})
	gossippb.RegisterRegistrationServer(server, impl)
	n.serve(server)
	return n
}

// to gives the node's own connection to another.
func (n *node) to(other *node) gossippb.GossipClient {
	n.world.t.Helper()
	conn, err := n.pool.Conn(other.ID(), []string{other.address})
	if err != nil {
		n.world.t.Fatal(err)
	}
	return gossippb.NewGossipClient(conn)
}

// attack connects with the node's leaf and a client that checks nothing.
func (n *node) attack(other *node) *grpc.ClientConn {
	n.world.t.Helper()
	conn, err := grpc.NewClient("passthrough:///"+other.address, grpc.WithContextDialer(n.host.Dial), grpc.WithTransportCredentials(
		credentials.NewTLS(careless(n.Leaf().Certificate))))
	if err != nil {
		n.world.t.Fatal(err)
	}
	n.world.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// careless is the configuration of somebody who checks nothing.
func careless(shown ...tls.Certificate) *tls.Config {
	return &tls.Config{Certificates: shown, InsecureSkipVerify: true, NextProtos: []string{"h2"}, ClientAuth: tls.RequestClientCert}
}

// gossipServer answers as its fields say; without one it answers with nothing.
type gossipServer struct {
	gossippb.UnimplementedGossipServer
	join func(context.Context) (*gossippb.JoinResponse, error)
	push func(context.Context) (*gossippb.PushResponse, error)
}

func (s gossipServer) Join(ctx context.Context, _ *gossippb.JoinRequest) (*gossippb.JoinResponse, error) {
	if s.join == nil {
		return &gossippb.JoinResponse{}, nil
	}
	return s.join(ctx)
}

func (s gossipServer) Push(ctx context.Context, _ *gossippb.PushRequest) (*gossippb.PushResponse, error) {
	if s.push == nil {
		return &gossippb.PushResponse{}, nil
	}
	return s.push(ctx)
}

func (gossipServer) Exchange(context.Context, *gossippb.ExchangeRequest) (*gossippb.ExchangeResponse, error) {
	return &gossippb.ExchangeResponse{}, nil
}

func (gossipServer) Nominations(context.Context, *gossippb.NominationsRequest) (*gossippb.NominationsResponse, error) {
	return &gossippb.NominationsResponse{}, nil
}

func (gossipServer) Claim(context.Context, *gossippb.ClaimRequest) (*gossippb.ClaimResponse, error) {
	return &gossippb.ClaimResponse{}, nil
}

// join calls Join with nothing in it.
func join(c gossippb.GossipClient) error {
	_, err := c.Join(context.Background(), &gossippb.JoinRequest{})
	return err
}

// later is a second later, with all that followed.
func later() {
	time.Sleep(time.Second)
	synctest.Wait()
}

// pipe is a raw connection between two hosts of the world.
func (w *world) pipe() (client, server net.Conn) {
	w.t.Helper()
	l, err := w.net.Host("10.9.0.2").Listen(":0")
	if err != nil {
		w.t.Fatal(err)
	}
	defer l.Close()
	if client, err = w.net.Host("10.9.0.1").Dial(w.t.Context(), l.Addr().String()); err != nil {
		w.t.Fatal(err)
	}
	if server, err = l.Accept(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _, _ = client.Close(), server.Close() })
	return client, server
}
