package cmd

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/g2g-net/g2g/pki"
)

// A tokenView is what a token says without its secret.
type tokenView struct {
	TokenID         string     `json:"token_id"`
	Mode            string     `json:"mode"`
	NetworkPrefix   string     `json:"network_prefix"`   // what the network's ID begins with
	NominatorPrefix string     `json:"nominator_prefix"` // what the nominator's ID begins with
	NotAfter        *time.Time `json:"not_after"`
	Expired         bool       `json:"expired"` // by this machine's clock; the nominator's decides
	Addresses       []string   `json:"addresses"`

	network pki.Pin
}

// parseToken decodes a token; a text that is none is refused as a member would.
func parseToken(text string) (tokenView, error) {
	t, err := pki.ParseToken(text)
	if err != nil {
		return tokenView{}, badToken(err)
	}
	until := time.Unix(t.NotAfter, 0).UTC()
	return tokenView{
		TokenID: t.ID().String(), Mode: t.Mode.String(), NotAfter: &until, Expired: !time.Now().Before(until),
		NetworkPrefix: networkPrefix(t.Network), NominatorPrefix: nodePrefix(t.Nominator), Addresses: nonNil(t.Addresses),
		network: t.Network,
	}, nil
}

// pinCharacters are those of a printed ID that its pin decides: six of prefix, then five bits each.
const pinCharacters = 6 + pki.PinSize*8/5

func networkPrefix(pin pki.Pin) string {
	var id pki.NetworkID
	copy(id[:], pin[:])
	return id.String()[:pinCharacters]
}

func nodePrefix(pin pki.Pin) string {
	var id pki.ID
	copy(id[:], pin[:])
	return id.String()[:pinCharacters]
}

// fits says whether the token is for a network.
func (t tokenView) fits(network string) bool {
	id, err := pki.ParseNetworkID(network)
	return err == nil && id.Pin() == t.network
}

func (a *app) tokenInspectCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "inspect [TOKEN|-|@FILE]",
		Short: "Decode a token",
		Long: `Decodes a token without asking anybody: its mode, when it expires, the network and nominator it is of, the addresses
that it leads to. The secret in it is never printed. Whether it is used up or revoked, only "g2g token list" on a member knows.`,
		Example: "  g2g token inspect @token.txt\n  g2g nominate | g2g token inspect - -o json",
		Args:    exactly(0, "TOKEN"),
	}
	f := output(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		text, err := a.tokenText(c.Context(), first(args))
		if err != nil {
			return err
		}
		token, err := parseToken(text)
		if err != nil {
			return err
		}
		return writeObject(a.out, f.value, token, token.TokenID, tokenFields(token, time.Now()))
	}
	return c
}

func tokenFields(t tokenView, now time.Time) []field {
	return []field{
		{"token", t.TokenID},
		{"mode", t.Mode},
		{"network", t.NetworkPrefix},
		{"nominator", t.NominatorPrefix},
		{"until", until(t.NotAfter, now)},
		{"addresses", list(t.Addresses)},
	}
}

// checkID refuses what is no node ID.
func checkID(text string) error {
	_, err := pki.ParseID(text)
	return err
}

// checkAt refuses a Registration address that nobody could dial; none is fine.
func checkAt(address string) error {
	if address == "" {
		return nil
	}
	if err := pki.CheckAddress(address); err != nil {
		return wrongUsage(fmt.Sprintf("--at: %v", err), "give host:port, as in 192.0.2.7:7402")
	}
	return nil
}
