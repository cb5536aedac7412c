package node

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/g2g-net/g2g/node/admin"
	"github.com/g2g-net/g2g/node/config"
	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/store"
	"github.com/g2g-net/g2g/pki"
)

// loads brings samples in, in two batches.
func (a *actor) loads(samples ...[]float32) (admin.Loaded, error) {
	batches := [][][]float32{samples[:len(samples)/2], samples[len(samples)/2:]}
	return a.LoadData(context.Background(), func() ([][]float32, bool, error) {
		if len(batches) == 0 {
			return nil, false, nil
		}
		batch := batches[0]
		batches = batches[1:]
		return batch, true, nil
	})
}

// of is what the node knows of a peer; nil where it lists none.
func (a *actor) of(t *testing.T, id pki.ID) *gossip.Peer {
	t.Helper()
	p, err := a.Picture(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, peer := range p.Gossip.Peers {
		if peer.ID == id {
			return &peer
		}
	}
	return nil
}

func (a *actor) sequence(t *testing.T) uint64 {
	t.Helper()
	s, err := a.ShowSignature(context.Background(), pki.ID{})
	if err != nil {
		t.Fatal(err)
	}
	return s.Sequence
}

func TestDamagedDataStopTheBeat(t *testing.T) {
	inWorld(t, time.Millisecond, func(w *world) {
		a := w.founder()
		defer a.halt()
		loaded, err := a.loads([]float32{1, 2}, []float32{1, 2}, []float32{3, 12345.678})
		if err != nil || loaded.Added != 2 || loaded.Duplicates != 1 || loaded.Stat.Count != 2 {
			t.Fatalf("%+v, %v", loaded, err)
		}
		before := a.sequence(t)
		w.pass(5 * time.Second)
		if after := a.sequence(t); after < before+4 || after > before+6 {
			t.Errorf("in 5 s the beat went from %d to %d", before, after)
		}
		s, err := a.ShowSignature(context.Background(), pki.ID{})
		if err != nil || s.Count != 2 || s.Mean[0] != 2 {
			t.Fatalf("%+v, %v", s, err)
		}
		file := filepath.Join(a.dir, store.SamplesFile)
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		value := binary.BigEndian.AppendUint32(nil, math.Float32bits(12345.678))
		if bytes.Count(b, value) == 0 {
			t.Fatal("the sample is not in the file")
		}
		f, err := os.OpenFile(file, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		for i := range b {
			if bytes.HasPrefix(b[i:], value) {
				if _, err := f.WriteAt([]byte{^value[0]}, int64(i)); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		w.pass(2 * time.Second)
		before = a.sequence(t)
		w.pass(10 * time.Second)
		if after := a.sequence(t); after != before {
			t.Errorf("with a sample that is not what was loaded the beat goes from %d to %d", before, after)
		}
	})
}

// TestApplicationPublishes: a node whose signature is an application's is what the application makes it.
func TestApplicationPublishes(t *testing.T) {
	inWorld(t, time.Millisecond, func(w *world) {
		a := w.founder()
		b := w.joinerWith(1, a, func(b *actor) { b.cfg.Signature.Source = config.SourceApplication })
		defer haltAll([]*actor{a, b})
		samples := make([][]float32, 3)
		for i := range samples {
			samples[i] = make([]float32, 300)
			samples[i][i] = float32(i)
		}
		if _, err := a.loads(samples...); err != nil {
			t.Fatal(err)
		}
		w.pass(5 * time.Second)
		if b.sequence(t) != 0 || a.of(t, b.ID()) != nil {
			t.Error("it was taken for alive before its application published")
		}
		mean, histogram := make([]float64, 300), make([]float64, 64)
		mean[0], histogram[0] = 3, 1
		publish := func() {
			if _, err := b.Publish(context.Background(), mean, histogram, 9); err != nil {
				t.Fatal(err)
			}
		}
		for range 10 {
			publish()
			w.pass(time.Second)
		}
		peer := a.of(t, b.ID())
		if peer == nil || !peer.Comparable || peer.Distance <= 0 || len(peer.Summary.Mean) != 128 {
			t.Fatalf("%+v", peer)
		}
		s, err := a.ShowSignature(context.Background(), b.ID())
		if err != nil || s.IsShort() || len(s.Mean) != 300 || s.Mean[0] != 3 || s.Count != 9 || !s.Comparable || math.Abs(s.Distance-peer.Distance) > 0.1 {
			t.Errorf("%+v, %v", s, err)
		}
		w.pass(8 * time.Second)
		if peer := a.of(t, b.ID()); peer.Age < 8*time.Second {
			t.Errorf("8 s after its last publication it is %s old", peer.Age)
		}
		for _, refused := range []func() error{
			func() error {
				_, err := b.Publish(context.Background(), make([]float64, 10_000), histogram, 9)
				return err
			},
			func() error {
				_, err := b.Publish(context.Background(), []float64{math.NaN()}, histogram, 9)
				return err
			},
			func() error { _, err := a.Publish(context.Background(), mean, histogram, 9); return err },
		} {
			if err := refused(); !errors.Is(err, admin.ErrInvalid) {
				t.Errorf("got %v", err)
			}
		}
		publish()
		if _, err := b.Publish(context.Background(), mean, histogram, 9); !errors.Is(err, admin.ErrBusy) {
			t.Errorf("at the same moment: %v", err)
		}
		if _, err := a.ShowSignature(context.Background(), pki.ID{1}); !errors.Is(err, admin.ErrInvalid) {
			t.Errorf("nobody: %v", err)
		}
	})
}
