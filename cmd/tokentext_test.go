package cmd

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/g2g-net/g2g/pki"
)

func realToken(t *testing.T, until time.Time) (pki.Token, pki.NetworkID) {
	t.Helper()
	network := pki.NetworkID{1, 2, 3}
	token, err := pki.NewToken(rand.Reader, pki.Server, until, network, pki.ID{4, 5, 6}, []string{"192.0.2.7:7402"})
	if err != nil {
		t.Fatal(err)
	}
	return token, network
}

func TestTokenIsTakenFromEverywhere(t *testing.T) {
	token, _ := realToken(t, time.Now().Add(time.Hour))
	text := token.Reveal()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("\n  "+text+" \r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, in string
		environ  []string
		args     []string
		hints    bool
	}{
		{"stdin", text + "\n", nil, []string{"-"}, false},
		{"file", "", nil, []string{"@" + file}, false},
		{"environment", "", []string{"G2G_TOKEN=" + text}, nil, false},
		{"argument", "", nil, []string{text}, true},
	} {
		got := run(t, c.in, c.environ, append([]string{"token", "inspect", "-o", "name"}, c.args...)...)
		if got.code != exitDone || got.out != token.ID().String()+"\n" {
			t.Errorf("%s: exit %d, %q, %q", c.name, got.code, got.out, got.err)
		}
		if hinted := strings.Contains(got.err, "list of processes"); hinted != c.hints {
			t.Errorf("%s: stderr %q", c.name, got.err)
		}
	}
}

// The attack: tokens that are none. Each is refused with its reason before anybody is asked, and never quoted back.
func TestBadTokensAreRefused(t *testing.T) {
	token, _ := realToken(t, time.Now().Add(time.Hour))
	text := token.Reveal()
	changed := text[:len(text)-10] + flip(text[len(text)-10:])
	for _, c := range []struct {
		name, in string
		code     int
		why      string
	}{
		{"empty", "", exitUsage, "no token in standard input"},
		{"white space", " \n\t", exitUsage, "no token in standard input"},
		{"1 MB long", strings.Repeat("a", 1<<20), exitRefused, "parse token: standard input holds more than 4096 bytes, no token is that long"},
		{"1 MB behind a token", text + strings.Repeat("a", 1<<20), exitRefused, "parse token: standard input holds more than 4096 bytes, no token is that long"},
		{"two words", text + " " + text, exitRefused, "parse token: standard input holds more than one word"},
		{"no text", "g2gs1_\xff\xfe", exitRefused, "parse token: standard input holds no text"},
		{"another kind of text", "hello", exitRefused, `parse token: it begins neither with "g2gs1_" nor with "g2gc1_"`},
		{"one character changed", changed, exitRefused, "parse token: the checksum does not fit: a character is wrong or missing"},
		{"truncated", text[:len(text)-3], exitRefused, "parse token: "},
		{"the other mode", "g2gc1_" + text[6:], exitRefused, "parse token: the checksum does not fit: a character is wrong or missing"},
	} {
		for _, command := range [][]string{{"token", "inspect", "-"}, {"join", "-", "--dir", t.TempDir()}} {
			got := run(t, c.in, nil, command...)
			if got.code != c.code || !strings.Contains(got.err, c.why) || got.out != "" {
				t.Errorf("%s, %s: exit %d, %q; want %d, %q", c.name, command[0], got.code, got.err, c.code, c.why)
			}
			if len(c.in) > 20 && strings.Contains(got.err, c.in[6:20]) {
				t.Errorf("%s: the error quotes the token", c.name)
			}
		}
	}
}

// flip exchanges the first letter for another of the alphabet.
func flip(text string) string {
	if text[0] == 'a' {
		return "b" + text[1:]
	}
	return "a" + text[1:]
}

func TestInspectNeverPrintsTheSecret(t *testing.T) {
	token, network := realToken(t, time.Now().Add(-time.Hour))
	text := token.Reveal()
	for _, f := range []string{asTable, asJSON, asLines, asName} {
		got := run(t, text, nil, "token", "inspect", "-", "-o", f)
		if got.code != exitDone {
			t.Fatalf("exit %d: %s", got.code, got.err)
		}
		// The seed stands behind expiry and pins, and fills 25 characters; any eight of them would be a leak.
		for i := len("g2gs1_") + (8+32)*8/5 + 1; i+8 <= len("g2gs1_")+(8+32+16)*8/5; i++ {
			if strings.Contains(got.out+got.err, text[i:i+8]) {
				t.Fatalf("-o %s shows %q of the seed: %s", f, text[i:i+8], got.out)
			}
		}
	}
	var view tokenView
	got := run(t, text, nil, "token", "inspect", "-", "-o", "json")
	if err := json.Unmarshal([]byte(got.out), &view); err != nil {
		t.Fatal(err)
	}
	if !view.Expired || view.Mode != "server" || !strings.HasPrefix(network.String(), view.NetworkPrefix) ||
		!strings.HasPrefix(pki.ID{4, 5, 6}.String(), view.NominatorPrefix) || len(view.Addresses) != 1 {
		t.Errorf("%+v", view)
	}
	if parsed, err := parseToken(text); err != nil || !parsed.fits(network.String()) || parsed.fits(pki.NetworkID{9}.String()) || parsed.fits("") {
		t.Errorf("fits is wrong: %+v, %v", parsed, err)
	}
}

func TestReadingATokenCanBeInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	in, out := io.Pipe() // nobody ever writes
	defer out.Close()
	var stdout, stderr bytes.Buffer
	done := make(chan int)
	go func() { done <- newApp(in, &stdout, &stderr, nil).run(ctx, []string{"token", "inspect", "-"}) }()
	cancel(errInterrupted)
	if code := <-done; code != exitInterrupted {
		t.Errorf("exit %d, want %d: %s", code, exitInterrupted, stderr.String())
	}
}

func TestTokenFileThatIsMissing(t *testing.T) {
	got := run(t, "", nil, "token", "inspect", "@"+filepath.Join(t.TempDir(), "none"))
	if got.code != exitFailed || !strings.Contains(got.err, "read the token: open ") {
		t.Errorf("exit %d, %q", got.code, got.err)
	}
}
