package transport

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/gossippb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
)

func TestPanicEndsTheCallOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		n := w.member("10.0.0.2", pki.Server)
		var log bytes.Buffer
		w.root.gossip(gossipServer{
			join: func(context.Context) (*gossippb.JoinResponse, error) { panic("no such luck") },
		}, func(c *ServerConfig) { c.Log = slog.New(slog.NewTextHandler(&log, nil)) })
		for range 3 {
			expect(t, join(n.to(w.root)), codes.Internal, "/g2g.gossip.v1.Gossip/Join: internal error")
		}
		if _, err := n.to(w.root).Push(t.Context(), &gossippb.PushRequest{}); err != nil {
			t.Errorf("after the panics: %v", err)
		}
		if out := log.String(); strings.Count(out, "no such luck") != 1 || !strings.Contains(out, "server_test.go") || !strings.Contains(out, "method=/g2g.gossip.v1.Gossip/Join") {
			t.Errorf("logged %s", out)
		}
		time.Sleep(2 * panicLogEvery)
		_ = join(n.to(w.root))
		if got := strings.Count(log.String(), "no such luck"); got != 2 {
			t.Errorf("logged %d times", got)
		}
	})
}

func TestPanicInARegistrationEndsTheCallOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.root.registration(new(registrar))
		conn := w.node("10.0.0.2").dial(w.root)
		_, err := ask(w.root.begin(conn), &gossippb.RegisterRequest{Step: &gossippb.RegisterRequest_Ready{}})
		expect(t, err, codes.Internal, "/g2g.gossip.v1.Registration/Register: internal error")
		if _, err := ask(w.root.begin(conn), aHello); err != nil {
			t.Errorf("after the panic: %v", err)
		}
	})
}

func TestMessagesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		n := w.member("10.0.0.2", pki.Server)
		w.root.gossip(gossipServer{push: func(context.Context) (*gossippb.PushResponse, error) {
			r := &gossippb.PushResponse{}
			r.ProtoReflect().SetUnknown(unknown(MaxMessage + 1))
			return r, nil
		}})
		request := func(size int) error {
			_, err := gossippb.NewGossipClient(n.attack(w.root)).Join(context.Background(), &gossippb.JoinRequest{Beat: make([]byte, size)})
			return err
		}
		if err := request(MaxMessage - 100); err != nil {
			t.Errorf("a large one: %v", err)
		}
		expect(t, request(MaxMessage), codes.ResourceExhausted, "grpc: received message larger than max (65540 vs. 65536)")
		_, err := gossippb.NewGossipClient(n.attack(w.root)).Push(t.Context(), &gossippb.PushRequest{})
		expect(t, err, codes.ResourceExhausted, "trying to send message larger than max (65537 vs. 65536)")
		if _, err := n.to(w.root).Join(t.Context(), &gossippb.JoinRequest{Beat: make([]byte, MaxMessage)}); err == nil || !strings.Contains(err.Error(), "larger than max") {
			t.Errorf("a large request: %v", err)
		}
	})
}

// unknown is a field that nobody knows, size bytes in all.
func unknown(size int) []byte {
	b := append([]byte{0xfa, 0x7f}, byte((size-5)&127|128), byte((size-5)>>7&127|128), byte((size-5)>>14))
	return append(b, make([]byte, size-len(b))...)
}

// Third-party services look for what gRPC's own credentials give.
func TestAuthInfoIsPlain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		n := w.member("10.0.0.2", pki.Server)
		var got credentials.AuthInfo
		w.root.gossip(gossipServer{join: func(ctx context.Context) (*gossippb.JoinResponse, error) {
			p, _ := peer.FromContext(ctx)
			got = p.AuthInfo
			return &gossippb.JoinResponse{}, nil
		}})
		expect(t, join(n.to(w.root)), codes.OK, "")
		info, ok := got.(credentials.TLSInfo)
		if !ok || info.SecurityLevel != credentials.PrivacyAndIntegrity || len(info.State.PeerCertificates) != 1 {
			t.Errorf("%T %+v", got, info.CommonAuthInfo)
		}
	})
}

// Both ends rotate each second while calls run without a pause, old epochs are revoked: no call fails.
func TestRotationCostsNoCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		n := w.member("10.0.0.2", pki.Server)
		w.root.gossip(gossipServer{join: func(context.Context) (*gossippb.JoinResponse, error) {
			time.Sleep(3 * time.Millisecond)
			return &gossippb.JoinResponse{}, nil
		}}, func(c *ServerConfig) { c.MaxConnectionAge, c.MaxConnectionAgeGrace = time.Second, 5*time.Second })
		var calls, failures atomic.Int64
		stop := make(chan struct{})
		var callers sync.WaitGroup
		for range 4 {
			callers.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					calls.Add(1)
					if err := join(n.to(w.root)); err != nil {
						failures.Add(1)
						t.Error(err)
					}
				}
			})
		}
		shown := make(map[[32]byte]bool)
		for epoch := uint64(2); epoch < 14; epoch++ {
			later()
			n.mint(epoch, time.Hour)
			w.root.mint(epoch, time.Hour)
			if epoch > 3 {
				n.revoke(w.root.ID(), epoch-3)
				w.root.revoke(n.ID(), epoch-3)
			}
			for _, r := range []*Registry{n.registry, w.root.registry} {
				for _, id := range []pki.ID{n.ID(), w.root.ID()} {
					if claims, ok := r.Leaf(id); ok {
						shown[claims.Hash] = true
					}
				}
			}
		}
		close(stop)
		callers.Wait()
		t.Logf("%d calls, %d leaves shown", calls.Load(), len(shown))
		if failures.Load() != 0 || calls.Load() < 1000 || len(shown) < 16 {
			t.Errorf("%d calls, %d failed, %d leaves were shown", calls.Load(), failures.Load(), len(shown))
		}
	})
}

// A node whose Gossip port serves before it has a network refuses, and does not fall over.
func TestServerWithoutNetworkRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		n := w.member("10.0.0.2", pki.Server)
		lone := w.node("10.0.0.3")
		lone.trust.Store(nil)
		lone.gossip(gossipServer{})
		expect(t, call(n.attack(lone), "/g2g.gossip.v1.Gossip/Join"), codes.PermissionDenied,
			"refused /g2g.gossip.v1.Gossip/Join: not a member of this network: this node has no network")
	})
}

func TestCredentialsHaveOneDirection(t *testing.T) {
	for _, c := range []credentials.TransportCredentials{serverCredentials{}, peerCredentials{}, shaken{}} {
		if c.Clone() != c || c.Info().SecurityProtocol != "tls" {
			t.Errorf("%T", c)
		}
	}
	if _, _, err := (serverCredentials{}).ClientHandshake(t.Context(), "", nil); err == nil || err.Error() != "these credentials are a server's" {
		t.Error(err)
	}
	if _, _, err := (peerCredentials{}).ServerHandshake(nil); err == nil || err.Error() != "these credentials are a client's" {
		t.Error(err)
	}
	if _, _, err := (shaken{}).ClientHandshake(t.Context(), "", new(sham)); err == nil || err.Error() != "a connection without its handshake" {
		t.Error(err)
	}
}
