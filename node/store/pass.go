package store

import (
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/g2g-net/g2g/node/signature"
)

// pass is how far the walk over all samples has come.
type pass struct {
	load uint64        // the walk is over what counted at this load; another begins anew
	next []byte        // key to go on from; nil for the first
	sum  signature.Sum // of what was read
}

// Pass does one period's work over the data: it reads what the data come to, and the next passSamples samples, holding each to the hash
// of its values. A walk over all ends with their sum being computed anew and held to the one that is kept. So it fails where the
// data cannot be read, and within one walk where they are not what was loaded. It returns what all data come to.
func (s *Samples) Pass() (sum signature.Sum, err error) {
	err = s.use("pass over the data", func(d *Dir) error {
		return d.view(func(tx *bbolt.Tx) error {
			stat, load, err := readState(tx)
			if err != nil {
				return err
			}
			if load != s.pass.load {
				s.pass = pass{load: load}
			}
			sum = stat.Sum
			return s.pass.step(tx, stat)
		})
	})
	if err != nil {
		return signature.Sum{}, err
	}
	return sum, nil
}

func (p *pass) step(tx *bbolt.Tx, stat Stat) error {
	c, read, size := tx.Bucket([]byte(bucketSamples)).Cursor(), 0, 0
	k, v := c.First()
	if p.next != nil {
		k, v = c.Seek(p.next)
	}
	for ; k != nil && read < passSamples && size < passBytes; k, v = c.Next() {
		if !counts(v, p.load) {
			read++ // of a load under way
			continue
		}
		sample, err := sampleOf(k, v)
		if err != nil {
			return err
		}
		if err := p.sum.Add(sample); err != nil {
			return damaged(bucketSamples, string(k), "%w", err)
		}
		read, size = read+1, size+len(v)
	}
	if k != nil {
		p.next = append([]byte(nil), k...)
		return nil
	}
	done := p.sum
	*p = pass{load: p.load}
	if !done.SameSamples(stat.Sum) {
		return fmt.Errorf("%w: %d samples come to something else than the %d that were loaded", ErrDamaged, done.Count(), stat.Count)
	}
	return nil
}
