package proxy

import (
	"context"
	"errors"
	"io"
	"iter"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// fakePeer is the other end of a connection that a Forward is given.
type fakePeer struct {
	id   string
	conn *grpc.ClientConn
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func dialPeer(t *testing.T, id, at string) fakePeer {
	t.Helper()
	conn, err := grpc.NewClient("passthrough:///"+at, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithStatsHandler(Reach()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return fakePeer{id, conn}
}

// answering serves all methods by a handler, and counts the calls.
func answering(t *testing.T, id string, calls *atomic.Int32, handle grpc.StreamHandler) fakePeer {
	t.Helper()
	l := listen(t)
	s := grpc.NewServer(grpc.UnknownServiceHandler(func(server any, in grpc.ServerStream) error {
		calls.Add(1)
		return handle(server, in)
	}))
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Stop()
		<-served
	})
	return dialPeer(t, id, l.Addr().String())
}

// echoAll answers with everything that it was sent, one behind the other.
func echoAll(_ any, in grpc.ServerStream) error {
	var all []string
	for {
		m := &wrapperspb.StringValue{}
		if err := in.RecvMsg(m); errors.Is(err, io.EOF) {
			return in.SendMsg(wrapperspb.String(strings.Join(all, "")))
		} else if err != nil {
			return err
		}
		all = append(all, m.GetValue())
	}
}

// raw speaks HTTP/2 with everybody who connects: what it does with the header of a stream is a test's.
func raw(t *testing.T, id string, streams *atomic.Int32, header func(f *http2.Framer, stream uint32)) fakePeer {
	t.Helper()
	l := listen(t)
	var all sync.WaitGroup
	t.Cleanup(func() {
		_ = l.Close()
		all.Wait()
	})
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { speak(c, streams, header) })
		}
	})
	return dialPeer(t, id, l.Addr().String())
}

func speak(c net.Conn, streams *atomic.Int32, header func(f *http2.Framer, stream uint32)) {
	defer c.Close()
	if _, err := io.ReadFull(c, make([]byte, len(http2.ClientPreface))); err != nil {
		return
	}
	f := http2.NewFramer(c, c)
	_ = f.WriteSettings()
	for {
		frame, err := f.ReadFrame()
		if err != nil {
			return
		}
		switch frame := frame.(type) {
		case *http2.SettingsFrame:
			if !frame.IsAck() {
				_ = f.WriteSettingsAck()
			}
		case *http2.PingFrame:
			_ = f.WritePing(true, frame.Data)
		case *http2.HeadersFrame:
			streams.Add(1)
			header(f, frame.StreamID)
		}
	}
}

// away is a peer whose port nobody listens at.
func away(t *testing.T, id string) fakePeer {
	t.Helper()
	l := listen(t)
	_ = l.Close()
	return dialPeer(t, id, l.Addr().String())
}

// forwardTo serves a forward to peers, and dials it.
func forwardTo(t *testing.T, peers ...fakePeer) (*Forward, *grpc.ClientConn) {
	t.Helper()
	f := NewForward(ForwardConfig{Service: "a.B", Peers: func() iter.Seq2[string, grpc.ClientConnInterface] {
		return func(yield func(string, grpc.ClientConnInterface) bool) {
			for _, p := range peers {
				if !yield(p.id, p.conn) {
					return
				}
			}
		}
	}})
	l := listen(t)
	served := make(chan error, 1)
	go func() { served <- f.Serve(l) }()
	t.Cleanup(func() {
		f.Stop(time.Second)
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	conn, err := grpc.NewClient("passthrough:///"+l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return f, conn
}

func say(conn *grpc.ClientConn, words ...string) (answer string, by []string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	s, err := conn.NewStream(ctx, both, "/a.B/Say")
	if err != nil {
		return "", nil, err
	}
	for _, word := range words {
		if s.SendMsg(wrapperspb.String(word)) != nil {
			break
		}
	}
	_ = s.CloseSend()
	out := &wrapperspb.StringValue{}
	err = s.RecvMsg(out)
	if err == nil && !errors.Is(s.RecvMsg(out), io.EOF) {
		err = errors.New("more than one answer")
	}
	head, _ := s.Header()
	return out.GetValue(), slices.Concat(head.Get(PeerID), s.Trailer().Get(PeerID)), err
}

// A call goes on to the next peer if and only if the one before cannot have seen it, with all that its caller had sent.
func TestForwardGoesOn(t *testing.T) {
	refuse := func(f *http2.Framer, stream uint32) { _ = f.WriteRSTStream(stream, http2.ErrCodeRefusedStream) }
	leave := func(f *http2.Framer, stream uint32) { _ = f.WriteGoAway(0, http2.ErrCodeNo, nil) }
	breaks := func(f *http2.Framer, stream uint32) { _ = f.WriteRSTStream(stream, http2.ErrCodeInternal) }
	lie := func(_ any, in grpc.ServerStream) error { return status.Error(codes.Unavailable, refusals[0]) }
	for _, c := range []struct {
		name  string
		first func(t *testing.T, tries *atomic.Int32) fakePeer
		goes  bool
		code  codes.Code
		tries int32 // at the first
	}{
		{"away", func(t *testing.T, _ *atomic.Int32) fakePeer { return away(t, "first") }, true, codes.OK, 0},
		{"refuses every stream", func(t *testing.T, n *atomic.Int32) fakePeer { return raw(t, "first", n, refuse) }, true, codes.OK, 2},
		{"goes away below every stream", func(t *testing.T, n *atomic.Int32) fakePeer { return raw(t, "first", n, leave) }, true, codes.OK, 2},
		{"breaks the stream", func(t *testing.T, n *atomic.Int32) fakePeer { return raw(t, "first", n, breaks) }, false, codes.Internal, 1},
		{"says that it refused", func(t *testing.T, n *atomic.Int32) fakePeer { return answering(t, "first", n, lie) }, false, codes.Unavailable, 1},
		{"is too busy", func(t *testing.T, n *atomic.Int32) fakePeer {
			return answering(t, "first", n, func(any, grpc.ServerStream) error { return status.Error(codes.ResourceExhausted, "no") })
		}, false, codes.ResourceExhausted, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			var atFirst, atSecond atomic.Int32
			first, second := c.first(t, &atFirst), answering(t, "second", &atSecond, echoAll)
			_, conn := forwardTo(t, first, second)
			got, by, err := say(conn, "one ", "two ", strings.Repeat("x", 100_000))
			if status.Code(err) != c.code || atFirst.Load() != c.tries {
				t.Errorf("%v after %d tries at the first", err, atFirst.Load())
			}
			if c.goes && (got != "one two "+strings.Repeat("x", 100_000) || !slices.Equal(by, []string{"second"}) || atSecond.Load() != 1) {
				t.Errorf("%d bytes by %q, %d calls", len(got), by, atSecond.Load())
			}
			if !c.goes && (!slices.Equal(by, []string{"first"}) || atSecond.Load() != 0) {
				t.Errorf("seen by %q, %d calls at the second", by, atSecond.Load())
			}
		})
	}
}

func TestForwardRefusesOneCallTooMany(t *testing.T) {
	var calls atomic.Int32
	free := make(chan struct{})
	slow := answering(t, "slow", &calls, func(_ any, in grpc.ServerStream) error {
		select {
		case <-free:
			return nil
		case <-in.Context().Done():
			return in.Context().Err()
		}
	})
	f, conn := forwardTo(t, slow)
	for range maxCalls {
		f.places <- struct{}{}
	}
	if _, _, err := say(conn); status.Code(err) != codes.ResourceExhausted || !strings.HasPrefix(status.Convert(err).Message(), "forward a.B: 1024 calls run at once") {
		t.Error(err)
	}
	<-f.places
	close(free)
	if _, _, err := say(conn); !errors.Is(err, io.EOF) {
		t.Errorf("with a place: %v", err)
	}
}

func TestListenerClosesOneConnectionTooMany(t *testing.T) {
	inner := listen(t)
	l := atMost(inner, 1)
	dial := func() net.Conn {
		c, err := net.Dial("tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	dial()
	first, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	over := dial()
	next := make(chan net.Conn, 1)
	go func() {
		c, _ := l.Accept()
		next <- c
	}()
	if _, err := over.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the second was not closed: %v", err)
	}
	_ = first.Close()
	_ = first.Close() // gives one place, not two
	dial()
	c := <-next
	defer c.Close()
	if n := len(l.(limited).places); n != 1 {
		t.Errorf("%d places are taken", n)
	}
}

func TestWhatPasses(t *testing.T) {
	for key, want := range map[string]bool{
		"a": true, "a-bin": true, "authorization": true, "x-g2g-peer-id": true, "g2gpeer": true, "grpc": true, "grpc-trace-bin": true,
		"grpc-status-details-bin": true, "grpc-retry-pushback-ms": true,
		"": false, ":authority": false, ":path": false, "content-type": false, "User-Agent": false, "te": false, "connection": false, "host": false,
		"grpc-timeout": false, "grpc-encoding": false, "grpc-status": false, "grpc-message": false, "grpc-accept-encoding": false, "grpc-x": false,
		"g2g-peer-id": false, "G2G-PEER-ID": false, "g2g-peer-id-bin": false, "g2g_peer_id": false, "G2g_peer-id": false, "g2g-": false, "g2g-x": false,
	} {
		if passes(key) != want {
			t.Errorf("%q passes: %t", key, !want)
		}
	}
	in := metadata.Pairs("a", "1", "a", "2", "g2g-peer-id", "x")
	out := passed(in)
	out.Set("a", "3")
	if !slices.Equal(in.Get("a"), []string{"1", "2"}) || out.Get("g2g-peer-id") != nil {
		t.Errorf("in %v, out %v", in, out)
	}
}

func TestServiceOf(t *testing.T) {
	for method, want := range map[string]string{
		"/a.B/C": "a.B", "/B/C": "B", "/a.B/..": "a.B",
		"": "", "/": "", "//": "", "//x": "", "/a.B": "", "/a.B/": "", "a.B/C": "", "//a.B/C": "", "/a.B//C": "", "/a.B/C/": "", "/a.B/../x": "", "/a.B/C/D": "",
	} {
		if got := serviceOf(method); got != want {
			t.Errorf("%q: %q, want %q", method, got, want)
		}
	}
}
