package gossip

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"
	"time"

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

// nominations is the table of the statements behind tokens, with the claims of this node's own.
//
//  1. entries are ordered by token ID, none twice, and ids are theirs.
//  2. The nominator of an ID never changes: another's nomination of the same token key has another ID.
//  3. hash is over every token ID and version.
type nominations struct {
	entries []SealedNomination
	ids     []pki.TokenID
	claims  map[claimKey]ClaimRecord
	hash    uint64
}

type claimKey struct {
	token  pki.TokenID
	joiner pki.ID
}

func newNominations(saved Saved) *nominations {
	t := &nominations{claims: map[claimKey]ClaimRecord{}}
	for _, n := range saved.Nominations {
		t.set(n)
	}
	t.rehash()
	for _, c := range saved.Claims {
		t.claims[claimKey{c.Token, c.Joiner}] = c
	}
	return t
}

func compareTokens(a, b pki.TokenID) int { return strings.Compare(string(a[:]), string(b[:])) }

func (t *nominations) find(id pki.TokenID) (int, bool) {
	return slices.BinarySearchFunc(t.ids, id, compareTokens)
}

func (t *nominations) put(n SealedNomination) {
	t.entries = slices.Clone(t.entries) // snapshots hold the old slice
	t.set(n)
	t.rehash()
}

// set leaves the hash as it is, and the entries must be in nobody else's hands.
func (t *nominations) set(n SealedNomination) {
	id := n.TokenID()
	i, ok := t.find(id)
	if ok {
		t.entries[i] = n
		return
	}
	t.entries, t.ids = slices.Insert(t.entries, i, n), slices.Insert(t.ids, i, id)
}

func (t *nominations) rehash() {
	h := sha256.New()
	for i, n := range t.entries {
		h.Write(t.ids[i][:])
		_ = binary.Write(h, binary.BigEndian, n.Version)
	}
	t.hash = binary.BigEndian.Uint64(h.Sum(nil))
}

func (t *nominations) versions() []NominationVersion {
	out := make([]NominationVersion, 0, len(t.entries))
	for i, n := range t.entries {
		out = append(out, NominationVersion{t.ids[i], n.Version})
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
		i := (k + start) % len(t.entries)
		n := t.entries[i]
		if v, ok := held[t.ids[i]]; ok && v >= n.Version {
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

// of counts the nominations of one nominator.
func (t *nominations) of(nominator pki.Key) (count int) {
	for _, n := range t.entries {
		if n.Nominator == nominator {
			count++
		}
	}
	return count
}

// dead tells whether nobody needs the nomination any more.
func dead(n pki.Nomination, now time.Time) bool {
	return now.Add(-nominationGrace).Unix() > n.NotAfter
}

// prune forgets nominations that expired long ago, with their claims, and renews the reserve's times.
func (m *Machine) prune(now time.Time) {
	t := m.nominations
	kept, ids := make([]SealedNomination, 0, len(t.entries)), make([]pki.TokenID, 0, len(t.ids))
	for i, n := range t.entries {
		if dead(n.Nomination, now) {
			m.effects.Save.DropNominations = append(m.effects.Save.DropNominations, t.ids[i])
		} else {
			kept, ids = append(kept, n), append(ids, t.ids[i])
		}
	}
	if len(kept) < len(t.entries) {
		t.entries, t.ids = kept, ids
		t.rehash()
		for k := range t.claims { // the order decides nothing
			if _, ok := t.find(k.token); !ok {
				delete(t.claims, k)
			}
		}
	}
	m.reserve.refresh(now, m.view)
}
