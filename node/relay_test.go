package node

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/wire"
	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/gossippb"
)

// relay ends the joiner's TLS with a leaf of its own, begins its own at the real acceptor, carries every byte and reads along.
type relay struct {
	mu  sync.Mutex
	saw bytes.Buffer // what the joiner sent, in the clear
}

func (r *relay) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.saw.Write(b)
}

// sent tells whether the joiner said something in the clear.
func (r *relay) sent(what []byte) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return bytes.Contains(r.saw.Bytes(), what)
}

// relayTo listens with the attacker's leaf before the real acceptor, until the test ends.
func (a *attacker) relayTo(acceptor string) (*relay, string) {
	a.w.t.Helper()
	l, err := a.host.Listen(":0")
	if err != nil {
		a.w.t.Fatal(err)
	}
	r := &relay{}
	var carriers sync.WaitGroup
	carriers.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			carriers.Go(func() { a.carry(in, acceptor, r) })
		}
	})
	a.w.t.Cleanup(func() {
		_ = l.Close()
		carriers.Wait()
	})
	return r, l.Addr().String()
}

func (a *attacker) carry(in net.Conn, acceptor string, r *relay) {
	careless := &tls.Config{MinVersion: tls.VersionTLS13, NextProtos: []string{"h2"}, InsecureSkipVerify: true}
	out, err := a.host.Dial(context.Background(), acceptor)
	if err != nil {
		_ = in.Close()
		return
	}
	ours := careless.Clone()
	ours.Certificates = []tls.Certificate{a.Leaf().Certificate}
	joiner, real := tls.Server(in, ours), tls.Client(out, careless)
	var both sync.WaitGroup
	both.Go(func() { _, _ = io.Copy(io.MultiWriter(real, r), joiner); _ = real.Close() })
	both.Go(func() { _, _ = io.Copy(joiner, real); _ = joiner.Close() })
	both.Wait()
}

// The attack: a relay between joiner and acceptor ends the TLS of both, with a leaf of its own: as a member of the same network,
// and as a stranger who writes the network into his leaf. The joiner finds another node than the one whose contact it is
// shown, and says nothing but hello.
func TestRelayThatTerminatesTLS(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		f := w.founder()
		token := f.token(gossip.NominateRequest{})
		member, stranger := w.member("10.0.9.1", f, pki.Server), w.stranger("10.0.9.2", f)
		joiner := w.outsider(1)
		for _, c := range []struct {
			who    *attacker
			reason string
		}{
			{member, fmt.Sprintf("register: refused: the acceptor shows the contact of %s, its leaf is %s's", f.ID().Short(), member.ID().Short())},
			{stranger, "register: refused: the acceptor is no member: not a member of this network: parse chain: cut short: 0 bytes where 1 are needed"},
		} {
			r, at := c.who.relayTo(f.Info().Register)
			joiner.refused(token, at, c.reason, f)
			hello, _ := proto.Marshal(&gossippb.RegisterHello{ProtocolMin: wire.ProtocolVersion, ProtocolMax: wire.ProtocolVersion})
			if !r.sent(hello) {
				t.Error("the relay did not even see the hello")
			}
			key, id := token.Key(), joiner.identity.Key()
			for what, secret := range map[string][]byte{"token's key": key[:], "joiner's key": id[:], "joiner's name": []byte(joiner.name)} {
				if r.sent(secret) {
					t.Errorf("the relay saw the %s", what)
				}
			}
		}
		if _, err := joiner.Join(context.Background(), token, ""); err != nil {
			t.Error(err)
		}
		haltAll([]*actor{f, joiner})
	})
}

// The attack: a member takes a registration as an acceptor may, and uses what it was sent to register elsewhere: as it is, and
// with its own contact in it. Both seals name the connection they were made for.
func TestReplayedRegistration(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		f := w.founder()
		n1 := w.joiner(1, f)
		token := f.token(gossip.NominateRequest{})
		w.settle()
		mallory := w.member("10.0.9.1", f, pki.Server)
		accomplice := w.stranger("10.0.9.2", f)
		var caught *gossippb.RegisterClaim
		fake := &fakeAcceptor{welcome: mallory.welcomes}
		fake.decide = func(c *gossippb.RegisterClaim, _ *gossippb.RegisterWelcome, _ [pki.ExporterSize]byte) (*gossippb.RegisterAdmitted, error) {
			caught = c
			return nil, errors.New("nothing comes back")
		}
		joiner := w.outsider(2)
		check := unchanged(f, n1, joiner)
		if _, err := joiner.Join(context.Background(), token, mallory.serve(fake)); err == nil {
			t.Error("joined at a fake acceptor")
		}
		bent := proto.Clone(caught).(*gossippb.RegisterClaim)
		bent.Contact = wire.Envelope(accomplice.contact().Sealed)
		for what, claim := range map[string]*gossippb.RegisterClaim{"as it was": caught, "with another contact": bent} {
			for _, at := range []*actor{f, n1} {
				err := accomplice.register(at.Info().Register).say(claim)
				if err == nil || !strings.HasSuffix(err.Error(), pki.ErrUniform) {
					t.Errorf("%s, at %s: %v", what, at.name, err)
				}
			}
		}
		w.claimBy(mallory, f, caught, "the token's seal does not fit this connection")
		check()
		if _, err := joiner.Join(context.Background(), token, n1.Info().Register); err != nil {
			t.Error(err)
		}
		haltAll([]*actor{f, n1, joiner})
	})
}

// claimBy asks a nominator to decide on a claim that was caught, over a connection that was never the joiner's.
func (w *world) claimBy(a *attacker, nominator *actor, c *gossippb.RegisterClaim, refusal string) {
	w.t.Helper()
	resp, err := a.gossip(nominator).Claim(context.Background(), &gossippb.ClaimRequest{
		TokenKey: c.GetTokenKey(), Mode: c.GetMode(), Contact: c.GetContact(), TokenSeal: c.GetTokenSeal(), IdentitySeal: c.GetIdentitySeal(),
		Exporter: make([]byte, pki.ExporterSize), Nonce: make([]byte, pki.NonceSize),
	})
	if err != nil || resp.GetRefusal() != refusal || len(resp.GetChain()) > 0 || resp.GetProven() {
		w.t.Errorf("%v, %v", resp, err)
	}
}

// The attack: an acceptor's own words are sent back to it: its contact as the joiner's, and a claim that another acceptor's
// joiner made. Nothing that an acceptor says has the form of a joiner's word.
func TestReflectedRegistration(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		f := w.founder()
		token := f.token(gossip.NominateRequest{})
		mallory := w.stranger("10.0.9.1", f)
		check := unchanged(f)
		r := mallory.register(f.Info().Register)
		claim := r.claim(mallory, token, mallory.contact())
		claim.Contact = r.welcome.GetContact()
		contains(t, r.say(claim), "InvalidArgument desc = read claim: read contact of "+f.ID().Short()+": it has a chain already")
		r = mallory.register(f.Info().Register)
		_, err := r.ask(&gossippb.RegisterRequest{Step: &gossippb.RegisterRequest_Ready{Ready: &gossippb.RegisterReady{Contact: r.welcome.GetContact()}}})
		contains(t, err, "InvalidArgument desc = register: the claim follows the hello")
		check()
		haltAll([]*actor{f})
	})
}

// The attack: a member that a joiner comes to asks another acceptor for admission in the joiner's place, forwards that one's nonce
// to the joiner, and the joiner's claim to it. The seals name another connection and another acceptor.
func TestRelayOfAClaim(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		f := w.founder()
		token := f.token(gossip.NominateRequest{})
		mallory := w.member("10.0.9.1", f, pki.Server)
		var toReal registration
		fake := &fakeAcceptor{welcome: func() *gossippb.RegisterWelcome {
			toReal = mallory.register(f.Info().Register)
			welcome := mallory.welcomes()
			welcome.Nonce = toReal.welcome.GetNonce()
			return welcome
		}}
		fake.decide = func(c *gossippb.RegisterClaim, _ *gossippb.RegisterWelcome, _ [pki.ExporterSize]byte) (*gossippb.RegisterAdmitted, error) {
			return nil, toReal.say(c)
		}
		joiner := w.outsider(1)
		joiner.refused(token, mallory.serve(fake), pki.ErrUniform, f)
		haltAll([]*actor{f, joiner})
	})
}
