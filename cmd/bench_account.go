package cmd

import (
	"context"
	"fmt"
)

// An account is what nodes counted themselves, summed over all of them: by counter, and by method where it is about one.
type account map[string]uint64

func (a account) add(counters []counterView) {
	for _, c := range counters {
		a[c.key()] += c.Value
	}
}

// account asks every node for its counters.
func (b *fleet) account(ctx context.Context) (account, error) {
	sum := account{}
	for _, v := range b.nodes {
		node, err := dial(ctx, v.dir)
		if err != nil {
			return nil, err
		}
		counters, _, err := node.Counters(ctx)
		node.Close()
		if err != nil {
			return nil, fmt.Errorf("ask %s for its counters: %w", v.name, err)
		}
		sum.add(counters)
	}
	return sum, nil
}
