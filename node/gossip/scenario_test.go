package gossip

import (
	"cmp"
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
// for the reader. What watched machines told their operators stands last.
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
				t.Errorf("it goes otherwise from here:\n%s\nwant:\n%s", from(got, want), from(want, got))
			}
		})
	}
}

// from is the rest of a text from the line on in which it is not like another, ten lines at most.
func from(text, other string) string {
	lines, others := strings.Split(text, "\n"), strings.Split(other, "\n")
	i := 0
	for i < min(len(lines), len(others)) && lines[i] == others[i] {
		i++
	}
	return strings.Join(lines[i:min(len(lines), i+10)], "\n")
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
	people []string // joiners that are no nodes of the world
	claims int
	watch  []string
}

func (s *script) say(format string, args ...any) {
	s.out = append(s.out, s.names(fmt.Sprintf(format, args...))+"\n")
}

// names puts the names of nodes and tokens in the place of their IDs.
func (s *script) names(text string) string {
	people := s.people
	for _, a := range s.w.nodes {
		people = append(people, a.name)
	}
	for _, name := range people {
		id := identity(name).ID()
		text = strings.ReplaceAll(strings.ReplaceAll(text, id.String(), name), id.Short(), name)
	}
	for name, token := range s.tokens {
		text = strings.ReplaceAll(text, token.ID().String(), name)
	}
	return text
}

// tell says what the watched machines told since the last time; of the others it says only whom they accused.
func (s *script) tell() {
	for _, a := range s.w.nodes {
		sortRuns(a.notices)
		for _, n := range a.notices {
			if n.Kind == KindOrder {
				continue // it repeats what the others say; TestOrder looks at it
			}
			if slices.Contains(s.watch, a.name) || n.Kind == KindClone || n.Kind == KindMisbehaved {
				s.say("%s tells: %s %s %s: %s", a.name, n.Severity, n.Kind, cmp.Or(n.Name, "-"), n.Detail)
			}
		}
		a.notices = nil
	}
}

// sortRuns puts notices of one kind that stand together in the order of their peers' names: which of two peers is heard first
// is chance.
func sortRuns(list []Notice) {
	for len(list) > 0 {
		n := 1
		for n < len(list) && list[n].Kind == list[0].Kind {
			n++
		}
		slices.SortStableFunc(list[:n], func(a, b Notice) int { return cmp.Compare(a.Name, b.Name) })
		list = list[n:]
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
	s.people = append(s.people, joiner)
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
	return pki.Claim{Binding: b, Nominator: token.Nominator, TokenKey: token.Key(), JoinerKey: who.Key(), TokenSeal: tokenSeal, IdentitySeal: identitySeal}
}
