package pki

import (
	"strings"
	"testing"
)

func TestIDsPrintAndParse(t *testing.T) {
	random := chance("ids")
	for range 200 {
		var id ID
		_, _ = random.Read(id[:])
		network := NetworkID(id)
		if got, err := ParseID(id.String()); err != nil || got != id {
			t.Fatalf("%s parses as %v, %v", id, got, err)
		}
		if got, err := ParseNetworkID(network.String()); err != nil || got != network {
			t.Fatalf("%s parses as %v, %v", network, got, err)
		}
	}
}

func TestIDOfAKey(t *testing.T) {
	a, b := someone(t, "a").Key(), someone(t, "b").Key()
	pin, other := a.ID().Pin(), b.ID().Pin()
	if a.ID() == b.ID() || a.TokenID(pin) == b.TokenID(pin) || a.TokenID(pin) == a.TokenID(other) {
		t.Error("two keys have one ID")
	}
	if a.IsZero() || !(Key{}).IsZero() || a.ID().IsZero() || !(ID{}).IsZero() || !(NetworkID{}).IsZero() || NetworkID(a.ID()).IsZero() {
		t.Error("IsZero is wrong")
	}
	if a.TokenID(pin).IsZero() || !(TokenID{}).IsZero() {
		t.Error("IsZero of a token's ID is wrong")
	}
	if id, token := a.ID(), a.TokenID(pin); string(id[:8]) == string(token[:]) {
		t.Error("a node ID begins as the token ID of the same key does")
	}
}

func TestIDShortForms(t *testing.T) {
	id := someone(t, "a").ID()
	s := id.String()
	if got := id.Short(); got != s[:14] || len(s) != 64 {
		t.Errorf("Short is %q of %q", got, s)
	}
	if got := id.Pin(); string(got[:]) != string(id[:16]) {
		t.Errorf("Pin is %x of %x", got, id)
	}
	if got := NetworkID(id).Pin(); string(got[:]) != string(id[:16]) {
		t.Errorf("Pin is %x of %x", got, id)
	}
	for text, want := range map[string]bool{
		"": false, "g2gn1_": false, s[:7]: true, s[:20]: true, s: true, s + "a": false, s[6:]: false, strings.ToUpper(s[:9]): false, "g2gw1_" + s[6:9]: false,
	} {
		if id.HasPrefix(text) != want {
			t.Errorf("HasPrefix(%q) is %t", text, !want)
		}
	}
	low, high := ID{1}, ID{1, 0, 1}
	if low.Compare(high) != -1 || high.Compare(low) != 1 || low.Compare(ID{1}) != 0 {
		t.Error("Compare does not order as bytes")
	}
}

func TestParseIDRefuses(t *testing.T) {
	const wrong = "parse node ID: the checksum does not fit: a character is wrong or missing"
	const malformed = "parse node ID: a character is wrong or missing"
	id := someone(t, "a").ID()
	s := id.String()
	// The last character carries two bits that belong to no byte.
	spare := s[:63] + string("abcdefghijklmnopqrstuvwxyz234567"[strings.IndexByte("abcdefghijklmnopqrstuvwxyz234567", s[63])|1])
	for _, c := range []struct{ text, want string }{
		{"", `parse node ID: it does not begin with "g2gn1_"`},
		{NetworkID(id).String(), `parse node ID: it does not begin with "g2gn1_"`},
		{strings.ToUpper(s), `parse node ID: it does not begin with "g2gn1_"`},
		{" " + s, `parse node ID: it does not begin with "g2gn1_"`},
		{"g2gn2_" + s[6:], `parse node ID: it does not begin with "g2gn1_"`},
		{"g2gn1_", "parse node ID: 0 characters where 58 are needed"},
		{s[:6+56], "parse node ID: 56 characters where 58 are needed"},
		{s[:63], malformed},
		{s + "a", "parse node ID: 59 characters are too long"},
		{s + strings.Repeat("a", 1<<20), "parse node ID: 1048634 characters are too long"},
		{s[:20] + "\n" + s[21:], malformed},
		{s[:20] + "1" + s[21:], malformed},
		{s[:20] + "=" + s[21:], malformed},
		{s[:6] + strings.ToUpper(s[6:]), malformed},
		{spare, malformed},
		{"g2gn1_" + NetworkID(id).String()[6:], wrong},
	} {
		got, err := ParseID(c.text)
		refused(t, got, err, c.want)
	}
	network, err := ParseNetworkID(s)
	refused(t, network, err, `parse network ID: it does not begin with "g2gw1_"`)
	network, err = ParseNetworkID("g2gw1_" + s[6:])
	refused(t, network, err, "parse network ID: the checksum does not fit: a character is wrong or missing")
}

func TestParseIDRefusesEveryWrongCharacter(t *testing.T) {
	s := someone(t, "a").ID().String()
	for i := range s {
		for _, c := range "a7z_" {
			changed := s[:i] + string(c) + s[i+1:]
			if got, err := ParseID(changed); changed != s && (err == nil || !got.IsZero()) {
				t.Errorf("character %d changed to %c: %v, %v", i, c, got, err)
			}
		}
		if got, err := ParseID(s[:i]); err == nil || !got.IsZero() {
			t.Errorf("cut to %d characters: %v, %v", i, got, err)
		}
	}
}

func TestKeyFromRefuses(t *testing.T) {
	want := someone(t, "a").Key()
	if got, err := KeyFrom(want[:]); err != nil || got != want {
		t.Errorf("got %v, %v", got, err)
	}
	for _, c := range []struct {
		b    []byte
		want string
	}{
		{nil, "public key: 0 bytes where 32 are needed"},
		{want[:31], "public key: 31 bytes where 32 are needed"},
		{make([]byte, 33), "public key: 33 bytes where 32 are needed"},
	} {
		got, err := KeyFrom(c.b)
		refused(t, got, err, c.want)
	}
}

func TestModesPrintAndParse(t *testing.T) {
	for _, m := range []Mode{Server, Client} {
		if got, err := ParseMode(m.String()); err != nil || got != m || !m.Valid() {
			t.Errorf("%s parses as %s, %v", m, got, err)
		}
	}
	for _, m := range []Mode{0, 3, 255} {
		if m.Valid() {
			t.Errorf("%s is valid", m)
		}
	}
	if got := Mode(3).String(); got != "mode(3)" {
		t.Errorf("an unknown mode prints as %q", got)
	}
	for _, s := range []string{"", "Server", "mode(3)", "client "} {
		got, err := ParseMode(s)
		refused(t, got, err, `mode "`+s+`" is neither "server" nor "client"`)
	}
}
