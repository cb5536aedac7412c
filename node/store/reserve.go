package store

import (
	"encoding/binary"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

func saveReserve(tx *bbolt.Tx, reserve []gossip.Address) error {
	if len(reserve) > MaxReserve {
		return fmt.Errorf("%d addresses in reserve are over the bound of %d", len(reserve), MaxReserve)
	}
	if err := clearBucket(tx, bucketReserve); err != nil {
		return err
	}
	for _, a := range reserve {
		if err := checkReserved(a); err != nil {
			return fmt.Errorf("reserve: %w", err)
		}
		b := binary.BigEndian.AppendUint64(nil, uint64(a.Heard)) //nolint:gosec // not negative
		b = binary.BigEndian.AppendUint64(b, a.MinEpoch)
		b = append(b, uint8(len(a.Addresses))) //nolint:gosec // at most view.MaxAddresses
		for _, s := range a.Addresses {
			b = binary.BigEndian.AppendUint16(b, uint16(len(s))) //nolint:gosec // at most pki.MaxAddress
			b = append(b, s...)
		}
		b = append(b, a.Chain[:]...)
		if err := put(tx, bucketReserve, string(a.ID[:]), b); err != nil {
			return err
		}
	}
	return nil
}

func checkReserved(a gossip.Address) error {
	if a.Heard < 0 || len(a.Addresses) > view.MaxAddresses {
		return fmt.Errorf("%s heard at %d s with %d addresses", a.ID.Short(), a.Heard, len(a.Addresses))
	}
	for _, s := range a.Addresses {
		if err := pki.CheckAddress(s); err != nil {
			return err
		}
	}
	return nil
}

func parseReserved(key string, b []byte) (gossip.Address, error) {
	a := gossip.Address{Located: &view.Located{ID: pki.ID([]byte(key))}}
	short := damaged(bucketReserve, key, "cut short")
	if len(b) < 17 {
		return a, short
	}
	a.Heard = int64(binary.BigEndian.Uint64(b)) //nolint:gosec // checked below
	a.MinEpoch = binary.BigEndian.Uint64(b[8:])
	n := int(b[16])
	b = b[17:]
	for range n {
		if len(b) < 2 {
			return a, short
		}
		size := int(binary.BigEndian.Uint16(b))
		if len(b) < 2+size {
			return a, short
		}
		a.Addresses = append(a.Addresses, string(b[2:2+size]))
		b = b[2+size:]
	}
	if err := checkReserved(a); err != nil {
		return a, damaged(bucketReserve, key, "%w", err)
	}
	switch len(b) {
	case len(a.Chain):
		copy(a.Chain[:], b)
	case 0: // of a version that kept no chains
	default:
		return a, damaged(bucketReserve, key, "%d bytes for a chain", len(b))
	}
	return a, nil
}
