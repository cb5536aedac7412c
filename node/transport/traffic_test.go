package transport

import (
	"crypto/tls"
	"crypto/x509"
	"testing"
	"testing/synctest"
	"time"

	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/gossippb"
	"google.golang.org/grpc/codes"
)

func (t Traffic) of(method string) MethodTraffic {
	for _, m := range t.Methods {
		if m.Method == method {
			return m
		}
	}
	return MethodTraffic{}
}

func TestTrafficIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		n := w.member("10.0.0.2", pki.Server)
		w.root.gossip(gossipServer{})
		for range 3 {
			expect(t, join(n.to(w.root)), codes.OK, "")
		}
		later()
		here, there := n.registry.Traffic(), w.root.registry.Traffic()
		method := gossippb.Gossip_Join_FullMethodName
		if asked, answered := here.of(method).Asked, there.of(method).Answered; asked.Count != 3 || answered.Count != 3 ||
			asked.Sent != answered.Received || asked.Received != answered.Sent {
			t.Errorf("asked %+v, answered %+v", asked, answered)
		}
		if here.Dialled != 1 || there.Accepted != 1 || here.Accepted+there.Dialled+here.Failed+there.Failed != 0 {
			t.Errorf("%+v and %+v", here, there)
		}
		for what, pair := range map[string][2]Flow{"handshake": {here.Handshake, there.Handshake}, "socket": {here.Socket, there.Socket}} {
			if a, b := pair[0], pair[1]; a.Written == 0 || a.Read == 0 || a.Reads == 0 || a.Writes == 0 || b.Read == 0 {
				t.Errorf("%s: %+v and %+v", what, a, b)
			}
		}
		if sent, received := here.Handshake.Written+here.Socket.Written, there.Handshake.Read+there.Socket.Read; sent != received {
			t.Errorf("%d bytes were written, %d read", sent, received)
		}
		conn, err := n.pool.Conn(w.root.ID(), []string{w.root.address})
		expect(t, err, codes.OK, "")
		if _ = call(conn, "/other.Service/Method"); n.registry.Traffic().of(Programs).Asked.Count != 1 {
			t.Error("a program's call is not counted")
		}
	})
}

func TestFailedHandshakesAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		n, other := w.member("10.0.0.2", pki.Server), w.member("10.0.0.3", pki.Server)
		w.root.gossip(gossipServer{})
		other.address = w.root.address
		_ = join(n.to(other))
		if got := n.registry.Traffic(); got.Failed == 0 || got.Failed != got.Dialled {
			t.Errorf("%d of %d failed", got.Failed, got.Dialled)
		}
	})
}

// A leaf that was verified is not verified again, but its life is; another leaf is.
func TestVerifiedLeavesAreRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		n := w.member("10.0.0.2", pki.Server)
		r := w.root.registry
		r.remember(n.Leaf().Claims)
		shown := func(raw []byte) tls.ConnectionState {
			return tls.ConnectionState{Version: tls.VersionTLS13, NegotiatedProtocol: http2, PeerCertificates: []*x509.Certificate{{Raw: raw}}}
		}
		raw := n.Leaf().Certificate.Certificate[0]
		if claims, err := r.verifyLeaf(shown(raw)); err != nil || claims.ID != n.ID() {
			t.Errorf("%v, %v", claims.ID, err)
		}
		changed := append([]byte(nil), raw...)
		changed[len(changed)-1]++
		if claims, err := r.verifyLeaf(shown(changed)); err == nil {
			t.Errorf("a changed leaf: %v", claims.ID)
		}
		resumed := shown(raw)
		resumed.DidResume = true
		if _, err := r.verifyLeaf(resumed); err == nil {
			t.Error("a resumed session")
		}
		time.Sleep(time.Until(n.Leaf().Claims.NotAfter.Add(2 * pki.Tolerance)))
		if claims, err := r.verifyLeaf(shown(raw)); err == nil || claims.ID == n.ID() {
			t.Errorf("past its life: %v, %v", claims.ID, err)
		}
		old := n.Leaf().Claims
		n.mint(9, time.Hour)
		r.remember(n.Leaf().Claims)
		if _, ok := r.owners[old.Hash]; ok || len(r.owners) != len(r.leaves) {
			t.Errorf("%d hashes of %d leaves", len(r.owners), len(r.leaves))
		}
	})
}
