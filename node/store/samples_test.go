package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/g2g-net/g2g/node/signature"
)

// series is n samples of a dimension that begin with a number.
func series(from, n, dimension int) [][]float32 {
	all := make([][]float32, n)
	for i := range all {
		all[i] = make([]float32, dimension)
		all[i][0] = float32(from + i)
	}
	return all
}

func fill(s *Samples, all [][]float32) (Stat, *Load, error) {
	l, err := s.Begin()
	if err != nil {
		return Stat{}, nil, err
	}
	for _, sample := range all {
		if err := l.Add(sample); err != nil {
			return Stat{}, l, errors.Join(err, l.Abort())
		}
	}
	stat, err := l.Commit()
	return stat, l, err
}

func sumOf(t *testing.T, all [][]float32) (sum signature.Sum) {
	t.Helper()
	for _, sample := range all {
		must(t, sum.Add(sample))
	}
	return sum
}

// walk passes over all samples.
func walk(s *Samples) error {
	stat, err := s.Stat()
	for i := 0; err == nil && i <= stat.Count*(stat.Dimension*valueSize+1)/min(passSamples, passBytes); i++ {
		_, err = s.Pass()
	}
	return err
}

func TestSamplesAreKept(t *testing.T) {
	path := t.TempDir()
	d := open(t, path)
	s := d.Samples()
	if stat, err := s.Stat(); err != nil || !reflect.DeepEqual(stat, Stat{}) {
		t.Fatalf("%+v, %v", stat, err)
	}
	if _, err := os.Stat(filepath.Join(path, SamplesFile)); err == nil {
		t.Error("a folder without data has a file for it")
	}
	must(t, walk(s))
	first := series(0, 2500, 3)
	stat, l, err := fill(s, append(series(0, 10, 3), first...))
	must(t, err)
	if l.Added != 2500 || l.Duplicate != 10 || stat.Count != 2500 || stat.Dimension != 3 || stat.Bytes != 2500*3*4 || !stat.Sum.SameSamples(sumOf(t, first)) {
		t.Errorf("%+v: added %d, %d twice", stat, l.Added, l.Duplicate)
	}
	_, l, err = fill(s, series(2490, 20, 3))
	must(t, err)
	if l.Added != 10 || l.Duplicate != 10 {
		t.Errorf("added %d, %d twice", l.Added, l.Duplicate)
	}
	must(t, walk(s))
	must(t, d.Close())
	s = open(t, path).Samples()
	stat, err = s.Stat()
	must(t, err)
	if stat.Count != 2510 || !stat.Sum.SameSamples(sumOf(t, series(0, 2510, 3))) {
		t.Errorf("after a restart: %+v", stat)
	}
	must(t, walk(s))
}

func TestDraw(t *testing.T) {
	s := open(t, t.TempDir()).Samples()
	random := rand.New(rand.NewPCG(1, 2))
	if drawn, err := s.Draw(random, 3); err != nil || drawn != nil {
		t.Errorf("%v, %v", drawn, err)
	}
	_, _, err := fill(s, series(0, 20, 2))
	must(t, err)
	times := map[float32]int{}
	for range 2000 {
		drawn, err := s.Draw(random, 5)
		must(t, err)
		once := map[float32]bool{}
		for _, sample := range drawn {
			once[sample[0]], times[sample[0]] = true, times[sample[0]]+1
		}
		if len(once) != 5 {
			t.Fatalf("drew %v", drawn)
		}
	}
	for i := range 20 {
		if n := times[float32(i)]; n < 400 || n > 600 {
			t.Errorf("sample %d was drawn %d times of 500", i, n)
		}
	}
	if drawn, err := s.Draw(random, 100); err != nil || len(drawn) != 20 {
		t.Errorf("%d, %v", len(drawn), err)
	}
}

func TestLoadsAreAllOrNothing(t *testing.T) {
	s := open(t, t.TempDir()).Samples()
	_, _, err := fill(s, series(0, 5, 4))
	must(t, err)
	before, err := s.Stat()
	must(t, err)
	for want, all := range map[string][][]float32{
		"3 values where the set has 4": append(series(10, 3000, 4), series(1, 1, 3)...),
		"no values":                    append(series(10, 3000, 4), nil),
	} {
		if _, _, err := fill(s, all); err == nil || err.Error() != want {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	l, err := s.Begin()
	must(t, err)
	if _, err := s.Begin(); !errors.Is(err, ErrLoading) {
		t.Errorf("a second load: %v", err)
	}
	must(t, l.Add(series(99, 1, 4)[0]))
	must(t, l.flush())
	drawn, err := s.Draw(rand.New(rand.NewPCG(1, 2)), 100)
	must(t, err)
	if stat, err := s.Stat(); err != nil || !reflect.DeepEqual(stat, before) || len(drawn) != 5 {
		t.Errorf("while it is under way: %+v, %v, drew %d", stat, err, len(drawn))
	}
	must(t, walk(s))
	must(t, l.Abort())
	must(t, l.Abort())
	if _, err := l.Commit(); err == nil {
		t.Error("a load that was given up was committed")
	}
	if stat, err := s.Stat(); err != nil || !reflect.DeepEqual(stat, before) {
		t.Errorf("got %+v, %v, want %+v", stat, err, before)
	}
	empty := open(t, t.TempDir()).Samples()
	if _, _, err := fill(empty, [][]float32{{1, 2}, {1}}); err == nil || err.Error() != "1 values where the first sample has 2" {
		t.Errorf("got %v", err)
	}
}

// TestLoadIsBounded: MaxSamples and not one more.
func TestLoadIsBounded(t *testing.T) {
	s := open(t, t.TempDir()).Samples()
	_, _, err := fill(s, series(0, 3, 1))
	must(t, err)
	for more, want := range map[int]string{0: "", 1: "load data: over the bound of 100000 samples"} {
		l, err := s.Begin()
		must(t, err)
		must(t, l.sum.Merge(sumOf(t, series(0, MaxSamples-3-5, 1)))) // as if so many were there
		for _, sample := range series(0, 3+5+more, 1) {
			must(t, l.Add(sample))
		}
		if err = l.flush(); err == nil {
			must(t, l.Abort())
		} else {
			_, err = l.Commit()
		}
		if want == "" && err != nil || want != "" && (!errors.Is(err, ErrFull) || err.Error() != want) {
			t.Errorf("got %v, want %q", err, want)
		}
		if stat, err := s.Stat(); err != nil || stat.Count != 3 {
			t.Errorf("%+v, %v", stat, err)
		}
	}
}

// TestLoadFailsAtEveryStep: whatever step of a load fails, the next Open finds the set as it was, or as the load wanted it.
func TestLoadFailsAtEveryStep(t *testing.T) {
	for n := 1; ; n++ {
		path := t.TempDir()
		d := open(t, path)
		if n%2 == 0 {
			_, _, err := fill(d.Samples(), series(0, 5, 2))
			must(t, err)
		}
		before, err := d.Samples().Stat()
		must(t, err)
		count, name := 0, ""
		undo := InjectFaults(func(_, step string) error {
			if count++; count >= (n+1)/2 {
				if name == "" {
					name = step
				}
				return fmt.Errorf("no step after %s", name)
			}
			return nil
		})
		after, _, err := fill(d.Samples(), series(3, 7, 2))
		undo()
		must(t, d.Close())
		s := open(t, path).Samples()
		got, errAfter := s.Stat()
		must(t, errAfter)
		whole := before.Count + 5
		if before.Count == 0 {
			whole = 7
		}
		if got.Count != before.Count && got.Count != whole || err == nil && after.Count != whole {
			t.Fatalf("%s: %d samples, then %d (%v)", name, before.Count, got.Count, err)
		}
		must(t, walk(s))
		stray := 0
		must(t, s.use("count", func(d *Dir) error {
			return d.view(func(tx *bbolt.Tx) error {
				return tx.Bucket([]byte(bucketSamples)).ForEach(func(_, _ []byte) error { stray++; return nil })
			})
		}))
		if stray != got.Count {
			t.Fatalf("%s: %d samples in the file, %d count", name, stray, got.Count)
		}
		if err == nil && n%2 == 0 {
			return
		}
	}
}

// TestPassNoticesDamage: a sample that is not what was loaded, one that is gone, and one too many.
func TestPassNoticesDamage(t *testing.T) {
	for want, harm := range map[string]func(b *bbolt.Bucket, k, v []byte) error{
		"it is not what was loaded": func(b *bbolt.Bucket, k, v []byte) error {
			v = append([]byte(nil), v...)
			v[len(v)-1] ^= 1
			return b.Put(k, v)
		},
		"come to something else": func(b *bbolt.Bucket, k, _ []byte) error { return b.Delete(k) },
		"3 bytes":                func(b *bbolt.Bucket, k, _ []byte) error { return b.Put(k, []byte{0, 0, 0}) },
	} {
		s := open(t, t.TempDir()).Samples()
		_, _, err := fill(s, series(0, 50, 2))
		must(t, err)
		must(t, walk(s))
		must(t, s.inner.update("harm", func(tx *bbolt.Tx) error {
			b := tx.Bucket([]byte(bucketSamples))
			k, v := b.Cursor().Last()
			return harm(b, append([]byte(nil), k...), v)
		}))
		err = walk(s)
		if want == "3 bytes" {
			want = "49 samples" // what is too short counts for nothing
		}
		if err == nil || !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), StateFile) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestSamplesFileIsDamaged(t *testing.T) {
	path := t.TempDir()
	must(t, os.WriteFile(filepath.Join(path, SamplesFile), nil, 0o600))
	if _, err := open(t, path).Samples().Stat(); err == nil || err.Error() != "look at the data: samples.db: damaged: it is empty" {
		t.Errorf("got %v", err)
	}
	path = t.TempDir()
	d := open(t, path)
	_, _, err := fill(d.Samples(), series(0, 5, 2))
	must(t, err)
	must(t, d.Samples().inner.update("harm", func(tx *bbolt.Tx) error {
		return put(tx, bucketMeta, keySchema, binary.BigEndian.AppendUint32(nil, 2))
	}))
	must(t, d.Close())
	if _, err := open(t, path).Samples().Begin(); err == nil || !strings.Contains(err.Error(), "it has schema 2, this g2g knows 1") {
		t.Errorf("got %v", err)
	}
}
