package view

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/g2g-net/g2g/pki"
)

var start = time.Unix(1_800_000_000, 0)

func value[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// identity is the same for the same number.
func identity(n int) *pki.Identity {
	seed := sha256.Sum256(fmt.Appendf(nil, "identity %d", n))
	return value(pki.IdentityFrom(ed25519.NewKeyFromSeed(seed[:])))
}

// A grove is one network's tree of admissions.
type grove struct {
	genesis pki.Genesis
	root    *pki.Identity
	chain   pki.Chain // of root
}

func newGrove() grove {
	founder, root := identity(-1), identity(-2)
	genesis := value(pki.Found(bytes.NewReader(make([]byte, 16)), founder, "test", start))
	return grove{genesis, root, value(pki.AdmitRoot(founder, genesis, root.Key(), start))}
}

// admit makes the chain of a key below a nominator.
func (g grove) admit(by *pki.Identity, chain pki.Chain, key pki.Key, mode pki.Mode) pki.Chain {
	n := pki.Nomination{Network: g.genesis.Network(), Nominator: by.Key(), Mode: mode, MayNominate: mode == pki.Server}
	return value(chain.Admit(by, key, n, start))
}

// A writer makes the contacts of one member, and the ladder behind their beats.
type writer struct {
	id     *pki.Identity
	chain  pki.Chain
	mode   pki.Mode
	inc    uint64
	ladder *Ladder
}

func (g grove) writer(n int, mode pki.Mode) *writer {
	id := identity(n)
	w := &writer{id: id, chain: g.admit(g.root, g.chain, id.Key(), mode), mode: mode}
	w.climb()
	return w
}

func (w *writer) climb() {
	w.inc++
	seed := fmt.Appendf(nil, "%16x", w.inc)
	w.ladder = value(NewLadder(bytes.NewReader(seed), w.id.ID(), w.inc))
}

// contact is the one of a sequence; changes are made to it before it is given a payload that tells it from others.
func (w *writer) contact(sequence uint64, changes ...func(*Contact)) *Contact {
	c := &Contact{
		ID: w.id.ID(), Key: w.id.Key(), Name: "n", Mode: w.mode, Sequence: sequence, NotAfter: start.Add(72 * time.Hour).Unix(),
		Incarnation: w.inc, Anchor: w.ladder.Anchor(), Period: time.Second, Chain: w.chain,
	}
	for _, change := range changes {
		change(c)
	}
	c.Sealed.Payload = fmt.Appendf(nil, "%x %d %d %d %v %d %x", c.ID, c.Sequence, c.Incarnation, c.MinEpoch, c.Left, c.NotAfter, c.Anchor)
	return c
}

func (w *writer) beat(sequence uint64) Beat {
	return Beat{Sequence: sequence, Link: w.ladder.Link(sequence)}
}

func left(c *Contact) { c.Left = true }

// put has the view take a contact that it must find newer.
func put(t *testing.T, v *View, now time.Time, c *Contact) *Entry {
	t.Helper()
	if verdict := v.Judge(now, c); verdict != Newer {
		t.Fatalf("contact %d is judged %s", c.Sequence, verdict)
	}
	e, _ := v.Put(now, c)
	return e
}

// hear has the view take a beat, and revives where it says so.
func hear(t *testing.T, v *View, now time.Time, c *Contact, b Beat, want BeatVerdict) {
	t.Helper()
	got := v.Advance(now, c.ID, uint16(c.Sequence), b)
	if got != want {
		t.Fatalf("beat %d is judged %d, want %d", b.Sequence, got, want)
	}
	if got == Revived {
		v.Revive(now, c.ID)
	}
}

// invented is a contact of nobody: an ID that no key has, with the chain of another member of the same nominator, so that
// a hundred thousand of them cost no seals. View checks neither.
func invented(n int, chain pki.Chain, now time.Time) *Contact {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(n))
	id := pki.ID(sha256.Sum256(b[:]))
	return &Contact{
		ID: id, Mode: chain.Mode(), Sequence: 1, NotAfter: now.Add(72 * time.Hour).Unix(), Incarnation: 1,
		Period: time.Second, Chain: chain, Sealed: pki.Envelope{Payload: id[:]},
	}
}

func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }
