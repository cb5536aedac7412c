package transport

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/gossippb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

func TestServicesAreChecked(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{"", `service "": it has no name`},
		{"g2g", `service "g2g": the packages g2g and g2g.* are the node's own`},
		{"g2g.gossip.v1.Gossip", `service "g2g.gossip.v1.Gossip": the packages g2g and g2g.* are the node's own`},
		{"g2g.other.Echo", `service "g2g.other.Echo": the packages g2g and g2g.* are the node's own`},
		{"test.First", `service "test.First": registered twice`},
		{"g2gether.Echo", ""},
	} {
		services, err := CollectServices(func(r grpc.ServiceRegistrar) {
			r.RegisterService(echoDesc("test.First"), &echo{})
			r.RegisterService(echoDesc(c.name), &echo{})
		})
		switch {
		case err != nil && err.Error() != c.want:
			t.Errorf("%q: got %s, want %s", c.name, err, c.want)
		case err == nil && (c.want != "" || services.None()):
			t.Errorf("%q: accepted", c.name)
		}
	}
	_, err := CollectServices(func(r grpc.ServiceRegistrar) {
		r.RegisterService(echoDesc("test.A"), time.Now())
		r.RegisterService(echoDesc("g2g.B"), &echo{})
	})
	want := "service \"test.A\": a time.Time is no transport.echoServer\nservice \"g2g.B\": the packages g2g and g2g.* are the node's own"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if services, err := CollectServices(nil); err != nil || !services.None() {
		t.Errorf("without services: %v", err)
	}
}

func TestLateServiceIsRefused(t *testing.T) {
	var kept grpc.ServiceRegistrar
	if _, err := CollectServices(func(r grpc.ServiceRegistrar) { kept = r }); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if got := recover(); got != `service "test.Echo": registered after the node was opened` {
			t.Errorf("got %v", got)
		}
	}()
	kept.RegisterService(echoDesc("test.Echo"), &echo{})
}

// Services of programs answer members in either mode, who are told what is not there too. Strangers learn nothing.
func TestServicesAreForMembers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var caller pki.Member
		w.root.serves(&echo{before: func(ctx context.Context) error {
			caller, _ = MemberFrom(ctx)
			return nil
		}})
		for i, mode := range []pki.Mode{pki.Server, pki.Client} {
			n := w.member("10.0.1."+string(rune('1'+i)), mode)
			conn := n.attack(w.root)
			if err := shout(conn, 1); err != nil || caller.ID != n.ID() || caller.Mode() != mode {
				t.Errorf("%s: %v, by %s in %s mode", mode, err, caller.ID, caller.Mode())
			}
			for _, method := range []string{"/test.Echo/Other", "/test.Other/Unary", "/other"} {
				err := call(conn, method)
				if status.Code(err) != codes.Unimplemented || method != "/other" && status.Convert(err).Message() != "no method "+method+" here" {
					t.Errorf("%s: %v", method, err)
				}
			}
			later()
			if conn.GetState() != connectivity.Ready {
				t.Errorf("after calls of what is not there the connection is %s", conn.GetState())
			}
		}
		stranger := w.node("10.0.2.1")
		for _, method := range []string{echoUnary, echoStream, "/test.Echo/Other", "/test.Other/Unary"} {
			expect(t, call(stranger.attack(w.root), method), codes.PermissionDenied, "refused "+method+": not a member of this network: its leaf is for another network")
		}
	})
}

// The node's own methods keep their bound beside services that take much more.
func TestEachServiceHasItsOwnBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.root.serves(&echo{})
		n := w.member("10.0.0.2", pki.Server)
		conn := n.attack(w.root)
		join := func(size int) error {
			_, err := gossippb.NewGossipClient(conn).Join(t.Context(), &gossippb.JoinRequest{Beat: make([]byte, size)})
			return err
		}
		for _, size := range []int{MaxMessage - 100, MaxMessage - 4} {
			expect(t, join(size), codes.OK, "")
		}
		expect(t, join(MaxMessage), codes.ResourceExhausted, "grpc: received message larger than max (65540 vs. 65536)")
		expect(t, join(programMessage-100), codes.ResourceExhausted, "grpc: received message larger than max (4194209 vs. 65536)")
		expect(t, join(programMessage), codes.ResourceExhausted, "grpc: received message larger than max (4194309 vs. 4194304)")
		if err := shout(conn, programMessage-100); err != nil {
			t.Errorf("the program's: %v", err)
		}
		expect(t, shout(conn, programMessage), codes.ResourceExhausted, "grpc: received message larger than max (4194309 vs. 4194304)")
		channel := n.channel(w.root)
		if err := shout(channel, programMessage-100); err != nil {
			t.Errorf("by a channel: %v", err)
		}
		expect(t, shout(channel, programMessage), codes.ResourceExhausted, "trying to send message larger than max (4194309 vs. 4194304)")
	})
}

func TestOwnAnswersAreBounded(t *testing.T) {
	answer := func(size int) error {
		var desc grpc.ServiceDesc
		desc.Methods = []grpc.MethodDesc{{Handler: func(any, context.Context, func(any) error, grpc.UnaryServerInterceptor) (any, error) {
			return &wrapperspb.BytesValue{Value: make([]byte, size)}, nil
		}}}
		_, err := bounded(desc).Methods[0].Handler(nil, t.Context(), nil, nil)
		return err
	}
	expect(t, answer(MaxMessage-4), codes.OK, "")
	expect(t, answer(MaxMessage), codes.ResourceExhausted, "trying to send message larger than max (65540 vs. 65536)")
}

// What a caller's codec makes of a message of the node's own is nothing, if it is not protobuf.
func TestOwnMessagesAreProtobuf(t *testing.T) {
	m := &gossippb.JoinRequest{}
	if err := decodeBounded(func(v any) error { return nil }, m); err != nil || m.GetContact() != nil {
		t.Errorf("%v, %v", m, err)
	}
	broken := errors.New("broken")
	if err := decodeBounded(func(any) error { return broken }, m); !errors.Is(err, broken) {
		t.Error(err)
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.root.serves(&echo{})
		conn := w.member("10.0.0.2", pki.Server).attack(w.root)
		in := &wrapperspb.BytesValue{Value: []byte{0xff}} // field 1 of a join is a message
		err := conn.Invoke(t.Context(), gossippb.Gossip_Join_FullMethodName, in, &gossippb.JoinResponse{})
		if status.Code(err) != codes.Internal || !strings.Contains(err.Error(), "failed to unmarshal the received message") {
			t.Error(err)
		}
	})
}

// A stranger is cut off at the gate's budget, however large the messages are that members may send.
func TestStrangersAreBoundedBesideServices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.root.serves(&echo{})
		stranger := w.node("10.0.0.2")
		conn := stranger.attack(w.root)
		if err := shout(conn, programMessage-100); status.Code(err) != codes.Unavailable {
			t.Errorf("got %v", err)
		}
		later()
		if dropped := w.root.gate.Counts().Dropped; dropped != 1 {
			t.Errorf("the gate dropped %d", dropped)
		}
	})
}

// Headers of a program's call have the bound that all have.
func TestProgramsHeadersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.root.serves(&echo{})
		channel := w.member("10.0.0.2", pki.Server).channel(w.root)
		expect(t, shout(channel, 1), codes.OK, "")
		ctx := metadata.AppendToOutgoingContext(t.Context(), "x", strings.Repeat("x", maxHeaders))
		if err := channel.Invoke(ctx, echoUnary, &wrapperspb.BytesValue{}, &wrapperspb.BytesValue{}); status.Code(err) != codes.Internal {
			t.Errorf("got %v", err)
		}
	})
}

// What a stream of a program carries either way is not held to gossip's windows: at 80 ms these would let 0.8 MB/s through.
func TestProgramsHaveWideWindows(t *testing.T) {
	const size, messages = 64 << 10, 256 // 16 MiB
	for _, c := range []struct {
		name     string
		up, down int // messages
	}{{"up", messages, 1}, {"down", 1, messages}} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorldAt(t, 40*time.Millisecond)
				w.root.serves(&echo{times: c.down})
				channel := w.member("10.0.0.2", pki.Server).channel(w.root)
				expect(t, shout(channel, 1), codes.OK, "")
				began := time.Now()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				s, err := talk(ctx, channel, size)
				if err != nil {
					t.Fatal(err)
				}
				go func() {
					for range c.up - 1 {
						_ = s.SendMsg(&wrapperspb.BytesValue{Value: make([]byte, size)})
					}
					_ = s.CloseSend()
				}()
				got := 0
				for {
					if err := s.RecvMsg(new(wrapperspb.BytesValue)); errors.Is(err, io.EOF) {
						break
					} else if err != nil {
						t.Fatal(err)
					}
					got++
				}
				if took := time.Since(began); got != messages || took > 2500*time.Millisecond {
					t.Errorf("%d messages in %s", got, took)
				} else {
					t.Logf("%.1f MB/s", float64(size*messages)/1e6/took.Seconds())
				}
			})
		})
	}
}

// The windows of gossip's own connections stay small: a static one costs a peer as much memory as it lets others send.
func TestGossipKeepsSmallWindows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorldAt(t, 40*time.Millisecond)
		w.root.serves(&echo{times: 64})
		n := w.member("10.0.0.2", pki.Server)
		conn, err := n.pool.Conn(w.root.ID(), []string{w.root.address})
		if err != nil {
			t.Fatal(err)
		}
		expect(t, shout(conn, 1), codes.OK, "")
		began := time.Now()
		s, err := talk(t.Context(), conn, window-100)
		if err != nil {
			t.Fatal(err)
		}
		for range 64 {
			if err := s.RecvMsg(new(wrapperspb.BytesValue)); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took < 2500*time.Millisecond {
			t.Errorf("4 MiB took %s", took)
		}
	})
}

// A stream has the connection's age and grace; a call that is shorter than the grace never ends with it.
func TestStreamsEndWithTheGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.root.serves(&echo{before: func(context.Context) error {
			time.Sleep(1900 * time.Millisecond)
			return nil
		}}, func(c *ServerConfig) { c.MaxConnectionAge, c.MaxConnectionAgeGrace = 10*time.Second, 2*time.Second })
		channel := w.member("10.0.0.2", pki.Client).channel(w.root)
		s, err := talk(t.Context(), channel, 1)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		cut := make(chan time.Duration, 1)
		go func() {
			for s.RecvMsg(new(wrapperspb.BytesValue)) == nil {
				continue
			}
			cut <- time.Since(began)
		}()
		for time.Since(began) < time.Minute {
			expect(t, shout(channel, 1), codes.OK, "")
		}
		if after := <-cut; after < 10*time.Second || after > 14*time.Second {
			t.Errorf("the stream was cut after %s", after)
		}
	})
}
