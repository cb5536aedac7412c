package pki

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func (w world) token(t testing.TB, mode Mode, addresses ...string) Token {
	t.Helper()
	token, err := NewToken(chance("seed"), mode, noon.Add(30*time.Minute), w.genesis.Network(), w.root.ID(), addresses)
	must(t, err)
	return token
}

// minted is the text of a token with any body, under a good checksum.
func minted(prefix string, body []byte) string {
	return prefix + text.EncodeToString(append(body[:len(body):len(body)], checksum(prefix, body)...))
}

// body is what stands in a token's text before the checksum.
func body(t testing.TB, token Token) []byte {
	t.Helper()
	b, err := text.DecodeString(token.Reveal()[len(serverTokenPrefix):])
	must(t, err)
	return b[:len(b)-checksumSize]
}

func TestTokensPrintAndParse(t *testing.T) {
	w := newWorld(t, "home")
	name := longest + ":65535"
	for _, token := range []Token{
		w.token(t, Server), w.token(t, Client), w.token(t, Server, "192.0.2.1:7402"), w.token(t, Client, "[2001:db8::1]:1", "a.example:65535"),
		w.token(t, Server, name, name, name, name, name, name, name, name), // the longest there is
	} {
		s := token.Reveal()
		got, err := ParseToken(s)
		must(t, err)
		if !reflect.DeepEqual(got, token) || got.Reveal() != s || got.Key() != token.Key() || got.ID() != token.ID() {
			t.Errorf("%d characters parse as %v with %v", len(s), got, got.Addresses)
		}
		if len(s) > MaxToken {
			t.Errorf("%d characters are over the bound", len(s))
		}
	}
	if got := w.token(t, Server, "192.0.2.1:7402").NotAfter; got != noon.Unix()+1800 {
		t.Errorf("not after %d", got)
	}
}

func TestTokenKeys(t *testing.T) {
	w, away := newWorld(t, "home"), newWorld(t, "away")
	token := w.token(t, Server)
	if token.Key() != w.token(t, Client).Key() {
		t.Error("the key comes from more than seed and network") // the nomination decides on the mode
	}
	if token.Key() == away.token(t, Server).Key() {
		t.Error("one seed has one key in two networks")
	}
	if other, err := NewToken(chance("other"), Server, noon, w.genesis.Network(), w.root.ID(), nil); err != nil || other.Key() == token.Key() {
		t.Errorf("two seeds have one key, %v", err)
	}
	if (Token{}).Key().IsZero() {
		t.Error("the zero token has no key")
	}
}

func TestNewTokenRefuses(t *testing.T) {
	w := newWorld(t, "home")
	for _, c := range []struct {
		mode      Mode
		addresses []string
		random    string
		want      string
	}{
		{0, nil, "0123456789abcdef", "make token: unknown mode(0)"},
		{3, nil, "0123456789abcdef", "make token: unknown mode(3)"},
		{Server, make([]string, 9), "0123456789abcdef", "make token: 9 addresses are over the bound of 8"},
		{Server, []string{"a.example:1", "a.example"}, "0123456789abcdef", `make token: address "a.example": no port`},
		{Server, nil, "0123456789abcde", "make token: unexpected EOF"},
	} {
		got, err := NewToken(strings.NewReader(c.random), c.mode, noon, w.genesis.Network(), w.root.ID(), c.addresses)
		refused(t, got, err, c.want)
	}
}

func TestParseTokenRefuses(t *testing.T) {
	const (
		neither   = `parse token: it begins neither with "g2gs1_" nor with "g2gc1_"`
		malformed = "parse token: a character is wrong or missing"
		checksum  = "parse token: the checksum does not fit: a character is wrong or missing"
	)
	w := newWorld(t, "home")
	server, client := w.token(t, Server, "192.0.2.1:7402").Reveal(), w.token(t, Client, "192.0.2.1:7402").Reveal()
	head := body(t, w.token(t, Server)) // ends with the count of addresses, 0
	with := func(count byte, addresses string) string {
		return minted(serverTokenPrefix, append(append(head[:56:56], count), addresses...))
	}
	for _, c := range []struct{ text, want string }{
		{"", neither},
		{" " + server, neither},
		{strings.ToUpper(server), neither},
		{"g2gs2_" + server[6:], neither},
		{w.root.ID().String(), neither},
		{"g2gs1_", checksum},
		{"g2gs1_aaaaaa", malformed},
		{"g2gs1_aaaaaaaa", checksum},
		{server + " ", malformed},
		{server + "\n", malformed},
		{server[:30] + "\n" + server[30:], malformed},
		{server[:30] + "\r\n" + server[30:], malformed},
		{server[:6] + strings.ToUpper(server[6:]), malformed},
		{server + "=", malformed},
		{"g2gc1_" + server[6:], checksum},
		{"g2gs1_" + client[6:], checksum},
		{"g2gs1_" + server, malformed},
		{"g2gs1_" + strings.Repeat("a", 3500), "parse token: 3500 characters are too long"},
		{"g2gs1_" + strings.Repeat("a", 4091), "parse token: 4097 characters are over the bound of 4096"},
		{"g2gs1_" + strings.Repeat("a", 1<<20-6), "parse token: 1048576 characters are over the bound of 4096"},
		{minted("g2gs1_", nil), "parse token: cut short: 0 bytes where 8 are needed"},
		{minted("g2gs1_", head[:20]), "parse token: cut short: 12 bytes where 16 are needed"},
		{minted("g2gs1_", head[:30]), "parse token: cut short: 6 bytes where 16 are needed"},
		{minted("g2gs1_", head[:55]), "parse token: cut short: 15 bytes where 16 are needed"},
		{minted("g2gs1_", head[:56]), "parse token: cut short: 0 bytes where 1 are needed"},
		{minted("g2gs1_", append(head[:57:57], 0)), "parse token: bytes after the end"},
		{with(1, ""), "parse token: cut short: 0 bytes where 1 are needed"},
		{with(9, ""), "parse token: 9 addresses are over the bound of 8"},
		{with(1, "\x07"), "parse token: address kind 7 is unknown"},
		{with(1, "\x01\x09192.0.2.1\x00\x50"), "parse token: an address is not well formed"},
		{with(1, "\x01\x06secret\x00\x00"), "parse token: an address is not well formed"},
		{with(1, "\x04\xc0\x00\x02\x01\x00\x50\x00"), "parse token: bytes after the end"},
	} {
		got, err := ParseToken(c.text)
		refused(t, got, err, c.want)
	}
}

func TestParseTokenRefusesEveryChange(t *testing.T) {
	for _, token := range []Token{newWorld(t, "home").token(t, Server, "192.0.2.1:7402"), newWorld(t, "home").token(t, Client)} {
		s := token.Reveal()
		for i := range s {
			for _, c := range "abcdefghijklmnopqrstuvwxyz234567_A1= \x00" {
				changed := s[:i] + string(c) + s[i+1:]
				got, err := ParseToken(changed)
				if changed != s && (err == nil || !reflect.ValueOf(got).IsZero()) {
					t.Errorf("character %d changed to %q: accepted", i, c)
				}
				if err != nil && strings.Contains(err.Error(), changed[6:]) {
					t.Errorf("character %d changed to %q: the error quotes the token", i, c)
				}
				if longer, err := ParseToken(s[:i] + string(c) + s[i:]); err == nil {
					t.Errorf("%q put in at character %d: %v", c, i, longer)
				}
			}
			if got, err := ParseToken(s[:i]); err == nil || !reflect.ValueOf(got).IsZero() {
				t.Errorf("cut to %d characters: accepted", i)
			}
		}
	}
}
