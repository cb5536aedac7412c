package pki

import "fmt"

// Mode is how a node takes part. It is fixed by the token that admitted it.
type Mode uint8

const (
	// Server is a node that listens, gossips and, if its chain allows, nominates.
	Server Mode = 1
	// Client is a node without listeners that uses the network.
	Client Mode = 2
)

// Valid tells the two modes from everything else.
func (m Mode) Valid() bool { return m == Server || m == Client }

// String prints the word that ParseMode reads.
func (m Mode) String() string {
	switch m {
	case Server:
		return "server"
	case Client:
		return "client"
	}
	return fmt.Sprintf("mode(%d)", uint8(m))
}

// ParseMode reads "server" or "client".
func ParseMode(s string) (Mode, error) {
	switch s {
	case "server":
		return Server, nil
	case "client":
		return Client, nil
	}
	return 0, fmt.Errorf("mode %q is neither %q nor %q", s, Server, Client)
}
