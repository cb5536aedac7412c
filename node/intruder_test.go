package node

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/store"
	"github.com/g2g-net/g2g/node/transport"
	"github.com/g2g-net/g2g/node/wire"
	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/gossippb"
)

// gossipMethods are the full names of all that the Gossip port serves.
func gossipMethods() (names []string) {
	for _, m := range gossippb.Gossip_ServiceDesc.Methods {
		names = append(names, "/"+gossippb.Gossip_ServiceDesc.ServiceName+"/"+m.MethodName)
	}
	return names
}

// denied calls a method with an empty message and wants the refusal.
func (a *attacker) denied(victim *actor, method, reason string) {
	a.w.t.Helper()
	err := a.to(victim).Invoke(context.Background(), method, &emptypb.Empty{}, &emptypb.Empty{})
	if status.Code(err) != codes.PermissionDenied || status.Convert(err).Message() != "refused "+method+": "+reason {
		a.w.t.Errorf("got  %v\nwant %s", err, reason)
	}
	a.w.pass(time.Second) // the connection is closed
	if n := a.registry.Counts().Outbound; n > 0 && a.registry.Close(victim.ID()) > 0 {
		a.w.t.Errorf("%d connections are still open after %s", n, method)
	}
}

// The attack: somebody who is no member calls the Gossip port, with every leaf that a stranger can make. No method answers.
func TestStrangersAtTheGossipPort(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		f := w.founder()
		n1 := w.joiner(1, f)
		w.settle()
		other := w.other(f)
		other.genesis = f.genesis() // so that his own connection does not refuse the victim
		theirs := n1.member.Load().chain
		check := unchanged(f, n1)
		for _, c := range []struct {
			what   string
			who    *attacker
			leaf   func(a *attacker)
			reason string
		}{
			{"without a network", w.stranger("10.0.9.1", f), bare, "its leaf is for another network"},
			{"without a chain", w.stranger("10.0.9.2", f), nil, "parse chain: cut short: 0 bytes where 1 are needed"},
			{"of another network", w.other(f), nil, "its leaf is for another network"},
			{"with a chain of another network", other, wearing(other.chain), "verify chain: link 1: it belongs to network"},
			{"with a member's chain", w.stranger("10.0.9.3", f), wearing(theirs), "the chain is " + n1.ID().Short() + "'s"},
		} {
			if c.leaf != nil {
				c.leaf(c.who)
			}
			c.who.genesis = f.genesis()
			if strings.HasPrefix(c.reason, "verify chain") {
				c.reason += " " + chainNetwork(c.who) + ", this one is " + f.genesis().Network().String()
			}
			for _, method := range gossipMethods() {
				t.Log(c.what, method)
				c.who.denied(f, method, "not a member of this network: "+c.reason)
			}
		}
		check()
		haltAll([]*actor{f, n1})
	})
}

func chainNetwork(a *attacker) string { return a.chain.Links()[0].Network.String() }

// The attack: a client-mode member does what server-mode members alone may do.
func TestClientModeMemberIsHeldToItsMode(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		f := w.founder()
		n1 := w.joiner(1, f)
		w.settle()
		client := w.member("10.0.9.1", f, pki.Client)
		check := unchanged(f, n1)
		for _, rule := range transport.Table() {
			if !rule.Client && !rule.Stranger {
				client.denied(f, rule.Method, "not allowed in client mode")
			}
		}
		hint := wire.Encode(gossip.ExchangeRequest{Hints: []gossip.Hint{{ID: n1.ID(), Incarnation: 1 << 40, Sequence: 1}}})
		_, err := client.gossip(f).Exchange(context.Background(), hint.(*gossippb.ExchangeRequest))
		contains(t, err, "read exchange: a client-mode member hints at nobody")
		// The Registration port has nothing for members either.
		conn, _, err := transport.DialRegistration(context.Background(), client.host.Dial, f.Info().Register, client.genesis.Network().Pin())
		if err != nil {
			t.Fatal(err)
		}
		err = conn.Invoke(context.Background(), gossippb.Gossip_Join_FullMethodName, &emptypb.Empty{}, &emptypb.Empty{})
		if status.Code(err) != codes.PermissionDenied && status.Code(err) != codes.Unimplemented {
			t.Errorf("Join at the Registration port: %v", err)
		}
		_ = conn.Close()
		check()
		haltAll([]*actor{f, n1})
	})
}

// The attack: a leaf key was stolen and its owner has raised its lowest accepted epoch since. The leaf is refused by every node
// that has heard of it, also on a connection that was open before.
func TestRevokedEpochIsRefused(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		f := w.founder()
		n1 := w.joiner(1, f)
		w.settle()
		thief := w.stranger("10.0.9.1", f)
		thief.leaf.Store(n1.leaf.Load()) // certificate and key, as from its memory
		if _, err := thief.gossip(f).Exchange(context.Background(), &gossippb.ExchangeRequest{}); err != nil {
			t.Fatalf("before the revocation: %v", err)
		}
		n1.halt()
		d, err := store.Open(n1.dir)
		if err != nil {
			t.Fatal(err)
		}
		saved, err := d.Load()
		if err != nil {
			t.Fatal(err)
		}
		saved.Own.MinEpoch = saved.Own.Epoch + 1
		saved.Own.Epoch++
		if err := d.Save(gossip.Save{Own: &saved.Own}); err != nil {
			t.Fatal(err)
		}
		_ = d.Close()
		n1.start()
		w.allAlive(10*time.Second, []*actor{f, n1}, 1)
		w.until(100*time.Millisecond, "the thief hears that his open connection was closed", func() bool {
			return thief.registry.Counts().Outbound == 0
		})
		_, err = thief.gossip(f).Exchange(context.Background(), &gossippb.ExchangeRequest{})
		contains(t, err, "is revoked, ")
		haltAll([]*actor{f, n1})
	})
}

// forge makes a certificate with somebody's leaf key and extensions, and a life of the forger's choice. A change may bend the
// identity extension.
func (a *attacker) forge(of *pki.Leaf, notBefore, notAfter time.Time, bend func(vouch []byte)) *pki.Leaf {
	a.w.t.Helper()
	old, err := x509.ParseCertificate(of.Certificate.Certificate[0])
	if err != nil {
		a.w.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: old.Subject, NotBefore: notBefore, NotAfter: notAfter, KeyUsage: old.KeyUsage,
		ExtKeyUsage: old.ExtKeyUsage, BasicConstraintsValid: true,
	}
	for _, e := range old.Extensions {
		if e.Id.String() == "2.25.1793266418.1" || e.Id.String() == "2.25.1793266418.2" {
			value := append([]byte(nil), e.Value...)
			if bend != nil && e.Id.String() == "2.25.1793266418.1" {
				bend(value)
			}
			template.ExtraExtensions = append(template.ExtraExtensions, pkix.Extension{Id: e.Id, Value: value})
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, old.PublicKey, of.Certificate.PrivateKey)
	if err != nil {
		a.w.t.Fatal(err)
	}
	return &pki.Leaf{Certificate: tls.Certificate{Certificate: [][]byte{der}, PrivateKey: of.Certificate.PrivateKey}}
}

// The attack: a member's leaf is shown after its life, re-dated by whoever stole its key, with a seal that does not fit, or with a
// signature that is not by its own key. The handshake refuses it, both where it is shown by a caller and where by an acceptor.
func TestForgedLeaves(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		f := w.founder()
		n1 := w.joiner(1, f)
		token := f.token(gossip.NominateRequest{})
		w.settle()
		joiner := w.outsider(2)
		thief := w.stranger("10.0.9.1", f)
		expired, err := pki.MintLeaf(rand.Reader, n1.identity, f.genesis().Network(), n1.member.Load().chain, 1, time.Now().Add(-48*time.Hour), 24*time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		now, live := time.Now(), n1.leaf.Load()
		seal := func(b []byte) { b[len(b)-1] ^= 1 }
		epoch := func(b []byte) { b[1+32+32+7]++ }
		check := unchanged(f, n1, joiner)
		for _, c := range []struct {
			what, reason string
			leaf         *pki.Leaf
		}{
			{"expired", "leaf: expired at ", expired},
			{"re-dated", "leaf: identity extension: the seal does not fit: key, life, epoch or chain are not what the identity sealed",
				thief.forge(expired, now.Add(-time.Hour), now.Add(time.Hour), nil)},
			{"badly sealed", "the seal does not fit", thief.forge(live, now.Add(-time.Hour), now.Add(time.Hour), seal)},
			{"of a newer epoch", "the seal does not fit", thief.forge(expired, now.Add(-49*time.Hour), now.Add(time.Hour), epoch)},
			{"not signed by its own key", "the certificate is not signed by its own key", unsigned(live)},
		} {
			thief.leaf.Store(c.leaf)
			for _, method := range gossipMethods() {
				err := thief.to(f).Invoke(context.Background(), method, &emptypb.Empty{}, &emptypb.Empty{})
				if status.Code(err) != codes.Unavailable {
					t.Errorf("%s, %s: %v", c.what, method, err)
				}
			}
			fake := &fakeAcceptor{welcome: thief.welcomes}
			_, err := joiner.Join(context.Background(), token, thief.serve(fake))
			contains(t, err, c.reason)
			fake.sawHellosOnly(t, 0)
			thief.pool.Drop(f.ID())
		}
		check()
		thief.leaf.Store(live)
		if _, err := thief.gossip(f).Exchange(context.Background(), &gossippb.ExchangeRequest{}); err != nil {
			t.Errorf("the leaf as it is: %v", err)
		}
		haltAll([]*actor{f, n1, joiner})
	})
}

// unsigned breaks a certificate's own signature, which the TLS stack does not look at.
func unsigned(leaf *pki.Leaf) *pki.Leaf {
	der := append([]byte(nil), leaf.Certificate.Certificate[0]...)
	der[len(der)-1] ^= 1
	return &pki.Leaf{Certificate: tls.Certificate{Certificate: [][]byte{der}, PrivateKey: leaf.Certificate.PrivateKey}}
}
