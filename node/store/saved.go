package store

import (
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/pki"
)

// Bounds of what is kept. Save refuses more.
const (
	MaxNominations = gossip.MaxVersions
	MaxClaims      = 1 << 16
	MaxReserve     = 1000

	maxChain = 4 << 10 // bytes; a chain of pki.MaxDepth links is below it
)

// Save brings what the machine wants kept to the disk, all of it or nothing. It puts first and drops then. Own numbers that
// would go back are refused: that is a fault of this program, or of a folder that two have served.
func (d *Dir) Save(s gossip.Save) error {
	if s.IsZero() {
		return nil
	}
	if err := d.update("save", func(tx *bbolt.Tx) error { return save(tx, s) }); err != nil {
		return fmt.Errorf("save: %w", err)
	}
	return nil
}

func save(tx *bbolt.Tx, s gossip.Save) error {
	if s.Own != nil {
		if err := saveOwn(tx, *s.Own); err != nil {
			return err
		}
	}
	for _, n := range s.Nominations {
		id := n.TokenID()
		if err := put(tx, bucketNominations, string(id[:]), n.Sealed.AppendBinary(nil)); err != nil {
			return err
		}
	}
	for _, c := range s.Claims {
		if err := saveClaim(tx, c); err != nil {
			return err
		}
	}
	for _, id := range s.DropNominations {
		if err := dropNomination(tx, id); err != nil {
			return err
		}
	}
	if s.ReserveChanged {
		if err := saveReserve(tx, s.Reserve); err != nil {
			return err
		}
	}
	if s.ServicesChanged {
		if err := saveServices(tx, s.Services); err != nil {
			return err
		}
	}
	return checkCounts(tx, s)
}

// checkCounts refuses a transaction that would leave more than can be loaded.
func checkCounts(tx *bbolt.Tx, s gossip.Save) error {
	if len(s.Nominations) > 0 && !holds(tx, bucketNominations, MaxNominations) {
		return fmt.Errorf("over %d nominations", MaxNominations)
	}
	if len(s.Claims) > 0 && !holds(tx, bucketClaims, MaxClaims) {
		return fmt.Errorf("over %d claims", MaxClaims)
	}
	return nil
}

// holds counts with a cursor: a bucket's statistics do not see the transaction's own changes.
func holds(tx *bbolt.Tx, bucket string, bound int) bool {
	n := 0
	c := tx.Bucket([]byte(bucket)).Cursor()
	for k, _ := c.First(); k != nil && n <= bound; k, _ = c.Next() {
		n++
	}
	return n <= bound
}

// Load reads all that was saved. Nominations come ordered by token, claims by token and joiner, the reserve by ID.
func (d *Dir) Load() (gossip.Saved, error) {
	var s gossip.Saved
	if err := d.view(func(tx *bbolt.Tx) (err error) { s, err = load(tx); return err }); err != nil {
		return gossip.Saved{}, fmt.Errorf("load: %w", err)
	}
	return s, nil
}

func load(tx *bbolt.Tx) (s gossip.Saved, err error) {
	genesis, _, err := membership(tx)
	if err != nil {
		return s, err
	}
	if s.Own, err = loadOwn(tx); err != nil {
		return s, err
	}
	if s.Services, err = loadServices(tx); err != nil {
		return s, err
	}
	err = each(tx, bucketNominations, tokenKeySize, MaxNominations, func(key string, b []byte) error {
		n, err := parseNomination(key, b, genesis)
		s.Nominations = append(s.Nominations, n)
		return err
	})
	if err != nil {
		return s, err
	}
	err = each(tx, bucketClaims, claimKeySize, MaxClaims, func(key string, b []byte) error {
		c, err := parseClaim(key, b)
		s.Claims = append(s.Claims, c)
		return err
	})
	if err != nil {
		return s, err
	}
	return s, each(tx, bucketReserve, len(pki.ID{}), MaxReserve, func(key string, b []byte) error {
		a, err := parseReserved(key, b)
		s.Reserve = append(s.Reserve, a)
		return err
	})
}
