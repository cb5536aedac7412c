package pki

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"reflect"
	"testing"
	"time"
)

// claim is a good one, with the token and the joiner that made it.
func (w world) claim(t testing.TB) (Claim, Token, *Identity) {
	t.Helper()
	joiner := someone(t, "joiner")
	token, err := NewToken(chance("token"), Server, noon.Add(time.Hour), w.genesis.Network(), w.root.ID(), nil)
	must(t, err)
	b := Binding{Network: w.genesis.Network(), Acceptor: w.root.ID(), Joiner: joiner.ID(), Token: token.ID(), Mode: Server, Contact: sha256.Sum256([]byte("contact"))}
	_, _ = chance("exporter").Read(b.Exporter[:])
	_, _ = chance("nonce").Read(b.Nonce[:])
	c := Claim{Binding: b, Nominator: token.Nominator, TokenKey: token.Key(), JoinerKey: joiner.Key()}
	c.TokenSeal, c.IdentitySeal, err = token.Claim(joiner, b)
	must(t, err)
	return c, token, joiner
}

const (
	noToken    = "the token's seal does not fit this connection"
	noIdentity = "the identity's seal does not fit this connection"
)

// refusal wants a Refusal with this reason.
func refusal(t *testing.T, err error, reason string, proven bool) {
	t.Helper()
	refused(t, nil, err, reason)
	var r *Refusal
	if !errors.As(err, &r) || r.Proven != proven || r.Reason != reason {
		t.Errorf("%#v, want proven %t", err, proven)
	}
}

// changes lists a binding with each of its fields changed in turn: every byte of it, or the whole.
func changes(b Binding) map[string]Binding {
	out := map[string]Binding{}
	for i := range reflect.TypeFor[Binding]().NumField() {
		name := reflect.TypeFor[Binding]().Field(i).Name
		if kind := reflect.ValueOf(b).Field(i).Kind(); kind != reflect.Array {
			changed := b
			reflect.ValueOf(&changed).Elem().Field(i).SetUint(uint64(Client))
			out[name] = changed
			continue
		}
		for j := range reflect.ValueOf(b).Field(i).Len() {
			changed := b
			at := reflect.ValueOf(&changed).Elem().Field(i).Index(j)
			at.SetUint(at.Uint() ^ 0x40)
			out[fmt.Sprint(name, " byte ", j)] = changed
		}
	}
	return out
}

func TestClaimBindsEverything(t *testing.T) {
	w := newWorld(t, "home")
	good, token, joiner := w.claim(t)
	must(t, good.Verify())
	all := changes(good.Binding)
	if len(all) != 6*32+8+1 {
		t.Fatalf("%d changes: a field is missing", len(all))
	}
	for what, b := range all {
		t.Run(what, func(t *testing.T) {
			c := good
			c.Binding = b
			refusal(t, c.Verify(), noToken, false)
			// With one of the two keys the thief can seal anew, and the other seal must still not fit.
			tokenSeal, identitySeal, err := token.Claim(joiner, b)
			must(t, err)
			c.IdentitySeal = identitySeal
			refusal(t, c.Verify(), noToken, false)
			c.TokenSeal, c.IdentitySeal = tokenSeal, good.IdentitySeal
			if b.Token == good.Binding.Token {
				refusal(t, c.Verify(), noIdentity, true)
			}
		})
	}
}

func TestClaimRefusals(t *testing.T) {
	w := newWorld(t, "home")
	good, token, joiner := w.claim(t)
	thief := someone(t, "thief")
	_, byThief, err := token.Claim(thief, good.Binding)
	must(t, err)
	other, err := NewToken(chance("other"), Server, noon, w.genesis.Network(), w.root.ID(), nil)
	must(t, err)
	byOther, _, err := other.Claim(joiner, good.Binding)
	must(t, err)
	with := func(change func(*Claim)) error { c := good; change(&c); return c.Verify() }

	refusal(t, with(func(c *Claim) { c.TokenKey = other.Key() }), noToken, false)
	refusal(t, with(func(c *Claim) { c.Nominator = thief.ID().Pin() }), noToken, false)                 // another nominator under this one's ID
	refusal(t, with(func(c *Claim) { c.TokenKey, c.TokenSeal = other.Key(), byOther }), noToken, false) // another token under this one's ID
	refusal(t, with(func(c *Claim) { c.TokenSeal = byOther }), noToken, false)
	refusal(t, with(func(c *Claim) { c.TokenSeal = nil }), noToken, false)
	refusal(t, with(func(c *Claim) { c.TokenSeal = c.IdentitySeal }), noToken, false)
	refusal(t, with(func(c *Claim) { c.TokenSeal = malleated(c.TokenSeal) }), noToken, false)
	refusal(t, with(func(c *Claim) { c.JoinerKey = thief.Key() }), noIdentity, true)
	refusal(t, with(func(c *Claim) { c.JoinerKey, c.IdentitySeal = thief.Key(), byThief }), noIdentity, true) // another joiner under this one's ID
	refusal(t, with(func(c *Claim) { c.IdentitySeal = byThief }), noIdentity, true)
	refusal(t, with(func(c *Claim) { c.IdentitySeal = nil }), noIdentity, true)
	refusal(t, with(func(c *Claim) { c.IdentitySeal = c.TokenSeal }), noIdentity, true)
	refusal(t, with(func(c *Claim) { c.TokenSeal, c.IdentitySeal = c.IdentitySeal, c.TokenSeal }), noToken, false)
	if refusal := (&Refusal{Reason: "why"}); refusal.Error() != "why" {
		t.Errorf("it says %q", refusal)
	}
}

// Whatever an acceptor may come to seal with the same keys in another role, in another network or with the names changed over is no claim.
func TestClaimIsNotReflected(t *testing.T) {
	w, away := newWorld(t, "home"), newWorld(t, "away")
	good, token, joiner := w.claim(t)
	transcript := good.Binding.transcript()
	swapped := good.Binding
	swapped.Acceptor, swapped.Joiner = swapped.Joiner, swapped.Acceptor
	var acceptor writer
	acceptor.short([]byte("acceptor"))
	acceptor.raw(good.Binding.fields()[1+len("joiner"):])
	asAcceptor := sha256.Sum256(acceptor)
	network := w.genesis.Network()
	for what, m := range map[string]struct {
		network NetworkID
		payload []byte
	}{
		"as acceptor":             {network, asAcceptor[:]},
		"names changed over":      {network, swapped.transcript()},
		"in another network":      {away.genesis.Network(), transcript},
		"in no network":           {NetworkID{}, transcript},
		"the fields, not hashed":  {network, good.Binding.fields()},
		"the hash of another one": {network, make([]byte, 32)},
	} {
		c := good
		var err error
		c.TokenSeal, err = sealWith(token.identity().signer, DomainRegisterToken, m.network, m.payload)
		must(t, err)
		if err := c.Verify(); err == nil || err.Error() != noToken {
			t.Errorf("%s, token: %v", what, err)
		}
		c = good
		c.IdentitySeal, err = sealWith(joiner.signer, DomainRegisterIdentity, m.network, m.payload)
		must(t, err)
		if err := c.Verify(); err == nil || err.Error() != noIdentity {
			t.Errorf("%s, identity: %v", what, err)
		}
	}
	if !bytes.Equal(transcript, good.Binding.transcript()) {
		t.Error("the transcript changed")
	}
}

func TestJudge(t *testing.T) {
	w := newWorld(t, "home")
	c, token, joiner := w.claim(t)
	good := Nomination{
		Network: w.genesis.Network(), Nominator: w.root.Key(), TokenKey: token.Key(), Mode: Server, NotBefore: noon.Unix(), NotAfter: noon.Unix() + 1800, Uses: 2,
	}
	other, last := someone(t, "other").ID(), someone(t, "last").ID()
	for _, k := range []struct {
		want   string
		at     time.Duration
		change func(*Nomination)
	}{
		{"", 0, func(*Nomination) {}},
		{"", -5 * time.Minute, func(*Nomination) {}},
		{"", 1799*time.Second + time.Second - 1, func(*Nomination) {}},
		{"", 0, func(n *Nomination) { n.For = joiner.ID() }},
		{"", 0, func(n *Nomination) { n.Used = 1 }},
		{"the token belongs to another nomination", 0, func(n *Nomination) { n.TokenKey[0] ^= 1 }},
		{"the token belongs to another nomination", 0, func(n *Nomination) { n.Network[0] ^= 1 }},
		{"the token admits in client mode, server mode was asked for", 0, func(n *Nomination) { n.Mode = Client }},
		{fmt.Sprintf("the token is for node %s, not for %s", other, joiner.ID()), 0, func(n *Nomination) { n.For = other }},
		{"the token was revoked 3m ago", 3 * time.Minute, func(n *Nomination) { n.RevokedAt = noon.Unix() }},
		{"the token is valid only in 5m1s: is a clock wrong?", -5*time.Minute - time.Second, func(*Nomination) {}},
		{"the token is valid only in 9m: is a clock wrong?", -9 * time.Minute, func(*Nomination) {}},
		{"the token expired 0s ago", 30 * time.Minute, func(*Nomination) {}},
		{"the token expired 2h5m ago", 155 * time.Minute, func(*Nomination) {}},
		{"the token is used up: 2 of 2, last by a node no longer known", 0, func(n *Nomination) { n.Used = 2 }},
		{"the token is used up: 2 of 2, last by " + last.String(), 0, func(n *Nomination) { n.Used, n.Users = 2, []TokenUse{{other, 1}, {last, 2}} }},
		{"the token was revoked 0s ago", 0, func(n *Nomination) { n.RevokedAt, n.NotAfter, n.Used = noon.Unix(), noon.Unix()-1, 2 }},
	} {
		n := good
		k.change(&n)
		err := n.Judge(noon.Add(k.at), c)
		if k.want != "" {
			refusal(t, err, k.want, true)
		} else if err != nil {
			t.Errorf("at %s: %v", k.at, err)
		}
	}
}

func TestSpan(t *testing.T) {
	for seconds, want := range map[int64]string{
		0: "0s", 1: "1s", 59: "59s", 60: "1m", 61: "1m1s", 600: "10m", 3600: "1h", 3601: "1h0m1s", 3660: "1h1m", 7500: "2h5m", 36000: "10h", 36600: "10h10m", 360000: "100h",
		-60: "-1m", math.MaxInt64: "2562047h47m16s", math.MinInt64: "-2562047h47m16s",
	} {
		if got := Span(seconds); got != want {
			t.Errorf("%d s prints as %q, want %q", seconds, got, want)
		}
	}
}
