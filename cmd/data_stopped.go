package cmd

import (
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/g2g-net/g2g/node/store"
)

// withStoppedData uses the data of a folder in which no node runs. A folder that is none of a node's is left alone: then it is
// said that no node runs.
func withStoppedData(dir string, noNode error, use func(dataFolder) error) error {
	if _, err := os.Lstat(filepath.Join(dir, stateFile)); errors.Is(err, fs.ErrNotExist) {
		return noNode
	}
	d, err := store.Open(dir)
	if err != nil {
		return busyHint(err)
	}
	return errors.Join(use(stoppedData{d.Samples()}), d.Close())
}

type stoppedData struct{ samples *store.Samples }

func (s stoppedData) Stat(context.Context) (dataView, error) {
	stat, err := s.samples.Stat()
	return dataView{Count: stat.Count, Dimension: stat.Dimension, Bytes: stat.Bytes}, err
}

func (s stoppedData) Draw(_ context.Context, n int) ([][]float32, error) {
	return s.samples.Draw(rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())), n)
}

func (s stoppedData) Begin(context.Context) (dataLoad, error) {
	load, err := s.samples.Begin()
	if err != nil {
		return nil, err
	}
	return stoppedLoad{load}, nil
}

type stoppedLoad struct{ *store.Load }

func (l stoppedLoad) Commit() (loadedView, error) {
	stat, err := l.Load.Commit()
	return loadedView{Added: l.Added, Duplicates: l.Duplicate, Count: stat.Count, Dimension: stat.Dimension, Bytes: stat.Bytes}, err
}
