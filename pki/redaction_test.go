package pki

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// traces are the ways in which a print-out could show a secret: any of them in part is too much.
func traces(secret []byte) []string {
	part := secret[:8]
	return []string{
		string(part),
		hex.EncodeToString(part),
		strings.ToUpper(hex.EncodeToString(part)),
		strings.Trim(fmt.Sprintf("% x", part), " "),
		strings.Trim(fmt.Sprintf("%v", part), "[]"), // in decimal
		strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", part), "[]byte{"), "}"),
		strings.Trim(fmt.Sprintf("%q", part), `"`),
		base64.StdEncoding.EncodeToString(part)[:8],
		text.EncodeToString(part)[:8],
	}
}

// prints are all the ways that a value finds its way to a screen or a log.
func prints(v any) []string {
	var out []string
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%X", "% x", "%q", "%d", "%o", "%b", "%t", "%U", "%c", "%20v", "%p"} {
		out = append(out, fmt.Sprintf(verb, v))
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("event", "value", v)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("event", "value", v, slog.Group("g", "value", v))
	out = append(out, log.String(), fmt.Sprint(v), fmt.Sprintln(v), fmt.Errorf("with %v", v).Error())
	if j, err := json.Marshal(v); err == nil {
		out = append(out, string(j))
	}
	return out
}

func TestSecretsNeverPrint(t *testing.T) {
	type exported struct {
		T Token
		I *Identity
		L *Leaf
	}
	type hidden struct {
		t Token
		i *Identity
		l *Leaf
		v Leaf
	}
	w := newWorld(t, "redaction")
	i := w.root
	token, err := NewToken(chance("seed"), Client, noon, w.genesis.Network(), i.ID(), []string{"192.0.2.1:7402"})
	must(t, err)
	leaf, err := MintLeaf(chance("leaf"), i, w.genesis.Network(), w.chain, 7, noon, time.Hour)
	must(t, err)
	var found []string
	for _, secret := range [][]byte{
		token.seed.reveal(),
		i.signer.(keySigner).key().Seed(),
		token.identity().signer.(keySigner).key().Seed(),
		leaf.Certificate.PrivateKey.(keySigner).key().Seed(),
		[]byte(token.Reveal()[60:]),
	} {
		found = append(found, traces(secret)...)
	}
	for _, v := range []any{
		token, &token, []Token{token}, map[string]Token{"a": token}, exported{token, i, leaf}, &exported{token, i, leaf}, hidden{token, i, leaf, *leaf}, &hidden{token, i, leaf, *leaf},
		i, *i, []*Identity{i}, token.identity(), *token.identity(), leaf, *leaf, []Leaf{*leaf}, leaf.Claims,
	} {
		for _, printed := range prints(v) {
			for _, trace := range found {
				if strings.Contains(printed, trace) {
					t.Errorf("%T prints its secret: %.200s", v, printed)
				}
			}
		}
	}
}

// The search above must be able to find something.
func TestSecretsWouldBeFound(t *testing.T) {
	secret := chance("seed")
	var seed [seedSize]byte
	_, _ = secret.Read(seed[:])
	for _, v := range []any{seed, seed[:], struct{ s [seedSize]byte }{seed}, text.EncodeToString(seed[:])} {
		hit := false
		for _, printed := range prints(v) {
			for _, trace := range traces(seed[:]) {
				hit = hit || strings.Contains(printed, trace)
			}
		}
		if !hit {
			t.Errorf("%T prints its bytes, and nothing was found", v)
		}
	}
}

func TestWhatPrintsInstead(t *testing.T) {
	w := newWorld(t, "redaction")
	token, err := NewToken(chance("seed"), Client, noon, w.genesis.Network(), w.root.ID(), nil)
	must(t, err)
	for _, c := range []struct {
		v    any
		want string
	}{
		{token, "g2gc1_[" + token.ID().String() + "]"},
		{w.root, w.root.ID().String()},
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q"} {
			if got := fmt.Sprintf(verb, c.v); got != c.want {
				t.Errorf("%s prints %q, want %q", verb, got, c.want)
			}
		}
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("event", "value", c.v)
		if !strings.HasSuffix(log.String(), `"value":"`+c.want+"\"}\n") {
			t.Errorf("logs %s, want %q", &log, c.want)
		}
		if got := c.v.(fmt.GoStringer).GoString(); got != c.want {
			t.Errorf("GoString is %q, want %q", got, c.want)
		}
	}
}
