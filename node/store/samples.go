package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"

	"go.etcd.io/bbolt"

	"github.com/g2g-net/g2g/node/signature"
)

// Bounds of a node's samples.
const (
	MaxSamples     = 100_000
	MaxSampleBytes = MaxSamples * signature.MaxDimension * valueSize // of values; the file is larger: its pages are partly full, and those that became free stay in it

	valueSize     = 4
	samplesSchema = 1
	passSamples   = 1000      // that one Pass reads
	passBytes     = 256 << 10 // of values that one Pass reads
)

// The buckets and keys of samples.db.
const (
	bucketSamples = "samples" // SHA-256 of the values -> number of the load, values
	keyLoad       = "load"    // number of the last load that is whole
	keySum        = "sum"     // of all samples of whole loads
	keyLoading    = "loading" // number of a load that has begun
)

// ErrLoading is a load that begins while another one is under way. Nothing was changed.
var ErrLoading = errors.New("another load is under way")

// ErrFull is a load that would hold more than MaxSamples.
var ErrFull = fmt.Errorf("over the bound of %d samples", MaxSamples)

// Samples is the set of a node's data, in a database of its own: what breaks it costs no membership, and a long load does not
// keep the node's numbers waiting. The file is made by the first load. It is safe for concurrent use.
//
//  1. Every sample has the same dimension and stands once: its key is the hash of its values.
//  2. A sample counts once its load is whole: its number is at most keyLoad's. The others are dropped when the load is given up,
//     or at the first use after the process was killed.
//  3. keySum is the sum of all that count, written in the transaction that makes them count.
type Samples struct {
	folder *Dir

	mu      sync.Mutex
	inner   *Dir // the database; nil before it is there
	absent  bool // there is none: whoever has the folder open has it alone, and only a load makes one
	loading bool
	pass    pass
}

// Stat is how much data there is.
type Stat struct {
	Count     int
	Dimension int
	Bytes     int64 // of values
	Sum       signature.Sum
}

// Samples are the folder's.
func (d *Dir) Samples() *Samples { return &d.samples }

func (s *Samples) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inner == nil {
		return nil
	}
	return s.inner.closeState()
}

// database opens the file, which it makes if it must. It returns nil where there is none.
func (s *Samples) database(create bool) (*Dir, error) {
	if s.inner != nil || s.absent && !create {
		return s.inner, nil
	}
	s.absent = false
	d := &Dir{path: s.folder.path, root: s.folder.root}
	info, err := d.root.Stat(SamplesFile)
	if errors.Is(err, fs.ErrNotExist) {
		if !create {
			s.absent = true
			return nil, nil
		}
		if err := d.createState(SamplesFile, samplesSchema, []string{bucketMeta, bucketSamples}); err != nil {
			return nil, err
		}
		info, err = d.root.Stat(SamplesFile)
	}
	switch {
	case err != nil:
		return nil, err
	case info.Size() == 0: // bbolt would take it for a new one
		return nil, fmt.Errorf("%w: it is empty", ErrDamaged)
	}
	err = d.openState(SamplesFile)
	if err == nil {
		err = d.view(checkSamples)
	}
	if err == nil {
		err = dropUnfinished(d)
	}
	if err != nil {
		return nil, errors.Join(err, d.closeState())
	}
	s.inner = d
	return d, nil
}

// inFile says which file an error is about: ErrDamaged names the other one.
func inFile(err error) error { return &fileError{err} }

type fileError struct{ error }

func (e *fileError) Error() string {
	return SamplesFile + ": " + strings.ReplaceAll(e.error.Error(), ErrDamaged.Error(), "damaged")
}

func (e *fileError) Unwrap() error { return e.error }

func checkSamples(tx *bbolt.Tx) error {
	b, err := get(tx, bucketMeta, keySchema)
	switch {
	case err != nil:
		return err
	case len(b) != 4:
		return damaged(bucketMeta, keySchema, "%d bytes where 4 are needed", len(b))
	case binary.BigEndian.Uint32(b) != samplesSchema:
		return fmt.Errorf("it has schema %d, this g2g knows %d: use the g2g that wrote it, or a newer one", binary.BigEndian.Uint32(b), samplesSchema)
	case tx.Bucket([]byte(bucketSamples)) == nil:
		return fmt.Errorf("%w: bucket %s is missing", ErrDamaged, bucketSamples)
	}
	return nil
}

// use calls read with the database, or not at all where there is no data. Errors name the file.
func (s *Samples) use(what string, read func(*Dir) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, err := s.database(false)
	if err == nil && d != nil {
		err = read(d)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, inFile(err))
	}
	return nil
}

// Stat tells how much data there is.
func (s *Samples) Stat() (stat Stat, err error) {
	err = s.use("look at the data", func(d *Dir) error {
		return d.view(func(tx *bbolt.Tx) (err error) { stat, _, err = readState(tx); return err })
	})
	return stat, err
}

func readState(tx *bbolt.Tx) (stat Stat, load uint64, err error) {
	if load, err = number(tx, keyLoad); err != nil {
		return Stat{}, 0, err
	}
	b, err := get(tx, bucketMeta, keySum)
	if err != nil || b == nil {
		return Stat{}, load, err
	}
	if stat.Sum, err = signature.ParseSum(b); err != nil {
		return Stat{}, 0, damaged(bucketMeta, keySum, "%w", err)
	}
	if stat.Sum.Count() > MaxSamples {
		return Stat{}, 0, damaged(bucketMeta, keySum, "of %d samples", stat.Sum.Count())
	}
	stat.Count, stat.Dimension = int(stat.Sum.Count()), stat.Sum.Dimension() //nolint:gosec // at most MaxSamples
	stat.Bytes = int64(stat.Count) * int64(stat.Dimension) * valueSize
	return stat, load, nil
}

// number reads one of the numbers of bucketMeta; 0 where there is none.
func number(tx *bbolt.Tx, key string) (uint64, error) {
	b, err := get(tx, bucketMeta, key)
	if err != nil || b == nil {
		return 0, err
	}
	if len(b) != 8 {
		return 0, damaged(bucketMeta, key, "%d bytes where 8 are needed", len(b))
	}
	return binary.BigEndian.Uint64(b), nil
}

// Draw takes n different samples at random, or all where there are fewer, in the order of their hashes.
func (s *Samples) Draw(random *rand.Rand, n int) (drawn [][]float32, err error) {
	err = s.use("draw samples", func(d *Dir) error {
		return d.view(func(tx *bbolt.Tx) error {
			stat, load, err := readState(tx)
			if err != nil {
				return err
			}
			places := random.Perm(stat.Count)[:min(max(0, n), stat.Count)]
			slices.Sort(places)
			drawn, err = at(tx, load, places)
			return err
		})
	})
	return drawn, err
}

// at reads the samples at places, which are sorted, in the order of the keys.
func at(tx *bbolt.Tx, load uint64, places []int) (samples [][]float32, err error) {
	c, place := tx.Bucket([]byte(bucketSamples)).Cursor(), 0
	for k, v := c.First(); k != nil && len(samples) < len(places); k, v = c.Next() {
		if !counts(v, load) {
			continue
		}
		if place == places[len(samples)] {
			sample, err := sampleOf(k, v)
			if err != nil {
				return nil, err
			}
			samples = append(samples, sample)
		}
		place++
	}
	return samples, nil
}

// counts tells whether a value's load is whole.
func counts(v []byte, load uint64) bool { return len(v) >= 8 && binary.BigEndian.Uint64(v) <= load }

// sampleOf reads a sample, and holds it to its hash.
func sampleOf(k, v []byte) ([]float32, error) {
	if len(v) < 8 || (len(v)-8)%valueSize != 0 {
		return nil, damaged(bucketSamples, string(k), "%d bytes", len(v))
	}
	if hash := sha256.Sum256(v[8:]); !bytes.Equal(hash[:], k) {
		return nil, damaged(bucketSamples, string(k), "it is not what was loaded")
	}
	sample := make([]float32, 0, (len(v)-8)/valueSize)
	for b := v[8:]; len(b) > 0; b = b[valueSize:] {
		sample = append(sample, math.Float32frombits(binary.BigEndian.Uint32(b)))
	}
	return sample, nil
}
