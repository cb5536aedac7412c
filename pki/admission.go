package pki

import (
	"crypto/sha256"
	"fmt"
	"time"
)

// MaxDepth bounds a chain: a node deeper than this cannot be admitted.
const MaxDepth = 16

const admissionVersion = 1

// An Admission is a nominator's sealed word that a subject is a member in a mode: one link of a chain.
type Admission struct {
	Network     NetworkID
	Subject     Key
	Nominator   Key // the founder key in the first link
	Mode        Mode
	MayNominate bool
	Depth       uint8 // 1 for the founder's own admissions
	IssuedAt    int64 // Unix seconds on the nominator's clock; for people only, nothing is ordered by it
	Token       TokenID
	seal        []byte
}

func (a Admission) payload() []byte {
	w := make(writer, 0, 128)
	w.u8(admissionVersion)
	w.raw(a.Network[:])
	w.raw(a.Subject[:])
	w.raw(a.Nominator[:])
	w.u8(uint8(a.Mode))
	w.u8(boolByte(a.MayNominate))
	w.u8(a.Depth)
	w.time(a.IssuedAt)
	w.raw(a.Token[:])
	return w
}

func parseAdmission(payload, seal []byte) (Admission, error) {
	r := reader{b: payload}
	r.version(admissionVersion)
	a := Admission{Network: r.network(), Subject: r.key(), Nominator: r.key(), Mode: r.mode(), MayNominate: r.flag(), Depth: r.u8(), IssuedAt: r.time()}
	copy(a.Token[:], r.raw(len(a.Token)))
	a.seal = append([]byte(nil), seal...)
	return a, r.done()
}

// A Chain holds the admissions from the founder's (first) to the node's own (last). A Chain that VerifyChain returned, or
// that was made from such a one by Admit, keeps these invariants; the zero Chain belongs to nobody.
//
//  1. Every link carries the same network ID, and link i has depth i+1.
//  2. The founder key sealed the first link; the subject of link i sealed link i+1.
//  3. Every subject but the last is a server-mode member that may nominate.
//  4. No subject occurs twice.
//  5. There are 1 to MaxDepth links.
type Chain struct {
	links []Admission
	hash  [sha256.Size]byte
}

// Hash is what Links knows the whole chain by, zero for the zero Chain. It stands for all payloads and seals, so for the network, too.
func (c Chain) Hash() [sha256.Size]byte { return c.hash }

// Links are the admissions, the founder's first.
func (c Chain) Links() []Admission { return append([]Admission(nil), c.links...) }

// Member is the subject of link i, counted from 0: Depth() of them lead from the founder's own member to the chain's.
func (c Chain) Member(i int) Key { return c.links[i].Subject }

// IsZero tells the chain of nobody.
func (c Chain) IsZero() bool { return len(c.links) == 0 }

// Depth is the number of links.
func (c Chain) Depth() int { return len(c.links) }

func (c Chain) last() Admission {
	if c.IsZero() {
		return Admission{}
	}
	return c.links[len(c.links)-1]
}

// Subject is the member's key.
func (c Chain) Subject() Key { return c.last().Subject }

// Mode is the member's mode.
func (c Chain) Mode() (m Mode) {
	if !c.IsZero() {
		m = c.links[len(c.links)-1].Mode // without a copy of the link: it is asked for all the time
	}
	return m
}

// MayNominate tells whether the member can admit others: a server-mode member whose admission allows it, not at MaxDepth.
func (c Chain) MayNominate() bool {
	return c.Mode() == Server && c.last().MayNominate && c.Depth() < MaxDepth
}

// Nominator is the ID of whoever admitted the member: another member, or the founder key.
func (c Chain) Nominator() ID { return c.last().Nominator.ID() }

// Bytes is the form that VerifyChain reads: a count, then for each link its payload's length, payload and seal.
func (c Chain) Bytes() []byte {
	if c.IsZero() {
		return nil
	}
	w := make(writer, 0, 1+len(c.links)*192)
	w.u8(uint8(len(c.links))) //nolint:gosec // at most MaxDepth
	for _, a := range c.links {
		w.short(a.payload())
		w.raw(a.seal)
	}
	return w
}

// VerifyChain reads a chain and returns it only if every invariant of Chain holds in the network of the genesis.
func VerifyChain(b []byte, genesis Genesis) (Chain, error) {
	return VerifyChainKnowing(b, genesis, nil)
}

// Links remembers, for one genesis, which beginnings of chains were verified: most chains of a network begin alike. What stands
// for a beginning is a hash over all of its payloads and seals.
type Links interface {
	Known(beginning [sha256.Size]byte) bool
	Verified(beginning [sha256.Size]byte)
}

// VerifyChainKnowing is VerifyChain without verifying again the seals of beginnings that are known. Nil knows none.
func VerifyChainKnowing(b []byte, genesis Genesis, known Links) (Chain, error) {
	links, err := parseLinks(b)
	if err != nil {
		return Chain{}, fmt.Errorf("parse chain: %w", err)
	}
	network := genesis.Network()
	var beginning [sha256.Size]byte
	for i, a := range links {
		beginning = a.after(beginning)
		err := checkPlace(a, links[:i], network, genesis.Founder)
		if err == nil && (known == nil || !known.Known(beginning)) {
			err = verifySeal(a.Nominator, DomainAdmission, network, a.payload(), a.seal)
		}
		if err != nil {
			return Chain{}, fmt.Errorf("verify chain: link %d: %w", i+1, err)
		}
		if known != nil {
			known.Verified(beginning)
		}
	}
	return Chain{links: links, hash: beginning}, nil
}

// after is the hash of the beginning that ends with this link, by that of the beginning above it. No two links have the same
// bytes under it: a payload and a seal have one length each.
func (a Admission) after(above [sha256.Size]byte) [sha256.Size]byte {
	w := make(writer, 0, 256)
	w.raw(above[:])
	w.raw(a.payload())
	w.raw(a.seal)
	return sha256.Sum256(w)
}

func parseLinks(b []byte) ([]Admission, error) {
	r := reader{b: b}
	n := int(r.u8())
	if r.err == nil && (n == 0 || n > MaxDepth) {
		return nil, fmt.Errorf("%d links where 1 to %d are allowed", n, MaxDepth)
	}
	links := make([]Admission, 0, n)
	for range n {
		a, err := parseAdmission(r.short(), r.raw(SealSize))
		if r.err != nil {
			return nil, r.err
		}
		if err != nil {
			return nil, err
		}
		links = append(links, a)
	}
	if err := r.done(); err != nil {
		return nil, err
	}
	return links, nil
}

// checkPlace checks all of a link but its seal, which is the nominator's.
func checkPlace(a Admission, above []Admission, network NetworkID, founder Key) error {
	nominator := founder
	if len(above) > 0 {
		p := above[len(above)-1]
		nominator = p.Subject
		if p.Mode != Server || !p.MayNominate {
			return fmt.Errorf("%s may not nominate", p.Subject.ID().Short())
		}
	}
	switch {
	case a.Network != network:
		return fmt.Errorf("it belongs to network %s, this one is %s", a.Network, network)
	case int(a.Depth) != len(above)+1:
		return fmt.Errorf("depth %d does not fit its place", a.Depth)
	case a.Nominator != nominator:
		return fmt.Errorf("nominated by %s, not by the link above", a.Nominator.ID().Short())
	}
	for _, p := range above {
		if p.Subject == a.Subject {
			return fmt.Errorf("%s stands in it twice", a.Subject.ID().Short())
		}
	}
	return nil
}

// AdmitRoot makes the chain of a node that the founder key itself admits.
func AdmitRoot(founder *Identity, genesis Genesis, subject Key, now time.Time) (Chain, error) {
	if founder.Key() != genesis.Founder {
		return Chain{}, fmt.Errorf("admit: %s is not the founder key of network %s", founder.ID(), genesis.Network())
	}
	a := Admission{Network: genesis.Network(), Subject: subject, Nominator: founder.Key(), Mode: Server, MayNominate: true, Depth: 1, IssuedAt: now.Unix()}
	return Chain{}.extend(founder, a)
}

// Admit makes the chain of a node that this chain's subject admits by a token. It fails, changing nothing, where the
// subject may not nominate or the bound on depth is reached.
func (c Chain) Admit(nominator *Identity, subject Key, n Nomination, now time.Time) (Chain, error) {
	if nominator.Key() != c.Subject() {
		return Chain{}, fmt.Errorf("admit: the chain is %s's, not %s's", c.Subject().ID().Short(), nominator.ID().Short())
	}
	if !c.MayNominate() {
		return Chain{}, fmt.Errorf("admit: %w", c.NominateError())
	}
	for _, p := range c.links {
		if p.Subject == subject {
			return Chain{}, fmt.Errorf("admit: %s stands in the nominator's own chain", subject.ID().Short())
		}
	}
	a := Admission{
		Network: c.last().Network, Subject: subject, Nominator: nominator.Key(), Mode: n.Mode, MayNominate: n.MayNominate,
		Depth: uint8(c.Depth() + 1), IssuedAt: now.Unix(), Token: n.TokenKey.TokenID(nominator.ID().Pin()), //nolint:gosec // at most MaxDepth
	}
	return c.extend(nominator, a)
}

// NominateError says why the subject may not nominate, or nil.
func (c Chain) NominateError() error {
	switch {
	case c.MayNominate():
		return nil
	case c.IsZero():
		return fmt.Errorf("not a member of a network")
	case c.Mode() != Server:
		return fmt.Errorf("a %s-mode member may not nominate", c.Mode())
	case c.Depth() >= MaxDepth:
		return fmt.Errorf("the chain is %d links deep, which is the bound: a member nearer to the founder must nominate", c.Depth())
	}
	return fmt.Errorf("its own admission does not allow it to nominate")
}

func (c Chain) extend(signer *Identity, a Admission) (Chain, error) {
	seal, err := sealWith(signer.signer, DomainAdmission, a.Network, a.payload())
	if err != nil {
		return Chain{}, err
	}
	a.seal = seal
	return Chain{links: append(c.links[:len(c.links):len(c.links)], a), hash: a.after(c.hash)}, nil
}
