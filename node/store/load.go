package store

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"go.etcd.io/bbolt"

	"github.com/g2g-net/g2g/node/signature"
)

const (
	loadBytes  = 4 << 20 // that a load writes in one transaction, and so what of it is in memory at once
	dropAtOnce = 10_000  // samples that are removed in one transaction
)

// A Load brings samples in, all of them or none. Nobody but its beginner uses it. End it by Commit or Abort.
type Load struct {
	s         *Samples
	number    uint64
	sum       signature.Sum // of what was there and what is new
	batch     [][]byte
	bytes     int
	Added     int // samples that are new
	Duplicate int // samples that are there already, or were in the same load
	err       error
}

// Begin begins a load. Only one is under way at a time: another is ErrLoading.
func (s *Samples) Begin() (*Load, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.loading {
		return nil, fmt.Errorf("load data: %w", ErrLoading)
	}
	l := &Load{s: s}
	d, err := s.database(true)
	if err == nil {
		err = d.update("load", l.begin)
	}
	if err != nil {
		return nil, fmt.Errorf("load data: %w", inFile(err))
	}
	s.loading = true
	return l, nil
}

func (l *Load) begin(tx *bbolt.Tx) error {
	stat, load, err := readState(tx)
	if err != nil {
		return err
	}
	l.number, l.sum = load+1, stat.Sum
	return put(tx, bucketMeta, keyLoading, binary.BigEndian.AppendUint64(nil, l.number))
}

// Add takes one sample. An error says what is wrong with it; the load can then only be given up.
func (l *Load) Add(sample []float32) error {
	if l.err != nil {
		return l.err
	}
	if err := signature.CheckSample(sample, l.sum.Dimension()); err != nil {
		l.err = err
		return err
	}
	if l.sum.Dimension() == 0 && l.Dimension() != 0 && l.Dimension() != len(sample) {
		l.err = fmt.Errorf("%d values where the first sample has %d", len(sample), l.Dimension())
		return l.err
	}
	b := make([]byte, 8, 8+valueSize*len(sample))
	binary.BigEndian.PutUint64(b, l.number)
	for _, x := range sample {
		if x == 0 {
			x = 0 // the negative one is the same value
		}
		b = binary.BigEndian.AppendUint32(b, math.Float32bits(x))
	}
	l.batch, l.bytes = append(l.batch, b), l.bytes+len(b)
	if l.bytes < loadBytes {
		return nil
	}
	return l.flush()
}

// Dimension is that of the set, or of the first sample of an empty one; 0 before there is any.
func (l *Load) Dimension() int {
	if d := l.sum.Dimension(); d != 0 || len(l.batch) == 0 {
		return d
	}
	return (len(l.batch[0]) - 8) / valueSize
}

// flush writes what has gathered, as samples that do not count yet.
func (l *Load) flush() error {
	l.err = l.write(func(tx *bbolt.Tx) error {
		for _, b := range l.batch {
			if err := l.put(tx, b); err != nil {
				return err
			}
		}
		return nil
	})
	l.batch, l.bytes = nil, 0
	return l.err
}

func (l *Load) write(change func(*bbolt.Tx) error) error {
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	err := l.s.inner.update("load", change)
	if err != nil && !errors.Is(err, ErrFull) {
		err = inFile(err)
	}
	return err
}

func (l *Load) put(tx *bbolt.Tx, b []byte) error {
	hash, samples := sha256.Sum256(b[8:]), tx.Bucket([]byte(bucketSamples))
	if samples.Get(hash[:]) != nil {
		l.Duplicate++
		return nil
	}
	if l.sum.Count() == MaxSamples {
		return ErrFull
	}
	sample, err := sampleOf(hash[:], b)
	if err != nil {
		return err
	}
	if err := l.sum.Add(sample); err != nil {
		return err
	}
	l.Added++
	return samples.Put(hash[:], b)
}

// Commit makes the samples count, all at once. An error means that none does.
func (l *Load) Commit() (stat Stat, err error) {
	if l.err == nil {
		_ = l.flush() // it is in l.err
	}
	if l.err == nil {
		l.err = l.write(func(tx *bbolt.Tx) error {
			if err := put(tx, bucketMeta, keySum, l.sum.AppendBinary(nil)); err != nil {
				return err
			}
			if err := put(tx, bucketMeta, keyLoad, binary.BigEndian.AppendUint64(nil, l.number)); err != nil {
				return err
			}
			return tx.Bucket([]byte(bucketMeta)).Delete([]byte(keyLoading))
		})
	}
	if l.err != nil {
		fault := fmt.Errorf("load data: %w", l.err)
		return Stat{}, errors.Join(fault, l.Abort())
	}
	l.end()
	return l.s.Stat()
}

func (l *Load) end() {
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	l.s.loading = false
	l.err = errors.New("the load has ended")
}

// Abort drops what the load has brought. After Commit it does nothing.
func (l *Load) Abort() error {
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	if !l.s.loading {
		return nil
	}
	l.s.loading = false
	l.err = errors.New("the load was given up")
	if err := dropUnfinished(l.s.inner); err != nil {
		return fmt.Errorf("give up the load: %w", inFile(err))
	}
	return nil
}

// dropUnfinished removes the samples of a load that is not whole, some in each transaction.
func dropUnfinished(d *Dir) error {
	for more := true; more; {
		var load, loading uint64
		err := d.view(func(tx *bbolt.Tx) (err error) {
			if load, err = number(tx, keyLoad); err == nil {
				loading, err = number(tx, keyLoading)
			}
			return err
		})
		if err != nil || loading == 0 {
			return err
		}
		err = d.update("end of load", func(tx *bbolt.Tx) (err error) {
			more, err = dropSome(tx, load)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// dropSome removes at most dropAtOnce samples that do not count, and with the last one the mark of the load.
func dropSome(tx *bbolt.Tx, load uint64) (more bool, err error) {
	samples := tx.Bucket([]byte(bucketSamples))
	var gone [][]byte
	c := samples.Cursor()
	for k, v := c.First(); k != nil && len(gone) < dropAtOnce; k, v = c.Next() {
		if !counts(v, load) {
			gone = append(gone, k)
		}
	}
	for _, k := range gone {
		if err := samples.Delete(k); err != nil {
			return false, err
		}
	}
	if len(gone) == dropAtOnce {
		return true, nil
	}
	return false, tx.Bucket([]byte(bucketMeta)).Delete([]byte(keyLoading))
}
