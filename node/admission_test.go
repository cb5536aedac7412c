package node

import (
	"context"
	"errors"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/transport"
	"github.com/g2g-net/g2g/node/wire"
	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/gossippb"
)

// ask relays a joiner's claim to the nominator, as an honest acceptor does.
func (a *attacker) ask(nominator *actor, c *gossippb.RegisterClaim, welcome *gossippb.RegisterWelcome, exporter [pki.ExporterSize]byte) (*gossippb.RegisterAdmitted, error) {
	resp, err := a.gossip(nominator).Claim(context.Background(), &gossippb.ClaimRequest{
		TokenKey: c.GetTokenKey(), Mode: c.GetMode(), Contact: c.GetContact(), TokenSeal: c.GetTokenSeal(), IdentitySeal: c.GetIdentitySeal(),
		Exporter: exporter[:], Nonce: welcome.GetNonce(),
	})
	if err != nil || resp.GetRefusal() != "" {
		return nil, status.Error(codes.PermissionDenied, resp.GetRefusal())
	}
	return &gossippb.RegisterAdmitted{Chain: resp.GetChain()}, nil
}

// The attack: a server-mode member, whom joiners may rightly come to, answers with an admission that the token's nominator did
// not seal, or one that is somebody else's, in another mode or of another network. The joiner believes the nominator's seal
// and nothing else, stays without a network, and its token stays good.
func TestAcceptorAnswersWithAFalseAdmission(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		f := w.founder()
		n1 := w.joiner(1, f)
		token := f.token(gossip.NominateRequest{})
		w.settle()
		mallory, other := w.member("10.0.9.1", f, pki.Server), w.other(f)
		joiner := w.outsider(2)
		root, rootChain := w.root(f)
		server := pki.Nomination{Mode: pki.Server, MayNominate: true}
		admit := func(nominator *pki.Identity, by pki.Chain, subject pki.Key, n pki.Nomination) []byte {
			t.Helper()
			chain, err := by.Admit(nominator, subject, n, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			return chain.Bytes()
		}
		theirs := joiner.identity.Key()
		flipped := admit(root, rootChain, theirs, server)
		flipped[len(flipped)-1] ^= 1
		for _, c := range []struct {
			what, reason string
			chain        []byte
		}{
			{"of its own sealing", "the chain is by " + mallory.ID().Short() + ", who did not make the token", admit(mallory.identity, mallory.chain, theirs, server)},
			{"its own", "the chain is " + mallory.ID().Short() + "'s", mallory.chain.Bytes()},
			{"another member's", "the chain is " + n1.ID().Short() + "'s", n1.member.Load().chain.Bytes()},
			{"in another mode", "the chain is for client mode, server mode was asked for", admit(root, rootChain, theirs, pki.Nomination{Mode: pki.Client})},
			{"with a bent seal", "verify chain: link 2: the seal does not fit", flipped},
			{"of another network", "verify chain: link 1: it belongs to network " + other.genesis.Network().String() + ", this one is " + f.genesis().Network().String(),
				admit(other.identity, other.chain, theirs, server)},
			{"none", "parse chain: cut short: 0 bytes where 1 are needed", nil},
		} {
			fake := &fakeAcceptor{welcome: mallory.welcomes}
			fake.decide = func(*gossippb.RegisterClaim, *gossippb.RegisterWelcome, [pki.ExporterSize]byte) (*gossippb.RegisterAdmitted, error) {
				return &gossippb.RegisterAdmitted{Chain: c.chain}, nil
			}
			t.Log(c.what)
			joiner.refused(token, mallory.serve(fake), "register: refused: read admission: "+c.reason, f, n1)
		}
		if _, err := joiner.Join(context.Background(), token, ""); err != nil {
			t.Error(err)
		}
		haltAll([]*actor{f, n1, joiner})
	})
}

// The attack: an acceptor has the nominator decide, and keeps the admission, bends what goes with it or goes away. The use is the
// joiner's: it joins elsewhere with the same token, counted once. The acceptor can do nothing with what it kept.
func TestAcceptorKeepsTheAdmission(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		f := w.founder()
		n1 := w.joiner(1, f)
		token := f.token(gossip.NominateRequest{})
		w.settle()
		mallory := w.member("10.0.9.1", f, pki.Server)
		joiner := w.outsider(2)
		var kept *gossippb.RegisterAdmitted
		for _, answer := range []func() (*gossippb.RegisterAdmitted, error){
			func() (*gossippb.RegisterAdmitted, error) { return nil, errors.New("it goes away") },
			func() (*gossippb.RegisterAdmitted, error) {
				return &gossippb.RegisterAdmitted{Chain: kept.GetChain(), ObservedAddress: "not an address"}, nil
			},
			func() (*gossippb.RegisterAdmitted, error) {
				contact := forged(wire.Envelope(n1.contact.Load().Sealed))
				return &gossippb.RegisterAdmitted{Chain: kept.GetChain(), Contacts: []*gossippb.Envelope{contact}}, nil
			},
		} {
			fake := &fakeAcceptor{welcome: mallory.welcomes}
			fake.decide = func(c *gossippb.RegisterClaim, welcome *gossippb.RegisterWelcome, exporter [pki.ExporterSize]byte) (_ *gossippb.RegisterAdmitted, err error) {
				if kept, err = mallory.ask(f, c, welcome, exporter); err != nil {
					return nil, err
				}
				return answer()
			}
			check := unchanged(joiner)
			if _, err := joiner.Join(context.Background(), token, mallory.serve(fake)); err == nil || kept == nil {
				t.Errorf("joined at a false acceptor, or the nominator refused: %v", err)
			}
			check()
		}
		thief := w.outsider(3)
		w.settle()
		thief.refused(token, "", "the token is used up: 1 of 1, last by "+joiner.ID().String(), f, n1)
		stranger := w.stranger("10.0.9.2", f)
		stolen, err := pki.VerifyChain(kept.GetChain(), f.genesis())
		if err != nil {
			t.Fatal(err)
		}
		wearing(stolen)(stranger)
		_, err = stranger.gossip(f).Join(context.Background(), &gossippb.JoinRequest{})
		contains(t, err, "not a member of this network: the chain is "+joiner.ID().Short()+"'s")
		if _, err := joiner.Join(context.Background(), token, n1.Info().Register); err != nil {
			t.Error(err)
		}
		if n := f.nomination(token.ID()); n.Used != 1 || n.Version != 2 {
			t.Errorf("used %d, version %d", n.Used, n.Version)
		}
		haltAll([]*actor{f, n1, joiner, thief})
	})
}

// The attack: a tarpit stands at the first address of the token, takes the connection and never says a word. The joiner gives
// it a while and goes on to the next.
func TestTarpitDoesNotKeepAJoiner(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		f := w.founder()
		silent, err := w.net.Host("10.0.9.1").Listen(":0")
		if err != nil {
			t.Fatal(err)
		}
		defer silent.Close()
		mallory := w.member("10.0.9.2", f, pki.Server)
		slow := mallory.serve(&silentAcceptor{})
		token := f.token(gossip.NominateRequest{Addresses: []string{silent.Addr().String(), slow, f.Info().Register}})
		joiner := w.outsider(1)
		began := time.Now()
		if _, err := joiner.Join(context.Background(), token, ""); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("it took %s", took)
		}
		haltAll([]*actor{f, joiner})
	})
}

// silentAcceptor takes a hello and says nothing.
type silentAcceptor struct {
	gossippb.UnimplementedRegistrationServer
}

func (silentAcceptor) Register(s grpc.BidiStreamingServer[gossippb.RegisterRequest, gossippb.RegisterResponse]) error {
	<-s.Context().Done()
	return s.Context().Err()
}

// Where too many join at once a joiner waits for its turn by itself.
func TestJoinsWhereTooManyDo(t *testing.T) {
	inWorld(t, 0, func(w *world) {
		f := w.founder()
		joiner := w.actor(1)
		joiner.start()
		token := f.token(gossip.NominateRequest{})
		others := w.stranger("10.0.0.2", f) // at the joiner's own address
		for range transport.RegistrationBurst {
			others.register(f.Info().Register)
		}
		before := time.Now()
		if _, err := joiner.Join(context.Background(), token, ""); err != nil {
			t.Fatal(err)
		}
		if time.Since(before) < crowdedPause/2 {
			t.Error("it was not refused at first")
		}
		haltAll([]*actor{f, joiner})
	})
}
