package wire

import (
	"math"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/signature"
	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/gossippb"
)

// statement is one of a dimension, with numbers in every place.
func statement(dimension int) signature.Statement {
	s := signature.Signature{Dimension: dimension, Mean: make([]float32, dimension), Histogram: make([]float32, signature.MaxBins), Count: 77}
	for i := range s.Mean {
		s.Mean[i] = float32(i) - 0.5
	}
	s.Histogram[1] = 3
	return signature.Statement{Incarnation: 5, Version: 6, Signature: s}
}

func (w *world) full(dimension int) *view.Summary {
	return value(SealSummary(w.server, w.genesis.Network(), statement(dimension)))
}

func (w *world) summary(dimension int) *view.Summary {
	s := statement(dimension)
	s.Signature = s.Short()
	return value(SealSummary(w.server, w.genesis.Network(), s))
}

// sealSignature seals any payload as a statement of the server's.
func (w *world) sealSignature(payload []byte) *gossippb.Envelope {
	return Envelope(value(w.server.Seal(pki.DomainSignature, w.genesis.Network(), payload)))
}

// TestSignatureRefusals: every one in a request, an answer and a full answer, which are refused as a whole.
func TestSignatureRefusals(t *testing.T) {
	w := newWorld()
	lie := func(change func(*signature.Statement)) *gossippb.Envelope {
		s := statement(3)
		change(&s)
		return w.sealSignature(s.AppendBinary(nil))
	}
	broken := Envelope(w.summary(3).Sealed)
	broken.Payload[9]++
	other := value(w.server.Seal(pki.DomainSignature, pki.NetworkID{1}, statement(3).AppendBinary(nil)))
	for want, e := range map[string]*gossippb.Envelope{
		"the seal does not fit":                       broken,
		"mean[1] is NaN":                              lie(func(s *signature.Statement) { s.Mean[1] = float32(math.NaN()) }),
		"mean[0] is +Inf":                             lie(func(s *signature.Statement) { s.Mean[0] = float32(math.Inf(1)) }),
		"10000 dimensions are over the bound of 1024": lie(func(s *signature.Statement) { s.Dimension = 10_000 }),
		"histogram[2] is -1":                          lie(func(s *signature.Statement) { s.Histogram[2] = -1 }),
		"a mean of 2 coordinates where 3":             lie(func(s *signature.Statement) { s.Mean = s.Mean[:2] }),
		"incarnation or version 0":                    lie(func(s *signature.Statement) { s.Version = 0 }),
		"a mean or a histogram of no samples":         lie(func(s *signature.Statement) { s.Count = 0 }),
		"seal of 0 bytes":                             {Key: bytesOf(w.server.Key())},
		"payload of 6145 bytes":                       {Key: bytesOf(w.server.Key()), Payload: make([]byte, pki.MaxPayload+1)},
		"cut short":                                   w.sealSignature(nil),
	} {
		check := func(m gossip.Message, err error) {
			t.Helper()
			if m != nil || err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %+v, %v, want %q", m, err, want)
			}
		}
		check(w.gate.Request(now, &gossippb.ExchangeRequest{Signature: proto.CloneOf(e)}))
		check(w.gate.Response(now, &gossippb.ExchangeResponse{Signature: proto.CloneOf(e)}, gossip.ExchangeRequest{}))
		check(w.gate.Response(now, &gossippb.SignatureResponse{Signature: e}, gossip.SignatureRequest{}))
	}
	if _, err := w.gate.Request(now, &gossippb.ExchangeRequest{Signature: Envelope(other)}); err == nil {
		t.Error("another network's signature was taken")
	}
	if _, err := w.gate.Request(now, &gossippb.ExchangeRequest{Signature: Envelope(w.full(129).Sealed)}); err == nil {
		t.Error("a full mean was taken where the short form is due")
	}
	if _, err := w.gate.Request(now, &gossippb.ExchangeRequest{Signature: Envelope(w.oak().Sealed)}); err == nil {
		t.Error("a contact was taken for a signature")
	}
	if m, err := w.gate.Response(now, &gossippb.SignatureResponse{}, gossip.SignatureRequest{}); err != nil || m != (gossip.SignatureResponse{}) {
		t.Errorf("none yet: %+v, %v", m, err)
	}
	bad := statement(3)
	bad.Mean[0] = float32(math.NaN())
	if s, err := SealSummary(w.server, w.genesis.Network(), bad); err == nil || s != nil {
		t.Error("what every gate refuses was sealed")
	}
}
