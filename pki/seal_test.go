package pki

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"math/big"
	"testing"
)

var domains = []Domain{
	DomainGenesis, DomainAdmission, DomainLeaf, DomainNomination, DomainContact, DomainRegisterToken, DomainRegisterIdentity,
}

func TestSealFitsOneDomainOnly(t *testing.T) {
	i := someone(t, "a")
	for _, made := range domains {
		e, err := i.Seal(made, NetworkID{1}, []byte("payload"))
		must(t, err)
		for _, used := range domains {
			if err := e.Verify(used, NetworkID{1}); (err == nil) != (made == used) || err != nil && !errors.Is(err, ErrSeal) {
				t.Errorf("made for %s, verified for %s: %v", made, used, err)
			}
		}
	}
}

func TestSealFitsNothingElse(t *testing.T) {
	i := someone(t, "a")
	payload, network := []byte("payload"), NetworkID{1}
	good, err := i.Seal(DomainContact, network, payload)
	must(t, err)
	must(t, good.Verify(DomainContact, network))
	key := i.Key()
	with := func(seal []byte) Envelope { return Envelope{Key: key, Payload: payload, Seal: seal} }
	for name, e := range map[string]Envelope{
		"another key":     {Key: someone(t, "b").Key(), Payload: payload, Seal: good.Seal},
		"no key":          {Payload: payload, Seal: good.Seal},
		"longer payload":  {Key: key, Payload: append(payload[:7:7], 0), Seal: good.Seal},
		"shorter payload": {Key: key, Payload: payload[:6], Seal: good.Seal},
		"no payload":      {Key: key, Seal: good.Seal},
		"no seal":         with(nil),
		"short seal":      with(good.Seal[:63]),
		"long seal":       with(append(good.Seal[:64:64], 0)),
		"zero seal":       with(make([]byte, 64)),
		"S + L":           with(malleated(good.Seal)),
	} {
		if err := e.Verify(DomainContact, network); !errors.Is(err, ErrSeal) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for bit := range SealSize * 8 {
		if err := with(flipped(good.Seal, bit)).Verify(DomainContact, network); !errors.Is(err, ErrSeal) {
			t.Errorf("bit %d of the seal changed: %v", bit, err)
		}
	}
	for _, other := range []NetworkID{{}, {2}, {0: 1, 31: 1}} {
		if err := good.Verify(DomainContact, other); !errors.Is(err, ErrSeal) {
			t.Errorf("in network %s: %v", other, err)
		}
	}
	over := Envelope{Key: key, Payload: make([]byte, MaxPayload+1), Seal: good.Seal}
	refused(t, nil, over.Verify(DomainContact, network), "payload of 6145 bytes is over the bound of 6144")
}

// malleated adds the order of the group to the second half of a seal, which a lax verifier takes for the same.
func malleated(seal []byte) []byte {
	order, _ := new(big.Int).SetString("1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed", 16)
	half := append([]byte(nil), seal[32:]...)
	reverse := func(b []byte) {
		for i := range len(b) / 2 {
			b[i], b[len(b)-1-i] = b[len(b)-1-i], b[i]
		}
	}
	reverse(half)
	sum := order.Add(order, new(big.Int).SetBytes(half)).FillBytes(make([]byte, 32))
	reverse(sum)
	return append(seal[:32:32], sum...)
}

// Lengths stand in front of the fields, so that no byte can pass from one to the next.
func TestSealedMessageIsUnambiguous(t *testing.T) {
	seen := map[string]string{}
	for _, d := range []Domain{"", "a", "ab", "b", "a\x00"} {
		for _, payload := range []string{"", "a", "b", "ab", "\x00", "\x00\x00"} {
			for _, network := range []NetworkID{{}, {'a'}, {'b'}, {31: 'a'}} {
				message, what := string(sealed(d, network, []byte(payload))), string(d)+"|"+payload+"|"+network.String()
				if other, ok := seen[message]; ok {
					t.Errorf("%q and %q are one message", what, other)
				}
				seen[message] = what
			}
		}
	}
}

// For a key of small order anybody can make a seal: that the standard library takes one is shown first.
func TestSealOfAWeakKeyNeverFits(t *testing.T) {
	message := sealed(DomainContact, NetworkID{1}, []byte("payload"))
	forgeries := 0
	for _, y := range smallOrder {
		for _, sign := range []byte{0, 0x80} {
			b, err := hex.DecodeString(y)
			must(t, err)
			key := Key(b)
			key[31] |= sign
			if seal := forge(key, message); seal != nil {
				forgeries++
				refused(t, nil, Envelope{Key: key, Payload: []byte("payload"), Seal: seal}.Verify(DomainContact, NetworkID{1}), "the seal does not fit")
			}
		}
	}
	if forgeries < 8 {
		t.Errorf("%d forgeries were made, which is too few to show anything", forgeries)
	}
	if someone(t, "a").Key().weak() {
		t.Error("an honest key is called weak")
	}
}

// forge makes a signature without any private key, if the public key is weak.
func forge(key Key, message []byte) []byte {
	for _, y := range smallOrder {
		for _, sign := range []byte{0, 0x80} {
			seal := make([]byte, SealSize)
			_, _ = hex.Decode(seal, []byte(y))
			seal[31] |= sign
			if ed25519.Verify(key[:], message, seal) {
				return seal
			}
		}
	}
	return nil
}

func TestEnvelopeParses(t *testing.T) {
	for _, n := range []int{0, 1, 255, 256, MaxPayload} {
		e, err := someone(t, "a").Seal(DomainContact, NetworkID{1}, bytes.Repeat([]byte{7}, n))
		must(t, err)
		b := e.AppendBinary([]byte("before"))[6:]
		got, err := ParseEnvelope(b)
		must(t, err)
		must(t, got.Verify(DomainContact, NetworkID{1}))
		if !bytes.Equal(got.AppendBinary(nil), b) {
			t.Errorf("a payload of %d bytes does not encode back", n)
		}
	}
}

// What was verified cannot change with the buffer that it came in.
func TestEnvelopeKeepsNothingOfItsInput(t *testing.T) {
	e, err := someone(t, "a").Seal(DomainContact, NetworkID{1}, []byte("payload"))
	must(t, err)
	b := e.AppendBinary(nil)
	got, err := ParseEnvelope(b)
	must(t, err)
	clear(b)
	if string(got.Payload) != "payload" || got.Verify(DomainContact, NetworkID{1}) != nil {
		t.Error("the envelope changed with its input")
	}
}

func TestParseEnvelopeRefuses(t *testing.T) {
	e, err := someone(t, "a").Seal(DomainContact, NetworkID{1}, []byte("payload"))
	must(t, err)
	good := e.AppendBinary(nil)
	long := append(append([]byte(nil), good[:32]...), 0x18, 0x01)
	for _, c := range []struct {
		b    []byte
		want string
	}{
		{nil, "parse envelope: cut short: 0 bytes where 32 are needed"},
		{good[:31], "parse envelope: cut short: 31 bytes where 32 are needed"},
		{good[:33], "parse envelope: cut short: 1 bytes where 2 are needed"},
		{good[:40], "parse envelope: cut short: 6 bytes where 7 are needed"},
		{good[:41], "parse envelope: cut short: 0 bytes where 64 are needed"},
		{good[:104], "parse envelope: cut short: 63 bytes where 64 are needed"},
		{append(good[:105:105], 0), "parse envelope: bytes after the end"},
		{long, "parse envelope: payload of 6145 bytes is over the bound of 6144"},
		{append(long, make([]byte, 6145+64)...), "parse envelope: payload of 6145 bytes is over the bound of 6144"},
	} {
		got, err := ParseEnvelope(c.b)
		refused(t, got, err, c.want)
	}
}
