package store

import (
	"encoding/binary"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/g2g-net/g2g/node/gossip"
)

func saveOwn(tx *bbolt.Tx, o gossip.Own) error {
	held, err := loadOwn(tx)
	if err != nil {
		return err
	}
	var b []byte
	for _, n := range []struct {
		what      string
		held, own uint64
	}{
		{"contact sequence", held.Sequence, o.Sequence},
		{"incarnation", held.Incarnation, o.Incarnation},
		{"epoch", held.Epoch, o.Epoch},
		{"lowest epoch", held.MinEpoch, o.MinEpoch},
	} {
		if n.own < n.held {
			return fmt.Errorf("own %s %d is below %d, which was saved before", n.what, n.own, n.held)
		}
		b = binary.BigEndian.AppendUint64(b, n.own)
	}
	return put(tx, bucketOwn, keyNumbers, b)
}

func loadOwn(tx *bbolt.Tx) (gossip.Own, error) {
	b, err := get(tx, bucketOwn, keyNumbers)
	if err != nil || b == nil {
		return gossip.Own{}, err
	}
	if len(b) != 4*8 {
		return gossip.Own{}, damaged(bucketOwn, keyNumbers, "%d bytes where %d are needed", len(b), 4*8)
	}
	return gossip.Own{
		Sequence:    binary.BigEndian.Uint64(b),
		Incarnation: binary.BigEndian.Uint64(b[8:]),
		Epoch:       binary.BigEndian.Uint64(b[16:]),
		MinEpoch:    binary.BigEndian.Uint64(b[24:]),
	}, nil
}

// SavePorts remembers the ports that were bound, to try them first at the next start. 0 is for one that is not open.
func (d *Dir) SavePorts(gossip, register uint16) error {
	b := binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, gossip), register)
	if err := d.update("ports", func(tx *bbolt.Tx) error { return put(tx, bucketOwn, keyPorts, b) }); err != nil {
		return fmt.Errorf("save ports: %w", err)
	}
	return nil
}

// Ports reads what SavePorts remembered: 0 and 0 before the first time.
func (d *Dir) Ports() (gossip, register uint16, err error) {
	err = d.view(func(tx *bbolt.Tx) error {
		b, err := get(tx, bucketOwn, keyPorts)
		if err != nil || b == nil {
			return err
		}
		if len(b) != 2*2 {
			return damaged(bucketOwn, keyPorts, "%d bytes where %d are needed", len(b), 2*2)
		}
		gossip, register = binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
		return nil
	})
	if err != nil {
		return 0, 0, fmt.Errorf("read ports: %w", err)
	}
	return gossip, register, nil
}
