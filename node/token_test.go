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
	"github.com/g2g-net/g2g/pki"
)

// refused has a node join by a token, wants the refusal with its exact end, and wants that nothing changed on any side.
func (a *actor) refused(token pki.Token, at, reason string, others ...*actor) {
	a.w.t.Helper()
	check := unchanged(append(others, a)...)
	_, err := a.Join(context.Background(), token, at)
	if !errors.Is(err, ErrRefused) {
		a.w.t.Errorf("%s: not a refusal: %v", a.name, err)
	}
	if err == nil || !strings.HasSuffix(err.Error(), ": "+reason) {
		a.w.t.Errorf("%s is told\n%v\nwant\n%s", a.name, err, reason)
	}
	check()
}

// The attack: a token that was good for one admission is used again, by somebody else, at its nominator and at another
// member. The thief learns who used it, as the rightful joiner would learn of the thief.
func TestTokenUsedTwice(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		f := w.founder()
		n1 := w.joiner(1, f)
		token := f.token(gossip.NominateRequest{})
		rightful := w.outsider(2)
		if _, err := rightful.Join(t.Context(), token, ""); err != nil {
			t.Fatal(err)
		}
		w.allAlive(10*time.Second, []*actor{f, n1, rightful}, 2)
		thief := w.outsider(3)
		w.steady(f, n1)
		reason := fmt.Sprintf("the token is used up: 1 of 1, last by %s", rightful.ID())
		thief.refused(token, "", reason, f, n1)
		thief.refused(token, n1.Info().Register, reason, f, n1)
		haltAll([]*actor{f, n1, rightful, thief})
	})
}

// The same joiner asks again, as after a crash between the admission and its own save: it is admitted again, counted once,
// also when the token has expired or was revoked meanwhile, and at another acceptor.
func TestTokenUsedAgainByTheSameNode(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		f := w.founder()
		n1 := w.joiner(1, f)
		w.allAlive(10*time.Second, []*actor{f, n1}, 1)
		token := f.token(gossip.NominateRequest{Life: time.Minute})
		mallory := w.stranger("10.0.9.1", f)
		contact := mallory.contact()
		if err := mallory.claimAt(f.Info().Register, token, contact); err != nil {
			t.Fatal(err)
		}
		first := f.claims()
		check := unchanged(f)
		again := func(at *actor) {
			t.Helper()
			if err := mallory.claimAt(at.Info().Register, token, contact); err != nil {
				t.Error(err)
			}
		}
		again(f)
		again(n1)
		check()
		if n := f.nomination(token.ID()); n.Used != 1 || len(n.Users) != 1 || n.Users[0].Joiner != mallory.ID() {
			t.Errorf("%+v", n)
		}
		time.Sleep(2 * time.Minute) // virtual: it expires
		again(f)
		if _, err := f.Revoke(t.Context(), token.ID().String()); err != nil {
			t.Fatal(err)
		}
		again(n1)
		for _, c := range f.claims() {
			if string(c.Chain) != string(first[len(first)-1].Chain) && c.Joiner == mallory.ID() {
				t.Error("another admission was sealed for the same use")
			}
		}
		haltAll([]*actor{f, n1})
	})
}

// claimAt registers by hand up to the decision, and goes away.
func (a *attacker) claimAt(address string, token pki.Token, contact interface{ isContact() }) error { return nil }

// The attack: two joiners use one token at the same moment at two acceptors, neither of which is the nominator. Exactly one
// is admitted.
func TestTokenUsedAtOnceAtTwoAcceptors(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		f := w.founder()
		n1, n2 := w.joiner(1, f), w.joiner(2, f)
		w.allAlive(10*time.Second, []*actor{f, n1, n2}, 2)
		for round := range 8 {
			token := f.token(gossip.NominateRequest{})
			w.until(10*time.Second, "the nomination is known to the acceptors", func() bool { return n1.knows(token) && n2.knows(token) })
			a, b := w.outsider(10+2*round), w.outsider(11+2*round)
			errs := make(chan error, 2)
			go func() { _, err := a.Join(t.Context(), token, n1.Info().Register); errs <- err }()
			go func() { _, err := b.Join(t.Context(), token, n2.Info().Register); errs <- err }()
			winner, loser := a, b
			one, two := <-errs, <-errs
			if b.Info().Member {
				winner, loser = b, a
			}
			err := errors.Join(one, two)
			if (one == nil) == (two == nil) || !errors.Is(err, ErrRefused) || !strings.HasSuffix(err.Error(), fmt.Sprintf("used up: 1 of 1, last by %s", winner.ID())) {
				t.Errorf("%v\n%v", one, two)
			}
			if n := f.nomination(token.ID()); n.Used != 1 || n.Version != 2 || !winner.folder() || loser.folder() || loser.Info().Member {
				t.Errorf("used %d, version %d; %s %t, %s %t", n.Used, n.Version, winner.name, winner.folder(), loser.name, loser.folder())
			}
			winner.halt()
			loser.halt()
		}
		haltAll([]*actor{f, n1, n2})
	})
}
