package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/gossippb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// registrar answers each message of a registration with the exporter, takes a claim for the proof, and cannot stand a ready.
type registrar struct {
	gossippb.UnimplementedRegistrationServer
	mu     sync.Mutex
	proven []error
}

func (r *registrar) Register(s grpc.BidiStreamingServer[gossippb.RegisterRequest, gossippb.RegisterResponse]) error {
	for {
		request, err := s.Recv()
		if err != nil {
			return err
		}
		exporter, err := Exporter(s.Context())
		if err != nil {
			return err
		}
		if _, ok := request.GetStep().(*gossippb.RegisterRequest_Ready); ok {
			panic("ready")
		}
		if request.GetClaim() != nil {
			r.mu.Lock()
			r.proven = append(r.proven, Proven(s.Context()))
			r.mu.Unlock()
		}
		answer := &gossippb.RegisterResponse{Step: &gossippb.RegisterResponse_Welcome{Welcome: &gossippb.RegisterWelcome{Nonce: exporter[:]}}}
		if err := s.Send(answer); err != nil {
			return err
		}
	}
}

type registrationStream = grpc.BidiStreamingClient[gossippb.RegisterRequest, gossippb.RegisterResponse]

// dial opens the connection of a registration.
func (n *node) dial(acceptor *node) *grpc.ClientConn {
	n.world.t.Helper()
	conn, claims, err := DialRegistration(n.world.t.Context(), n.host.Dial, acceptor.address, n.world.genesis.Network().Pin())
	if err != nil {
		n.world.t.Fatal(err)
	}
	if claims.ID != acceptor.ID() {
		n.world.t.Errorf("found %s", claims.ID)
	}
	n.world.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// register begins a registration.
func (n *node) register(acceptor *node) registrationStream {
	n.world.t.Helper()
	return n.begin(n.dial(acceptor))
}

func (n *node) begin(conn *grpc.ClientConn) registrationStream {
	n.world.t.Helper()
	stream, err := gossippb.NewRegistrationClient(conn).Register(context.Background())
	if err != nil {
		n.world.t.Fatal(err)
	}
	return stream
}

var (
	aHello = &gossippb.RegisterRequest{Step: &gossippb.RegisterRequest_Hello{Hello: &gossippb.RegisterHello{}}}
	aClaim = &gossippb.RegisterRequest{Step: &gossippb.RegisterRequest_Claim{Claim: &gossippb.RegisterClaim{}}}
)

// ask sends a message and gives the exporter of the other end.
func ask(s registrationStream, request *gossippb.RegisterRequest) (string, error) {
	if err := s.Send(request); err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	answer, err := s.Recv()
	return string(answer.GetWelcome().GetNonce()), err
}

func TestBothEndsExportTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.root.registration(new(registrar))
		n := w.node("10.0.0.2")
		seen := make(map[string]bool)
		for range 2 {
			stream := n.register(w.root)
			ours, err := Exporter(stream.Context())
			if err != nil {
				t.Fatal("before the first message:", err)
			}
			theirs, err := ask(stream, aHello)
			if err != nil || theirs != string(ours[:]) {
				t.Errorf("ours %x, theirs %x, %v", ours, theirs, err)
			}
			seen[theirs] = true
		}
		if len(seen) != 2 {
			t.Error("two connections export the same")
		}
		if _, err := Exporter(t.Context()); err == nil || err.Error() != "export keying material: no connection in the context" {
			t.Errorf("no connection: %v", err)
		}
		if _, err := export(nil); err == nil || err.Error() != "export keying material: a <nil> connection where TLS is needed" {
			t.Errorf("no TLS: %v", err)
		}
	})
}

func TestDialRegistrationFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.root.registration(new(registrar))
		foreign := w.other().root.registration(new(registrar))
		n := w.node("10.0.0.2")
		dial := func(address string) error {
			conn, _, err := DialRegistration(t.Context(), n.host.Dial, address, w.genesis.Network().Pin())
			if err == nil {
				_ = conn.Close()
			}
			return err
		}
		err := dial(foreign.address)
		if want := "register at " + foreign.address + ": node " + foreign.ID().String() + " is a member of another network"; !errors.Is(err, ErrOtherNetwork) || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
		want := `register at 10.0.0.3:1: unreachable: dial tcp: "10.0.0.3:1": connection refused`
		if err := dial("10.0.0.3:1"); !errors.Is(err, ErrUnreachable) || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
		// Servers that hang up before, and after, the handshake.
		for _, shake := range []bool{false, true} {
			l, err := w.net.Host("10.0.0.3").Listen(":0")
			if err != nil {
				t.Fatal(err)
			}
			go func() {
				c, err := l.Accept()
				if err != nil {
					return
				}
				if shake {
					_ = plainServer(careless(w.root.Leaf().Certificate))(&tlsEnd{c})
				}
				_ = c.Close()
			}()
			if err := dial(l.Addr().String()); !errors.Is(err, ErrUnreachable) {
				t.Errorf("a server that hangs up (after the handshake: %t): %v", shake, err)
			}
			_ = l.Close()
		}
	})
}

// What was said of the connection must stay true of all that is sent over it.
func TestRegistrationNeverReconnects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.root.registration(new(registrar))
		n := w.node("10.0.0.2")
		conn := n.dial(w.root)
		w.root.registry.CloseAll()
		later()
		stream, err := gossippb.NewRegistrationClient(conn).Register(t.Context())
		if err == nil {
			_, err = ask(stream, aHello)
		}
		expect(t, err, codes.Unavailable, `connection error: desc = "transport: Error while dialing: the connection of the registration has ended"`)
	})
}

func TestProvenConnectionsLeaveTheGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		r := new(registrar)
		w.root.registration(r)
		proven, unproven := w.node("10.0.0.2").register(w.root), w.node("10.0.0.3").register(w.root)
		for s, request := range map[registrationStream]*gossippb.RegisterRequest{proven: aClaim, unproven: aHello} {
			if _, err := ask(s, request); err != nil {
				t.Fatal(err)
			}
		}
		if counts := w.root.gate.Counts(); counts != (GateCounts{Strangers: 1, Proven: 1}) {
			t.Errorf("%+v", counts)
		}
		time.Sleep(UnprovenLife)
		if _, err := ask(proven, aClaim); err != nil {
			t.Errorf("the proven one: %v", err)
		}
		if _, err := ask(unproven, aHello); status.Code(err) != codes.Unavailable {
			t.Errorf("the unproven one: %v", err)
		}
		if len(r.proven) != 2 || r.proven[0] != nil || r.proven[1] != nil {
			t.Errorf("proofs: %v", r.proven)
		}
		if err := Proven(t.Context()); err == nil || err.Error() != "prove connection: no connection in the context" {
			t.Errorf("no connection: %v", err)
		}
	})
}

// The relay has a handshake of its own with each side, and so another exporter.
func TestRelayDoesNotFit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.root.registration(new(registrar))
		relay := w.member("10.0.0.3", pki.Server)
		l, err := relay.host.Listen(":0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		relay.address = l.Addr().String()
		go func() {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := relay.host.Dial(context.Background(), w.root.address)
			if err != nil {
				return
			}
			splice(tls.Server(in, careless(relay.Leaf().Certificate)), tls.Client(out, careless()))
		}()
		stream := w.node("10.0.0.2").register(relay)
		ours, err := Exporter(stream.Context())
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := ask(stream, aHello)
		if err != nil || theirs == "" || theirs == string(ours[:]) {
			t.Errorf("ours %x, theirs %x, %v", ours, theirs, err)
		}
		w.root.registry.CloseAll()
		later() // for the relay to notice
	})
}

// splice carries everything between two connections.
func splice(a, b net.Conn) {
	go func() {
		_, _ = io.Copy(a, b)
		_ = a.Close()
	}()
	_, _ = io.Copy(b, a)
	_ = b.Close()
}

func TestRegistrationPortHasNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		server := NewRegistrationServer(ServerConfig{Source: w.root, Registry: w.root.registry})
		gossippb.RegisterGossipServer(server, gossipServer{})
		w.root.serve(server)
		for _, r := range Table() {
			if r.Stranger {
				continue
			}
			conn := w.member("10.0.0.2", pki.Server).dial(w.root)
			expect(t, call(conn, r.Method), codes.PermissionDenied, "refused "+r.Method+": not allowed on this port")
		}
	})
}
