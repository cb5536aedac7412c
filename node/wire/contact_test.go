package wire

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/gossippb"
)

func TestContactRoundTrip(t *testing.T) {
	w := newWorld()
	left := w.serverContact
	left.Left = true
	edge := w.serverContact
	edge.Period, edge.MinEpoch, edge.Addresses, edge.Services, edge.Serves = view.MaxPeriod, edge.Epoch, nil, nil, nil
	for name, c := range map[string]*view.Contact{
		"server":  w.oak(),
		"client":  w.seal(w.client, w.clientContact),
		"left":    w.seal(w.server, left),
		"edge":    w.seal(w.server, edge),
		"largest": w.largest(100),
	} {
		got, err := w.gate.Contact(now, Envelope(c.Sealed))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !reflect.DeepEqual(got, c) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", name, got, c)
		}
	}
	c := w.seal(w.joiner, w.joinerContact)
	got, err := w.gate.JoinerContact(now, Envelope(c.Sealed))
	if err != nil || !reflect.DeepEqual(got, c) {
		t.Errorf("joiner: %+v, %v", got, err)
	}
}

func TestContactIgnoresUnknownFields(t *testing.T) {
	w := newWorld()
	payload := slices.Concat(w.oak().Sealed.Payload, []byte{0xa2, 0x06, 3, 'n', 'e', 'w'}) // field 100
	c, err := w.gate.Contact(now, w.sealPayload(w.server, payload))
	if err != nil || c.Name != "oak" || len(c.Sealed.Payload) != len(payload) {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestContactSpeaksWithNeighbours(t *testing.T) {
	w := newWorld()
	pb := w.changed(func(c *gossippb.Contact) { c.ProtocolMin, c.ProtocolMax = 0, 9 })
	if _, err := w.gate.Contact(now, pb); err != nil {
		t.Error(err)
	}
}

func TestContactRefusals(t *testing.T) {
	w := newWorld()
	id := w.server.ID().Short()
	other := newOther()
	long := strings.Repeat("a", 64)
	for name, c := range map[string]struct {
		change func(*gossippb.Contact)
		want   string
	}{
		"network":            {func(c *gossippb.Contact) { c.Network[0]++ }, "read contact: it names another network"},
		"network length":     {func(c *gossippb.Contact) { c.Network = nil }, "read contact: it names another network"},
		"key":                {func(c *gossippb.Contact) { c.Key = bytesOf(w.client.Key()) }, "read contact: it names another key than the one that sealed it"},
		"no name":            {func(c *gossippb.Contact) { c.Name = "" }, `read contact: name "": 1 to 63 characters are needed`},
		"long name":          {func(c *gossippb.Contact) { c.Name = long }, `read contact: name "` + long + `": 1 to 63 characters are needed`},
		"name":               {func(c *gossippb.Contact) { c.Name = "Oak\n" }, `read contact: name "Oak\n": only a-z 0-9 - and . may stand in it`},
		"no mode":            {func(c *gossippb.Contact) { c.Mode = 0 }, "read contact: mode 0 is unknown"},
		"mode":               {func(c *gossippb.Contact) { c.Mode = 3 }, "read contact: mode 3 is unknown"},
		"chain's mode":       {func(c *gossippb.Contact) { c.Mode, c.Addresses, c.Serves = gossippb.Mode_MODE_CLIENT, nil, nil }, "read contact of " + id + ": it says client mode, its chain server mode"},
		"sequence":           {func(c *gossippb.Contact) { c.Sequence = 0 }, "read contact: sequence 0 where 1 is the first"},
		"incarnation":        {func(c *gossippb.Contact) { c.Incarnation = 0 }, "read contact: incarnation 0 where 1 is the first"},
		"epoch":              {func(c *gossippb.Contact) { c.Epoch = 4 }, "read contact: epoch 4 is below its own lowest accepted, 5"},
		"no anchor":          {func(c *gossippb.Contact) { c.Anchor = nil }, "read contact: anchor of 0 bytes where 16 are needed"},
		"anchor":             {func(c *gossippb.Contact) { c.Anchor = make([]byte, 17) }, "read contact: anchor of 17 bytes where 16 are needed"},
		"short period":       {func(c *gossippb.Contact) { c.PeriodMs = 9 }, "read contact: period of 9ms where 10ms to 24h0m0s are allowed"},
		"long period":        {func(c *gossippb.Contact) { c.PeriodMs = 1<<32 - 1 }, "read contact: period of 1193h2m47.295s where 10ms to 24h0m0s are allowed"},
		"addresses":          {func(c *gossippb.Contact) { c.Addresses = make([]string, 17) }, "read contact: 17 addresses are over the bound of 16"},
		"address":            {func(c *gossippb.Contact) { c.Addresses[0] = "10.0.0.1" }, `read contact: addresses: address "10.0.0.1": no port`},
		"address twice":      {func(c *gossippb.Contact) { c.Addresses[1] = c.Addresses[0] }, `read contact: addresses: "10.0.0.1:7401" stands twice`},
		"services":           {func(c *gossippb.Contact) { c.Services = make([]string, 65) }, "read contact: 65 services are over the bound of 64"},
		"service":            {func(c *gossippb.Contact) { c.Services = []string{"A:1"} }, `read contact: services: address "A:1": host "A" is no DNS name in lower case`},
		"service twice":      {func(c *gossippb.Contact) { c.Services = []string{"a:1", "a:1"} }, `read contact: services: "a:1" stands twice`},
		"serves":             {func(c *gossippb.Contact) { c.Serves = make([]string, 65) }, "read contact: 65 names of gRPC services are over the bound of 64"},
		"serves this":        {func(c *gossippb.Contact) { c.Serves = []string{"a/b"} }, `read contact: service name "a/b": its parts are letters, digits and _, no digit first`},
		"serves twice":       {func(c *gossippb.Contact) { c.Serves = []string{"a.B", "a.B"} }, `read contact: service name "a.B": it stands twice, or before one that comes first`},
		"serves unordered":   {func(c *gossippb.Contact) { c.Serves = []string{"b.A", "a.B"} }, `read contact: service name "a.B": it stands twice, or before one that comes first`},
		"no protocol":        {func(c *gossippb.Contact) { c.ProtocolMin, c.ProtocolMax = 0, 0 }, "read contact: it speaks protocol 0 to 0, this node 1"},
		"later protocol":     {func(c *gossippb.Contact) { c.ProtocolMin, c.ProtocolMax = 2, 3 }, "read contact: it speaks protocol 2 to 3, this node 1"},
		"protocols reversed": {func(c *gossippb.Contact) { c.ProtocolMin, c.ProtocolMax = 3, 0 }, "read contact: it speaks protocol 3 to 0, this node 1"},
		"no chain":           {func(c *gossippb.Contact) { c.Chain = nil }, "read contact of " + id + ": it has no chain"},
		"broken chain":       {func(c *gossippb.Contact) { c.Chain[len(c.Chain)-1]++ }, "read contact: verify chain: link 1: the seal does not fit"},
		"no links":           {func(c *gossippb.Contact) { c.Chain = []byte{0} }, "read contact: parse chain: 0 links where 1 to 16 are allowed"},
		"other's chain":      {func(c *gossippb.Contact) { c.Chain = w.clientChain.Bytes() }, "read contact of " + id + ": the chain is " + w.client.ID().Short() + "'s"},
		"other network's chain": {
			func(c *gossippb.Contact) { c.Chain = other.serverChain.Bytes() },
			"read contact: verify chain: link 1: it belongs to network " + other.genesis.Network().String() + ", this one is " + w.genesis.Network().String(),
		},
		"expired":          {func(c *gossippb.Contact) { c.NotAfter = now.Unix() - 301 }, "read contact of " + id + ": it expired 5m1s ago"},
		"long ago expired": {func(c *gossippb.Contact) { c.NotAfter = -1 << 63 }, "read contact of " + id + ": it expired 500000h ago"},
		"lives too long":   {func(c *gossippb.Contact) { c.NotAfter = now.Unix() + 90*86400 + 1 }, "read contact of " + id + ": it lives for more than 90 days: is a clock wrong?"},
		"lives for ever":   {func(c *gossippb.Contact) { c.NotAfter = 1<<63 - 1 }, "read contact of " + id + ": it lives for more than 90 days: is a clock wrong?"},
	} {
		t.Run(name, func(t *testing.T) {
			for range 2 { // what was refused is not remembered as good
				got, err := w.gate.Contact(now, w.changed(c.change))
				equal(t, err, c.want)
				if got != nil {
					t.Errorf("the error comes with %+v", got)
				}
			}
		})
	}
}

// newOther is a second network with the same members.
func newOther() *world {
	w := newWorld()
	w.genesis = value(pki.Found(strings.NewReader(strings.Repeat("x", 16)), w.founder, "away", now))
	w.serverChain = value(pki.AdmitRoot(w.founder, w.genesis, w.server.Key(), now))
	w.serverContact.Chain = w.serverChain
	w.gate = NewGate(w.genesis)
	return w
}

func TestEnvelopeRefusals(t *testing.T) {
	w := newWorld()
	good := w.oak().Sealed
	other := newOther()
	for name, c := range map[string]struct {
		pb   *gossippb.Envelope
		want string
	}{
		"none":          {nil, "read contact: there is no envelope"},
		"empty":         {&gossippb.Envelope{}, "read contact: envelope: public key: 0 bytes where 32 are needed"},
		"payload":       {&gossippb.Envelope{Key: good.Key[:], Payload: make([]byte, pki.MaxPayload+1), Seal: good.Seal}, "read contact: envelope: payload of 6145 bytes is over the bound of 6144"},
		"short seal":    {&gossippb.Envelope{Key: good.Key[:], Payload: good.Payload, Seal: good.Seal[1:]}, "read contact: envelope: seal of 63 bytes where 64 are needed"},
		"seal":          {&gossippb.Envelope{Key: good.Key[:], Payload: good.Payload, Seal: append(good.Seal[:63:63], good.Seal[63]^1)}, "read contact: the seal does not fit"},
		"other's key":   {&gossippb.Envelope{Key: bytesOf(w.client.Key()), Payload: good.Payload, Seal: good.Seal}, "read contact: the seal does not fit"},
		"other network": {Envelope(other.oak().Sealed), "read contact: the seal does not fit"},
		"other domain":  {Envelope(value(w.server.Seal(pki.DomainNomination, w.genesis.Network(), good.Payload))), "read contact: the seal does not fit"},
		"no protobuf":   {w.sealPayload(w.server, []byte{0xff}), "read contact: the payload is no contact"},
		"no UTF-8":      {w.sealPayload(w.server, []byte{0x1a, 1, 0xff}), "read contact: the payload is no contact"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := w.gate.Contact(now, c.pb)
			equal(t, err, c.want)
			if got != nil {
				t.Errorf("the error comes with %+v", got)
			}
		})
	}
}

func TestClientHasNoAddresses(t *testing.T) {
	w := newWorld()
	pb := contactPayload(w.genesis.Network(), w.seal(w.client, w.clientContact))
	pb.Addresses = []string{"10.0.0.1:1"}
	_, err := w.gate.Contact(now, w.sealPayload(w.client, value(proto.Marshal(pb))))
	equal(t, err, "read contact: a client-mode member has no addresses")
	pb.Addresses, pb.Serves = nil, []string{"a.B"}
	_, err = w.gate.Contact(now, w.sealPayload(w.client, value(proto.Marshal(pb))))
	equal(t, err, "read contact: a client-mode member serves nothing")
}

func TestStandingIsJudgedAnew(t *testing.T) {
	w := newWorld()
	member, joiner := Envelope(w.oak().Sealed), Envelope(w.seal(w.joiner, w.joinerContact).Sealed)
	for range 2 { // the second time from memory
		if _, err := w.gate.Contact(now, member); err != nil {
			t.Fatal(err)
		}
		if _, err := w.gate.JoinerContact(now, joiner); err != nil {
			t.Fatal(err)
		}
		_, err := w.gate.JoinerContact(now, member)
		equal(t, err, "read contact of "+w.server.ID().Short()+": it has a chain already")
		_, err = w.gate.Contact(now, joiner)
		equal(t, err, "read contact of "+w.joiner.ID().Short()+": it has no chain")
		_, err = w.gate.Contact(now.Add(72*time.Hour+pki.Tolerance+time.Second), member)
		equal(t, err, "read contact of "+w.server.ID().Short()+": it expired 5m1s ago")
	}
}

func TestLifeIsTolerant(t *testing.T) {
	w := newWorld()
	for _, at := range []time.Time{now.Add(72*time.Hour + pki.Tolerance), now.Add(72*time.Hour - MaxContactLife)} {
		c, err := w.gate.Contact(at, Envelope(w.oak().Sealed))
		if err != nil {
			t.Error(err)
		} else if c.Expired(at) {
			t.Errorf("the gate and the contact disagree about its life at %s", at)
		}
	}
}

func TestSealContactRefusals(t *testing.T) {
	w := newWorld()
	many := func(list *[]string, n int) {
		for i := range n {
			*list = append(*list, strings.Repeat("a", 60)+"."+strings.Repeat(string(rune('a'+i%26)), 60)+"."+strings.Repeat(string(rune('a'+i/26)), 60)+":1")
		}
	}
	for name, c := range map[string]struct {
		change func(*view.Contact)
		want   string
	}{
		"name":   {func(c *view.Contact) { c.Name = "X" }, `seal contact: name "X": only a-z 0-9 - and . may stand in it`},
		"mode":   {func(c *view.Contact) { c.Mode = 0 }, "seal contact: unknown mode(0)"},
		"chain":  {func(c *view.Contact) { c.Chain = w.clientChain }, "seal contact: the chain is " + w.client.ID().Short() + "'s"},
		"period": {func(c *view.Contact) { c.Period += time.Microsecond }, "seal contact: period of 1.000001s is no whole number of milliseconds"},
		"addresses": {func(c *view.Contact) {
			many(&c.Services, 17)
			c.Addresses = nil
			many(&c.Addresses, 16)
			c.Addresses[0] = strings.Repeat("a", 63) + "." + strings.Repeat("b", 63) + "." + strings.Repeat("c", 63) + "." + strings.Repeat("d", 61) + ":1"
			c.Services = c.Services[:16]
		}, "seal contact: 6232 bytes are over the bound of 6144: its 16 addresses take 3015 of them"},
		"serves": {func(c *view.Contact) {
			c.Serves = nil
			for i := range 60 {
				c.Serves = append(c.Serves, fmt.Sprintf("%s%02d", strings.Repeat("a", 120), i))
			}
		}, "seal contact: 7884 bytes are over the bound of 6144: the names of its 60 gRPC services take 7320 of them"},
		"services": {func(c *view.Contact) { many(&c.Services, 60) }, "seal contact: 11641 bytes are over the bound of 6144: its 61 services take 11062 of them"},
	} {
		t.Run(name, func(t *testing.T) {
			contact := w.serverContact
			contact.Services = append([]string(nil), contact.Services...)
			c.change(&contact)
			got, err := SealContact(w.server, w.genesis.Network(), contact)
			equal(t, err, c.want)
			if got != nil {
				t.Errorf("the error comes with %+v", got)
			}
		})
	}
}

func TestMemoryIsBounded(t *testing.T) {
	var m memory[int]
	key := func(i int) [32]byte { return [32]byte{byte(i), byte(i >> 8), byte(i >> 16)} }
	for i := range 3*maxRemembered + 7 {
		m.put(key(i), i)
		m.put(key(i), -1)
		if len(m.values) > maxRemembered {
			t.Fatalf("%d values", len(m.values))
		}
	}
	for i := range 3*maxRemembered + 7 {
		v, ok := m.get(key(i))
		if want := i >= 2*maxRemembered+7; ok != want || ok && v != i {
			t.Fatalf("%d: %d, %v", i, v, ok)
		}
	}
}

func TestRememberedContactCostsNoSecondVerification(t *testing.T) {
	w := newWorld()
	first := value(w.gate.Contact(now, Envelope(w.oak().Sealed)))
	if again := value(w.gate.Contact(now, Envelope(w.oak().Sealed))); again != first {
		t.Error("the same bytes gave another contact")
	}
	newer := w.serverContact
	newer.Sequence++
	value(w.gate.Contact(now, Envelope(w.seal(w.server, newer).Sealed)))
	if len(w.gate.chains.values) != 1 || len(w.gate.contacts.values) != 2 {
		t.Errorf("%d chains, %d contacts", len(w.gate.chains.values), len(w.gate.contacts.values))
	}
}

func TestRememberedChainCostsNoSecondVerification(t *testing.T) {
	w := newWorld()
	w.gate.chains.put(sha256.Sum256([]byte("no chain")), w.clientChain)
	if c, err := w.gate.chain([]byte("no chain")); err != nil || c.Subject() != w.client.Key() {
		t.Errorf("%v, %v: it was verified again", c, err)
	}
}

func BenchmarkContact(b *testing.B) {
	w := newWorld()
	chain, owner := w.deep(8, 30)
	c := w.serverContact
	c.Chain = chain
	pb := Envelope(w.seal(owner, c).Sealed)
	b.Run("new/depth=8", func(b *testing.B) {
		for b.Loop() {
			must(errorOf(NewGate(w.genesis).Contact(now, pb)))
		}
	})
	b.Run("known chain", func(b *testing.B) {
		gate := NewGate(w.genesis)
		must(errorOf(gate.Contact(now, pb)))
		for b.Loop() {
			gate.contacts.values = nil
			gate.contacts.next = 0
			must(errorOf(gate.Contact(now, pb)))
		}
	})
	b.Run("known", func(b *testing.B) {
		for b.Loop() {
			must(errorOf(w.gate.Contact(now, pb)))
		}
	})
}

func errorOf(_ *view.Contact, err error) error { return err }

// A chain that was verified in an earlier run costs no verification, and one that differs from it in any byte is judged as ever.
func TestRecall(t *testing.T) {
	w := newWorld()
	good := w.clientChain.Bytes()
	if w.clientChain.Hash() == w.serverChain.Hash() || value(w.gate.chain(good)).Hash() != w.clientChain.Hash() {
		t.Fatal("the hash does not stand for the chain")
	}
	again := NewGate(w.genesis)
	again.Recall(w.serverChain.Hash())
	again.Recall(w.clientChain.Hash())
	again.Recall(pki.Chain{}.Hash())
	for i := range good {
		changed := bytes.Clone(good)
		changed[i]++
		if _, err := again.chain(changed); err == nil {
			t.Fatalf("byte %d does not count", i)
		}
	}
	refused := again.Counts().Chains
	if _, err := again.chain(good); err != nil || again.Counts().Chains != refused {
		t.Errorf("it was verified again (%v)", err)
	}
	if len(again.links.values) != 2 {
		t.Errorf("%d beginnings are remembered", len(again.links.values))
	}
}
