package node

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/transport"
	"github.com/g2g-net/g2g/node/wire"
	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/gossippb"
)

// fakeAcceptor answers a joiner as the test wants, and keeps what it was sent.
type fakeAcceptor struct {
	gossippb.UnimplementedRegistrationServer
	welcome func() *gossippb.RegisterWelcome
	// decide answers a claim; nil refuses.
	decide func(c *gossippb.RegisterClaim, welcome *gossippb.RegisterWelcome, exporter [pki.ExporterSize]byte) (*gossippb.RegisterAdmitted, error)

	mu   sync.Mutex
	seen []*gossippb.RegisterRequest
}

func (f *fakeAcceptor) Register(s gossippb.Registration_RegisterServer) error {
	welcome := f.welcome()
	for {
		req, err := s.Recv()
		if err != nil {
			return err
		}
		f.mu.Lock()
		f.seen = append(f.seen, req)
		f.mu.Unlock()
		resp := &gossippb.RegisterResponse{Step: &gossippb.RegisterResponse_Welcome{Welcome: welcome}}
		if req.GetClaim() != nil {
			if f.decide == nil {
				return status.Error(codes.PermissionDenied, "the fake acceptor is content with the claim")
			}
			exporter, err := transport.Exporter(s.Context())
			if err != nil {
				return err
			}
			admitted, err := f.decide(req.GetClaim(), welcome, exporter)
			if err != nil {
				return err
			}
			resp.Step = &gossippb.RegisterResponse_Admitted{Admitted: admitted}
		}
		if err := s.Send(resp); err != nil {
			return err
		}
	}
}

// sawHellosOnly tells that no joiner has sent anything else.
func (f *fakeAcceptor) sawHellosOnly(t *testing.T, n int) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, req := range f.seen {
		if req.GetHello() == nil {
			t.Errorf("it was sent %v", req)
		}
	}
	if len(f.seen) != n {
		t.Errorf("it was sent %d messages, not %d", len(f.seen), n)
	}
}

// welcomes is what an honest acceptor with the attacker's genesis and chain would show.
func (a *attacker) welcomes() *gossippb.RegisterWelcome {
	return a.welcomesWith(wire.Envelope(a.contact().Sealed))
}

func (a *attacker) welcomesWith(contact *gossippb.Envelope) *gossippb.RegisterWelcome {
	nonce := make([]byte, pki.NonceSize)
	_, _ = rand.Read(nonce)
	return &gossippb.RegisterWelcome{
		Protocol: wire.ProtocolVersion, Genesis: a.genesis.Bytes(), Contact: contact, Nonce: nonce, TimeMs: time.Now().UnixMilli(),
	}
}

// The attack: somebody who is no server-mode member of the token's network waits for joiners at an address that he has got into
// a token, or taken over. The joiner finds out before it has said anything but hello.
func TestFakeAcceptor(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		f := w.founder()
		n1 := w.joiner(1, f)
		token := f.token(gossip.NominateRequest{})
		w.settle()
		theirs := wire.Envelope(n1.contact.Load().Sealed) // anybody can get it at a Registration port
		other := w.other(f)
		stranger, client, server := w.stranger("10.0.9.2", f), w.member("10.0.9.3", f, pki.Client), w.member("10.0.9.4", f, pki.Server)
		joiner := w.outsider(2)
		for _, c := range []struct {
			what    string
			who     *attacker
			leaf    func(a *attacker)
			welcome func(a *attacker) *gossippb.RegisterWelcome
			hellos  int
			reason  string
		}{
			{"without a network", stranger, bare, (*attacker).welcomes, 0, "is a member of another network"},
			{"of another network", other, nil, (*attacker).welcomes, 0, "is a member of another network"},
			{"of another network, in a leaf for this one", other, disguised(f, other), (*attacker).welcomes, 1,
				"register: refused: read welcome: the acceptor is of another network than the token"},
			{"with a chain of another network", stranger, wearing(other.chain), (*attacker).welcomes, 1, "read welcome: read contact of"},
			{"with a chain of another network, and a member's contact", stranger, wearing(other.chain), showing(theirs), 1,
				"register: refused: the acceptor is no member: not a member of this network: verify chain: link 1: it belongs to network"},
			{"without a chain", stranger, nil, (*attacker).welcomes, 1, "it has no chain"},
			{"without a chain, with a member's contact", stranger, nil, showing(theirs), 1,
				"register: refused: the acceptor is no member: not a member of this network: parse chain: cut short: 0 bytes where 1 are needed"},
			{"with a member's chain", stranger, wearing(n1.member.Load().chain), showing(theirs), 1,
				"register: refused: the acceptor is no member: not a member of this network: the chain is " + n1.ID().Short() + "'s"},
			{"in client mode", client, nil, (*attacker).welcomes, 1, "register: refused: read welcome: the acceptor is a client-mode member"},
			{"in client mode, with a member's contact", client, nil, showing(theirs), 1, "register: refused: the acceptor is a client-mode member"},
			{"with another member's contact", server, nil, showing(theirs), 1,
				"register: refused: the acceptor shows the contact of " + n1.ID().Short() + ", its leaf is " + server.ID().Short() + "'s"},
			{"with a forged contact", server, nil, showing(forged(theirs)), 1, "register: refused: read welcome: read contact: the seal does not fit"},
			{"with no welcome", server, nil, func(*attacker) *gossippb.RegisterWelcome { return nil }, 1, "read welcome: the acceptor chose protocol 0"},
		} {
			t.Log(c.what)
			if c.leaf != nil {
				c.leaf(c.who)
			}
			fake := &fakeAcceptor{welcome: func() *gossippb.RegisterWelcome { return c.welcome(c.who) }}
			at := c.who.serve(fake)
			check := unchanged(f, n1, joiner)
			_, err := joiner.Join(context.Background(), token, at)
			if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), c.reason) {
				t.Errorf("%s: %v\nwant %s", c.what, err, c.reason)
			}
			check()
			fake.sawHellosOnly(t, c.hellos)
			c.who.mint(1, time.Hour)
		}
		if _, err := joiner.Join(context.Background(), token, ""); err != nil {
			t.Errorf("at the nominator itself: %v", err)
		}
		haltAll([]*actor{f, n1, joiner})
	})
}

// other is the founder of another network, whom no node of this world has heard of.
func (w *world) other(of *actor) *attacker {
	w.t.Helper()
	a := w.stranger("10.0.9.9", of)
	founder, err := pki.NewIdentity(rand.Reader)
	if err == nil {
		a.genesis, err = pki.Found(rand.Reader, founder, "other", time.Now())
	}
	if err == nil {
		a.chain, err = pki.AdmitRoot(founder, a.genesis, a.identity.Key(), time.Now())
	}
	if err != nil {
		w.t.Fatal(err)
	}
	a.mint(1, time.Hour)
	return a
}

// leafOf mints one that says what the test wants: a stranger may write any network and chain into his leaf.
func (a *attacker) leafOf(network pki.NetworkID, chain pki.Chain) {
	leaf, err := pki.MintLeaf(rand.Reader, a.identity, network, chain, 1, time.Now(), time.Hour)
	if err != nil {
		a.w.t.Fatal(err)
	}
	a.leaf.Store(leaf)
}

func bare(a *attacker) { a.leafOf(pki.NetworkID{}, pki.Chain{}) }

func wearing(chain pki.Chain) func(*attacker) {
	return func(a *attacker) { a.leafOf(a.genesis.Network(), chain) }
}

func disguised(as *actor, a *attacker) func(*attacker) {
	return func(*attacker) { a.leafOf(as.genesis().Network(), a.chain) }
}

func showing(contact *gossippb.Envelope) func(*attacker) *gossippb.RegisterWelcome {
	return func(a *attacker) *gossippb.RegisterWelcome { return a.welcomesWith(contact) }
}

func forged(e *gossippb.Envelope) *gossippb.Envelope {
	seal := append([]byte(nil), e.GetSeal()...)
	seal[0] ^= 1
	return &gossippb.Envelope{Key: e.GetKey(), Payload: e.GetPayload(), Seal: seal}
}
