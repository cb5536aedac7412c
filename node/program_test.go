package node

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/transport"
	"github.com/g2g-net/g2g/pki"
)

// echo is a program's service: it answers what it was sent, after the time that this says.
type echo struct {
	heard func(Caller)
	took  func(time.Duration)
}

const echoUnary, echoStream = "/test.Echo/Unary", "/test.Echo/Stream"

func (e *echo) answer(ctx context.Context, in *durationpb.Duration) (*durationpb.Duration, error) {
	if caller, ok := CallerFrom(ctx); !ok {
		return nil, status.Error(codes.Internal, "the caller is not known")
	} else if e.heard != nil {
		e.heard(caller)
	}
	if e.took != nil {
		e.took(in.AsDuration())
	}
	select {
	case <-time.After(in.AsDuration()):
		return in, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (e *echo) register(r grpc.ServiceRegistrar) {
	r.RegisterService(&grpc.ServiceDesc{
		ServiceName: "test.Echo",
		Methods: []grpc.MethodDesc{{MethodName: "Unary", Handler: func(_ any, ctx context.Context, decode func(any) error, wrap grpc.UnaryServerInterceptor) (any, error) {
			in := new(durationpb.Duration)
			if err := decode(in); err != nil {
				return nil, err
			}
			return wrap(ctx, in, &grpc.UnaryServerInfo{FullMethod: echoUnary}, func(ctx context.Context, in any) (any, error) {
				return e.answer(ctx, in.(*durationpb.Duration))
			})
		}}},
		Streams: []grpc.StreamDesc{{StreamName: "Stream", ServerStreams: true, ClientStreams: true, Handler: func(_ any, s grpc.ServerStream) error {
			in := new(durationpb.Duration)
			for {
				if err := s.RecvMsg(in); err != nil {
					return err
				}
				out, err := e.answer(s.Context(), in)
				if err != nil {
					return err
				}
				if err := s.SendMsg(out); err != nil {
					return err
				}
			}
		}}},
	}, nil)
}

// withEcho has the actor's program serve it.
func withEcho(a *actor) { a.services = new(echo).register }

// shout makes one unary call that takes so long at the other end.
func shout(conn grpc.ClientConnInterface, takes time.Duration) error {
	out := new(durationpb.Duration)
	if err := conn.Invoke(context.Background(), echoUnary, durationpb.New(takes), out); err != nil {
		return err
	}
	if out.AsDuration() != takes {
		return errors.New("another answer came")
	}
	return nil
}

// program dials a peer of the actor for its program.
func (a *actor) program(peer string) grpc.ClientConnInterface {
	a.w.t.Helper()
	conn, err := a.Dial(context.Background(), peer)
	if err != nil {
		a.w.t.Fatal(err)
	}
	return conn
}

func TestProgramsServeAndCall(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		var caller Caller
		f := w.founder(func(a *actor) { a.services = (&echo{heard: func(c Caller) { caller = c }}).register })
		n1 := w.joiner(1, f)
		w.allAlive(10*time.Second, []*actor{f, n1}, 1)
		for _, peer := range []string{"n0", f.ID().String(), f.ID().Short()} {
			if err := shout(n1.program(peer), 0); err != nil || caller != (Caller{n1.ID(), pki.Server}) {
				t.Errorf("%s: %v, called by %v", peer, err, caller)
			}
		}
		if err := shout(f.program("n1"), 0); status.Code(err) != codes.Unimplemented {
			t.Errorf("a peer without services: %v", err)
		}
		peers, err := n1.Peers(context.Background())
		if err != nil || len(peers) != 1 || peers[0].ID != f.ID() || peers[0].Name != "n0" || peers[0].Mode != pki.Server || peers[0].State != "alive" ||
			peers[0].Addresses[0] != f.Info().Gossip {
			t.Errorf("%+v, %v", peers, err)
		}
		clients := n1.Clients()
		if len(clients) != 1 || clients[0].ID != f.ID() || clients[0].State != connectivity.Ready || clients[0].Calls < 4 || clients[0].Failures != 0 {
			t.Errorf("%+v", clients)
		}
		haltAll([]*actor{f, n1})
	})
}

func TestDialFindsOnePeerOrNone(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		f := w.founder()
		n1, n2 := w.joiner(1, f), w.joinerWith(2, f, func(a *actor) { a.cfg.Name = "n1" })
		guest := w.client(3, f)
		w.until(10*time.Second, "the founder knows all", func() bool {
			peers, err := f.Peers(context.Background())
			return err == nil && len(peers) == 3
		})
		both := []string{n1.ID().String() + " (n1)", n2.ID().String() + " (n1)"}
		for _, c := range []struct {
			peer string
			is   error
			has  []string
		}{
			{"n1", ErrAmbiguous, append(both, `dial "n1": fits more than one peer: `)},
			{"nobody", ErrNoPeer, []string{`dial "nobody": no such peer`}},
			{"", ErrNoPeer, []string{`dial "": no such peer`}},
			{"g2gn1_", ErrNoPeer, []string{`dial "g2gn1_": no such peer`}},
			{"n0", ErrNoPort, []string{`dial "n0": it is this node itself: cannot be called`}},
			{guest.ID().String(), ErrNoPort, []string{"a client-mode member has no port: cannot be called"}},
		} {
			_, err := f.Dial(context.Background(), c.peer)
			if !errors.Is(err, c.is) {
				t.Errorf("%q: %v", c.peer, err)
				continue
			}
			for _, has := range c.has {
				if !strings.Contains(err.Error(), has) {
					t.Errorf("got %v, want %s", err, has)
				}
			}
		}
		if _, err := f.Dial(context.Background(), n2.ID().String()); err != nil {
			t.Error(err)
		}
		lone := w.actor(4)
		lone.start()
		if _, err := lone.Dial(context.Background(), "n1"); !errors.Is(err, ErrNoNetwork) || lone.Clients() != nil {
			t.Errorf("without a network: %v", err)
		}
		haltAll([]*actor{f, n1, n2, guest, lone})
	})
}

func TestManyPeersFitAnAmbiguousName(t *testing.T) {
	var peers []Peer
	for i := range 20 {
		peers = append(peers, Peer{ID: pki.ID{byte(i)}, Name: "n"})
	}
	_, err := pick(peers, "n")
	if err == nil || strings.Count(err.Error(), "(n)") != maxNamed || !strings.HasSuffix(err.Error(), ", 12 more") {
		t.Errorf("got %v", err)
	}
}

func TestServicesOfTheNodeAreItsOwn(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		a := w.actor(1)
		_, err := OpenWith(a.dir, a.cfg, Options{Services: func(r grpc.ServiceRegistrar) {
			(&transport.GossipService{}).AddTo(r)
		}})
		if want := `open node: service "g2g.gossip.v1.Gossip": the packages g2g and g2g.* are the node's own`; err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	})
}

// What a program dials is good for as long as its node runs: while the peer is away, when it is back at another port, and after
// the connection was closed because nobody used it.
func TestDialledConnectionFollowsThePeer(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		f := w.founder(withEcho)
		n1 := w.joiner(1, f)
		w.allAlive(10*time.Second, []*actor{f, n1}, 1)
		conn := n1.program("n0")
		if err := shout(conn, 0); err != nil {
			t.Error(err)
		}
		w.pass(10 * time.Second) // the addresses of both are on disk
		at := f.Info().Gossip
		f.halt()
		if err := shout(conn, 0); status.Code(err) != codes.Unavailable {
			t.Errorf("while the peer is away: %v", err)
		}
		taken, err := f.host.Listen(at)
		if err != nil {
			t.Fatal(err)
		}
		f.start()
		took := w.until(10*time.Second, "the peer is called at its new port", func() bool { return shout(conn, 0) == nil })
		t.Logf("called at %s instead of %s after %s", f.Info().Gossip, at, took)
		_ = taken.Close()
		w.pass(2 * idleConnection)
		if err := shout(conn, 0); err != nil {
			t.Errorf("after a rest: %v", err)
		}
		n1.stop()
		w.pass(5 * time.Second)
		if err := shout(conn, 0); status.Code(err) != codes.Unavailable {
			t.Errorf("of a node that has stopped: %v", err)
		}
		haltAll([]*actor{f, n1})
	})
}

// client starts a new node and joins it in client mode.
func (w *world) client(i int, nominator *actor, change ...func(*actor)) *actor {
	w.t.Helper()
	a := w.actor(i)
	for _, f := range change {
		f(a)
	}
	a.start()
	token := nominator.token(gossip.NominateRequest{Mode: pki.Client})
	if _, err := a.Join(context.Background(), token, ""); err != nil {
		w.t.Fatalf("%s joins: %v", a.name, err)
	}
	return a
}
