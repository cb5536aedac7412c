package wire

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

// anyMessage draws one of those that a simulator sends most, of any fill.
func anyMessage(r *rand.Rand, contacts []*view.Contact) gossip.Message {
	zero := func(v uint64) uint64 { return v * uint64(r.IntN(2)) }
	beats := make([]gossip.IndexedBeat, r.IntN(gossip.MaxBeats+1))
	some := contacts[:r.IntN(len(contacts)+1)]
	hints := make([]gossip.Hint, r.IntN(gossip.MaxHints+1))
	switch r.IntN(6) {
	case 0:
		return gossip.ExchangeRequest{
			Salt: zero(r.Uint64()), AliveHash: zero(r.Uint64()), NominationsHash: zero(r.Uint64()), Beats: beats,
			Digest: make([]view.Version, r.IntN(gossip.MaxDigest+1)), Full: r.IntN(2) > 0, Active: r.IntN(2) > 0, Hints: hints,
		}
	case 1:
		return gossip.ExchangeResponse{AliveHash: zero(1), NominationsHash: zero(2), Beats: beats, Contacts: some, Passive: r.IntN(2) > 0, Hints: hints}
	case 2:
		return gossip.HintRequest{Hints: hints}
	case 3:
		return gossip.HintResponse{Beats: beats, Contacts: some, Hints: hints}
	case 4:
		m := gossip.ProbeRequest{Contact: uint16(zero(r.Uint64() >> r.IntN(64))), Beat: beat(0, 2)}
		m.Beat.Sequence *= uint64(r.IntN(2))
		return m
	}
	return gossip.PushRequest{Beats: beats, Contacts: some, Parted: r.IntN(2) > 0}
}

func TestSizeIsThatOfTheEncoding(t *testing.T) {
	w, r := newWorld(), rand.New(rand.NewPCG(1, 2))
	messages := slices.Concat(w.requests(), w.responses())
	for range 200 {
		messages = append(messages, anyMessage(r, []*view.Contact{w.oak(), w.largest(20), w.seal(w.client, w.clientContact)}))
	}
	for _, m := range messages {
		if got, want := Size(m), len(value(proto.Marshal(Encode(m)))); got != want {
			t.Errorf("%T: %d bytes, %d on the wire", m, got, want)
		}
	}
}

// An unsealed contact is the sealed one but for the seal, of the same size, and no gate takes it.
func TestUnsealedContactIsAsLarge(t *testing.T) {
	w := newWorld()
	sealed := w.oak()
	c := value(UnsealedContact(w.server, w.genesis.Network(), w.serverContact))
	if !bytes.Equal(c.Sealed.Payload, sealed.Sealed.Payload) || c.ID != sealed.ID {
		t.Errorf("got  %+v\nwant %+v", c, sealed)
	}
	push := func(c *view.Contact) gossip.Message { return gossip.PushRequest{Contacts: []*view.Contact{c}} }
	if got, want := Size(push(c)), Size(push(sealed)); got != want {
		t.Errorf("%d bytes, sealed %d", got, want)
	}
	if _, err := w.gate.Contact(now, Envelope(c.Sealed)); err == nil {
		t.Error("the gate takes it")
	}
	wrong := w.serverContact
	wrong.Name = "no name"
	_, err := UnsealedContact(w.server, w.genesis.Network(), wrong)
	equal(t, err, "make contact: "+pki.CheckName("no name").Error())
}
