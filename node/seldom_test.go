package node

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/pki"
)

// The attack: a stranger has himself refused as often as the limits on registrations allow, so that the operator's list of events is full
// of it and what was told before is gone. He is listed some times, then once in a while with the number of the others; a refusal of
// somebody who holds a token is listed beside it.
func TestRefusalsDoNotFloodTheEvents(t *testing.T) {
	inWorld(t, time.Millisecond, func(w *world) {
		f := w.founder()
		mallory := w.stranger("10.0.9.1", f)
		guess, err := pki.NewToken(rand.Reader, pki.Server, time.Now().Add(time.Hour), f.genesis().Network(), f.ID(), nil)
		if err != nil {
			t.Fatal(err)
		}
		const more = 20
		for range refusalsAtOnce + more {
			contains(t, mallory.claimAt(f.Info().Register, guess, mallory.contact()), pki.ErrUniform)
			w.pass(time.Second / 4)
		}
		contains(t, mallory.claimAt(f.Info().Register, f.token(gossip.NominateRequest{For: pki.ID{1}}), mallory.contact()), "the token is for node")
		w.pass(refusalSpacing)
		contains(t, mallory.claimAt(f.Info().Register, guess, mallory.contact()), pki.ErrUniform)
		told := f.notices(gossip.KindRefused)
		if n := len(told); n != refusalsAtOnce+2 || !strings.Contains(told[n-2], "the token is for node") || !strings.HasSuffix(told[n-1], " (and 20 more before it, which are not listed)") {
			t.Errorf("%d refusals are listed, the last of them %q", n, told[max(0, n-2):])
		}
		haltAll([]*actor{f})
	})
}
