package gossip

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

// Bounds of the table of nominations.
const (
	MaxNominations          = MaxVersions // held here, of all members
	MaxNominationsOfOne     = 1024        // live ones of one nominator
	MaxClaims               = 65_536      // of this node's own tokens
	nominationGrace         = 24 * time.Hour
	nominationBytesPerReply = 48 << 10
)

// ErrNoToken is a token ID that fits no nomination of this node, or more than one. Nothing was changed.
var ErrNoToken = errors.New("no such token of this node")

// nominations is the table of the statements behind tokens, ordered by token ID, with the claims of this node's own.
type nominations struct {
	entries []SealedNomination
	claims  map[claimKey]ClaimRecord
	hash    uint64 // over every token ID and version
}

type claimKey struct {
	token  pki.TokenID
	joiner pki.ID
}

func newNominations(saved Saved) *nominations {
	t := &nominations{entries: slices.Clone(saved.Nominations), claims: map[claimKey]ClaimRecord{}}
	slices.SortFunc(t.entries, func(a, b SealedNomination) int { return compareTokens(a.TokenID(), b.TokenID()) })
	for _, c := range saved.Claims {
		t.claims[claimKey{c.Token, c.Joiner}] = c
	}
	t.rehash()
	return t
}

func compareTokens(a, b pki.TokenID) int { return strings.Compare(string(a[:]), string(b[:])) }

func (t *nominations) find(id pki.TokenID) (int, bool) {
	return slices.BinarySearchFunc(t.entries, id, func(n SealedNomination, id pki.TokenID) int { return compareTokens(n.TokenID(), id) })
}

func (t *nominations) put(n SealedNomination) {
	i, ok := t.find(n.TokenID())
	entries := slices.Clone(t.entries) // snapshots hold the old slice
	if ok {
		entries[i] = n
	} else {
		entries = slices.Insert(entries, i, n)
	}
	t.entries = entries
	t.rehash()
}

func (t *nominations) rehash() {
	h := sha256.New()
	for _, n := range t.entries {
		id := n.TokenID()
		h.Write(id[:])
		_ = binary.Write(h, binary.BigEndian, n.Version)
	}
	t.hash = binary.BigEndian.Uint64(h.Sum(nil))
}

func (t *nominations) versions() []NominationVersion {
	out := make([]NominationVersion, 0, len(t.entries))
	for _, n := range t.entries {
		out = append(out, NominationVersion{n.TokenID(), n.Version})
	}
	return out
}

// newerThan gathers what the versions lack, as much as one answer carries. It begins at the given place, drawn at random:
// what the asker has no use for must not stand before the rest for ever.
func (t *nominations) newerThan(versions []NominationVersion, start int) (out []SealedNomination) {
	held := make(map[pki.TokenID]uint64, len(versions))
	for _, v := range versions {
		held[v.Token] = v.Version
	}
	size := 0
	for k := range t.entries {
		n := t.entries[(k+start)%len(t.entries)]
		if v, ok := held[n.TokenID()]; ok && v >= n.Version {
			continue
		}
		size += len(n.Sealed.Payload) + 128
		if len(out) == MaxNominationBatch || size > nominationBytesPerReply {
			break
		}
		out = append(out, n)
	}
	return out
}

// dead tells whether nobody needs the nomination any more.
func dead(n pki.Nomination, now time.Time) bool {
	return now.Add(-nominationGrace).Unix() > n.NotAfter
}

// prune forgets nominations that expired long ago, with their claims, and renews the reserve's times.
func (m *Machine) prune(now time.Time) {
	t := m.nominations
	kept := make([]SealedNomination, 0, len(t.entries))
	for _, n := range t.entries {
		if dead(n.Nomination, now) {
			m.effects.Save.DropNominations = append(m.effects.Save.DropNominations, n.TokenID())
		} else {
			kept = append(kept, n)
		}
	}
	if len(kept) < len(t.entries) {
		t.entries = kept
		t.rehash()
		for k := range t.claims { // the order decides nothing
			if _, ok := t.find(k.token); !ok {
				delete(t.claims, k)
			}
		}
	}
	m.reserve.refresh(now, m.view)
}

// takeNominations keeps those that are newer, made by members that may nominate, and within the bounds. It counts them.
func (m *Machine) takeNominations(now time.Time, list []SealedNomination) (taken int) {
	for _, n := range list {
		if m.wantsNomination(now, n.Nomination) {
			m.nominations.put(n)
			m.effects.Save.Nominations = append(m.effects.Save.Nominations, n)
			taken++
		}
	}
	return taken
}

func (m *Machine) wantsNomination(now time.Time, n pki.Nomination) bool {
	t := m.nominations
	own := n.Nominator == m.cfg.Identity.Key() // which others hold newer than this node, where its folder is a restored backup
	e := m.view.Get(n.Nominator.ID())
	if !own && (e == nil || !e.Chain.MayNominate()) || dead(n, now) || n.NotBefore > now.Add(pki.MaxTokenLife).Unix() {
		return false
	}
	if i, ok := t.find(n.TokenID()); ok {
		return t.entries[i].Nominator == n.Nominator && t.entries[i].Version < n.Version
	}
	others := len(t.entries) - t.of(m.cfg.Identity.Key()) // this node's own always find place
	return (own || others < MaxNominations-MaxNominationsOfOne) && t.of(n.Nominator) < MaxNominationsOfOne
}

func (t *nominations) of(nominator pki.Key) (count int) {
	for _, n := range t.entries {
		if n.Nominator == nominator {
			count++
		}
	}
	return count
}

// NominateRequest is what an operator asks a token to be.
type NominateRequest struct {
	Mode       pki.Mode
	Life       time.Duration
	Uses       uint32
	For        pki.ID // zero for anybody
	Label      string
	NoNominate bool     // whoever joins by it may not nominate
	Addresses  []string // Registration addresses that stand in the token
}

// Nominate makes a token of this node. The token is in nobody's memory but the caller's afterwards; Effects save its
// public half.
func (m *Machine) Nominate(now time.Time, req NominateRequest) (pki.Token, pki.Nomination, error) {
	fail := func(err error) (pki.Token, pki.Nomination, error) {
		return pki.Token{}, pki.Nomination{}, fmt.Errorf("nominate: %w", err)
	}
	if err := m.cfg.Chain.NominateError(); err != nil {
		return fail(m.withShallower(err))
	}
	if m.nominations.of(m.cfg.Identity.Key()) >= MaxNominationsOfOne || len(m.nominations.entries) >= MaxNominations {
		return fail(fmt.Errorf("this node holds %d nominations: wait until some expire", len(m.nominations.entries)))
	}
	token, n, err := NewNomination(m.cfg.Secrets, m.cfg.Identity, m.cfg.Genesis.Network(), now, req)
	if err != nil {
		return fail(err)
	}
	if err := m.storeNomination(n); err != nil {
		return fail(err)
	}
	m.notice(KindNominated, Info, pki.ID{}, "token %s: %s mode, %s, for %s", n.TokenID(), n.Mode, counted(int(n.Uses), "use"), pki.Span(int64(req.Life.Seconds())))
	return token, n, nil
}

// NewNomination draws a token and makes the statement behind it, which is neither sealed nor kept yet.
func NewNomination(random io.Reader, nominator *pki.Identity, network pki.NetworkID, now time.Time, req NominateRequest) (pki.Token, pki.Nomination, error) {
	notAfter := now.Add(req.Life)
	token, err := pki.NewToken(random, req.Mode, notAfter, network, nominator.ID(), req.Addresses)
	if err != nil {
		return pki.Token{}, pki.Nomination{}, err
	}
	n := pki.Nomination{
		Network: network, Nominator: nominator.Key(), TokenKey: token.Key(), Mode: req.Mode,
		MayNominate: req.Mode == pki.Server && !req.NoNominate, NotBefore: now.Unix(), NotAfter: notAfter.Unix(),
		Uses: req.Uses, For: req.For, Label: req.Label, Version: 1,
	}
	return token, n, n.Check()
}

// withShallower names a member that could nominate instead.
func (m *Machine) withShallower(err error) error {
	for _, e := range m.view.Entries() {
		if e.State == view.Alive && e.Chain.MayNominate() {
			return fmt.Errorf("%w (%s could: it is %s deep)", err, e.Name, counted(e.Chain.Depth(), "link"))
		}
	}
	return err
}

// counted is a number of things, for people.
func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func (m *Machine) storeNomination(n pki.Nomination) error {
	sealed, err := n.Seal(m.cfg.Identity)
	if err != nil {
		return err
	}
	s := SealedNomination{n, sealed}
	m.nominations.put(s)
	m.effects.Save.Nominations = append(m.effects.Save.Nominations, s)
	return nil
}

// Nomination finds the statement behind a token key, of this node or of another.
func (m *Machine) Nomination(token pki.TokenID) (pki.Nomination, bool) {
	if i, ok := m.nominations.find(token); ok {
		return m.nominations.entries[i].Nomination, true
	}
	return pki.Nomination{}, false
}

// Admit judges a claim on a token of this node, and gives the joiner's chain. The use is counted once for a joiner,
// however often it asks; what Effects save makes it durable before the answer leaves. A refusal is a *pki.Refusal and changes nothing.
func (m *Machine) Admit(now time.Time, c pki.Claim) (pki.Chain, error) {
	chain, err := m.admit(now, c)
	if err != nil {
		m.notice(KindRefused, Warning, c.Binding.Joiner, "token %s, at %s: %v", c.Binding.Token, c.Binding.Acceptor.Short(), err)
	}
	return chain, err
}

func (m *Machine) admit(now time.Time, c pki.Claim) (pki.Chain, error) {
	if err := c.Verify(); err != nil {
		return pki.Chain{}, err
	}
	n, ok := m.Nomination(c.Binding.Token)
	if !ok || n.Nominator != m.cfg.Identity.Key() {
		return pki.Chain{}, &pki.Refusal{Reason: "no nomination of this node stands behind the token"}
	}
	if c.Binding.Network != m.cfg.Genesis.Network() {
		return pki.Chain{}, &pki.Refusal{Reason: "the claim is for another network"}
	}
	key := claimKey{c.Binding.Token, c.Binding.Joiner}
	if done, ok := m.nominations.claims[key]; ok && c.Binding.Mode == n.Mode {
		return pki.VerifyChain(done.Chain, m.cfg.Genesis)
	}
	if err := n.Judge(now, c); err != nil {
		return pki.Chain{}, err
	}
	if len(m.nominations.claims) >= MaxClaims {
		return pki.Chain{}, &pki.Refusal{Reason: "the nominator keeps as many claims as it can", Proven: true}
	}
	chain, err := m.cfg.Chain.Admit(m.cfg.Identity, c.JoinerKey, n, now)
	if err != nil {
		return pki.Chain{}, &pki.Refusal{Reason: err.Error(), Proven: true}
	}
	if err := m.storeNomination(n.WithUse(c.Binding.Joiner, now)); err != nil {
		return pki.Chain{}, &pki.Refusal{Reason: err.Error(), Proven: true}
	}
	record := ClaimRecord{Token: key.token, Joiner: key.joiner, At: now.Unix(), Chain: chain.Bytes()}
	m.nominations.claims[key] = record
	m.effects.Save.Claims = append(m.effects.Save.Claims, record)
	m.notice(KindAdmitted, Info, key.joiner, "admitted in %s mode by token %s", n.Mode, key.token)
	return chain, nil
}

// Revoke takes a token of this node back. The text is its ID or an unambiguous prefix.
func (m *Machine) Revoke(now time.Time, text string) (pki.Nomination, error) {
	var found []pki.Nomination
	for _, n := range m.nominations.entries {
		if text != "" && strings.HasPrefix(n.TokenID().String(), text) && n.Nominator == m.cfg.Identity.Key() {
			found = append(found, n.Nomination)
		}
	}
	if len(found) != 1 {
		return pki.Nomination{}, fmt.Errorf("revoke %.32q: %w (%d fit)", text, ErrNoToken, len(found))
	}
	n := found[0]
	if n.RevokedAt != 0 {
		return n, nil
	}
	n = n.Revoked(now)
	if err := m.storeNomination(n); err != nil {
		return pki.Nomination{}, fmt.Errorf("revoke: %w", err)
	}
	m.notice(KindRevoked, Info, pki.ID{}, "token %s", n.TokenID())
	return n, nil
}
