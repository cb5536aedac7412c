package transport

import (
	"context"
	"crypto/tls"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/gossippb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

func TestCallsAtOnceAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		n := w.member("10.0.0.2", pki.Server)
		var running atomic.Int64
		w.root.gossip(gossipServer{join: func(ctx context.Context) (*gossippb.JoinResponse, error) {
			running.Add(1)
			return hang(ctx)
		}})
		conn := n.attack(w.root)
		for range 2 * MaxStreams {
			go func() { _ = call(conn, "/g2g.gossip.v1.Gossip/Join") }()
		}
		later()
		if got := running.Load(); got != MaxStreams {
			t.Errorf("%d run at once", got)
		}
	})
}

func TestHeadersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		n := w.member("10.0.0.2", pki.Server)
		w.root.gossip(gossipServer{})
		client := gossippb.NewGossipClient(n.attack(w.root))
		expect(t, join(client), codes.OK, "") // the server has told its bound
		ctx := metadata.AppendToOutgoingContext(t.Context(), "x", strings.Repeat("x", maxHeaders))
		if _, err := client.Join(ctx, &gossippb.JoinRequest{}); status.Code(err) != codes.Internal || !strings.Contains(err.Error(), "8192 bytes") {
			t.Errorf("large headers: %v", err)
		}
	})
}

// deaf reads nothing more from a moment on, as a host that lost its power.
type deaf struct {
	net.Conn
	off    *atomic.Bool
	closed chan struct{}
}

func (d deaf) Read(b []byte) (int, error) {
	n, err := d.Conn.Read(b)
	if d.off.Load() {
		<-d.closed
	}
	return n, err
}

func TestSilentConnectionsAreClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		n := w.member("10.0.0.2", pki.Server)
		w.root.gossip(gossipServer{})
		var off atomic.Bool
		closed := make(chan struct{})
		n.pool.config.Dial = func(ctx context.Context, address string) (net.Conn, error) {
			c, err := n.host.Dial(ctx, address)
			return deaf{c, &off, closed}, err
		}
		expect(t, join(n.to(w.root)), codes.OK, "")
		time.Sleep(time.Hour)
		synctest.Wait()
		if got := w.root.registry.Counts().Inbound; got != 1 {
			t.Errorf("%d are open after an idle hour", got)
		}
		off.Store(true)
		time.Sleep(keepaliveTime + keepaliveTimeout + 5*time.Second)
		synctest.Wait()
		if got := w.root.registry.Counts().Inbound; got != 0 {
			t.Errorf("%d are open", got)
		}
		close(closed)
	})
}

// What is left of a registration is closed, whether its caller went idle or holds its stream open.
func TestLeftRegistrationsAreClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.root.registration(new(registrar))
		idle, held := w.node("10.0.0.2").register(w.root), w.node("10.0.0.3").register(w.root)
		for _, stream := range []registrationStream{idle, held} {
			if _, err := ask(stream, aClaim); err != nil {
				t.Fatal(err)
			}
		}
		_ = idle.CloseSend()
		time.Sleep(registrationIdle + 5*time.Second)
		synctest.Wait()
		if got := w.root.registry.Counts().Inbound; got != 1 {
			t.Errorf("%d are open after %s", got, registrationIdle)
		}
		time.Sleep(2*registrationAge + registrationAgeGrace)
		synctest.Wait()
		if got := w.root.registry.Counts().Inbound; got != 0 {
			t.Errorf("%d are open after %s", got, registrationAge+registrationAgeGrace)
		}
	})
}

// The label and the length stand in docs/protocol.md: another implementation must find the same.
func TestExporterIsTheDocumented(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		raw, accepted := w.pipe()
		shown := make(chan credentials.AuthInfo, 1)
		go func() {
			_, info, err := serverCredentials{source: w.root, registry: w.root.registry, door: registrationDoor}.ServerHandshake(accepted)
			if err != nil {
				t.Error(err)
			}
			shown <- info
		}()
		conn := tls.Client(raw, careless())
		if err := conn.Handshake(); err != nil {
			t.Fatal(err)
		}
		state := conn.ConnectionState()
		want, err := state.ExportKeyingMaterial("EXPORTER-g2g-register-v1", nil, 32)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := export(<-shown); err != nil || string(got[:]) != string(want) {
			t.Errorf("%x, %v, want %x", got, err, want)
		}
	})
}
