package docs_test

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// index are the exported names and fields of the package that the project was asked for after.
var index = strings.Fields(`
	Gossip NewGossip Gossip.Check Gossip.ExchangePeers Gossip.ExchangeServices Gossip.Join Gossip.Register
	Gossip.RegisterToKnownServices Gossip.Run Gossip.StartRegistrationServer
	SecureConnectionInfo EncodeSecureConnectionInfo DecodeSecureConnectionInfo negotiation.PredefinedKey
	GossipPort RegistrationPort PredefinedKey ClientTokens ServerTokens BroadcastAddresses Certs StaticServices Services Peers
	Address PrivateKey PublicKey`)

// unmapped says which names have not exactly one row of a table, with what does their job and a test that shows it.
func unmapped(page string, names []string) (complaints []string) {
	rows := map[string]int{}
	_, table, _ := strings.Cut(page, "## The package's index")
	for _, line := range strings.Split(table, "\n") {
		cells := strings.Split(strings.Trim(line, "| "), " | ")
		for _, name := range strings.Split(cells[0], ", ") {
			name = strings.Trim(name, "`")
			if !slices.Contains(names, name) {
				continue
			}
			rows[name]++
			if len(cells) != 3 || cells[1] == "not yet" || !strings.Contains(cells[2], "`") {
				complaints = append(complaints, name+" names no test")
			}
		}
	}
	for _, name := range names {
		if rows[name] != 1 {
			complaints = append(complaints, name+" has not one row")
		}
	}
	return complaints
}

func TestIndexIsWhole(t *testing.T) {
	page, err := os.ReadFile("requirements.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, complaint := range unmapped(string(page), index) {
		t.Error(complaint)
	}
	got := unmapped("## The package's index\n| `A`, `B` | x | `TestA` |\n| `C` | not yet | not yet |\n| `A` | y | `TestB` |\n", []string{"A", "B", "C", "D"})
	if want := []string{"C names no test", "A has not one row", "D has not one row"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
