package transport

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/g2g-net/g2g/pki"
)

// plainCertificate is a self-signed certificate as others make them.
func plainCertificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// defaced is the leaf with its last byte, which is of the certificate's own signature, changed.
func defaced(leaf *pki.Leaf) tls.Certificate {
	der := slices.Clone(leaf.Certificate.Certificate[0])
	der[len(der)-1] ^= 1
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: leaf.Certificate.PrivateKey}
}

// faulty are the configurations that either end must refuse, made for a member, each with the reason.
func faulty(t *testing.T, n *node) map[string]*tls.Config {
	t.Helper()
	shown := n.Leaf().Certificate
	two := tls.Certificate{Certificate: [][]byte{shown.Certificate[0], shown.Certificate[0]}, PrivateKey: shown.PrivateKey}
	n.mint(1, -10*time.Minute)
	expired := n.Leaf().Certificate
	n.mint(1, time.Hour)
	old := careless(shown)
	old.MaxVersion = tls.VersionTLS12
	silent := careless(shown)
	silent.NextProtos = nil
	return map[string]*tls.Config{
		"2 certificates where exactly one is needed":        careless(two),
		"leaf: expired at ":                                 careless(expired),
		"a *ecdsa.PublicKey where an Ed25519 key is needed": careless(plainCertificate(t)),
		"the certificate is not signed by its own key":      careless(defaced(n.Leaf())),
		"version": old,
		`application protocol "" where "h2" is needed`: silent,
	}
}

// refuses runs a handshake and gives both ends' errors.
func (w *world) shake(server, client func(conn *tlsEnd) error) (serverErr, clientErr error) {
	c, s := w.pipe()
	done := make(chan error, 1)
	go func() { done <- server(&tlsEnd{s}) }()
	clientErr = client(&tlsEnd{c})
	if clientErr != nil {
		_ = c.Close()
	}
	return <-done, clientErr
}

func TestServerRefusesWhatNoMemberShows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		n := w.member("10.0.0.2", pki.Server)
		configs := faulty(t, n)
		configs["client didn't provide a certificate"] = careless()
		for want, config := range configs {
			err, _ := w.shake(w.root.server(gossipDoor), plainClient(config))
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want %q", err, want)
			}
		}
		for _, want := range []string{`application protocol "" where "h2" is needed`, "version"} {
			if err, _ := w.shake(w.root.server(registrationDoor), plainClient(configs[want])); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("registration: error %v, want %q", err, want)
			}
		}
		if counts := w.root.registry.Counts(); counts.Inbound != 0 || counts.Peers != 0 {
			t.Errorf("refused connections stay: %+v", counts)
		}
	})
}

func TestClientRefusesWhatNoMemberShows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		n := w.member("10.0.0.2", pki.Server)
		for want, config := range faulty(t, n) {
			for name, client := range map[string]func(*tlsEnd) error{
				"gossip":       w.root.client(n.ID()),
				"registration": joiner(w.genesis.Network().Pin()),
			} {
				_, err := w.shake(plainServer(config), client)
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%s: error %v, want %q", name, err, want)
				}
			}
		}
	})
}

func TestClientRefusesAnybodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		member, other := w.member("10.0.0.2", pki.Server), w.member("10.0.0.3", pki.Server)
		client, stranger := w.member("10.0.0.4", pki.Client), w.node("10.0.0.5")
		foreign := w.other().member("10.0.0.6", pki.Server)
		revoked := w.member("10.0.0.7", pki.Server)
		w.root.revoke(revoked.ID(), 2)
		for _, c := range []struct {
			expected pki.ID
			found    *node
			want     string
		}{
			{member.ID(), member, ""},
			{member.ID(), other, "expected node " + member.ID().String() + ", found " + other.ID().String()},
			{client.ID(), client, "node " + client.ID().String() + ": a client-mode member where a server-mode one is needed"},
			{stranger.ID(), stranger, "node " + stranger.ID().String() + ": not a member of this network: its leaf is for another network"},
			{foreign.ID(), foreign, "node " + foreign.ID().String() + ": not a member of this network: its leaf is for another network"},
			{revoked.ID(), revoked, "node " + revoked.ID().String() + ": not a member of this network: leaf epoch 1 is revoked, 2 is the lowest accepted"},
		} {
			var shown bool
			config := careless(c.found.Leaf().Certificate)
			config.VerifyConnection = func(s tls.ConnectionState) error {
				shown = len(s.PeerCertificates) > 0
				return nil
			}
			_, err := w.shake(plainServer(config), w.root.client(c.expected))
			if (err == nil) != (c.want == "") || err != nil && err.Error() != c.want {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if shown != (c.want == "") {
				t.Errorf("the leaf was shown: %t, after %v", shown, err)
			}
		}
	})
}

// A Trust that is published while a handshake runs counts.
func TestClientJudgesOnceMoreAfterTheHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		n := w.member("10.0.0.2", pki.Server)
		config := careless(n.Leaf().Certificate)
		open := &connection{}
		creds := w.root.credentialsTo(n.ID())
		c, s := w.pipe()
		go func() { _ = plainServer(config)(&tlsEnd{s}) }()
		open.raw = hook(c)
		verify := creds.config(open)
		inner := verify.VerifyConnection
		verify.VerifyConnection = func(s tls.ConnectionState) error {
			err := inner(s)
			w.root.revoke(n.ID(), 2)
			w.root.registry.CloseBelow(n.ID(), 2)
			return err
		}
		err := creds.shake(context.Background(), tls.Client(open.raw, verify), open)
		if err == nil || !strings.Contains(err.Error(), "leaf epoch 1 is revoked") {
			t.Errorf("error %v", err)
		}
	})
}

func TestSessionsAreNotResumed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		n := w.member("10.0.0.2", pki.Server)
		for _, d := range []door{gossipDoor, registrationDoor} {
			cache := new(ticketCounter)
			config := careless(n.Leaf().Certificate)
			config.ClientSessionCache = cache
			config.ServerName = "g2g"
			serverErr, clientErr := w.shake(w.root.server(d), func(end *tlsEnd) error {
				conn := tls.Client(end.Conn, config)
				if err := conn.Handshake(); err != nil {
					return err
				}
				_ = conn.SetReadDeadline(time.Now().Add(time.Second))
				_, _ = conn.Read(make([]byte, 1)) // tickets come after the handshake
				return nil
			})
			if serverErr != nil || clientErr != nil || cache.tickets != 0 {
				t.Errorf("door %d gave %d tickets, %v, %v", d, cache.tickets, serverErr, clientErr)
			}
		}
		if tlsConfig().ClientSessionCache != nil {
			t.Error("a client keeps sessions")
		}
		err := checkState(tls.ConnectionState{DidResume: true, Version: tls.VersionTLS13, NegotiatedProtocol: "h2"})
		if err == nil || err.Error() != "a resumed session where a fresh handshake is needed" {
			t.Errorf("a resumed session: %v", err)
		}
	})
}

type ticketCounter struct{ tickets int }

func (*ticketCounter) Get(string) (*tls.ClientSessionState, bool) { return nil, false }
func (c *ticketCounter) Put(_ string, s *tls.ClientSessionState)  { c.tickets++ }

func TestNoLeafNoHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		n := w.member("10.0.0.2", pki.Server)
		w.root.leaf.Store(nil)
		if err, _ := w.shake(w.root.server(gossipDoor), plainClient(careless(n.Leaf().Certificate))); err == nil || err.Error() != "this node has no leaf" {
			t.Errorf("server: %v", err)
		}
		if _, err := w.shake(plainServer(careless(n.Leaf().Certificate)), w.root.client(n.ID())); err == nil || err.Error() != "this node has no leaf" {
			t.Errorf("client: %v", err)
		}
	})
}

func TestRegistrationDoorAsksForNoCertificate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		n := w.member("10.0.0.2", pki.Server)
		asked := false
		config := careless()
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			asked = true
			return &n.Leaf().Certificate, nil
		}
		serverErr, clientErr := w.shake(w.root.server(registrationDoor), plainClient(config))
		if serverErr != nil || clientErr != nil || asked {
			t.Errorf("asked %t, %v, %v", asked, serverErr, clientErr)
		}
	})
}
