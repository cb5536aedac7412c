package cmd

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestRotationCostsNoCallOfProcesses: six programs, each a process with a node and a service of its own, call each other without a
// pause, while their leaves rotate every few seconds and their connections are made anew. No unary call fails, without a retry
// by its caller; streams are cut and begun anew. ROTATE_SECONDS sets for how long; a busy machine gets more until enough went on.
func TestRotationCostsNoCallOfProcesses(t *testing.T) {
	seconds := envInt(t, "ROTATE_SECONDS", 15)
	sites := make([]*site, 6)
	for i := range sites {
		sites[i] = newSite(t, fmt.Sprint("n", i))
		sites[i].program = "g2g-echo"
	}
	network(t, sites)
	const most = 5
	var sum loadView
	rotations, rounds, enough := 0, 0, false
	for ; !enough && rounds < most; rounds++ {
		beginLoad(t, sites)
		rotations += rotateInTurn(sites, time.Duration(seconds)*time.Second)
		sum = endLoad(t, sites)
		enough = sum.Calls > 0 && sum.Messages > 0 && sum.Cuts > 0 && sum.Connections > 30 && sum.Leaves > 30
	}
	await(t, sites, "alive==5")
	t.Logf("%d s: %d unary calls, %d failed, at most %.0f ms late; %d messages on streams, which were cut %d times; %d rotations; "+
		"calls came with %d leaves on %d connections (30 are the least)",
		rounds*seconds, sum.Calls, sum.Failed, sum.LatestMS, sum.Messages, sum.Cuts, rotations, sum.Leaves, sum.Connections)
	if !enough {
		t.Error("too little went on to prove anything")
	}
	for _, s := range sites {
		s.stop()
	}
}

// beginLoad has each program call all others.
func beginLoad(t *testing.T, sites []*site) {
	t.Helper()
	for i, s := range sites {
		var others []string
		for k, other := range sites {
			if k != i {
				others = append(others, other.name)
			}
		}
		if _, err := fmt.Fprintln(s.in, "load", strings.Join(others, " ")); err != nil {
			t.Fatal(err)
		}
	}
}

// endLoad ends the calls, and tells what all of them since the first came to.
func endLoad(t *testing.T, sites []*site) (sum loadView) {
	t.Helper()
	for _, s := range sites {
		if _, err := fmt.Fprintln(s.in, "end"); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range sites {
		var v loadView
		line, err := s.out.ReadBytes('\n')
		if err == nil {
			err = json.Unmarshal(line, &v)
		}
		if err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		for _, fault := range v.Faults {
			t.Errorf("%s: %s", s.name, fault)
		}
		sum.Calls, sum.Failed, sum.Messages, sum.Cuts = sum.Calls+v.Calls, sum.Failed+v.Failed, sum.Messages+v.Messages, sum.Cuts+v.Cuts
		sum.Leaves, sum.Connections, sum.LatestMS = sum.Leaves+v.Leaves, sum.Connections+v.Connections, max(sum.LatestMS, v.LatestMS)
	}
	return sum
}

// rotateInTurn rotates a leaf every half second.
func rotateInTurn(sites []*site, long time.Duration) (rotations int) {
	ticks := time.NewTicker(500 * time.Millisecond)
	defer ticks.Stop()
	for end := time.Now().Add(long); time.Now().Before(end); <-ticks.C {
		sites[rotations%len(sites)].ask(func(ctx context.Context, c *client) error {
			_, err := c.Rotate(ctx, false)
			return err
		})
		rotations++
	}
	return rotations
}
