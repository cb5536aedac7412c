package node

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/g2g-net/g2g/node/config"
)

// backend is a program that knows nothing of nodes: a plaintext gRPC server on the hosts' loopback address.
type backend struct {
	at     string
	server *grpc.Server
	served chan error

	mu    sync.Mutex
	heard []string    // what arrived
	with  metadata.MD // of the last call
	ended atomic.Int32
}

const (
	backendName               = "test.Backend"
	say, count, talk, forever = "/test.Backend/Say", "/test.Backend/Count", "/test.Backend/Talk", "/test.Backend/Forever"
)

func text(s string) *wrapperspb.StringValue { return wrapperspb.String(s) }

// hear takes a call down, and says something of it back in headers and trailers.
func (b *backend) hear(s grpc.ServerStream, what string) {
	md, _ := metadata.FromIncomingContext(s.Context())
	b.mu.Lock()
	b.heard, b.with = append(b.heard, what), md
	b.mu.Unlock()
	_ = s.SetHeader(metadata.Pairs("head", "1", "head", "2", "head-bin", "\x00\xff", "g2g-peer-id", "a liar"))
	s.SetTrailer(metadata.Pairs("trail", what[:min(len(what), 100)], "g2g-peer-name", "a liar"))
	if what == "flood" {
		s.SetTrailer(metadata.Pairs("flood", strings.Repeat("x", 9<<10)))
	}
}

func (b *backend) say(_ any, s grpc.ServerStream) error {
	in := text("")
	if err := s.RecvMsg(in); err != nil {
		return err
	}
	b.hear(s, in.GetValue())
	switch in.GetValue() {
	case "fail":
		st, err := status.New(codes.FailedPrecondition, "not now: é\n").WithDetails(durationpb.New(time.Hour), text("why"))
		if err != nil {
			return err
		}
		return st.Err()
	case "think":
		select {
		case <-time.After(300 * time.Millisecond): // virtual
		case <-s.Context().Done():
			return s.Context().Err()
		}
	case "wait":
		defer b.ended.Add(1)
		<-s.Context().Done()
		return s.Context().Err()
	}
	return s.SendMsg(text("you said " + in.GetValue()))
}

func (b *backend) count(_ any, s grpc.ServerStream) error {
	in := text("")
	if err := s.RecvMsg(in); err != nil {
		return err
	}
	b.hear(s, in.GetValue())
	for _, word := range strings.Fields(in.GetValue()) {
		if err := s.SendMsg(text(word)); err != nil {
			return err
		}
	}
	return status.Error(codes.OutOfRange, "no more words")
}

func (b *backend) talk(_ any, s grpc.ServerStream) error {
	b.hear(s, "talk")
	for {
		in := text("")
		if err := s.RecvMsg(in); err != nil {
			if errors.Is(err, io.EOF) {
				return s.SendMsg(text("bye"))
			}
			return err
		}
		if err := s.SendMsg(text("re: " + in.GetValue())); err != nil {
			return err
		}
	}
}

// forever neither reads nor answers.
func (b *backend) forever(_ any, s grpc.ServerStream) error {
	b.hear(s, "forever")
	defer b.ended.Add(1)
	<-s.Context().Done()
	return s.Context().Err()
}

// backend starts one.
func (w *world) backend() *backend {
	w.t.Helper()
	b := &backend{}
	b.open(w, "127.0.0.1:0")
	return b
}

func (b *backend) open(w *world, at string) {
	w.t.Helper()
	l, err := w.net.Host("127.0.0.1").Listen(at)
	if err != nil {
		w.t.Fatal(err)
	}
	b.at, b.server, b.served = l.Addr().String(), grpc.NewServer(grpc.StaticStreamWindowSize(64<<10)), make(chan error, 1)
	b.server.RegisterService(&grpc.ServiceDesc{ServiceName: backendName, Streams: []grpc.StreamDesc{
		{StreamName: "Say", Handler: b.say}, {StreamName: "Count", Handler: b.count, ServerStreams: true},
		{StreamName: "Talk", Handler: b.talk, ServerStreams: true, ClientStreams: true},
		{StreamName: "Forever", Handler: b.forever, ServerStreams: true, ClientStreams: true},
	}}, nil)
	go func() { b.served <- b.server.Serve(l) }()
}

func (b *backend) close() {
	b.server.Stop()
	<-b.served
}

// all is what arrived so far.
func (b *backend) all() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.heard)
}

func (b *backend) last() metadata.MD {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.with.Copy()
}

// local lets an actor listen on the loopback address too.
func local(a *actor) {
	bind := a.bind
	a.bind = func(address string) (net.Listener, error) {
		if at, err := netip.ParseAddrPort(address); err == nil && at.Addr().IsLoopback() {
			return a.w.net.Host("127.0.0.1").Listen(address)
		}
		return bind(address)
	}
}

func routing(b *backend) func(*actor) {
	return func(a *actor) { a.cfg.Routes = []config.Passage{{Service: backendName, Address: b.at}} }
}

func forwarding(a *actor) {
	local(a)
	a.cfg.Forwards = []config.Passage{{Service: backendName, Address: "127.0.0.1:0"}}
}

// plain dials a forward as a program does that knows nothing of nodes.
func (w *world) plain(at string) *grpc.ClientConn {
	w.t.Helper()
	conn, err := grpc.NewClient("passthrough:///"+at, grpc.WithContextDialer(w.net.Host("127.0.0.1").Dial), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		w.t.Fatal(err)
	}
	return conn
}

// passage is a backend that is routed by one node, and a program that calls it over another.
type passage struct {
	*world
	backend  *backend
	far, own *actor
	conn     *grpc.ClientConn
}

func inPassage(t *testing.T, f func(p *passage)) {
	t.Helper()
	inWorld(t, 5*time.Millisecond, func(w *world) {
		p := &passage{world: w, backend: w.backend()}
		p.far = w.founder(routing(p.backend))
		p.own = w.joinerWith(1, p.far, forwarding)
		w.until(10*time.Second, "the peer that serves it is in the order", func() bool { return len(p.own.Serving(backendName)) == 1 })
		p.conn = w.plain(p.own.Info().Forwards[0])
		f(p)
		_ = p.conn.Close()
		haltAll([]*actor{p.own, p.far})
		p.backend.close()
	})
}

// ask makes a call with one message each way.
func ask(ctx context.Context, conn grpc.ClientConnInterface, method, what string, opts ...grpc.CallOption) (string, error) {
	out := text("")
	err := conn.Invoke(ctx, method, text(what), out, opts...)
	return out.GetValue(), err
}

func TestPassageCarriesEveryKindOfCall(t *testing.T) {
	inPassage(t, func(p *passage) {
		ctx := context.Background()
		var head, trail metadata.MD
		got, err := ask(ctx, p.conn, say, "hello", grpc.Header(&head), grpc.Trailer(&trail))
		if err != nil || got != "you said hello" {
			t.Errorf("%q, %v", got, err)
		}
		if !slices.Equal(head.Get("head"), []string{"1", "2"}) || !slices.Equal(head.Get("head-bin"), []string{"\x00\xff"}) || !slices.Equal(trail.Get("trail"), []string{"hello"}) {
			t.Errorf("headers %v, trailers %v", head, trail)
		}
		if !slices.Equal(head.Get("g2g-peer-id"), []string{p.far.ID().String()}) || trail.Get("g2g-peer-name") != nil {
			t.Errorf("who answered: %v, %v", head, trail)
		}
		if md := p.backend.last(); !slices.Equal(md.Get("g2g-peer-id"), []string{p.own.ID().String()}) || !slices.Equal(md.Get("g2g-peer-mode"), []string{"server"}) {
			t.Errorf("who called: %v", md)
		}

		s, err := p.conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, count)
		if err := errors.Join(err, s.SendMsg(text("one two three")), s.CloseSend()); err != nil {
			t.Fatal(err)
		}
		var words []string
		for err = nil; err == nil; {
			word := text("")
			if err = s.RecvMsg(word); err == nil {
				words = append(words, word.GetValue())
			}
		}
		if !slices.Equal(words, []string{"one", "two", "three"}) || status.Code(err) != codes.OutOfRange {
			t.Errorf("%q, then %v", words, err)
		}

		s, err = p.conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, talk)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"a", "", strings.Repeat("long ", 200_000)} { // each answer is waited for
			in := text("")
			if err := errors.Join(s.SendMsg(text(word)), s.RecvMsg(in)); err != nil || in.GetValue() != "re: "+word {
				t.Errorf("%d bytes came back, %v", len(in.GetValue()), err)
			}
		}
		bye := text("")
		if err := errors.Join(s.CloseSend(), s.RecvMsg(bye)); err != nil || bye.GetValue() != "bye" || !errors.Is(s.RecvMsg(bye), io.EOF) {
			t.Errorf("%q, %v", bye.GetValue(), err)
		}
	})
}

func TestPassageCarriesErrorsDeadlinesAndTheEndOfACall(t *testing.T) {
	inPassage(t, func(p *passage) {
		ctx := context.Background()
		var trail metadata.MD
		_, err := ask(ctx, p.conn, say, "fail", grpc.Trailer(&trail))
		s := status.Convert(err)
		if s.Code() != codes.FailedPrecondition || s.Message() != "not now: é\n" || len(s.Details()) != 2 || !slices.Equal(trail.Get("trail"), []string{"fail"}) {
			t.Errorf("%v with %v, trailers %v", s, s.Details(), trail)
		}
		if d, ok := s.Details()[0].(*durationpb.Duration); !ok || d.AsDuration() != time.Hour {
			t.Errorf("details %v", s.Details())
		}
		if !slices.Equal(trail.Get("g2g-peer-id"), nil) {
			t.Errorf("trailers %v", trail)
		}

		short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
		began := time.Now()
		_, err = ask(short, p.conn, say, "wait")
		if took := time.Since(began); status.Code(err) != codes.DeadlineExceeded || took != 300*time.Millisecond {
			t.Errorf("after %s: %v", took, err)
		}
		p.until(time.Second, "the backend is told of the deadline", func() bool { return p.backend.ended.Load() == 1 })
		cancel()

		ctx, cancel = context.WithCancel(ctx)
		time.AfterFunc(100*time.Millisecond, cancel)
		if _, err = ask(ctx, p.conn, say, "wait"); status.Code(err) != codes.Canceled {
			t.Error(err)
		}
		took := p.until(time.Second, "the backend is told that nobody waits", func() bool { return p.backend.ended.Load() == 2 })
		t.Logf("told after %s", took)
	})
}

// Whatever a caller says of who it is, in whatever spelling, the backend is told by its own node alone.
func TestPassageStripsForgedIdentity(t *testing.T) {
	inPassage(t, func(p *passage) {
		forged := metadata.Pairs("g2g-peer-id", "forged", "G2G-Peer-Mode", "forged", "g2g-peer-id-bin", "forged", "g2g-peer-name", "forged",
			"g2g_peer_id", "forged", "g2g-peer_id", "forged", "g2g-", "forged", "grpc-internal-x", "forged",
			"other", "kept", "other-bin", "\x00kept", "xg2g-peer-id", "kept")
		direct := p.own.program("n0")
		for name, conn := range map[string]grpc.ClientConnInterface{"over a forward": p.conn, "as a member": direct} {
			ctx := metadata.NewOutgoingContext(context.Background(), forged)
			if got, err := ask(ctx, conn, say, "hello"); err != nil || got != "you said hello" {
				t.Fatalf("%s: %q, %v", name, got, err)
			}
			md := p.backend.last()
			kept := 0
			for key, values := range md {
				for _, value := range values {
					if strings.Contains(value, "forged") {
						t.Errorf("%s: %s: %q came through", name, key, value)
					}
					if strings.Contains(value, "kept") {
						kept++
					}
				}
			}
			if kept != 3 || !slices.Equal(md.Get("g2g-peer-id"), []string{p.own.ID().String()}) || !slices.Equal(md.Get("g2g-peer-mode"), []string{"server"}) {
				t.Errorf("%s: %v", name, md)
			}
		}
	})
}

// What is not exactly a method of the service goes nowhere, and the node's own methods are never a backend's.
func TestPassageTakesItsServiceOnly(t *testing.T) {
	inPassage(t, func(p *passage) {
		direct := p.own.program("n0")
		for _, method := range []string{
			"//x", "/", "", "/test.Backend", "/test.Backend/", "//test.Backend/Say", "/test.Backend//Say", "/test.Backend/../x", "/test.Backend/Say/",
			"/test.Backend/Say/x", "/test.backend/Say", "/test.Backend.X/Say", "/test/Say", "/x/test.Backend/Say", "/./test.Backend/Say", "/test.Backend%2FSay",
			"/test.Other/Say", "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
		} {
			for name, conn := range map[string]grpc.ClientConnInterface{"forward": p.conn, "route": direct} {
				_, err := ask(context.Background(), conn, method, "stray")
				if code := status.Code(err); code != codes.Unimplemented && code != codes.Internal {
					t.Errorf("%s %q: %v", name, method, err)
				}
			}
		}
		for _, method := range []string{"/g2g.gossip.v1.Gossip/Push", "/g2g.gossip.v1.Gossip/Nothing", "/g2g.admin.v1.Admin/Show", "//g2g.gossip.v1.Gossip/Push", "/g2g/x"} {
			if _, err := ask(context.Background(), p.conn, method, "stray"); status.Code(err) != codes.Unimplemented {
				t.Errorf("forward %q: %v", method, err)
			}
			if _, err := ask(context.Background(), direct, method, "stray"); err == nil {
				t.Errorf("route %q: no error", method)
			}
			p.pass(time.Second) // a refused connection is closed
		}
		if got := p.backend.all(); len(got) != 0 {
			t.Errorf("the backend heard %q", got)
		}
		if _, err := ask(context.Background(), p.conn, say, "hello"); err != nil {
			t.Error(err)
		}
	})
}

// A backend that is away fails calls at once, without a word of where it is; when it is back it is called.
func TestRouteWhileItsBackendIsAway(t *testing.T) {
	inPassage(t, func(p *passage) {
		at := p.backend.at
		p.backend.close()
		for range 3 {
			_, err := ask(context.Background(), p.conn, say, "hello")
			if s := status.Convert(err); s.Code() != codes.Unavailable || s.Message() != "route test.Backend: the backend behind this node cannot be reached" {
				t.Error(err)
			}
		}
		p.backend.open(p.world, at)
		took := p.until(5*time.Second, "it is called again", func() bool {
			_, err := ask(context.Background(), p.conn, say, "hello")
			return err == nil
		})
		t.Logf("called after %s", took)
	})
}

func TestPassageIsForMembersOnly(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		b := w.backend()
		f := w.founder(routing(b))
		guest := w.client(1, f, forwarding, routing(b))
		w.until(10*time.Second, "a client-mode member knows who serves it", func() bool { return len(guest.Serving(backendName)) == 1 })
		conn := w.plain(guest.Info().Forwards[0])
		if _, err := ask(context.Background(), conn, say, "guest"); err != nil || !slices.Equal(b.last().Get("g2g-peer-mode"), []string{"client"}) {
			t.Errorf("%v, %v", err, b.last())
		}
		if got := f.Serving(backendName); len(got) != 0 {
			t.Errorf("a client-mode member is asked for services: %+v", got)
		}
		lone := w.actor(2)
		forwarding(lone)
		lone.start()
		nobody := w.plain(lone.Info().Forwards[0])
		_, err := ask(context.Background(), nobody, say, "alone")
		if s := status.Convert(err); s.Code() != codes.Unavailable || s.Message() != "forward test.Backend: no peer that can be reached serves it" {
			t.Errorf("without a network: %v", err)
		}
		for _, method := range []string{say, "/test.Backend/Nothing", "/test.Other/Say"} { // a stranger learns nothing of what is served
			stranger := w.stranger("10.0.9.1", f)
			stranger.genesis = f.genesis()
			stranger.denied(f, method, "not a member of this network: parse chain: cut short: 0 bytes where 1 are needed")
		}
		if got := b.all(); !slices.Equal(got, []string{"guest"}) {
			t.Errorf("the backend heard %q", got)
		}
		_, _ = conn.Close(), nobody.Close()
		haltAll([]*actor{guest, lone, f})
		b.close()
	})
}

// A backend that never reads holds its callers up, and nobody else; what waits for it is bounded.
func TestBackendThatNeverReads(t *testing.T) {
	inPassage(t, func(p *passage) {
		ctx, cancel := context.WithCancel(context.Background())
		var sent atomic.Int64
		var all sync.WaitGroup
		for range 8 {
			s, err := p.conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, forever)
			if err != nil {
				t.Fatal(err)
			}
			all.Go(func() {
				block := text(strings.Repeat("x", 64<<10))
				for s.SendMsg(block) == nil {
					sent.Add(64 << 10)
				}
			})
		}
		p.pass(time.Minute)
		t.Logf("%d KiB were taken from 8 callers", sent.Load()>>10)
		if sent.Load() > 8*(4<<20) {
			t.Errorf("%d bytes were taken for a backend that reads none", sent.Load())
		}
		cancel()
		all.Wait()
		p.until(time.Second, "the backend is rid of them", func() bool { return p.backend.ended.Load() == 8 })
		if _, err := ask(context.Background(), p.conn, say, "hello"); err != nil {
			t.Error(err)
		}
	})
}

func TestPassageBounds(t *testing.T) {
	inPassage(t, func(p *passage) {
		ctx := context.Background()
		if _, err := ask(ctx, p.conn, say, strings.Repeat("x", 4<<20)); status.Code(err) != codes.ResourceExhausted {
			t.Errorf("a message over the bound: %v", err)
		}
		flood := metadata.NewOutgoingContext(ctx, metadata.Pairs("flood", strings.Repeat("x", 9<<10)))
		for name, conn := range map[string]grpc.ClientConnInterface{"forward": p.conn, "route": p.own.program("n0")} {
			if _, err := ask(flood, conn, say, "hello"); err == nil {
				t.Errorf("%s: 9 KiB of headers were taken", name)
			}
		}
		if got := p.backend.all(); len(got) != 0 {
			t.Errorf("the backend heard %d calls", len(got))
		}
		if _, err := ask(ctx, p.conn, say, "flood"); err == nil {
			t.Error("9 KiB of trailers were brought back")
		}
		if _, err := ask(ctx, p.conn, say, "hello"); err != nil {
			t.Error(err)
		}
	})
}

func TestRoutesThatDoNotGoWithTheProgram(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		a := w.actor(1)
		a.cfg.Routes = []config.Passage{{Service: "test.Echo", Address: "127.0.0.1:9"}}
		_, err := OpenWith(a.dir, a.cfg, Options{Services: new(echo).register})
		if want := `open node: route "test.Echo": the program serves it itself`; err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	})
}

// Messages of the node's own services, of the program's and of routes go by one codec.
func TestRoutesBesideServicesOfTheProgram(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		b := w.backend()
		f := w.founder(routing(b), withEcho)
		n1 := w.joiner(1, f)
		w.until(10*time.Second, "both are known", func() bool { return len(n1.Serving("test.Echo")) == 1 && len(n1.Serving(backendName)) == 1 })
		if err := shout(n1.program("n0"), time.Millisecond); err != nil {
			t.Error(err)
		}
		if got, err := ask(context.Background(), n1.program("n0"), say, "hello"); err != nil || got != "you said hello" {
			t.Errorf("%q, %v", got, err)
		}
		haltAll([]*actor{n1, f})
		b.close()
	})
}
