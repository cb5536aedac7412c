package pki

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestGenesisParses(t *testing.T) {
	w := newWorld(t, "home")
	got, err := ParseGenesis(w.genesis.Bytes())
	must(t, err)
	if got.Network() != w.genesis.Network() || got.Founder != w.founder.Key() || got.Name != "home" || got.CreatedAt != noon.Unix() || got.IsZero() {
		t.Errorf("parsed as %v of %v", got, w.genesis)
	}
	if !bytes.Equal(got.Bytes(), w.genesis.Bytes()) {
		t.Error("it does not encode back")
	}
	if !(Genesis{}).IsZero() {
		t.Error("the zero genesis is of a network")
	}
}

// Everything in the statement makes the network what it is.
func TestGenesisNamesOneNetwork(t *testing.T) {
	founder := someone(t, "founder")
	seen := map[NetworkID]string{}
	for what, g := range map[string]func() (Genesis, error){
		"it":              func() (Genesis, error) { return Found(chance("a"), founder, "name", noon) },
		"another nonce":   func() (Genesis, error) { return Found(chance("b"), founder, "name", noon) },
		"another founder": func() (Genesis, error) { return Found(chance("a"), someone(t, "other"), "name", noon) },
		"another name":    func() (Genesis, error) { return Found(chance("a"), founder, "name2", noon) },
		"another time":    func() (Genesis, error) { return Found(chance("a"), founder, "name", noon.Add(time.Second)) },
	} {
		genesis, err := g()
		must(t, err)
		if other, ok := seen[genesis.Network()]; ok {
			t.Errorf("%s and %s are one network", what, other)
		}
		seen[genesis.Network()] = what
	}
}

func TestFoundRefuses(t *testing.T) {
	founder := someone(t, "founder")
	g, err := Found(chance("a"), founder, "Name", noon)
	refused(t, g, err, `found network: name "Name": only a-z 0-9 - and . may stand in it`)
	g, err = Found(strings.NewReader("short"), founder, "name", noon)
	refused(t, g, err, "found network: unexpected EOF")
}

func TestParseGenesisRefuses(t *testing.T) {
	founder := someone(t, "founder")
	good := newWorld(t, "home").genesis.envelope.Payload
	payload := func(version byte, key Key, name string) []byte {
		w := writer{version}
		w.raw(key[:])
		w.time(noon.Unix())
		w.raw(make([]byte, 16))
		w.short([]byte(name))
		return w
	}
	seal := func(network NetworkID, d Domain, payload []byte) []byte {
		e, err := founder.Seal(d, network, payload)
		must(t, err)
		return e.AppendBinary(nil)
	}
	whole := seal(NetworkID{}, DomainGenesis, payload(1, founder.Key(), "name"))
	if _, err := ParseGenesis(whole); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		b    []byte
		want string
	}{
		{nil, "parse genesis: parse envelope: cut short: 0 bytes where 32 are needed"},
		{append(whole[:len(whole):len(whole)], 0), "parse genesis: parse envelope: bytes after the end"},
		{flipped(whole, 8*40), "parse genesis: the seal does not fit"},
		{seal(NetworkID{1}, DomainGenesis, payload(1, founder.Key(), "name")), "parse genesis: the seal does not fit"},
		{seal(NetworkID{}, DomainContact, payload(1, founder.Key(), "name")), "parse genesis: the seal does not fit"},
		{seal(NetworkID{}, DomainGenesis, nil), "parse genesis: cut short: 0 bytes where 1 are needed"},
		{seal(NetworkID{}, DomainGenesis, payload(2, founder.Key(), "name")), "parse genesis: version 2 where 1 is known"},
		{seal(NetworkID{}, DomainGenesis, payload(1, founder.Key(), "name")[:60]), "parse genesis: cut short: 2 bytes where 4 are needed"},
		{seal(NetworkID{}, DomainGenesis, append(payload(1, founder.Key(), "name"), 0)), "parse genesis: bytes after the end"},
		{seal(NetworkID{}, DomainGenesis, good), "parse genesis: the seal does not fit: another key than its founder's"},
		{seal(NetworkID{}, DomainGenesis, payload(1, founder.Key(), "")), `parse genesis: name "": 1 to 63 characters are needed`},
		{seal(NetworkID{}, DomainGenesis, payload(1, founder.Key(), "a\x1b[2J")), `parse genesis: name "a\x1b[2J": only a-z 0-9 - and . may stand in it`},
	} {
		got, err := ParseGenesis(c.b)
		refused(t, got, err, c.want)
	}
}

// The key of zeros is of small order: without the check on weak keys anybody could seal a genesis in its name, which
// would then be taken for no genesis at all.
func TestGenesisOfNobodyIsRefused(t *testing.T) {
	for n := range 100 {
		payload := writer{genesisVersion}
		payload.raw(make([]byte, 32))
		payload.time(int64(n))
		payload.raw(make([]byte, 16))
		payload.short([]byte("name"))
		seal := forge(Key{}, sealed(DomainGenesis, NetworkID{}, payload))
		if seal == nil {
			continue
		}
		got, err := ParseGenesis(Envelope{Payload: payload, Seal: seal}.AppendBinary(nil))
		refused(t, got, err, "parse genesis: the seal does not fit")
		return
	}
	t.Error("no forgery was made, so nothing was shown")
}

func TestNames(t *testing.T) {
	for _, name := range []string{"a", "0", "a-b.c", strings.Repeat("a", 63)} {
		if err := CheckName(name); err != nil {
			t.Error(err)
		}
	}
	for name, want := range map[string]string{
		"":                       `name "": 1 to 63 characters are needed`,
		strings.Repeat("a", 64):  `name "` + strings.Repeat("a", 64) + `": 1 to 63 characters are needed`,
		strings.Repeat("a", 999): `name "` + strings.Repeat("a", 80) + `": 1 to 63 characters are needed`,
		"A":                      `name "A": only a-z 0-9 - and . may stand in it`,
		"a_b":                    `name "a_b": only a-z 0-9 - and . may stand in it`,
		"a b":                    `name "a b": only a-z 0-9 - and . may stand in it`,
		"é":                      `name "é": only a-z 0-9 - and . may stand in it`,
		"a/b":                    `name "a/b": only a-z 0-9 - and . may stand in it`,
	} {
		refused(t, nil, CheckName(name), want)
	}
}
