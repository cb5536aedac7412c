package transport

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/gossippb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// hang answers when the call's context ends.
func hang(ctx context.Context) (*gossippb.JoinResponse, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestCloseEndsTheCallsOfANode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		guest, other := w.member("10.0.0.2", pki.Server), w.member("10.0.0.3", pki.Server)
		w.root.gossip(gossipServer{join: hang})
		ended := make(map[*node]error)
		for _, n := range []*node{guest, other} {
			go func() { ended[n] = join(n.to(w.root)) }()
			later() // one after the other: the map has no lock
		}
		if counts := w.root.registry.Counts(); counts != (Counts{Inbound: 2, Peers: 2}) {
			t.Errorf("%+v", counts)
		}
		if n := w.root.registry.Close(guest.ID()); n != 1 {
			t.Errorf("closed %d", n)
		}
		later()
		if status.Code(ended[guest]) != codes.Unavailable || ended[other] != nil {
			t.Errorf("the guest's call: %v, the other's: %v", ended[guest], ended[other])
		}
		if counts := w.root.registry.Counts(); counts != (Counts{Inbound: 1, Peers: 1}) {
			t.Errorf("%+v", counts)
		}
		// The other way: what a node closes itself was dialled by it.
		if n := other.registry.Close(w.root.ID()); n != 1 {
			t.Errorf("closed %d", n)
		}
		later()
		if status.Code(ended[other]) != codes.Unavailable {
			t.Errorf("the other's call: %v", ended[other])
		}
		if a, b := w.root.registry.Counts(), other.registry.Counts(); a != (Counts{}) || b != (Counts{}) {
			t.Errorf("%+v and %+v", a, b)
		}
	})
}

func TestCloseBelowEndsOldEpochsOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		n := w.member("10.0.0.2", pki.Server)
		w.root.gossip(gossipServer{})
		n.mint(7, time.Hour)
		expect(t, join(n.to(w.root)), codes.OK, "")
		if k := w.root.registry.CloseBelow(n.ID(), 7); k != 0 {
			t.Errorf("closed %d of epoch 7", k)
		}
		if k := w.root.registry.CloseBelow(n.ID(), 8); k != 1 {
			t.Errorf("closed %d below epoch 8", k)
		}
	})
}

func TestCloseAllEndsRegistrationsToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.root.registration(new(registrar))
		stranger := w.node("10.0.0.2")
		stream := stranger.register(w.root)
		later()
		if counts := w.root.registry.Counts(); counts != (Counts{Inbound: 1}) {
			t.Errorf("%+v", counts)
		}
		if n := w.root.registry.CloseAll(); n != 1 {
			t.Errorf("closed %d", n)
		}
		if _, err := stream.Recv(); status.Code(err) != codes.Unavailable {
			t.Errorf("the stream: %v", err)
		}
	})
}

func TestLeavesAreRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		n, stranger := w.member("10.0.0.2", pki.Server), w.node("10.0.0.3")
		w.root.gossip(gossipServer{})
		expect(t, join(n.to(w.root)), codes.OK, "")
		_ = call(stranger.attack(w.root), "/g2g.gossip.v1.Gossip/Join")
		n.pool.Drop(w.root.ID())
		later()
		if got, ok := w.root.registry.Leaf(n.ID()); !ok || got.Hash != n.Leaf().Claims.Hash {
			t.Errorf("the caller's leaf: %t, %s", ok, got.Fingerprint())
		}
		if got, ok := n.registry.Leaf(w.root.ID()); !ok || got.Hash != w.root.Leaf().Claims.Hash {
			t.Errorf("the server's leaf: %t, %s", ok, got.Fingerprint())
		}
		if _, ok := w.root.registry.Leaf(stranger.ID()); ok {
			t.Error("a stranger's leaf is remembered")
		}
	})
}

func TestLeavesAreBounded(t *testing.T) {
	r := NewRegistry()
	claims := func(i int) pki.LeafClaims { return pki.LeafClaims{ID: pki.ID{1, byte(i >> 8), byte(i)}} }
	for i := range MaxLeaves {
		r.remember(claims(i))
	}
	r.remember(claims(0)) // seen again
	r.remember(claims(MaxLeaves))
	for i, want := range map[int]bool{0: true, 1: false, 2: true, MaxLeaves: true} {
		if _, ok := r.Leaf(claims(i).ID); ok != want {
			t.Errorf("leaf %d: %t", i, ok)
		}
	}
	if len(r.leaves) != MaxLeaves || len(r.order) != MaxLeaves {
		t.Errorf("%d leaves, %d in order", len(r.leaves), len(r.order))
	}
}

func TestOldestConnectionOfAPeerMakesWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		n, other := w.member("10.0.0.2", pki.Server), w.member("10.0.0.3", pki.Server)
		w.root.gossip(gossipServer{join: hang})
		results := make(chan error, 1)
		go func() { results <- join(n.to(w.root)) }()
		go func() { _ = join(other.to(w.root)) }()
		later()
		for range MaxInboundPerPeer - 1 {
			go func() { _ = call(n.attack(w.root), "/g2g.gossip.v1.Gossip/Join") }()
			later()
		}
		select {
		case err := <-results:
			t.Fatalf("the first ended too soon: %v", err)
		default:
		}
		go func() { _ = call(n.attack(w.root), "/g2g.gossip.v1.Gossip/Join") }()
		later()
		select {
		case err := <-results:
			if status.Code(err) != codes.Unavailable {
				t.Errorf("the first: %v", err)
			}
		default:
			t.Error("the first goes on")
		}
		if counts := w.root.registry.Counts(); counts.Inbound != MaxInboundPerPeer+1 || counts.Peers != 2 {
			t.Errorf("%+v", counts)
		}
	})
}

// A connection that breaks between TLS and HTTP/2 leaves nothing behind, whichever end breaks it.
func TestBrokenStartsLeaveNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		n := w.member("10.0.0.2", pki.Server)
		w.root.gossip(gossipServer{})
		for _, send := range []string{"", "GET / HTTP/1.1\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "silence"} {
			raw, err := n.host.Dial(t.Context(), w.root.address)
			if err != nil {
				t.Fatal(err)
			}
			conn := tls.Client(raw, careless(n.Leaf().Certificate))
			if err := conn.Handshake(); err != nil {
				t.Fatal(err)
			}
			if send == "silence" {
				time.Sleep(time.Minute)
			}
			_, _ = io.WriteString(conn, send)
			_ = raw.Close()
		}
		later()
		if counts := w.root.registry.Counts(); counts != (Counts{}) {
			t.Errorf("server: %+v", counts)
		}
		if counts := w.root.gate.Counts(); counts.Strangers+counts.Known+counts.Proven != 0 {
			t.Errorf("gate: %+v", counts)
		}
		// A server that shakes hands and hangs up.
		l, err := n.host.Listen(":0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		n.address = l.Addr().String()
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				_ = plainServer(careless(n.Leaf().Certificate))(&tlsEnd{c})
				_ = c.Close()
			}
		}()
		if err := join(w.root.to(n)); status.Code(err) != codes.Unavailable {
			t.Errorf("a server that hangs up: %v", err)
		}
		w.root.pool.Drop(n.ID())
		later()
		if counts := w.root.registry.Counts(); counts != (Counts{}) {
			t.Errorf("client: %+v", counts)
		}
	})
}

// Two connections that show the very same certificate are told apart.
func TestEqualCertificatesAreTwoConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		n := w.member("10.0.0.2", pki.Server)
		w.root.gossip(gossipServer{})
		first, second := n.attack(w.root), n.attack(w.root)
		const method = "/g2g.gossip.v1.Gossip/Join"
		expect(t, call(first, method), codes.OK, "")
		expect(t, call(second, method), codes.OK, "")
		_ = first.Close()
		later()
		expect(t, call(second, method), codes.OK, "")
		if counts := w.root.registry.Counts(); counts.Inbound != 1 {
			t.Errorf("%+v", counts)
		}
		keys := make(map[any]bool)
		for range 2 {
			client, server := w.pipe()
			go func() { _ = plainServer(careless(w.root.Leaf().Certificate))(&tlsEnd{server}) }()
			_, info, err := n.credentialsTo(w.root.ID()).ClientHandshake(t.Context(), "", client)
			if err != nil {
				t.Fatal(err)
			}
			key, err := keyOf(info)
			if err != nil {
				t.Fatal(err)
			}
			keys[key] = true
		}
		if len(keys) != 2 {
			t.Error("two connections have one key")
		}
	})
}

// A call that was already under way when its connection was closed here finds no connection.
func TestClosedConnectionsCarryNoCalls(t *testing.T) {
	if _, err := NewRegistry().find(t.Context()); err == nil || !strings.Contains(err.Error(), "no connection in the context") {
		t.Errorf("no peer: %v", err)
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		n := w.member("10.0.0.2", pki.Server)
		var again error
		a := newAuthorizer(ServerConfig{Source: w.root, Registry: w.root.registry})
		w.root.gossip(gossipServer{join: func(ctx context.Context) (*gossippb.JoinResponse, error) {
			w.root.registry.CloseAll()
			_, again = a.authorize(ctx, gossippb.Gossip_Join_FullMethodName)
			return &gossippb.JoinResponse{}, nil
		}})
		_ = join(n.to(w.root))
		later()
		expect(t, again, codes.Unavailable, "the connection was closed")
	})
}

func TestHookTellsOnce(t *testing.T) {
	a, b := net.Pipe()
	defer b.Close()
	h := hook(a)
	if hook(h) != h {
		t.Error("a hooked connection is hooked again")
	}
	told := 0
	h.whenClosed(func() { told++ })
	_, _ = h.Close(), h.Close()
	if told != 1 {
		t.Errorf("told %d times", told)
	}
	h.whenClosed(func() { told += 10 })
	if told != 11 {
		t.Error("a closed connection does not tell at once")
	}
}
