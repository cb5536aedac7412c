package node

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/gossippb"
)

// refused has a node join by a token, wants a refusal that ends with the reason, and wants that nothing changed on any side.
func (a *actor) refused(token pki.Token, at, reason string, others ...*actor) {
	a.w.t.Helper()
	check := unchanged(append(others, a)...)
	_, err := a.Join(context.Background(), token, at)
	if !errors.Is(err, ErrRefused) || !strings.HasSuffix(err.Error(), ": "+strings.TrimPrefix(reason, "registration refused: ")) {
		a.w.t.Errorf("%s is told\n%v\nwant ErrRefused and\n%s", a.name, err, reason)
	}
	check()
}

// settle lets pushes, exchanges and pulls of nominations end.
func (w *world) settle() { w.pass(5 * time.Second) }

// claimAt registers by hand up to the decision, and goes away.
func (a *attacker) claimAt(at string, token pki.Token, contact *view.Contact) error {
	a.w.t.Helper()
	r := a.register(at)
	return r.say(r.claim(a, token, contact))
}

// The attack: a token that was good for one admission is used again, by somebody else, at its nominator and at another
// member. The thief learns who used it, as the rightful joiner would learn of the thief.
func TestTokenUsedTwice(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		f := w.founder()
		n1 := w.joiner(1, f)
		token := f.token(gossip.NominateRequest{})
		rightful, thief := w.outsider(2), w.outsider(3)
		if _, err := rightful.Join(context.Background(), token, ""); err != nil {
			t.Fatal(err)
		}
		w.settle()
		reason := fmt.Sprintf("the token is used up: 1 of 1, last by %s", rightful.ID())
		thief.refused(token, "", reason, f, n1, rightful)
		thief.refused(token, n1.Info().Register, reason, f, n1, rightful)
		thief.refused(token, rightful.Info().Register, reason, f, n1, rightful)
		haltAll([]*actor{f, n1, rightful, thief})
	})
}

// The same joiner asks again, as after a crash between its admission and its own save: it is admitted again and counted once,
// at the nominator and at another acceptor, also when the token has expired and was revoked meanwhile.
func TestTokenUsedAgainByTheSameNode(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		f := w.founder()
		n1 := w.joiner(1, f)
		token := f.token(gossip.NominateRequest{Life: time.Minute})
		joiner := w.stranger("10.0.9.1", f)
		again := func(at *actor) {
			t.Helper()
			if err := joiner.claimAt(at.Info().Register, token, joiner.contact()); err != nil {
				t.Errorf("at %s: %v", at.name, err)
			}
		}
		again(f)
		w.settle()
		check := unchanged(f, n1)
		again(f)
		again(n1)
		check()
		if n := f.nomination(token.ID()); n.Used != 1 || len(n.Users) != 1 || n.Users[0].Joiner != joiner.ID() {
			t.Errorf("%+v", n)
		}
		w.pass(2 * time.Minute) // the token expires
		again(f)
		if _, err := f.Revoke(context.Background(), token.ID().String()); err != nil {
			t.Fatal(err)
		}
		again(n1)
		if n := len(f.claims()); n != 2 { // with n1's own
			t.Errorf("%d claims are kept", n)
		}
		haltAll([]*actor{f, n1})
	})
}

// The attack: two joiners use one token at the same moment at two acceptors, neither of which is its nominator. Exactly one
// is admitted.
func TestTokenUsedAtOnceAtTwoAcceptors(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		f := w.founder()
		n1, n2 := w.joiner(1, f), w.joiner(2, f)
		for round := range 4 {
			token := f.token(gossip.NominateRequest{})
			w.settle()
			winner, loser := w.outsider(10+2*round), w.outsider(11+2*round)
			errs := make(chan error)
			join := func(a, at *actor) {
				_, err := a.Join(context.Background(), token, at.Info().Register)
				errs <- err
			}
			go join(winner, n1)
			go join(loser, n2)
			one, two := <-errs, <-errs
			if loser.Info().Member {
				winner, loser = loser, winner
			}
			err := errors.Join(one, two)
			reason := fmt.Sprintf("the token is used up: 1 of 1, last by %s", winner.ID())
			if (one == nil) == (two == nil) || !errors.Is(err, ErrRefused) || !strings.HasSuffix(err.Error(), reason) {
				t.Errorf("round %d: %v\nand %v", round, one, two)
			}
			if n := f.nomination(token.ID()); n.Used != 1 || n.Version != 2 || !winner.folder() || loser.folder() {
				t.Errorf("round %d: used %d, version %d", round, n.Used, n.Version)
			}
			winner.halt()
			loser.halt()
		}
		haltAll([]*actor{f, n1, n2})
	})
}

// The attacks: a token whose time or permission is over, or that is bent to a purpose it was not made for. Its holder proves
// it, so he learns the exact reason. Each is tried at the nominator and at another member.
func TestTokenRefusals(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		f := w.founder()
		n1 := w.joiner(1, f)
		thief := w.outsider(2)
		rightful := w.stranger("10.0.9.1", f).ID()
		expired := f.token(gossip.NominateRequest{Life: time.Minute})
		revoked := f.token(gossip.NominateRequest{})
		client := f.token(gossip.NominateRequest{Mode: pki.Client})
		server := f.token(gossip.NominateRequest{})
		strict := f.token(gossip.NominateRequest{For: rightful})
		client.Mode, server.Mode = pki.Server, pki.Client // the holder may write on it what he likes
		w.pass(2 * time.Minute)
		if _, err := f.Revoke(context.Background(), revoked.ID().String()); err != nil {
			t.Fatal(err)
		}
		w.settle()
		for _, c := range []struct {
			token  pki.Token
			reason string // %s is a span that grows
		}{
			{expired, "the token expired 1m5s ago"},
			{revoked, "the token was revoked 5s ago"},
			{client, "the token admits in client mode, server mode was asked for"},
			{server, "the token admits in server mode, client mode was asked for"},
			{strict, fmt.Sprintf("the token is for node %s, not for %s", rightful, thief.ID())},
		} {
			thief.refused(c.token, "", c.reason, f, n1)
			thief.refused(c.token, n1.Info().Register, c.reason, f, n1)
		}
		haltAll([]*actor{f, n1, thief})
	})
}

// The attack: a token of another network. Untouched, the joiner itself turns away from an acceptor of a network that the token
// does not name. With the pin of this network written into it, nobody here knows it: the refusal tells nothing.
func TestTokenOfAnotherNetwork(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		f := w.founder()
		other := w.actor(100)
		if _, err := Found(other.dir, other.cfg, "other"); err != nil {
			t.Fatal(err)
		}
		other.start()
		thief := w.outsider(2)
		token := other.token(gossip.NominateRequest{})
		thief.refused(token, f.Info().Register, fmt.Sprintf("register at %s: node %s is a member of another network", f.Info().Register, f.ID()), f, other)
		token.Network = f.genesis().Network().Pin()
		thief.refused(token, f.Info().Register, pki.ErrUniform, f, other)
		token.Nominator = f.ID().Pin()
		thief.refused(token, f.Info().Register, pki.ErrUniform, f, other)
		haltAll([]*actor{f, other, thief})
	})
}

// The attack: a stranger without a token tries to learn which tokens, nominators and nominations there are. Whatever he names,
// the refusal is the same until a seal proves that he holds the token.
func TestRefusalsAreUniformBeforeTheProof(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		f := w.founder()
		n1 := w.joiner(1, f)
		real := f.token(gossip.NominateRequest{})
		w.settle()
		check := unchanged(f, n1)
		mallory := w.stranger("10.0.9.1", f)
		guess := func(nominator pki.ID) pki.Token {
			token, err := pki.NewToken(rand.Reader, pki.Server, time.Now().Add(time.Hour), f.genesis().Network(), nominator, nil)
			if err != nil {
				t.Fatal(err)
			}
			return token
		}
		contact := mallory.contact()
		for _, at := range []*actor{f, n1} {
			for what, claim := range map[string]func(r registration) error{
				"a token of the acceptor":     func(r registration) error { return r.say(r.claim(mallory, guess(at.ID()), contact)) },
				"a token of another member":   func(r registration) error { return r.say(r.claim(mallory, guess(f.ID()), contact)) },
				"a token of an unknown node":  func(r registration) error { return r.say(r.claim(mallory, guess(mallory.ID()), contact)) },
				"a real token without a seal": func(r registration) error { return r.say(without(r.claim(mallory, real, contact))) },
				"a real token, a false token key": func(r registration) error {
					c := r.claim(mallory, guess(f.ID()), contact)
					key := real.Key()
					c.TokenKey = key[:]
					return r.say(c)
				},
			} {
				err := claim(mallory.register(at.Info().Register))
				if err == nil || !strings.HasSuffix(err.Error(), "code = PermissionDenied desc = "+pki.ErrUniform) {
					t.Errorf("%s, at %s: %v", what, at.name, err)
				}
				w.pass(time.Second) // the rate is limited
			}
		}
		check()
		haltAll([]*actor{f, n1})
	})
}

// without breaks the token's seal and leaves the identity's.
func without(c *gossippb.RegisterClaim) *gossippb.RegisterClaim {
	c.TokenSeal[0] ^= 1
	return c
}

// The attack: a live token is stolen. The thief becomes one new member, in the token's mode and in the nominator's name, and
// nobody else; the rightful joiner is told who it was.
func TestStolenTokenMakesOneNewMember(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		f := w.founder()
		n1 := w.joiner(1, f)
		token, err := pki.ParseToken(f.token(gossip.NominateRequest{NoNominate: true}).Reveal())
		if err != nil {
			t.Fatal(err)
		}
		thief, rightful := w.outsider(2), w.outsider(3)
		joined, err := thief.Join(context.Background(), token, n1.Info().Register)
		if err != nil || joined.Nominator != f.ID() || joined.Mode != pki.Server {
			t.Fatalf("%+v, %v", joined, err)
		}
		w.settle()
		if p := f.peer(thief.ID()); p == nil || p.Chain.Depth() != 2 || p.Chain.Links()[1].Token != token.ID() || p.Chain.MayNominate() {
			t.Errorf("the founder lists %+v", p)
		}
		if _, _, err := thief.Nominate(context.Background(), gossip.NominateRequest{Mode: pki.Server, Life: time.Hour, Uses: 1}); !errors.Is(err, ErrRefused) {
			t.Errorf("the thief nominates: %v", err)
		}
		rightful.refused(token, "", "the token is used up: 1 of 1, last by "+thief.ID().String(), f, n1, thief)
		haltAll([]*actor{f, n1, thief, rightful})
	})
}
