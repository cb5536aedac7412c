package node

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/wire"
	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/gossippb"
)

// The attack: a server-mode member that holds a token of f brings its claim to another member, which knows the nomination by
// gossip, and asks that one to decide, as it is or with its own pin in the token. Only the nominator counts uses, so nobody else may
// admit.
func TestOnlyTheNominatorDecides(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		f := w.founder()
		n1 := w.joiner(1, f)
		token := f.token(gossip.NominateRequest{})
		w.settle() // the nomination is synced
		mallory, joiner := w.member("10.0.9.1", f, pki.Server), w.stranger("10.0.9.2", f)
		contact := joiner.contact()
		bent := token
		bent.Nominator = n1.ID().Pin()
		for _, c := range []struct {
			token  pki.Token
			reason string
		}{{token, "the token's seal does not fit this connection"}, {bent, "no nomination of this node stands behind the token"}} {
			binding := wire.Bind(f.genesis().Network(), mallory.ID(), [pki.ExporterSize]byte{1}, [pki.NonceSize]byte{2}, c.token.ID(), contact)
			tokenSeal, identitySeal, err := c.token.Claim(joiner.identity, binding)
			if err != nil {
				t.Fatal(err)
			}
			claim := pki.Claim{Binding: binding, TokenKey: token.Key(), JoinerKey: joiner.identity.Key(), TokenSeal: tokenSeal, IdentitySeal: identitySeal}
			resp, err := mallory.gossip(n1).Claim(context.Background(), wire.EncodeClaim(claim, contact))
			if err != nil {
				t.Fatal(err)
			}
			if len(resp.GetChain()) > 0 || resp.GetRefusal() != c.reason || resp.GetProven() {
				t.Errorf("another member than the nominator decided: %v", resp)
			}
		}
		if used := n1.nomination(token.ID()).Used; used != 0 {
			t.Errorf("it counted %d uses", used)
		}
		mallory.pool.Close()
		w.pass(time.Second) // the close arrives
		haltAll([]*actor{f, n1})
	})
}

// The attack: a joiner that was admitted says that it is ready with the contact of another member, to have the acceptor dial
// that one and spread what it likes in its name.
func TestReadyIsWhoWasAdmitted(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		f := w.founder()
		n1 := w.joiner(1, f)
		token := f.token(gossip.NominateRequest{})
		mallory := w.stranger("10.0.9.1", f)
		r := mallory.register(f.Info().Register)
		if err := r.say(r.claim(mallory, token, mallory.contact())); err != nil {
			t.Fatalf("an honest claim: %v", err)
		}
		other := n1.contact.Load()
		_, err := r.ask(&gossippb.RegisterRequest{Step: &gossippb.RegisterRequest_Ready{
			Ready: &gossippb.RegisterReady{Contact: wire.Envelope(other.Sealed)},
		}})
		if err == nil || !strings.Contains(err.Error(), "register: another node is ready than was admitted") {
			t.Errorf("ready with another's contact: %v", err)
		}
		w.pass(time.Second)
		haltAll([]*actor{f, n1})
	})
}
