package node

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/g2g-net/g2g/node/admin"
	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/transport"
	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/adminpb"
)

// states are how a node lists its peers, by name.
func (a *actor) states() string {
	a.w.t.Helper()
	peers, err := a.Peers(context.Background())
	if err != nil {
		a.w.t.Fatal(err)
	}
	var out []string
	for _, p := range peers {
		out = append(out, fmt.Sprintf("%s %s %s", p.Name, p.Mode, p.State))
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// status is what the node tells its operator of itself.
func (a *actor) status() *adminpb.Self {
	a.w.t.Helper()
	l, err := a.host.Listen(":0")
	if err != nil {
		a.w.t.Fatal(err)
	}
	ring := admin.NewRing()
	defer ring.Close()
	server := admin.NewServer(doors{a.Node}, ring, admin.NewHistory(), slog.New(slog.DiscardHandler))
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	conn, err := grpc.NewClient("passthrough:///"+l.Addr().String(), grpc.WithContextDialer(a.host.Dial), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		a.w.t.Fatal(err)
	}
	s, err := adminpb.NewAdminClient(conn).Show(context.Background(), &adminpb.ShowRequest{})
	if err != nil {
		a.w.t.Fatal(err)
	}
	_ = conn.Close()
	server.Stop()
	<-served
	return s.GetSelf()
}

// mute fails the test where the actor opens a port.
func mute(a *actor) {
	a.bind = func(address string) (net.Listener, error) {
		a.w.t.Errorf("%s listens at %s", a.name, address)
		return a.host.Listen(address)
	}
}

// A client-mode member sees the server-mode members and calls the services of their programs. It has no listener, counts
// nowhere, and may do nothing else.
func TestClientModeMember(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		var caller Caller
		f := w.founder(func(a *actor) { a.services = (&echo{heard: func(c Caller) { caller = c }}).register })
		n1 := w.joiner(1, f)
		servers := []*actor{f, n1}
		w.allAlive(10*time.Second, servers, 1)
		guest := w.client(2, n1, mute, withEcho)
		w.until(5*time.Second, "the client sees both servers", func() bool { return guest.states() == "n0 server alive, n1 server alive" })
		counted := func(want uint32) func() bool {
			return func() bool { return f.status().GetClients() == want && n1.status().GetClients() == want }
		}
		w.until(5*time.Second, "both servers count the client", counted(1))
		if got := f.states(); got != "n1 server alive, n2 client alive" {
			t.Errorf("the founder lists %s", got)
		}
		if err := shout(guest.program("n0"), 10*time.Millisecond); err != nil || caller != (Caller{guest.ID(), pki.Client}) {
			t.Errorf("%v, called by %v", err, caller)
		}
		if info := guest.Info(); info.Gossip != "" || info.Register != "" || !info.Member {
			t.Errorf("%+v", info)
		}
		w.pass(time.Minute)
		for _, a := range servers {
			p, err := a.Picture(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if slices.ContainsFunc(p.Gossip.Order, func(o gossip.Place) bool { return o.ID == guest.ID() }) || len(p.Gossip.Order) != 1 {
				t.Errorf("%s has the order %v", a.name, p.Gossip.Order)
			}
			if a.alive() != 1 || p.Gossip.Bound.N != 2 || slices.Contains(p.Gossip.Active, guest.ID()) || !p.Gossip.Converged {
				t.Errorf("%s: %d alive, %d judged by, active %v, converged %t", a.name, a.alive(), p.Gossip.Bound.N, p.Gossip.Active, p.Gossip.Converged)
			}
		}
		guest.halt()
		took := w.until(time.Second, "its goodbye is heard", counted(0))
		t.Logf("gone after %s: %s", took, f.states())
		guest.start()
		w.until(5*time.Second, "it is back", func() bool {
			return counted(1)() && guest.states() == "n0 server alive, n1 server alive" && shout(guest.program("n0"), 0) == nil
		})
		haltAll([]*actor{guest, f, n1})
	})
}

// Everything in the table that is not for clients is refused to them by name, and what is in the node's own packages beside.
func TestClientModeMemberIsRefusedByName(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		f := w.founder(withEcho)
		guest := w.client(1, f)
		w.until(5*time.Second, "the client sees the founder", func() bool { return guest.states() == "n0 server alive" })
		conn := guest.program("n0")
		methods := []string{"/g2g.gossip.v1.Gossip/Other", "/g2g.admin.v1.Admin/Show", "/g2g.other.Service/Call"}
		for _, rule := range transport.Table() {
			if !rule.Client {
				methods = append(methods, rule.Method)
			}
		}
		if len(methods) < 3+4 {
			t.Errorf("only %v are refused", methods)
		}
		for _, method := range methods {
			want := "refused " + method + ": not allowed in client mode"
			err := conn.Invoke(context.Background(), method, &emptypb.Empty{}, &emptypb.Empty{})
			if s := status.Convert(err); s.Code() != codes.PermissionDenied || s.Message() != want {
				t.Errorf("got %v, want %s", err, want)
			}
			w.pass(time.Second) // a refused connection is closed
			stream, err := conn.NewStream(context.Background(), &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, method)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = stream.SendMsg(&emptypb.Empty{}), stream.CloseSend()
			if s := status.Convert(stream.RecvMsg(&emptypb.Empty{})); s.Code() != codes.PermissionDenied || s.Message() != want {
				t.Errorf("as a stream: got %v, want %s", s, want)
			}
			w.pass(time.Second)
		}
		if err := shout(conn, 0); err != nil {
			t.Errorf("after all refusals: %v", err)
		}
		haltAll([]*actor{guest, f})
	})
}
