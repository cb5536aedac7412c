package gossip

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

var update = flag.Bool("update", false, "rewrite the outcomes in testdata")

// TestScenarios plays the files in testdata: paragraphs of commands, a line of dashes, their outcome. Lines that begin with # are
// for the reader. What a machine told its operator comes with the next paragraph's outcome.
func TestScenarios(t *testing.T) {
	files := value(filepath.Glob("testdata/*.txt"))
	if len(files) == 0 {
		t.Fatal("no scenario found")
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			want := string(value(os.ReadFile(file)))
			got := play(t, want)
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			} else if got != want {
				t.Errorf("outcome:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

const dashes = "----\n"

func play(t *testing.T, text string) string {
	s := &script{w: newWorld(t, 1), tokens: map[string]pki.Token{}, kept: map[string]*view.Contact{}}
	var out []string
	for _, part := range strings.Split(strings.TrimSpace(text), "\n\n") {
		commands, _, _ := strings.Cut(part+"\n", dashes)
		s.out = nil
		for _, line := range strings.Split(strings.TrimSpace(commands), "\n") {
			if fields := strings.Fields(line); !strings.HasPrefix(line, "#") {
				s.command(fields[0], fields[1:])
			}
		}
		s.tell()
		outcome := strings.Join(s.out, "")
		if outcome != "" {
			outcome = dashes + outcome
		}
		out = append(out, strings.TrimSpace(commands)+"\n"+outcome)
	}
	return strings.Join(out, "\n")
}

// A script is a world and what its commands named.
type script struct {
	w      *world
	out    []string
	tokens map[string]pki.Token
	kept   map[string]*view.Contact
	claims int
}

func (s *script) say(format string, args ...any) {
	s.out = append(s.out, s.names(fmt.Sprintf(format, args...))+"\n")
}

// names puts the names of nodes and tokens in the place of their IDs.
func (s *script) names(text string) string {
	for _, a := range s.w.nodes {
		text = strings.ReplaceAll(strings.ReplaceAll(text, a.identity.ID().String(), a.name), a.identity.ID().Short(), a.name)
	}
	for name, token := range s.tokens {
		text = strings.ReplaceAll(text, token.ID().String(), name)
	}
	return text
}

// tell says what the machines told since the last time.
func (s *script) tell() {
	for _, a := range s.w.nodes {
		for _, n := range a.notices {
			s.say("%s: %s %s %s: %s", a.name, n.Severity, n.Kind, n.Name, n.Detail)
		}
		a.notices = nil
	}
}

func (s *script) node(name string) *actor {
	i := slices.IndexFunc(s.w.nodes, func(a *actor) bool { return a.name == name })
	if i < 0 {
		s.w.t.Fatalf("no node %q", name)
	}
	return s.w.nodes[i]
}

func (s *script) duration(text string) time.Duration { return value(time.ParseDuration(text)) }

// option finds name=value.
func option(args []string, name, otherwise string) string {
	for _, a := range args {
		if v, ok := strings.CutPrefix(a, name+"="); ok {
			return v
		}
	}
	return otherwise
}

func number(text string) int { return value(strconv.Atoi(text)) }

// mode reads mode=client.
func mode(args []string) pki.Mode {
	if option(args, "mode", "server") == "client" {
		return pki.Client
	}
	return pki.Server
}

// claim makes the claim of a joiner of the name given, as it comes through an acceptor.
func (s *script) claim(a *actor, token pki.Token, joiner string, args []string) pki.Claim {
	s.claims++
	who := identity(joiner)
	b := pki.Binding{
		Exporter: [32]byte{byte(s.claims)}, Network: s.w.genesis.Network(), Acceptor: a.ID(), Joiner: who.ID(), Token: token.ID(), Mode: mode(args),
	}
	if option(args, "network", "") != "" {
		b.Network[0] ^= 1
	}
	tokenSeal, identitySeal, err := token.Claim(who, b)
	if err != nil {
		s.w.t.Fatal(err)
	}
	if option(args, "seal", "") == "broken" {
		tokenSeal[0] ^= 1
	}
	return pki.Claim{Binding: b, TokenKey: token.Key(), JoinerKey: who.Key(), TokenSeal: tokenSeal, IdentitySeal: identitySeal}
}
