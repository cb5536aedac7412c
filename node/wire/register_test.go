package wire

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/gossippb"
)

func TestClaimTravels(t *testing.T) {
	w := newWorld()
	claim, contact := w.claim()
	r, err := w.gate.RegisterClaim(now, travel(t, EncodeRegisterClaim(claim, contact, w.token)), w.exporter, w.nonce, w.server.ID())
	if err != nil {
		t.Fatal(err)
	}
	want := Registration{Claim: claim, Contact: contact, Addresses: w.token.Addresses}
	if !reflect.DeepEqual(r, want) {
		t.Errorf("\ngot  %+v\nwant %+v", r, want)
	}
	got, joiner, err := w.gate.Claim(now, travel(t, EncodeClaim(r.Claim, r.Contact)), w.server.ID(), w.token.Nominator)
	if err != nil || !reflect.DeepEqual(got, claim) || !reflect.DeepEqual(joiner, contact) {
		t.Errorf("%v\ngot  %+v\nwant %+v", err, got, claim)
	}
	if err := got.Verify(); err != nil {
		t.Error(err)
	}
	if err := w.nomination.Judge(now, got); err != nil {
		t.Error(err)
	}
}

// TestClaimIsBound opens with the attack: each field that somebody on the way could change breaks one of the two seals.
func TestClaimIsBound(t *testing.T) {
	w := newWorld()
	claim, contact := w.claim()
	otherContact := w.joinerContact
	otherContact.Sequence++
	other := w.seal(w.joiner, otherContact)
	server := w.joinerContact
	server.Mode = pki.Server
	asServer := w.seal(w.joiner, server)
	impostor := w.seal(w.client, w.joinerContact)
	for name, c := range map[string]struct {
		change   func(*gossippb.ClaimRequest)
		acceptor pki.ID
	}{
		"exporter": {func(c *gossippb.ClaimRequest) { c.Exporter[0]++ }, w.server.ID()},
		"nonce":    {func(c *gossippb.ClaimRequest) { c.Nonce[0]++ }, w.server.ID()},
		"acceptor": {func(*gossippb.ClaimRequest) {}, w.client.ID()},
		"token":    {func(c *gossippb.ClaimRequest) { c.TokenKey = bytesOf(w.client.Key()) }, w.server.ID()},
		"contact":  {func(c *gossippb.ClaimRequest) { c.Contact = Envelope(other.Sealed) }, w.server.ID()},
		"joiner":   {func(c *gossippb.ClaimRequest) { c.Contact = Envelope(impostor.Sealed) }, w.server.ID()},
		"mode": {func(c *gossippb.ClaimRequest) {
			c.Contact, c.Mode = Envelope(asServer.Sealed), gossippb.Mode_MODE_SERVER
		}, w.server.ID()},
		"seals": {func(c *gossippb.ClaimRequest) { c.TokenSeal, c.IdentitySeal = c.IdentitySeal, c.TokenSeal }, w.server.ID()},
	} {
		t.Run(name, func(t *testing.T) {
			pb := travel(t, EncodeClaim(claim, contact))
			c.change(pb)
			got, _, err := w.gate.Claim(now, pb, c.acceptor, w.token.Nominator)
			if err != nil {
				t.Fatal(err)
			}
			var refusal *pki.Refusal
			if err := got.Verify(); !errors.As(err, &refusal) {
				t.Error("the seals still fit")
			}
		})
	}
}

func TestClaimRefusals(t *testing.T) {
	w := newWorld()
	claim, contact := w.claim()
	for name, c := range map[string]struct {
		change func(*gossippb.ClaimRequest)
		want   string
	}{
		"exporter":  {func(c *gossippb.ClaimRequest) { c.Exporter = nil }, "read claim: exporter of 0 bytes where 32 are needed"},
		"nonce":     {func(c *gossippb.ClaimRequest) { c.Nonce = make([]byte, 33) }, "read claim: nonce of 33 bytes where 32 are needed"},
		"token":     {func(c *gossippb.ClaimRequest) { c.TokenKey = nil }, "read claim: token: public key: 0 bytes where 32 are needed"},
		"seal":      {func(c *gossippb.ClaimRequest) { c.TokenSeal = nil }, "read claim: seals of 0 and 64 bytes where 64 are needed"},
		"identity":  {func(c *gossippb.ClaimRequest) { c.IdentitySeal = make([]byte, 65) }, "read claim: seals of 64 and 65 bytes where 64 are needed"},
		"mode":      {func(c *gossippb.ClaimRequest) { c.Mode = 0 }, "read claim: mode 0 is unknown"},
		"two modes": {func(c *gossippb.ClaimRequest) { c.Mode = gossippb.Mode_MODE_SERVER }, "read claim: it asks for server mode, its contact says client mode"},
		"contact":   {func(c *gossippb.ClaimRequest) { c.Contact = nil }, "read claim: read contact: there is no envelope"},
		"member":    {func(c *gossippb.ClaimRequest) { c.Contact = Envelope(w.oak().Sealed) }, "read claim: read contact of " + w.server.ID().Short() + ": it has a chain already"},
	} {
		t.Run(name, func(t *testing.T) {
			pb := travel(t, EncodeClaim(claim, contact))
			c.change(pb)
			got, joiner, err := w.gate.Claim(now, pb, w.server.ID(), w.token.Nominator)
			equal(t, err, c.want)
			if !reflect.DeepEqual(got, pki.Claim{}) || joiner != nil {
				t.Errorf("the error comes with %+v, %+v", got, joiner)
			}
		})
	}
}

func TestRegisterClaimRefusals(t *testing.T) {
	w := newWorld()
	claim, contact := w.claim()
	for name, c := range map[string]struct {
		change func(*gossippb.RegisterClaim)
		want   string
	}{
		"pin":       {func(c *gossippb.RegisterClaim) { c.Nominator = make([]byte, 32) }, "read claim: nominator's pin of 32 bytes where 16 are needed"},
		"addresses": {func(c *gossippb.RegisterClaim) { c.NominatorAddresses = make([]string, 9) }, "read claim: 9 nominator's addresses are over the bound of 8"},
		"address":   {func(c *gossippb.RegisterClaim) { c.NominatorAddresses = []string{"x:0"} }, `read claim: nominator's addresses: address "x:0": port "0" is not 1 to 65535`},
		"token":     {func(c *gossippb.RegisterClaim) { c.TokenKey = nil }, "read claim: token: public key: 0 bytes where 32 are needed"},
	} {
		t.Run(name, func(t *testing.T) {
			pb := travel(t, EncodeRegisterClaim(claim, contact, w.token))
			c.change(pb)
			got, err := w.gate.RegisterClaim(now, pb, w.exporter, w.nonce, w.server.ID())
			equal(t, err, c.want)
			if !reflect.DeepEqual(got, Registration{}) {
				t.Errorf("the error comes with %+v", got)
			}
		})
	}
}

func (w *world) welcome() *gossippb.RegisterWelcome {
	return &gossippb.RegisterWelcome{
		Protocol: 1, Genesis: w.genesis.Bytes(), Contact: Envelope(w.oak().Sealed), Nonce: w.nonce[:], TimeMs: now.UnixMilli() + 7,
	}
}

func TestWelcome(t *testing.T) {
	w := newWorld()
	got, err := ParseWelcome(now, travel(t, w.welcome()), w.token.Network)
	want := Welcome{Genesis: w.genesis, Contact: w.oak(), Nonce: w.nonce, Time: now.Add(7 * time.Millisecond)}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\ngot  %+v\nwant %+v", err, got, want)
	}
}

func TestWelcomeRefusals(t *testing.T) {
	w, other := newWorld(), newOther()
	for name, c := range map[string]struct {
		change func(*gossippb.RegisterWelcome)
		want   string
	}{
		"protocol": {func(m *gossippb.RegisterWelcome) { m.Protocol = 2 }, "read welcome: the acceptor chose protocol 2, this node speaks 1"},
		"nonce":    {func(m *gossippb.RegisterWelcome) { m.Nonce = nil }, "read welcome: nonce of 0 bytes where 32 are needed"},
		"genesis":  {func(m *gossippb.RegisterWelcome) { m.Genesis[40]++ }, "read welcome: parse genesis: the seal does not fit"},
		"network": {func(m *gossippb.RegisterWelcome) {
			m.Genesis, m.Contact = other.genesis.Bytes(), Envelope(other.oak().Sealed)
		}, "read welcome: the acceptor is of another network than the token"},
		"contact": {func(m *gossippb.RegisterWelcome) { m.Contact = Envelope(other.oak().Sealed) }, "read welcome: read contact: the seal does not fit"},
		"client": {func(m *gossippb.RegisterWelcome) {
			m.Contact = Envelope(w.seal(w.client, w.clientContact).Sealed)
		}, "read welcome: the acceptor is a client-mode member"},
	} {
		t.Run(name, func(t *testing.T) {
			pb := travel(t, w.welcome())
			c.change(pb)
			got, err := ParseWelcome(now, pb, w.token.Network)
			equal(t, err, c.want)
			if !reflect.DeepEqual(got, Welcome{}) {
				t.Errorf("the error comes with %+v", got)
			}
		})
	}
}

func TestHello(t *testing.T) {
	if err := CheckHello(&gossippb.RegisterHello{ProtocolMin: 1, ProtocolMax: 4}); err != nil {
		t.Error(err)
	}
	equal(t, CheckHello(&gossippb.RegisterHello{ProtocolMin: 2, ProtocolMax: 4}), "read hello: the joiner speaks protocol 2 to 4, this node 1")
	equal(t, CheckHello(nil), "read hello: the joiner speaks protocol 0 to 0, this node 1")
}

func TestAdmitted(t *testing.T) {
	w := newWorld()
	chain := value(w.serverChain.Admit(w.server, w.joiner.Key(), w.nomination, now))
	byFounder := value(pki.AdmitRoot(w.founder, w.genesis, w.joiner.Key(), now))
	good := &gossippb.RegisterAdmitted{Chain: chain.Bytes(), ObservedAddress: "2001:db8::9", Contacts: []*gossippb.Envelope{Envelope(w.oak().Sealed)}}
	got, err := w.gate.Admitted(now, travel(t, good), w.joiner.Key(), pki.Client, w.token.Nominator)
	if err != nil || got.Chain.Subject() != w.joiner.Key() || got.Observed != "2001:db8::9" || len(got.Contacts) != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	for name, c := range map[string]struct {
		change func(*gossippb.RegisterAdmitted)
		want   string
	}{
		"no chain":   {func(m *gossippb.RegisterAdmitted) { m.Chain = nil }, "read admission: parse chain: cut short: 0 bytes where 1 are needed"},
		"broken":     {func(m *gossippb.RegisterAdmitted) { m.Chain[len(m.Chain)-1]++ }, "read admission: verify chain: link 2: the seal does not fit"},
		"other's":    {func(m *gossippb.RegisterAdmitted) { m.Chain = w.clientChain.Bytes() }, "read admission: the chain is " + w.client.ID().Short() + "'s"},
		"other mode": {func(m *gossippb.RegisterAdmitted) { m.Chain = byFounder.Bytes() }, "read admission: the chain is for server mode, client mode was asked for"},
		"observed":   {func(m *gossippb.RegisterAdmitted) { m.ObservedAddress = "x" }, `read admission: observed address "x" is no IP address in its short form`},
		"contacts":   {func(m *gossippb.RegisterAdmitted) { m.Contacts = make([]*gossippb.Envelope, 9) }, "read admission: 9 contacts are over the bound of 8"},
	} {
		t.Run(name, func(t *testing.T) {
			pb := travel(t, good)
			c.change(pb)
			got, err := w.gate.Admitted(now, pb, w.joiner.Key(), pki.Client, w.token.Nominator)
			equal(t, err, c.want)
			if !reflect.DeepEqual(got, Admitted{}) {
				t.Errorf("the error comes with %+v", got)
			}
		})
	}
	_, err = w.gate.Admitted(now, good, w.joiner.Key(), pki.Client, w.client.ID().Pin())
	equal(t, err, "read admission: the chain is by "+w.server.ID().Short()+", who did not make the token")
}

func TestDecision(t *testing.T) {
	w := newWorld()
	claim, _ := w.claim()
	chain := value(w.serverChain.Admit(w.server, w.joiner.Key(), w.nomination, now))
	got, refusal, err := w.gate.Decision(&gossippb.ClaimResponse{Chain: chain.Bytes()}, claim, w.server.ID())
	if err != nil || refusal != nil || got.Subject() != w.joiner.Key() {
		t.Errorf("%v, %v, %v", got, refusal, err)
	}
	got, refusal, err = w.gate.Decision(&gossippb.ClaimResponse{Refusal: "the token expired 3m ago", Proven: true}, claim, w.server.ID())
	if err != nil || !got.IsZero() || *refusal != (pki.Refusal{Reason: "the token expired 3m ago", Proven: true}) {
		t.Errorf("%v, %v, %v", got, refusal, err)
	}
	for name, c := range map[string]struct {
		pb   *gossippb.ClaimResponse
		want string
	}{
		"nothing":    {&gossippb.ClaimResponse{}, "read decision: refusal of 0 bytes where 1 to 512 are allowed"},
		"long":       {&gossippb.ClaimResponse{Refusal: strings.Repeat("x", 513)}, "read decision: refusal of 513 bytes where 1 to 512 are allowed"},
		"escape":     {&gossippb.ClaimResponse{Refusal: "a\x1b[2J"}, `read decision: refusal "a\x1b[2J" has characters that do not print`},
		"direction":  {&gossippb.ClaimResponse{Refusal: "a\u202eb"}, `read decision: refusal "a\u202eb" has characters that do not print`},
		"other's":    {&gossippb.ClaimResponse{Chain: w.clientChain.Bytes()}, "read decision: the chain is " + w.client.ID().Short() + "'s"},
		"other mode": {&gossippb.ClaimResponse{Chain: value(pki.AdmitRoot(w.founder, w.genesis, w.joiner.Key(), now)).Bytes()}, "read decision: the chain is for server mode, client mode was asked for"},
	} {
		t.Run(name, func(t *testing.T) {
			got, refusal, err := w.gate.Decision(c.pb, claim, w.server.ID())
			equal(t, err, c.want)
			if !got.IsZero() || refusal != nil {
				t.Errorf("the error comes with %v, %v", got, refusal)
			}
		})
	}
	_, _, err = w.gate.Decision(&gossippb.ClaimResponse{Chain: chain.Bytes()}, claim, w.client.ID())
	equal(t, err, "read decision: the chain is by "+w.server.ID().Short()+", who did not make the token")
}

func TestDone(t *testing.T) {
	for in, want := range map[string]string{"": "", "dial 10.0.0.1:7401: refused": "dial 10.0.0.1:7401: refused"} {
		if got, err := ParseDone(&gossippb.RegisterDone{DialBackError: in}); got != want || err != nil {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
	got, err := ParseDone(&gossippb.RegisterDone{DialBackError: "a\nb"})
	equal(t, err, `read end of registration: dial-back error "a\nb" has characters that do not print`)
	if got != "" {
		t.Errorf("the error comes with %q", got)
	}
}

func TestClaimsInterfaceIsBothMessages(t *testing.T) {
	for _, m := range []claimer{(*gossippb.ClaimRequest)(nil), (*gossippb.RegisterClaim)(nil)} {
		if m.GetContact() != nil || proto.Size(m.(proto.Message)) != 0 {
			t.Errorf("%T", m)
		}
	}
}
