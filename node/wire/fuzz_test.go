package wire

import (
	"reflect"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/signature"
	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/gossippb"
)

// FuzzContact mutates the payload and seals it anew, as a member who attacks would.
func FuzzContact(f *testing.F) {
	w := newWorld()
	f.Add(w.oak().Sealed.Payload, false)
	f.Add(w.seal(w.joiner, w.joinerContact).Sealed.Payload, true)
	f.Add(w.largest(100).Sealed.Payload, false)
	f.Fuzz(func(t *testing.T, payload []byte, joiner bool) {
		if len(payload) > pki.MaxPayload {
			t.Skip()
		}
		gate := NewGate(w.genesis) // what one input leaves behind must not change the path of the next
		read, owner := gate.Contact, w.server
		if joiner {
			read, owner = gate.JoinerContact, w.joiner
		}
		c, err := read(now, w.sealPayload(owner, payload))
		if err != nil {
			if c != nil {
				t.Fatalf("the error comes with %+v", c)
			}
			return
		}
		again, err := SealContact(owner, w.genesis.Network(), *c)
		if err != nil {
			t.Fatalf("the gate took what SealContact refuses: %v", err)
		}
		again.Sealed = c.Sealed
		normal := *c
		normal.Addresses, normal.Services = append([]string(nil), c.Addresses...), append([]string(nil), c.Services...)
		normal.Serves = append([]string(nil), c.Serves...)
		if !reflect.DeepEqual(again, &normal) {
			t.Fatalf("\ngot  %+v\nwant %+v", again, c)
		}
	})
}

// fuzzMessage mutates the bytes of a whole message. What is accepted encodes to a message that is accepted as the same.
func fuzzMessage(f *testing.F, empty func() proto.Message, read func(proto.Message) (gossip.Message, error), seeds ...gossip.Message) {
	for _, m := range seeds {
		f.Add(value(proto.Marshal(Encode(m))))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		pb := empty()
		if proto.Unmarshal(b, pb) != nil {
			return
		}
		m, err := read(pb)
		if err != nil {
			if m != nil {
				t.Fatalf("the error comes with %+v", m)
			}
			return
		}
		again, err := read(travel(t, Encode(m)))
		if err != nil || !reflect.DeepEqual(again, m) {
			t.Fatalf("%v\ngot  %+v\nwant %+v", err, again, m)
		}
	})
}

func FuzzDelta(f *testing.F) {
	w := newWorld()
	sent := w.requests()[1]
	fuzzMessage(f, func() proto.Message { return &gossippb.ExchangeResponse{} },
		func(pb proto.Message) (gossip.Message, error) { return NewGate(w.genesis).Response(now, pb, sent) },
		w.responses()[1])
}

func FuzzExchangeRequest(f *testing.F) {
	w := newWorld()
	fuzzMessage(f, func() proto.Message { return &gossippb.ExchangeRequest{} },
		func(pb proto.Message) (gossip.Message, error) { return NewGate(w.genesis).Request(now, pb) },
		w.requests()[1])
}

func FuzzHint(f *testing.F) {
	w := newWorld()
	fuzzMessage(f, func() proto.Message { return &gossippb.HintRequest{} },
		func(pb proto.Message) (gossip.Message, error) { return NewGate(w.genesis).Request(now, pb) },
		gossip.HintRequest{Hints: hints(2)})
}

func FuzzRefutation(f *testing.F) {
	w := newWorld()
	fuzzMessage(f, func() proto.Message { return &gossippb.HintResponse{} },
		func(pb proto.Message) (gossip.Message, error) {
			return NewGate(w.genesis).Response(now, pb, gossip.HintRequest{Hints: hints(2)})
		},
		gossip.HintResponse{Beats: []gossip.IndexedBeat{beat(2, 2), beat(1, 77)}, Contacts: []*view.Contact{w.oak()}})
}

func FuzzProbed(f *testing.F) {
	w := newWorld()
	fuzzMessage(f, func() proto.Message { return &gossippb.ProbeResponse{} },
		func(pb proto.Message) (gossip.Message, error) {
			return NewGate(w.genesis).Response(now, pb, gossip.ProbeRequest{})
		},
		gossip.ProbeResponse{Beat: beat(0, 2), Contact: w.oak()}, gossip.ProbeResponse{})
}

func FuzzJoin(f *testing.F) {
	w := newWorld()
	fuzzMessage(f, func() proto.Message { return &gossippb.JoinRequest{} },
		func(pb proto.Message) (gossip.Message, error) { return NewGate(w.genesis).Request(now, pb) },
		w.requests()[0])
}

func FuzzNominations(f *testing.F) {
	w := newWorld()
	sent := w.requests()[3]
	fuzzMessage(f, func() proto.Message { return &gossippb.NominationsResponse{} },
		func(pb proto.Message) (gossip.Message, error) { return NewGate(w.genesis).Response(now, pb, sent) },
		w.responses()[3])
}

func FuzzBeats(f *testing.F) {
	f.Add(beatBytes([]gossip.IndexedBeat{beat(1, 9), beat(0, 8)}), 2)
	f.Add([]byte{}, 0)
	f.Fuzz(func(t *testing.T, b []byte, limit int) {
		beats, err := parseBeats(b, limit)
		if err != nil {
			if beats != nil {
				t.Fatalf("the error comes with %v", beats)
			}
			return
		}
		if got := beatBytes(beats); string(got) != string(b) {
			t.Fatalf("got  %x\nwant %x", got, b)
		}
		for _, beat := range beats {
			if beat.Index < 0 || beat.Index >= limit {
				t.Fatalf("place %d of %d", beat.Index, limit)
			}
		}
	})
}

func FuzzClaim(f *testing.F) {
	w := newWorld()
	claim, contact := w.claim()
	f.Add(value(proto.Marshal(EncodeClaim(claim, contact))))
	f.Fuzz(func(t *testing.T, b []byte) {
		var pb gossippb.ClaimRequest
		if proto.Unmarshal(b, &pb) != nil {
			return
		}
		got, c, err := NewGate(w.genesis).Claim(now, &pb, w.server.ID(), w.token.Nominator)
		if err != nil {
			if c != nil || !reflect.DeepEqual(got, pki.Claim{}) {
				t.Fatalf("the error comes with %+v, %+v", got, c)
			}
			return
		}
		again, c2, err := NewGate(w.genesis).Claim(now, travel(t, EncodeClaim(got, c)), w.server.ID(), w.token.Nominator)
		if err != nil || !reflect.DeepEqual(again, got) || !reflect.DeepEqual(c2, c) {
			t.Fatalf("%v\ngot  %+v\nwant %+v", err, again, got)
		}
	})
}

func FuzzWelcome(f *testing.F) {
	w := newWorld()
	f.Add(value(proto.Marshal(w.welcome())))
	f.Fuzz(func(t *testing.T, b []byte) {
		var pb gossippb.RegisterWelcome
		if proto.Unmarshal(b, &pb) != nil {
			return
		}
		got, err := ParseWelcome(now, &pb, w.token.Network)
		if err != nil && !reflect.DeepEqual(got, Welcome{}) {
			t.Fatalf("the error comes with %+v", got)
		}
	})
}

// FuzzSummary mutates the payload and seals it anew, as a member who lies about its data would.
func FuzzSummary(f *testing.F) {
	w := newWorld()
	f.Add(w.summary(200).Sealed.Payload, true)
	f.Add(w.full(1024).Sealed.Payload, false)
	f.Fuzz(func(t *testing.T, payload []byte, short bool) {
		if len(payload) > pki.MaxPayload {
			t.Skip()
		}
		read, most := signature.Parse, signature.MaxStatement
		if short {
			read, most = signature.ParseShort, signature.MaxShortStatement
		}
		s, err := w.gate.summary(w.sealSignature(payload), read)
		if err != nil {
			if s != nil {
				t.Fatalf("the error comes with %+v", s)
			}
			return
		}
		again, err := SealSummary(w.server, w.genesis.Network(), s.Statement)
		if err != nil || !reflect.DeepEqual(again, s) || len(payload) > most {
			t.Fatalf("%v\ngot  %+v\nwant %+v", err, again, s)
		}
	})
}
