package pki

import (
	"fmt"
	"time"
	"unicode"
)

const (
	// MaxLabel bounds a nomination's label, in bytes.
	MaxLabel = 63
	// MaxUses bounds how often a token may be used.
	MaxUses = 10_000
	// MaxTokenLife bounds how long a token may live.
	MaxTokenLife = 30 * 24 * time.Hour
	// MaxUsers is how many of the latest users a nomination names.
	MaxUsers = 16

	nominationVersion = 1
)

// TokenUse is one claimed use of a token.
type TokenUse struct {
	Joiner ID
	At     int64 // Unix seconds on the nominator's clock
}

// A Nomination is the public statement behind a token: what it allows and what became of it. Its nominator alone seals it,
// anew at every change with a higher version, and server-mode members keep the highest.
type Nomination struct {
	Network     NetworkID
	Nominator   Key
	TokenKey    Key
	Mode        Mode
	MayNominate bool
	NotBefore   int64 // Unix seconds on the nominator's clock, as all times here
	NotAfter    int64
	Uses        uint32
	For         ID // the only joiner allowed; zero for any
	Label       string
	Version     uint64
	RevokedAt   int64 // 0 for never
	Used        uint32
	Users       []TokenUse // the latest, newest last
}

// Check reports what is wrong with the fields.
func (n Nomination) Check() error {
	switch {
	case !n.Mode.Valid():
		return fmt.Errorf("unknown %s", n.Mode)
	case n.Mode == Client && n.MayNominate:
		return fmt.Errorf("a client-mode member may not nominate")
	case n.Uses == 0 || n.Uses > MaxUses:
		return fmt.Errorf("%d uses where 1 to %d are allowed", n.Uses, MaxUses)
	case n.NotAfter <= n.NotBefore || n.NotBefore < 0 || n.NotAfter-n.NotBefore > int64(MaxTokenLife/time.Second):
		return fmt.Errorf("a life of %d s where 1 s to %d s are allowed", n.NotAfter-n.NotBefore, int64(MaxTokenLife/time.Second))
	case len(n.Label) > MaxLabel:
		return fmt.Errorf("label of %d bytes is over the bound of %d", len(n.Label), MaxLabel)
	case len(n.Users) > MaxUsers || n.Used > n.Uses || int(n.Used) < len(n.Users):
		return fmt.Errorf("%d users named of %d uses out of %d", len(n.Users), n.Used, n.Uses)
	case n.RevokedAt < 0:
		return fmt.Errorf("revoked before 1970")
	}
	for _, c := range n.Label {
		if !unicode.IsPrint(c) || c == unicode.ReplacementChar {
			return fmt.Errorf("label %q has characters that do not print", n.Label)
		}
	}
	return nil
}

func (n Nomination) payload() []byte {
	w := make(writer, 0, 256)
	w.u8(nominationVersion)
	w.raw(n.Network[:])
	w.raw(n.Nominator[:])
	w.raw(n.TokenKey[:])
	w.u8(uint8(n.Mode))
	w.u8(boolByte(n.MayNominate))
	w.time(n.NotBefore)
	w.time(n.NotAfter)
	w.u32(n.Uses)
	w.raw(n.For[:])
	w.short([]byte(n.Label))
	w.u64(n.Version)
	w.time(n.RevokedAt)
	w.u32(n.Used)
	w.u8(uint8(len(n.Users))) //nolint:gosec // at most MaxUsers
	for _, u := range n.Users {
		w.raw(u.Joiner[:])
		w.time(u.At)
	}
	return w
}

// Seal puts the nomination into an envelope. Only its nominator can.
func (n Nomination) Seal(nominator *Identity) (Envelope, error) {
	if nominator.Key() != n.Nominator {
		return Envelope{}, fmt.Errorf("seal nomination: it is another member's")
	}
	if err := n.Check(); err != nil {
		return Envelope{}, fmt.Errorf("seal nomination: %w", err)
	}
	return nominator.Seal(DomainNomination, n.Network, n.payload())
}

// OpenNomination verifies the seal, then reads the nomination. It does not judge whether the nominator may nominate.
func OpenNomination(e Envelope, network NetworkID) (Nomination, error) {
	if err := e.Verify(DomainNomination, network); err != nil {
		return Nomination{}, fmt.Errorf("open nomination: %w", err)
	}
	n, err := parseNomination(e.Payload)
	if err == nil && (n.Nominator != e.Key || n.Network != network) {
		err = fmt.Errorf("%w: another key or network than it names", ErrSeal)
	}
	if err == nil {
		err = n.Check()
	}
	if err != nil {
		return Nomination{}, fmt.Errorf("open nomination: %w", err)
	}
	return n, nil
}

func parseNomination(b []byte) (Nomination, error) {
	r := reader{b: b}
	r.version(nominationVersion)
	n := Nomination{
		Network: r.network(), Nominator: r.key(), TokenKey: r.key(), Mode: r.mode(), MayNominate: r.flag(),
		NotBefore: r.time(), NotAfter: r.time(), Uses: r.u32(), For: r.id(), Label: string(r.short()),
		Version: r.u64(), RevokedAt: r.time(), Used: r.u32(),
	}
	count := int(r.u8())
	if count > MaxUsers {
		return Nomination{}, fmt.Errorf("%d users are over the bound of %d", count, MaxUsers)
	}
	for range count {
		n.Users = append(n.Users, TokenUse{Joiner: r.id(), At: r.time()})
	}
	return n, r.done()
}

// TokenID names the token behind the nomination.
func (n Nomination) TokenID() TokenID { return n.TokenKey.TokenID(n.Nominator.ID().Pin()) }

// WithUse is the nomination after one more use. Its caller has judged that a use is left.
func (n Nomination) WithUse(joiner ID, now time.Time) Nomination {
	n.Version++
	n.Used++
	n.Users = append(n.Users[:len(n.Users):len(n.Users)], TokenUse{Joiner: joiner, At: now.Unix()})
	if len(n.Users) > MaxUsers {
		n.Users = n.Users[len(n.Users)-MaxUsers:]
	}
	return n
}

// Revoked is the nomination after its nominator took it back.
func (n Nomination) Revoked(now time.Time) Nomination {
	n.Version++
	n.RevokedAt = now.Unix()
	return n
}
