package wire

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

// Size is how many bytes Encode puts a message into, without putting it there. Frames of gRPC, TLS and TCP are not in it.
func Size(m gossip.Message) int {
	switch m := m.(type) {
	case gossip.ExchangeRequest: // a simulator asks for nothing as often as for these
		return fixedSize(m.Salt, m.AliveHash, m.NominationsHash, m.SummaryHeld) + bytesSize(digestSize(m.Digest)) +
			bytesSize(len(m.Beats)*beatSize) + bytesSize(len(m.Hints)*hintSize) + summarySize(m.Summary) + flagSize(m.Full) + flagSize(m.Active)
	case gossip.ExchangeResponse:
		return fixedSize(m.AliveHash, m.NominationsHash, m.SummaryHeld) + bytesSize(len(m.Beats)*beatSize) + envelopesSize(m.Contacts) +
			bytesSize(len(m.Hints)*hintSize) + summarySize(m.Summary) + flagSize(m.Passive)
	case gossip.PushRequest:
		return bytesSize(len(m.Beats)*beatSize) + envelopesSize(m.Contacts) + flagSize(m.Reached) + flagSize(m.Parted)
	case gossip.HintRequest: // and while many are in trouble for these
		return bytesSize(len(m.Hints) * hintSize)
	case gossip.HintResponse:
		return bytesSize(len(m.Beats)*beatSize) + envelopesSize(m.Contacts) + bytesSize(len(m.Hints)*hintSize)
	case gossip.ProbeRequest:
		return probeRequestSize(m)
	case gossip.ProbeResponse:
		return probeResponseSize(m)
	case gossip.PushResponse:
		return 0
	}
	return proto.Size(Encode(m))
}

func probeRequestSize(m gossip.ProbeRequest) (n int) {
	if m.Contact != 0 {
		n = 1 + protowire.SizeVarint(uint64(m.Contact))
	}
	return n + wordSize(m.Beat)
}

func probeResponseSize(m gossip.ProbeResponse) (n int) {
	if m.Contact != nil {
		n = envelopeSize(m.Contact.Sealed)
	}
	return n + wordSize(m.Beat)
}

// wordSize is the size of the beat of a probe or of its answer, which is left out where there is none.
func wordSize(b gossip.IndexedBeat) int {
	if b.Sequence == 0 {
		return 0
	}
	return bytesSize(beatSize)
}

// fixedSize is the size of fields of eight bytes, which are left out where they are zero. Every field of these messages
// has a number below 16, so that its tag is one byte.
func fixedSize(values ...uint64) (n int) {
	for _, v := range values {
		if v != 0 {
			n += 1 + 8
		}
	}
	return n
}

// flagSize is the size of a flag, which is left out where it is not set.
func flagSize(set bool) int {
	if set {
		return 2
	}
	return 0
}

// bytesSize is the size of a field of n bytes, which is left out where there are none.
func bytesSize(n int) int {
	if n == 0 {
		return 0
	}
	return 1 + protowire.SizeBytes(n)
}

func envelopesSize(contacts []*view.Contact) (n int) {
	for _, c := range contacts {
		n += envelopeSize(c.Sealed)
	}
	return n
}

func envelopeSize(e pki.Envelope) int {
	return 1 + protowire.SizeBytes(bytesSize(len(e.Key))+bytesSize(len(e.Payload))+bytesSize(len(e.Seal)))
}

func summarySize(s *view.Summary) int {
	if s == nil {
		return 0
	}
	return envelopeSize(s.Sealed)
}

// unsealed stands where a seal would. It is shared and never changed.
var unsealed = make([]byte, pki.SealSize)

// UnsealedContact is SealContact for simulations: the same fields, checks, payload and size, but zeros for a seal, which no
// gate takes. A seal costs more than all else that a simulated node does in a second. Its holders share what they can.
func UnsealedContact(identity *pki.Identity, network pki.NetworkID, c view.Contact) (*view.Contact, error) {
	sealed, err := payload(identity, network, c)
	if err != nil {
		return nil, fmt.Errorf("make contact: %w", err)
	}
	sealed.Sealed.Seal = unsealed
	sealed.Share()
	return sealed, nil
}
