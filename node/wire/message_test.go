package wire

import (
	"encoding/binary"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/gossippb"
)

func beat(index int, contact uint16) gossip.IndexedBeat {
	return gossip.IndexedBeat{Index: index, Contact: contact, Beat: view.Beat{Sequence: 17, Age: 250 * time.Millisecond, Link: view.Link{1, 2, 3}}}
}

// requests are valid ones with something in every field.
func (w *world) requests() []gossip.Message {
	oak := w.oak()
	return []gossip.Message{
		gossip.JoinRequest{Contact: oak, Beat: beat(0, 2).Beat, Active: true, Urgent: true},
		gossip.ExchangeRequest{
			Salt: 1<<64 - 1, Digest: []view.Version{{Hash: 1, Contact: 1<<31 - 1, Beat: 3}, {Hash: 1<<32 - 1, Contact: 1<<32 - 1, Beat: 4096}},
			Beats: []gossip.IndexedBeat{beat(1, 9), beat(0, 8)}, AliveHash: 5, NominationsHash: 6, Hints: hints(1),
			Summary: w.summary(200), SummaryHeld: 7, Full: true, Active: true,
		},
		gossip.PushRequest{Contacts: []*view.Contact{oak, w.seal(w.client, w.clientContact)}, Beats: []gossip.IndexedBeat{beat(1, 2)}, Reached: true, Parted: true},
		gossip.NominationsRequest{Versions: []gossip.NominationVersion{{Token: pki.TokenID{1}, Version: 2}, {Token: pki.TokenID{3}, Version: 1<<64 - 1}}},
		gossip.ReachRequest{Address: "10.0.0.1:7401"},
		gossip.ProbeRequest{Contact: 1<<16 - 1, Beat: beat(0, 3)},
		gossip.HintRequest{Hints: hints(2)},
		gossip.SignatureRequest{},
	}
}

// hints are so many, of both kinds.
func hints(n int) (list []gossip.Hint) {
	for i := range n {
		list = append(list, gossip.Hint{ID: pki.ID{byte(i)}, Incarnation: 1<<64 - 1, Sequence: view.LadderLength, Stalled: i%2 == 1})
	}
	return list
}

// responses are the valid answers to them.
func (w *world) responses() []gossip.Message {
	oak := w.oak()
	return []gossip.Message{
		gossip.JoinResponse{Contact: oak, Beat: beat(0, 2).Beat, Observed: "10.0.0.9", Active: true, Contacts: []*view.Contact{w.seal(w.client, w.clientContact)}},
		gossip.ExchangeResponse{Beats: []gossip.IndexedBeat{beat(2, 2), beat(1, 77)}, Contacts: []*view.Contact{oak}, AliveHash: 1, NominationsHash: 2, Summary: w.summary(3), SummaryHeld: 8, Passive: true, Hints: hints(2)},
		gossip.PushResponse{},
		gossip.NominationsResponse{Nominations: []gossip.SealedNomination{{Nomination: w.nomination, Sealed: value(w.nomination.Seal(w.server))}}},
		gossip.ReachResponse{Error: "dial 10.0.0.1:7401: refused"},
		gossip.ProbeResponse{Beat: beat(0, 2), Contact: oak},
		gossip.HintResponse{Beats: []gossip.IndexedBeat{beat(2, 2), beat(1, 77)}, Contacts: []*view.Contact{oak}, Hints: hints(2)},
		gossip.SignatureResponse{Full: w.full(1024)},
	}
}

// travel puts a message through its bytes.
func travel[M proto.Message](t testing.TB, m M) M {
	t.Helper()
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	out := m.ProtoReflect().New().Interface()
	if err := proto.Unmarshal(b, out); err != nil {
		t.Fatal(err)
	}
	return out.(M)
}

func TestMessagesRoundTrip(t *testing.T) {
	w := newWorld()
	requests := w.requests()
	for i, want := range requests {
		got, err := w.gate.Request(now, travel(t, Encode(want)))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%T: %v\ngot  %+v\nwant %+v", want, err, got, want)
		}
		answer := w.responses()[i]
		got, err = w.gate.Response(now, travel(t, Encode(answer)), want)
		if err != nil || !reflect.DeepEqual(got, answer) {
			t.Errorf("%T: %v\ngot  %+v\nwant %+v", answer, err, got, answer)
		}
	}
}

func TestEmptyMessages(t *testing.T) {
	w := newWorld()
	for _, m := range []proto.Message{&gossippb.ExchangeRequest{}, &gossippb.PushRequest{}, &gossippb.NominationsRequest{}} {
		if _, err := w.gate.Request(now, m); err != nil {
			t.Errorf("%T: %v", m, err)
		}
	}
	quiet := w.requests()[0].(gossip.JoinRequest)
	quiet.Beat = view.Beat{}
	got, err := w.gate.Request(now, Encode(quiet))
	if err != nil || !reflect.DeepEqual(got, quiet) {
		t.Errorf("a join without a beat: %+v, %v", got, err)
	}
	var none *gossippb.JoinRequest
	got, err = w.gate.Request(now, none)
	equal(t, err, "read join: read contact: there is no envelope")
	if got != nil {
		t.Errorf("the error comes with %+v", got)
	}
}

func TestObservedDoesNotTravel(t *testing.T) {
	w := newWorld()
	reach := Encode(gossip.ReachRequest{Address: "10.0.0.1:1", Observed: "10.0.0.1"})
	if got := value(w.gate.Request(now, reach)).(gossip.ReachRequest); got.Observed != "" {
		t.Errorf("observed %q", got.Observed)
	}
	if got := value(w.gate.Response(now, Encode(gossip.ReachResponse{}), gossip.ReachRequest{})); got != (gossip.ReachResponse{}) {
		t.Errorf("%+v", got)
	}
	m := w.requests()[0].(gossip.JoinRequest)
	m.Observed = "10.0.0.1"
	if got := value(w.gate.Request(now, Encode(m))).(gossip.JoinRequest); got.Observed != "" {
		t.Errorf("observed %q", got.Observed)
	}
}

func TestRequestRefusals(t *testing.T) {
	w := newWorld()
	oak := Envelope(w.oak().Sealed)
	for name, c := range map[string]struct {
		pb   proto.Message
		want string
	}{
		"kind":                {&gossippb.ClaimRequest{}, "read request: *gossippb.ClaimRequest is none"},
		"answer":              {&gossippb.JoinResponse{}, "read request: *gossippb.JoinResponse is none"},
		"nothing":             {nil, "read request: <nil> is none"},
		"join contact":        {&gossippb.JoinRequest{}, "read join: read contact: there is no envelope"},
		"join beats":          {&gossippb.JoinRequest{Contact: oak, Beat: beatBytes([]gossip.IndexedBeat{beat(0, 2), beat(0, 2)})}, "read join: two beats at place 0"},
		"join place":          {&gossippb.JoinRequest{Contact: oak, Beat: beatBytes([]gossip.IndexedBeat{beat(1, 2)})}, "read join: beat at place 1 where there are 1"},
		"join other's beat":   {&gossippb.JoinRequest{Contact: oak, Beat: beatBytes([]gossip.IndexedBeat{beat(0, 3)})}, "read join: beat at place 0 belongs to another contact"},
		"digest":              {&gossippb.ExchangeRequest{Digest: make([]byte, 13)}, "read exchange: a version is cut off"},
		"digest's contact":    {&gossippb.ExchangeRequest{Digest: binary.AppendVarint(make([]byte, 6), 1<<31)}, "read exchange: a version's contact is no difference of 32 bits"},
		"long digest":         {&gossippb.ExchangeRequest{Digest: make([]byte, leastVersion*(gossip.MaxDigest+1))}, fmt.Sprintf("read exchange: versions are over the bound of %d", gossip.MaxDigest)},
		"exchange beat place": {&gossippb.ExchangeRequest{Digest: make([]byte, 2*leastVersion), Beats: beatBytes([]gossip.IndexedBeat{beat(2, 0)})}, "read exchange: beat at place 2 where there are 2"},
		"push contacts":       {&gossippb.PushRequest{Contacts: make([]*gossippb.Envelope, 65)}, "read push: 65 contacts are over the bound of 64"},
		"push contact":        {&gossippb.PushRequest{Contacts: make([]*gossippb.Envelope, 1)}, "read push: read contact: there is no envelope"},
		"push place":          {&gossippb.PushRequest{Beats: beatBytes([]gossip.IndexedBeat{beat(0, 0)})}, "read push: beat at place 0 where there are 0"},
		"push other's beat":   {&gossippb.PushRequest{Contacts: []*gossippb.Envelope{oak}, Beats: beatBytes([]gossip.IndexedBeat{beat(0, 1)})}, "read push: beat at place 0 belongs to another contact"},
		"versions":            {&gossippb.NominationsRequest{Versions: make([]*gossippb.NominationVersion, gossip.MaxVersions+1)}, "read nominations: 2049 versions are over the bound of 2048"},
		"token ID":            {&gossippb.NominationsRequest{Versions: []*gossippb.NominationVersion{{TokenId: make([]byte, 9)}}}, "read nominations: token ID of 9 bytes where 8 are needed"},
		"reach":               {&gossippb.ReachRequest{}, `read reach: address "": no port`},
		"reach address":       {&gossippb.ReachRequest{Address: "10.0.0.1:0"}, `read reach: address "10.0.0.1:0": port "0" is not 1 to 65535`},
		"probe":               {&gossippb.ProbeRequest{Contact: 1 << 16}, "read probe: contact 65536 where 16 bits are meant"},
		"probe beats":         {&gossippb.ProbeRequest{Beat: beatBytes([]gossip.IndexedBeat{beat(0, 1), beat(0, 1)})}, "read probe: two beats at place 0"},
		"probe beat place":    {&gossippb.ProbeRequest{Beat: beatBytes([]gossip.IndexedBeat{beat(1, 1)})}, "read probe: beat at place 1 where there are 1"},
		"hint size":           {&gossippb.HintRequest{Hints: make([]byte, 44)}, "read hint: hints of 44 bytes are no multiple of 43"},
		"hint kind":           {&gossippb.HintRequest{Hints: make([]byte, 43)}, "read hint: hint of kind 0 where 1 and 2 are known"},
		"hint sequence":       {&gossippb.HintRequest{Hints: append(append(make([]byte, 40), 0x10, 1), 1)}, "read hint: hint of sequence 4097 where 0 to 4096 are allowed"},
		"hints":               {&gossippb.HintRequest{Hints: make([]byte, 43*65)}, "read hint: 65 hints are over the bound of 64"},
		"exchange hints":      {&gossippb.ExchangeRequest{Hints: make([]byte, 42)}, "read exchange: hints of 42 bytes are no multiple of 43"},
		"no version":          {&gossippb.NominationsRequest{Versions: make([]*gossippb.NominationVersion, 1)}, "read nominations: token ID of 0 bytes where 8 are needed"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := w.gate.Request(now, c.pb)
			equal(t, err, c.want)
			if got != nil {
				t.Errorf("the error comes with %+v", got)
			}
		})
	}
}

func TestResponseRefusals(t *testing.T) {
	w := newWorld()
	oak := Envelope(w.oak().Sealed)
	requests := w.requests()
	join, exchange, push, nominations := requests[0], requests[1], requests[2], requests[3]
	badSeal := Envelope(value(w.nomination.Seal(w.server)))
	badSeal.Seal[0]++
	for name, c := range map[string]struct {
		pb   proto.Message
		sent gossip.Message
		want string
	}{
		"other answer":        {&gossippb.JoinResponse{}, exchange, "read answer: *gossippb.JoinResponse does not answer gossip.ExchangeRequest"},
		"exchange for push":   {&gossippb.ExchangeResponse{}, push, "read answer: *gossippb.ExchangeResponse does not answer gossip.PushRequest"},
		"push for nothing":    {&gossippb.PushResponse{}, nil, "read answer: *gossippb.PushResponse does not answer <nil>"},
		"nominations":         {&gossippb.NominationsResponse{}, join, "read answer: *gossippb.NominationsResponse does not answer gossip.JoinRequest"},
		"a request":           {&gossippb.JoinRequest{}, join, "read answer: *gossippb.JoinRequest does not answer gossip.JoinRequest"},
		"join contact":        {&gossippb.JoinResponse{}, join, "read answer to join: read contact: there is no envelope"},
		"join beat":           {&gossippb.JoinResponse{Contact: oak, Beat: make([]byte, 23)}, join, "read answer to join: beats of 23 bytes are no multiple of 24"},
		"introduced":          {&gossippb.JoinResponse{Contact: oak, Contacts: make([]*gossippb.Envelope, 9)}, join, "read answer to join: 9 contacts are over the bound of 8"},
		"observed":            {&gossippb.JoinResponse{Contact: oak, ObservedAddress: "host.example.org"}, join, `read answer to join: observed address "host.example.org" is no IP address in its short form`},
		"observed port":       {&gossippb.JoinResponse{Contact: oak, ObservedAddress: "10.0.0.1:80"}, join, `read answer to join: observed address "10.0.0.1:80" is no IP address in its short form`},
		"observed zone":       {&gossippb.JoinResponse{Contact: oak, ObservedAddress: "fe80::1%eth0"}, join, `read answer to join: observed address "fe80::1%eth0" is no IP address in its short form`},
		"observed mapped":     {&gossippb.JoinResponse{Contact: oak, ObservedAddress: "::ffff:10.0.0.1"}, join, `read answer to join: observed address "::ffff:10.0.0.1" is no IP address in its short form`},
		"observed long":       {&gossippb.JoinResponse{Contact: oak, ObservedAddress: strings.Repeat("1", 9999)}, join, `read answer to join: observed address "` + strings.Repeat("1", 64) + `" is no IP address in its short form`},
		"place":               {&gossippb.ExchangeResponse{Beats: beatBytes([]gossip.IndexedBeat{beat(2, 2)})}, exchange, "read answer to exchange: beat at place 2 where there are 2"},
		"place of contact":    {&gossippb.ExchangeResponse{Contacts: []*gossippb.Envelope{oak}, Beats: beatBytes([]gossip.IndexedBeat{beat(3, 2)})}, exchange, "read answer to exchange: beat at place 3 where there are 3"},
		"other's beat":        {&gossippb.ExchangeResponse{Contacts: []*gossippb.Envelope{oak}, Beats: beatBytes([]gossip.IndexedBeat{beat(2, 3)})}, exchange, "read answer to exchange: beat at place 2 belongs to another contact"},
		"contacts":            {&gossippb.ExchangeResponse{Contacts: make([]*gossippb.Envelope, 65)}, exchange, "read answer to exchange: 65 contacts are over the bound of 64"},
		"beats":               {&gossippb.ExchangeResponse{Beats: make([]byte, 65*24)}, exchange, "read answer to exchange: 65 beats are over the bound of 64"},
		"batch":               {&gossippb.NominationsResponse{Nominations: make([]*gossippb.Envelope, 65)}, nominations, "read answer to nominations: 65 nominations are over the bound of 64"},
		"reach for push":      {&gossippb.ReachResponse{}, push, "read answer: *gossippb.ReachResponse does not answer gossip.PushRequest"},
		"reach reason":        {&gossippb.ReachResponse{Error: "a\x1b[2J"}, gossip.ReachRequest{}, `read answer to reach: reason "a\x1b[2J" has characters that do not print`},
		"long reason":         {&gossippb.ReachResponse{Error: strings.Repeat("x", 513)}, gossip.ReachRequest{}, "read answer to reach: reason of 513 bytes where 1 to 512 are allowed"},
		"probe beat":          {&gossippb.ProbeResponse{Contact: oak, Beat: beatBytes([]gossip.IndexedBeat{beat(0, 3)})}, gossip.ProbeRequest{}, "read answer to probe: beat at place 0 belongs to another contact"},
		"probe contact":       {&gossippb.ProbeResponse{Contact: &gossippb.Envelope{}}, gossip.ProbeRequest{}, "read answer to probe: read contact: envelope: public key: 0 bytes where 32 are needed"},
		"hint place":          {&gossippb.HintResponse{Beats: beatBytes([]gossip.IndexedBeat{beat(1, 2)})}, gossip.HintRequest{Hints: hints(1)}, "read answer to hint: beat at place 1 where there are 1"},
		"hint's hints":        {&gossippb.HintResponse{Hints: make([]byte, 44)}, gossip.HintRequest{}, "read answer to hint: hints of 44 bytes are no multiple of 43"},
		"exchange's hints":    {&gossippb.ExchangeResponse{Hints: make([]byte, 43*65)}, exchange, "read answer to exchange: 65 hints are over the bound of 64"},
		"hint's contacts":     {&gossippb.HintResponse{Contacts: make([]*gossippb.Envelope, 65)}, gossip.HintRequest{}, "read answer to hint: 65 contacts are over the bound of 64"},
		"no nomination":       {&gossippb.NominationsResponse{Nominations: make([]*gossippb.Envelope, 1)}, nominations, "read answer to nominations: there is no envelope"},
		"contact in disguise": {&gossippb.NominationsResponse{Nominations: []*gossippb.Envelope{oak}}, nominations, "read answer to nominations: open nomination: the seal does not fit"},
		"nomination's seal":   {&gossippb.NominationsResponse{Nominations: []*gossippb.Envelope{badSeal}}, nominations, "read answer to nominations: open nomination: the seal does not fit"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := w.gate.Response(now, c.pb, c.sent)
			equal(t, err, c.want)
			if got != nil {
				t.Errorf("the error comes with %+v", got)
			}
		})
	}
}

func TestBeatRefusals(t *testing.T) {
	raw := func(index, contact, sequence, age uint16) []byte {
		b := make([]byte, beatSize)
		for i, v := range []uint16{index, contact, sequence, age} {
			binary.BigEndian.PutUint16(b[2*i:], v)
		}
		return b
	}
	for name, c := range map[string]struct {
		b    []byte
		want string
	}{
		"cut":       {raw(0, 0, 1, 0)[:23], "beats of 23 bytes are no multiple of 24"},
		"too many":  {make([]byte, 65*beatSize), "65 beats are over the bound of 64"},
		"place":     {raw(3, 0, 1, 0), "beat at place 3 where there are 3"},
		"far place": {raw(65535, 0, 1, 0), "beat at place 65535 where there are 3"},
		"twice":     {slices.Concat(raw(1, 0, 1, 0), raw(0, 0, 1, 0), raw(1, 0, 2, 0)), "two beats at place 1"},
		"zero":      {raw(0, 0, 0, 0), "beat of sequence 0 where 1 to 4096 are allowed"},
		"too high":  {raw(0, 0, 4097, 0), "beat of sequence 4097 where 1 to 4096 are allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parseBeats(c.b, 3)
			equal(t, err, c.want)
			if got != nil {
				t.Errorf("the error comes with %v", got)
			}
		})
	}
	got, err := parseBeats(slices.Concat(raw(2, 65535, 4096, 65535), raw(0, 1, 1, 1)), 3)
	if err != nil || got[0].Sequence != 4096 || got[0].Age != 655350*time.Millisecond || got[0].Contact != 65535 || got[1].Age != 10*time.Millisecond {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestAgesRoundUpAndSaturate(t *testing.T) {
	for age, want := range map[time.Duration]uint16{
		-time.Hour: 0, 0: 0, 1: 1, 10 * time.Millisecond: 1, 10*time.Millisecond + 1: 2, time.Second: 100,
		655350 * time.Millisecond: 65535, 655350*time.Millisecond + 1: 65535, time.Hour: 65535, math.MaxInt64: 65535,
	} {
		if got := ageUnits(age); got != want {
			t.Errorf("%s: %d, want %d", age, got, want)
		}
	}
}

// TestLargestMessagesFit is the promise behind MaxMessage: everything at its bound stays below it.
func TestLargestMessagesFit(t *testing.T) {
	w := newWorld()
	var contacts []*view.Contact
	for i := range gossip.MaxIntroduced + 1 {
		contacts = append(contacts, w.largest(byte(20*i+10)))
	}
	fitting := contacts[:gossip.MaxContactBytes/contacts[0].Size()] // all have one size
	var beats []gossip.IndexedBeat
	for i := range gossip.MaxBeats {
		beats = append(beats, gossip.IndexedBeat{Index: i, Beat: view.Beat{Sequence: view.LadderLength, Age: time.Hour}})
	}
	versions := make([]gossip.NominationVersion, gossip.MaxVersions)
	for i := range versions {
		versions[i].Version = 1<<64 - 1
	}
	n := w.nomination
	n.Label, n.Uses, n.Used, n.For, n.Version = strings.Repeat("l", pki.MaxLabel), pki.MaxUses, pki.MaxUses, w.joiner.ID(), 1<<64-1
	n.Users = make([]pki.TokenUse, pki.MaxUsers)
	nominations := slices.Repeat([]gossip.SealedNomination{{Sealed: value(n.Seal(w.server))}}, gossip.MaxNominationBatch)
	claim, _ := w.claim()
	longest := strings.Repeat("a", 63) + "." + strings.Repeat("b", 63) + "." + strings.Repeat("c", 63) + "." + strings.Repeat("d", 61) + ":65535"
	token := w.token
	token.Addresses = slices.Repeat([]string{longest}, pki.MaxTokenAddresses)
	observed := "2001:db8:1111:2222:3333:4444:5555:6666"
	for name, pb := range map[string]proto.Message{
		"join":                  Encode(gossip.JoinRequest{Contact: contacts[0], Beat: beats[0].Beat, Active: true, Urgent: true}),
		"answer to join":        Encode(gossip.JoinResponse{Contact: contacts[0], Beat: beats[0].Beat, Observed: observed, Active: true, Contacts: contacts[1:]}),
		"exchange":              Encode(gossip.ExchangeRequest{Salt: 1, Digest: farApart(gossip.MaxDigest), Beats: beats, AliveHash: 1, NominationsHash: 1, Hints: hints(gossip.MaxHints)}),
		"hint":                  Encode(gossip.HintRequest{Hints: hints(gossip.MaxHints)}),
		"answer to hint":        Encode(gossip.HintResponse{Beats: beats, Contacts: fitting, Hints: hints(gossip.MaxHints)}),
		"answer to probe":       Encode(gossip.ProbeResponse{Beat: beats[0], Contact: contacts[0]}),
		"answer to exchange":    Encode(gossip.ExchangeResponse{Beats: beats, Contacts: fitting, AliveHash: 1, NominationsHash: 1, Hints: hints(gossip.MaxHints)}),
		"push":                  Encode(gossip.PushRequest{Contacts: fitting, Beats: beats}),
		"nominations":           Encode(gossip.NominationsRequest{Versions: versions}),
		"answer to nominations": Encode(gossip.NominationsResponse{Nominations: nominations}),
		"claim":                 EncodeClaim(claim, contacts[0]),
		"register claim":        EncodeRegisterClaim(claim, contacts[0], token),
		"admitted":              &gossippb.RegisterAdmitted{Chain: contacts[0].Chain.Bytes(), ObservedAddress: observed, Contacts: envelopes(contacts[1:])},
		"welcome":               &gossippb.RegisterWelcome{Protocol: 1, Genesis: w.genesis.Bytes(), Contact: Envelope(contacts[0].Sealed), Nonce: make([]byte, 32), TimeMs: 1 << 62},
	} {
		n := proto.Size(pb)
		t.Logf("%s: %d bytes", name, n)
		if n >= MaxMessage {
			t.Errorf("%s: %d bytes are over the bound of %d", name, n, MaxMessage)
		}
	}
}

func TestEncodeKnowsTheMachinesMessagesOnly(t *testing.T) {
	defer func() {
		if got := recover(); got != "wire: the machine made a *gossip.PushResponse" {
			t.Errorf("%v", got)
		}
	}()
	Encode(&gossip.PushResponse{})
}

// Contacts that are good but for the clock are left out of a list, with their beats, and the rest counts; one's own must be good.
func TestUntimelyContactsAreLeftOut(t *testing.T) {
	w := newWorld()
	oak := w.oak()
	for what, notAfter := range map[string]int64{"lives too long": now.Unix() + 90*86400 + 1, "expired": now.Unix() - 301} {
		other := w.clientContact
		other.NotAfter = notAfter
		late := w.seal(w.client, other)
		push := gossip.PushRequest{Contacts: []*view.Contact{late, oak, late, oak}, Beats: []gossip.IndexedBeat{beat(2, low(late)), beat(3, 2), beat(1, 2), beat(0, low(late))}}
		got, err := w.gate.Request(now, travel(t, Encode(push)))
		want := gossip.PushRequest{Contacts: []*view.Contact{oak, oak}, Beats: []gossip.IndexedBeat{beat(1, 2), beat(0, 2)}}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s, pushed: %v\ngot  %+v\nwant %+v", what, err, got, want)
		}
		asked := gossip.ExchangeRequest{Digest: make([]view.Version, 2)}
		answer := gossip.ExchangeResponse{Contacts: []*view.Contact{late, oak}, Beats: []gossip.IndexedBeat{beat(1, 9), beat(2, low(late)), beat(3, 2)}}
		got, err = w.gate.Response(now, travel(t, Encode(answer)), asked)
		if want := (gossip.ExchangeResponse{Contacts: []*view.Contact{oak}, Beats: []gossip.IndexedBeat{beat(1, 9), beat(2, 2)}}); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s, in an answer: %v\ngot  %+v\nwant %+v", what, err, got, want)
		}
		joined := gossip.JoinResponse{Contact: oak, Contacts: []*view.Contact{late, oak}}
		got, err = w.gate.Response(now, travel(t, Encode(joined)), gossip.JoinRequest{})
		if want := (gossip.JoinResponse{Contact: oak, Contacts: []*view.Contact{oak}}); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s, introduced: %v\ngot  %+v\nwant %+v", what, err, got, want)
		}
		if got, err := w.gate.Request(now, travel(t, Encode(gossip.JoinRequest{Contact: late}))); err == nil {
			t.Errorf("%s: it introduces itself: %+v", what, got)
		}
		// Where something else is wrong, too, the message is refused as ever.
		wrong := travel(t, Encode(push)).(*gossippb.PushRequest)
		wrong.Contacts[0].Seal[0]++
		if got, err := w.gate.Request(now, wrong); err == nil {
			t.Errorf("%s, with a false seal: %+v", what, got)
		}
	}
}

// farApart is the longest digest of n versions: each contact is as far from the one before as can be.
func farApart(n int) []view.Version {
	digest := make([]view.Version, n)
	for i := range digest {
		digest[i].Contact = uint32(i%2) << 31
	}
	return digest
}
