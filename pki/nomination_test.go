package pki

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

// nomination is one with every field set, by the world's root.
func (w world) nomination(t testing.TB) Nomination {
	t.Helper()
	return Nomination{
		Network: w.genesis.Network(), Nominator: w.root.Key(), TokenKey: someone(t, "token").Key(), Mode: Server, MayNominate: true,
		NotBefore: noon.Unix(), NotAfter: noon.Unix() + 1800, Uses: 3, For: someone(t, "joiner").ID(), Label: "für café", Version: 5, RevokedAt: noon.Unix() + 60,
		Used: 2, Users: []TokenUse{{someone(t, "a").ID(), noon.Unix() + 1}, {someone(t, "b").ID(), noon.Unix() + 2}},
	}
}

func TestNominationSealsAndOpens(t *testing.T) {
	w := newWorld(t, "home")
	for _, n := range []Nomination{
		w.nomination(t),
		{Network: w.genesis.Network(), Nominator: w.root.Key(), Mode: Client, NotAfter: 1, Uses: 1},
		{
			Network: w.genesis.Network(), Nominator: w.root.Key(), Mode: Client, NotAfter: int64(MaxTokenLife / time.Second), Uses: MaxUses, Used: MaxUses,
			Label: strings.Repeat("x", MaxLabel), Version: math.MaxUint64, RevokedAt: math.MaxInt64, Users: make([]TokenUse, MaxUsers),
		},
	} {
		e, err := n.Seal(w.root)
		must(t, err)
		got, err := OpenNomination(e, w.genesis.Network())
		must(t, err)
		if !reflect.DeepEqual(got, n) || !bytes.Equal(got.payload(), e.Payload) || got.TokenID() != n.TokenKey.TokenID(n.Nominator.ID().Pin()) {
			t.Errorf("opened as\n%v, want\n%v", got, n)
		}
	}
}

func TestNominationFields(t *testing.T) {
	w := newWorld(t, "home")
	const month = 30 * 24 * 3600
	for _, c := range []struct {
		want   string
		change func(*Nomination)
	}{
		{"unknown mode(0)", func(n *Nomination) { n.Mode = 0 }},
		{"unknown mode(3)", func(n *Nomination) { n.Mode = 3 }},
		{"a client-mode member may not nominate", func(n *Nomination) { n.Mode = Client }},
		{"0 uses where 1 to 10000 are allowed", func(n *Nomination) { n.Uses = 0 }},
		{"10001 uses where 1 to 10000 are allowed", func(n *Nomination) { n.Uses = 10_001 }},
		{"a life of 0 s where 1 s to 2592000 s are allowed", func(n *Nomination) { n.NotAfter = n.NotBefore }},
		{"a life of -1 s where 1 s to 2592000 s are allowed", func(n *Nomination) { n.NotAfter = n.NotBefore - 1 }},
		{"a life of 2592001 s where 1 s to 2592000 s are allowed", func(n *Nomination) { n.NotAfter = n.NotBefore + month + 1 }},
		{"a life of 2 s where 1 s to 2592000 s are allowed", func(n *Nomination) { n.NotBefore, n.NotAfter = -1, 1 }},
		{"a life of -1 s where 1 s to 2592000 s are allowed", func(n *Nomination) { n.NotBefore, n.NotAfter = math.MinInt64, math.MaxInt64 }},
		{"label of 64 bytes is over the bound of 63", func(n *Nomination) { n.Label = strings.Repeat("x", 64) }},
		{`label "a\nb" has characters that do not print`, func(n *Nomination) { n.Label = "a\nb" }},
		{`label "\x1b[2J" has characters that do not print`, func(n *Nomination) { n.Label = "\x1b[2J" }},
		{`label "\x7f" has characters that do not print`, func(n *Nomination) { n.Label = "\x7f" }},
		{`label "\u009b2J" has characters that do not print`, func(n *Nomination) { n.Label = "\u009b2J" }},
		{`label "a\u202eb" has characters that do not print`, func(n *Nomination) { n.Label = "a\u202eb" }},
		{`label "a\u2028b" has characters that do not print`, func(n *Nomination) { n.Label = "a\u2028b" }},
		{`label "\xff" has characters that do not print`, func(n *Nomination) { n.Label = "\xff" }},
		{"label \"\ufffd\" has characters that do not print", func(n *Nomination) { n.Label = "\ufffd" }},
		{"2 users named of 1 uses out of 3", func(n *Nomination) { n.Used = 1 }},
		{"2 users named of 4 uses out of 3", func(n *Nomination) { n.Used = 4 }},
		{"17 users named of 17 uses out of 20", func(n *Nomination) { n.Uses, n.Used, n.Users = 20, 17, make([]TokenUse, 17) }},
		{"revoked before 1970", func(n *Nomination) { n.RevokedAt = -1 }},
	} {
		n := w.nomination(t)
		c.change(&n)
		refused(t, nil, n.Check(), c.want)
		e, err := n.Seal(w.root)
		refused(t, e, err, "seal nomination: "+c.want)
		if len(n.Users) > MaxUsers || !n.Mode.Valid() {
			continue // the parser has its own words for these
		}
		e, err = w.root.Seal(DomainNomination, n.Network, n.payload())
		must(t, err)
		got, err := OpenNomination(e, n.Network)
		refused(t, got, err, "open nomination: "+c.want)
	}
	longest := w.nomination(t)
	longest.NotAfter = longest.NotBefore + month
	must(t, longest.Check())
}

func TestNominationIsItsNominatorsOnly(t *testing.T) {
	w, away := newWorld(t, "home"), newWorld(t, "away")
	n, other := w.nomination(t), someone(t, "other")
	network := n.Network
	e, err := n.Seal(other)
	refused(t, e, err, "seal nomination: it is another member's")
	seal := func(i *Identity, d Domain, network NetworkID, payload []byte) Envelope {
		e, err := i.Seal(d, network, payload)
		must(t, err)
		return e
	}
	elsewhere := n
	elsewhere.Network = away.genesis.Network()
	payload := n.payload()
	at := func(i int, v byte) []byte {
		b := bytes.Clone(payload)
		b[i] = v
		return b
	}
	names := 1 + 3*32 + 2 + 8 + 8 + 4 + 32 // where the label begins
	count := len(payload) - 2*40 - 1
	for _, c := range []struct {
		e    Envelope
		want string
	}{
		{seal(other, DomainNomination, network, payload), "the seal does not fit: another key or network than it names"},
		{seal(w.root, DomainNomination, network, elsewhere.payload()), "the seal does not fit: another key or network than it names"},
		{seal(w.root, DomainNomination, away.genesis.Network(), payload), "the seal does not fit"},
		{seal(w.root, DomainContact, network, payload), "the seal does not fit"},
		{Envelope{Key: w.root.Key(), Payload: make([]byte, MaxPayload+1)}, "payload of 6145 bytes is over the bound of 6144"},
		{seal(w.root, DomainNomination, network, nil), "cut short: 0 bytes where 1 are needed"},
		{seal(w.root, DomainNomination, network, at(0, 2)), "version 2 where 1 is known"},
		{seal(w.root, DomainNomination, network, at(97, 0)), "mode 0 is unknown"},
		{seal(w.root, DomainNomination, network, at(98, 2)), "flag 2 is neither 0 nor 1"},
		{seal(w.root, DomainNomination, network, at(names, 255)), "cut short: 111 bytes where 255 are needed"},
		{seal(w.root, DomainNomination, network, at(count, 17)), "17 users are over the bound of 16"},
		{seal(w.root, DomainNomination, network, at(count, 3)), "cut short: 0 bytes where 32 are needed"},
		{seal(w.root, DomainNomination, network, at(count, 1)), "bytes after the end"},
		{seal(w.root, DomainNomination, network, append(bytes.Clone(payload), 0)), "bytes after the end"},
	} {
		got, err := OpenNomination(c.e, network)
		refused(t, got, err, "open nomination: "+c.want)
		if strings.Contains(c.want, "seal") != errors.Is(err, ErrSeal) {
			t.Errorf("errors.Is(%q, ErrSeal) is %t", err, errors.Is(err, ErrSeal))
		}
	}
}

func TestNominationChanges(t *testing.T) {
	n := newWorld(t, "home").nomination(t)
	n.Uses, n.RevokedAt = 100, 0
	before := n.payload()
	used := n
	for i := range 20 {
		used = used.WithUse(ID{byte(i)}, noon.Add(time.Duration(i)*time.Second))
		must(t, used.Check())
	}
	if used.Used != 22 || used.Version != 25 || len(used.Users) != MaxUsers || used.Users[MaxUsers-1] != (TokenUse{ID{19}, noon.Unix() + 19}) || used.Users[0].Joiner != (ID{4}) {
		t.Errorf("after 20 uses: %v", used)
	}
	revoked := n.Revoked(noon)
	if revoked.RevokedAt != noon.Unix() || revoked.Version != 6 || revoked.Check() != nil {
		t.Errorf("after its revocation: %v", revoked)
	}
	n.Users = append(make([]TokenUse, 0, 8), n.Users...)
	a, b := n.WithUse(ID{1}, noon), n.WithUse(ID{2}, noon)
	if a.Users[2].Joiner != (ID{1}) || b.Users[2].Joiner != (ID{2}) || !bytes.Equal(n.payload(), before) {
		t.Error("one nomination wrote over another")
	}
}
