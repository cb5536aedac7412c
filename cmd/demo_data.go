package cmd

import (
	"context"
	"fmt"
	"math/rand/v2"
)

const (
	demoSamples   = 400 // of each node
	demoDimension = 4
	// demoApart is how far the means of regions are from each other, in standard deviations of what lies in one.
	demoApart = 0.6
)

// fill gives a node samples, unless its folder has some: those of a region are alike, those of regions are not.
func (d *demo) fill(ctx context.Context, node *demoNode) error {
	stat, err := node.node.DataStat(ctx)
	if err != nil || stat.Count > 0 {
		return err
	}
	rest := d.net.samples(node.index, demoSamples)
	_, err = node.node.LoadData(ctx, func() ([][]float32, bool, error) {
		now := rest
		rest = nil
		return now, now != nil, nil
	})
	if err != nil {
		return fmt.Errorf("load samples: %w", err)
	}
	return nil
}

// samples are those of a node, the same for the same seed.
func (n *demoNet) samples(place, count int) [][]float32 {
	region := rand.New(rand.NewPCG(n.seed, uint64(n.region(place))))                //nolint:gosec // a place is small
	itself := rand.New(rand.NewPCG(n.seed, uint64(maxRegions)+1+uint64(place)<<32)) //nolint:gosec // a place is small
	var mean [demoDimension]float64
	for i := range mean {
		mean[i] = demoApart * region.NormFloat64()
	}
	out := make([][]float32, count)
	for i := range out {
		out[i] = make([]float32, demoDimension)
		for k := range out[i] {
			out[i][k] = float32(mean[k] + itself.NormFloat64())
		}
	}
	return out
}
