package pki

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"
)

const (
	serverTokenPrefix = "g2gs1_"
	clientTokenPrefix = "g2gc1_"

	// MaxTokenAddresses bounds the addresses in a token.
	MaxTokenAddresses = 8
	// MaxToken bounds the text of a token, in characters. Longer input is refused unread.
	MaxToken = 4 << 10

	seedSize      = 16
	maxTokenBytes = 8 + 2*PinSize + seedSize + 1 + MaxTokenAddresses*(1+1+MaxAddress) + checksumSize
)

// TokenID names a token: the first bytes of a hash of its nominator's pin and its key. It is no secret. Whoever nominates
// another's token key gives it another ID, so that nobody can take the place of another's nomination where it is held.
type TokenID [8]byte

// TokenID names the token of the nominator whose key this is.
func (k Key) TokenID(nominator Pin) TokenID {
	w := make(writer, 0, 64)
	w.raw([]byte("g2g/token-id/v2"))
	w.raw(nominator[:])
	w.raw(k[:])
	sum := sha256.Sum256(w)
	return TokenID(sum[:8])
}

// String prints the ID as 16 hex digits.
func (t TokenID) String() string { return hex.EncodeToString(t[:]) }

// IsZero tells the ID of no token, which stands in the founder's own admissions.
func (t TokenID) IsZero() bool { return t == TokenID{} }

// A Token is what a person carries to a stranger: the right to ask for admission. Its seed is the secret. It prints
// redacted; Reveal gives the text.
type Token struct {
	Mode      Mode
	NotAfter  int64 // Unix seconds on the nominator's clock; advice for the joiner, the nomination decides
	Network   Pin
	Nominator Pin
	Addresses []string // Registration addresses to try, in order
	seed      *secret
}

// NewToken draws a token.
func NewToken(random io.Reader, mode Mode, notAfter time.Time, network NetworkID, nominator ID, addresses []string) (Token, error) {
	t := Token{Mode: mode, NotAfter: notAfter.Unix(), Network: network.Pin(), Nominator: nominator.Pin(), Addresses: addresses}
	if !mode.Valid() {
		return Token{}, fmt.Errorf("make token: unknown %s", mode)
	}
	if len(addresses) > MaxTokenAddresses {
		return Token{}, fmt.Errorf("make token: %d addresses are over the bound of %d", len(addresses), MaxTokenAddresses)
	}
	for _, a := range addresses {
		if err := CheckAddress(a); err != nil {
			return Token{}, fmt.Errorf("make token: %w", err)
		}
	}
	seed := make([]byte, seedSize)
	if _, err := io.ReadFull(random, seed); err != nil {
		return Token{}, fmt.Errorf("make token: %w", err)
	}
	t.seed = newSecret(seed)
	return t, nil
}

// Reveal prints the token with its secret.
func (t Token) Reveal() string {
	var w writer
	w.time(t.NotAfter)
	w.raw(t.Network[:])
	w.raw(t.Nominator[:])
	w.raw(t.seed.reveal())
	w.u8(uint8(len(t.Addresses))) //nolint:gosec // at most MaxTokenAddresses
	for _, a := range t.Addresses {
		w.address(a)
	}
	w.raw(checksum(t.prefix(), w))
	return t.prefix() + text.EncodeToString(w)
}

func (t Token) prefix() string {
	if t.Mode == Client {
		return clientTokenPrefix
	}
	return serverTokenPrefix
}

// ParseToken is the inverse of Reveal. Its errors never quote the input.
func ParseToken(s string) (Token, error) {
	if len(s) > MaxToken {
		return Token{}, fmt.Errorf("parse token: %d characters are over the bound of %d", len(s), MaxToken)
	}
	var t Token
	rest, ok := strings.CutPrefix(s, serverTokenPrefix)
	t.Mode = Server
	if !ok {
		rest, ok = strings.CutPrefix(s, clientTokenPrefix)
		t.Mode = Client
	}
	if !ok {
		return Token{}, fmt.Errorf("parse token: it begins neither with %q nor with %q", serverTokenPrefix, clientTokenPrefix)
	}
	b, err := decodeText(rest, maxTokenBytes)
	if err != nil {
		return Token{}, fmt.Errorf("parse token: %w", err)
	}
	body := len(b) - checksumSize
	if body < 0 || string(checksum(t.prefix(), b[:body])) != string(b[body:]) {
		return Token{}, fmt.Errorf("parse token: the checksum does not fit: a character is wrong or missing")
	}
	if err := t.parseBody(b[:body]); err != nil {
		return Token{}, fmt.Errorf("parse token: %w", err)
	}
	return t, nil
}

func (t *Token) parseBody(b []byte) error {
	r := reader{b: b}
	t.NotAfter = r.time()
	t.Network = Pin(r.raw(PinSize))
	t.Nominator = Pin(r.raw(PinSize))
	t.seed = newSecret(bytes.Clone(r.raw(seedSize)))
	n := int(r.u8())
	if n > MaxTokenAddresses {
		return fmt.Errorf("%d addresses are over the bound of %d", n, MaxTokenAddresses)
	}
	for range n {
		t.Addresses = append(t.Addresses, r.address())
	}
	return r.done()
}

// identity is the token key: Ed25519 from HKDF-SHA256 of the seed (RFC 5869), salted with the network's pin.
func (t Token) identity() *Identity {
	seed, err := hkdf.Key(sha256.New, t.seed.reveal(), t.Network[:], "g2g/token-key/v1", ed25519.SeedSize)
	if err != nil {
		panic("pki: hkdf of a fixed size failed: " + err.Error()) // only for a size over 255 hashes
	}
	private := ed25519.NewKeyFromSeed(seed)
	return &Identity{signer: newKeySigner(private), key: Key(private.Public().(ed25519.PublicKey))}
}

// Key is the public half of the token key: what a nomination holds.
func (t Token) Key() Key { return t.identity().Key() }

// ID names the token.
func (t Token) ID() TokenID { return t.Key().TokenID(t.Nominator) }

// String names the token without its secret.
func (t Token) String() string { return t.prefix() + "[" + t.ID().String() + "]" }

// GoString names the token without its secret.
func (t Token) GoString() string { return t.String() }

// Format keeps every verb from reaching the secret.
func (t Token) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, t.String()) }

// LogValue logs the token's ID.
func (t Token) LogValue() slog.Value { return slog.StringValue(t.String()) }
