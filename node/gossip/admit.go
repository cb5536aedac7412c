package gossip

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

// ErrNoToken is a token ID that fits no nomination of this node, or more than one. Nothing was changed.
var ErrNoToken = errors.New("no such token of this node")

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
	if err := m.storeNomination(now, n); err != nil {
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

func (m *Machine) storeNomination(now time.Time, n pki.Nomination) error {
	sealed, err := n.Seal(m.cfg.Identity)
	if err != nil {
		return err
	}
	s := SealedNomination{n, sealed}
	m.nominations.put(s)
	m.stir(now)
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
		refusal, ok := errors.AsType[*pki.Refusal](err)
		m.effects.Notices[len(m.effects.Notices)-1].Unproven = ok && !refusal.Proven
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
	if err := m.storeNomination(now, n.WithUse(c.Binding.Joiner, now)); err != nil {
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
	for i, n := range m.nominations.entries {
		if text != "" && strings.HasPrefix(m.nominations.ids[i].String(), text) && n.Nominator == m.cfg.Identity.Key() {
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
	if err := m.storeNomination(now, n); err != nil {
		return pki.Nomination{}, fmt.Errorf("revoke: %w", err)
	}
	m.notice(KindRevoked, Info, pki.ID{}, "token %s", n.TokenID())
	return n, nil
}
