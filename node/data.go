package node

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/g2g-net/g2g/node/admin"
	"github.com/g2g-net/g2g/node/signature"
	"github.com/g2g-net/g2g/node/store"
)

// LoadData brings samples into the folder, all that next gives or none.
func (n *Node) LoadData(ctx context.Context, next func() (samples [][]float32, more bool, err error)) (loaded admin.Loaded, err error) {
	load, err := n.dir.Samples().Begin()
	if errors.Is(err, store.ErrLoading) {
		err = fmt.Errorf("%w: %w", admin.ErrBusy, err)
	}
	if err != nil {
		return loaded, err
	}
	for {
		samples, more, err := next()
		if err == nil {
			err = ctx.Err()
		}
		if err == nil && !more {
			break
		}
		for i := 0; err == nil && i < len(samples); i++ {
			err = add(load, samples[i])
		}
		if err != nil {
			if fault := load.Abort(); fault != nil {
				n.log.Error("a load was not given up", "error", fault)
			}
			return loaded, err
		}
	}
	stat, err := load.Commit()
	return admin.Loaded{Added: load.Added, Duplicates: load.Duplicate, Stat: statOf(stat)}, err
}

// add tells the caller's faults from the folder's.
func add(load *store.Load, sample []float32) error {
	if err := signature.CheckSample(sample, load.Dimension()); err != nil {
		return fmt.Errorf("load data: %w: %w", admin.ErrInvalid, err)
	}
	return load.Add(sample)
}

// DataStat tells how much data the folder has.
func (n *Node) DataStat(context.Context) (admin.DataStat, error) {
	stat, err := n.dir.Samples().Stat()
	return statOf(stat), err
}

func statOf(s store.Stat) admin.DataStat {
	return admin.DataStat{Count: s.Count, Dimension: s.Dimension, Bytes: s.Bytes}
}

// DrawData draws different samples at random.
func (n *Node) DrawData(_ context.Context, count int) ([][]float32, error) {
	return n.dir.Samples().Draw(rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())), count)
}
