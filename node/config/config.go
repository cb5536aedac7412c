// Package config settles how a node is told to behave before it starts.
package config

import (
	"os"
	"strings"
	"time"
)

// FileName is the configuration file's name inside the node's folder.
const FileName = "g2g.toml"

// MaxNameLength bounds a node's name, in bytes.
const MaxNameLength = 63

// MaxServices and MaxAdvertise bound the two lists of addresses; a contact carries the advertised ones.
const (
	MaxServices  = 64
	MaxAdvertise = 16
)

// A Config is everything a user may settle about a node. The table in key.go says for each field its
// key, its bounds, and what more or less of it costs.
//
//  1. Validate has accepted it before anything but this package and a printer reads it; Load checks, node relies on it.
//  2. A list without entries is nil; Load, Layer.Apply and Default keep this.
type Config struct {
	Name      string   // shown to people; need not be unique
	Services  []string // host:port of shared rendezvous addresses
	Gossip    Gossip
	Register  Register
	Signature Signature
	Stale     Stale
	Order     Order
	Leaf      Leaf
	Log       Log
	Routes    []Passage // services of programs here that members call
	Forwards  []Passage // services of peers that programs here call
}

// Gossip settles the port where members talk.
type Gossip struct {
	Listen    string        // host:port; empty host: all interfaces; port 0: any free one
	Advertise []string      // host:port told to others; none: what can be found out
	Interval  time.Duration // between two exchanges that this node begins; longer in a calm view
}

// Register settles the port where strangers may ask to be let in.
type Register struct {
	Listen string // host:port, as Gossip.Listen
}

// Signature settles the summary of this node's data.
type Signature struct {
	Period time.Duration // between two publications
	Source string        // SourceData or SourceApplication
}

// Whose data a node's signature is of.
const (
	SourceData        = "data"        // the samples in its folder
	SourceApplication = "application" // a program's, which publishes
)

// Stale settles how ages are judged.
type Stale struct {
	Strict bool // the plain rule alone, for comparison
}

// Order settles in which order peers are asked.
type Order struct {
	Rebuild time.Duration // between two rounds
	Strict  bool          // the members of a group stay in the order in which they came
}

// Leaf settles the short-lived TLS certificate.
type Leaf struct {
	Life time.Duration
}

// Log settles what is written to stderr.
type Log struct {
	Format string // text or json
	Level  string // debug, info, warn or error
}

// Default returns the configuration of a node that was told nothing. It is valid.
func Default() Config {
	host, err := os.Hostname()
	if err != nil {
		host = "" // cleanName has a name for a host without one
	}
	return Config{
		Name:      cleanName(host),
		Gossip:    Gossip{Listen: ":7401", Interval: time.Second},
		Register:  Register{Listen: ":7402"},
		Signature: Signature{Period: time.Second, Source: SourceData},
		Order:     Order{Rebuild: 30 * time.Second},
		Leaf:      Leaf{Life: 24 * time.Hour},
		Log:       Log{Format: "text", Level: "info"},
	}
}

// cleanName makes a valid name of a host name: lower case, every run of other bytes one '-'.
func cleanName(host string) string {
	var b strings.Builder
	gap := false
	for _, r := range strings.ToLower(host) {
		if !isNameRune(r) {
			gap = true
			continue
		}
		if gap && b.Len() > 0 {
			b.WriteByte('-')
		}
		gap = false
		b.WriteRune(r)
	}
	name := strings.TrimLeft(b.String(), "-.")
	if len(name) > MaxNameLength {
		name = name[:MaxNameLength]
	}
	name = strings.TrimRight(name, "-.")
	if name == "" {
		return "node"
	}
	return name
}

func isNameRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '.'
}
