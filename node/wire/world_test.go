package wire

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/gossippb"
)

var now = time.Unix(1_800_000_000, 0)

// world is one network: a founder, a server-mode member, a client-mode member and a stranger.
type world struct {
	genesis                         pki.Genesis
	founder, server, client, joiner *pki.Identity
	serverChain, clientChain        pki.Chain
	gate                            *Gate
	serverContact, clientContact    view.Contact // to be changed and sealed
	joinerContact                   view.Contact
	token                           pki.Token
	nomination                      pki.Nomination
	exporter, nonce                 [32]byte
}

func identity(seed byte) *pki.Identity {
	i, err := pki.IdentityFrom(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize)))
	must(err)
	return i
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func value[T any](v T, err error) T {
	must(err)
	return v
}

func newWorld() *world {
	w := &world{founder: identity(1), server: identity(2), client: identity(3), joiner: identity(4)}
	w.genesis = value(pki.Found(bytes.NewReader(make([]byte, 16)), w.founder, "home", now))
	w.serverChain = value(pki.AdmitRoot(w.founder, w.genesis, w.server.Key(), now))
	w.token = value(pki.NewToken(bytes.NewReader(make([]byte, 16)), pki.Client, now.Add(time.Hour), w.genesis.Network(), w.server.ID(), []string{"10.0.0.1:7402"}))
	w.nomination = pki.Nomination{
		Network: w.genesis.Network(), Nominator: w.server.Key(), TokenKey: w.token.Key(), Mode: pki.Client,
		NotBefore: now.Unix(), NotAfter: now.Add(time.Hour).Unix(), Uses: 1, Version: 1,
	}
	w.clientChain = value(w.serverChain.Admit(w.server, w.client.Key(), w.nomination, now))
	w.gate = NewGate(w.genesis)
	w.serverContact = contactOf("oak", pki.Server, w.serverChain)
	w.serverContact.Addresses = []string{"10.0.0.1:7401", "[2001:db8::1]:7401", "oak.example.org:7401"}
	w.serverContact.Services = []string{"seeds.example.org:7401"}
	w.serverContact.Serves = []string{"grpc.health.v1.Health", "pkg.Search"}
	w.clientContact = contactOf("leaf", pki.Client, w.clientChain)
	w.joinerContact = contactOf("new", pki.Client, pki.Chain{})
	w.exporter, w.nonce = [32]byte{1}, [32]byte{2}
	return w
}

func contactOf(name string, mode pki.Mode, chain pki.Chain) view.Contact {
	return view.Contact{
		Name: name, Mode: mode, Sequence: 0x1_0002, NotAfter: now.Add(72 * time.Hour).Unix(), Epoch: 7, MinEpoch: 5, Incarnation: 3,
		Anchor: view.Link{9}, Period: time.Second, Chain: chain,
	}
}

func (w *world) seal(i *pki.Identity, c view.Contact) *view.Contact {
	return value(SealContact(i, w.genesis.Network(), c))
}

func (w *world) oak() *view.Contact { return w.seal(w.server, w.serverContact) }

// sealPayload seals any payload as a contact.
func (w *world) sealPayload(i *pki.Identity, payload []byte) *gossippb.Envelope {
	return Envelope(value(i.Seal(pki.DomainContact, w.genesis.Network(), payload)))
}

// changed is the server's contact with a change that SealContact might refuse.
func (w *world) changed(change func(*gossippb.Contact)) *gossippb.Envelope {
	pb := contactPayload(w.genesis.Network(), w.oak())
	change(pb)
	return w.sealPayload(w.server, value(proto.Marshal(pb)))
}

func (w *world) binding(c *view.Contact) pki.Binding {
	return Bind(w.genesis.Network(), w.server.ID(), w.exporter, w.nonce, w.token.ID(), c)
}

// claim is a valid one of the joiner.
func (w *world) claim() (pki.Claim, *view.Contact) {
	c := w.seal(w.joiner, w.joinerContact)
	b := w.binding(c)
	token, self, err := w.token.Claim(w.joiner, b)
	must(err)
	return pki.Claim{Binding: b, Nominator: w.token.Nominator, TokenKey: w.token.Key(), JoinerKey: w.joiner.Key(), TokenSeal: token, IdentitySeal: self}, c
}

// deep is a chain of the given depth, for the identity with the given seed.
func (w *world) deep(depth int, seed byte) (pki.Chain, *pki.Identity) {
	chain, above := w.serverChain, w.server
	n := w.nomination
	n.Mode, n.MayNominate = pki.Server, true
	for d := 2; d <= depth; d++ {
		below := identity(seed + byte(d))
		chain = value(chain.Admit(above, below.Key(), n, now))
		above = below
	}
	return chain, above
}

// largest is a contact of exactly pki.MaxPayload bytes.
func (w *world) largest(seed byte) *view.Contact {
	chain, owner := w.deep(pki.MaxDepth, seed)
	c := contactOf("a", pki.Server, chain)
	c.Sequence, c.Epoch, c.Incarnation = 1<<63, 1<<63, 1<<63
	for i := range view.MaxAddresses {
		c.Addresses = append(c.Addresses, fmt.Sprintf("%s%02d.example.org:7401", bytes.Repeat([]byte{'x'}, 40), i))
	}
	for i := 0; ; i++ {
		next := slices.Concat(c.Services, []string{fmt.Sprintf("%s%02d.example.org:7401", bytes.Repeat([]byte{'y'}, 40), i)})
		if room := pki.MaxPayload - payloadSize(w, &c); room < 62 {
			// A service costs two bytes more than its characters.
			c.Services = append(c.Services, string(bytes.Repeat([]byte{'z'}, room-2-len(":1")))+":1")
			break
		}
		c.Services = next
	}
	sealed := w.seal(owner, c)
	if len(sealed.Sealed.Payload) != pki.MaxPayload {
		panic(fmt.Sprintf("the largest contact has %d bytes", len(sealed.Sealed.Payload)))
	}
	return sealed
}

func payloadSize(w *world, c *view.Contact) int {
	return proto.Size(contactPayload(w.genesis.Network(), c))
}

func equal(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %q", want)
	}
	if got := clean(err.Error()); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// clean takes out what protobuf varies on purpose between builds.
func clean(s string) string {
	return string(bytes.ReplaceAll([]byte(s), []byte("\u00a0"), []byte(" ")))
}

func bytesOf(k pki.Key) []byte { return k[:] }
