package store

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/pki"
)

const (
	tokenKeySize = len(pki.TokenID{})
	claimKeySize = tokenKeySize + len(pki.ID{})
)

func saveClaim(tx *bbolt.Tx, c gossip.ClaimRecord) error {
	if c.At < 0 || len(c.Chain) == 0 || len(c.Chain) > maxChain {
		return fmt.Errorf("claim of token %s: a time of %d s and a chain of %d bytes", c.Token, c.At, len(c.Chain))
	}
	b := binary.BigEndian.AppendUint64(nil, uint64(c.At))
	return put(tx, bucketClaims, string(c.Token[:])+string(c.Joiner[:]), append(b, c.Chain...))
}

func dropNomination(tx *bbolt.Tx, id pki.TokenID) error {
	if err := tx.Bucket([]byte(bucketNominations)).Delete(id[:]); err != nil {
		return err
	}
	claims := tx.Bucket([]byte(bucketClaims))
	var drop [][]byte // a cursor must not lose keys under it
	for c, k := claims.Cursor(), []byte(nil); ; {
		if k == nil {
			k, _ = c.Seek(id[:])
		} else {
			k, _ = c.Next()
		}
		if !bytes.HasPrefix(k, id[:]) {
			break
		}
		drop = append(drop, bytes.Clone(k))
	}
	for _, k := range drop {
		if err := claims.Delete(k); err != nil {
			return err
		}
	}
	return nil
}

func parseNomination(key string, b []byte, genesis pki.Genesis) (gossip.SealedNomination, error) {
	if genesis.IsZero() {
		return gossip.SealedNomination{}, damaged(bucketNominations, key, "there is no network that it belongs to")
	}
	e, err := pki.ParseEnvelope(bytes.Clone(b))
	if err != nil {
		return gossip.SealedNomination{}, damaged(bucketNominations, key, "%w", err)
	}
	n, err := pki.OpenNomination(e, genesis.Network())
	if err != nil {
		return gossip.SealedNomination{}, damaged(bucketNominations, key, "%w", err)
	}
	if id := n.TokenID(); string(id[:]) != key {
		return gossip.SealedNomination{}, damaged(bucketNominations, key, "it is that of token %s", id)
	}
	return gossip.SealedNomination{Nomination: n, Sealed: e}, nil
}

func parseClaim(key string, b []byte) (gossip.ClaimRecord, error) {
	if len(b) <= 8 || len(b) > 8+maxChain {
		return gossip.ClaimRecord{}, damaged(bucketClaims, key, "%d bytes where %d to %d are needed", len(b), 8+1, 8+maxChain)
	}
	at := int64(binary.BigEndian.Uint64(b)) //nolint:gosec // checked below
	if at < 0 {
		return gossip.ClaimRecord{}, damaged(bucketClaims, key, "a time before 1970")
	}
	return gossip.ClaimRecord{
		Token: pki.TokenID([]byte(key[:tokenKeySize])), Joiner: pki.ID([]byte(key[tokenKeySize:])),
		At: at, Chain: bytes.Clone(b[8:]),
	}, nil
}
