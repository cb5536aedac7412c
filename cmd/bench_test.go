package cmd

import (
	"strings"
	"testing"
	"time"
)

func TestBenchRefuses(t *testing.T) {
	for _, line := range []string{"--nodes 1", "--nodes 201", "--nodes x", "--seconds 0", "--seconds 3601", "--settle -1s", "--settle 2h", "-o name", "extra"} {
		if got := run(t, "", nil, append([]string{"bench"}, strings.Fields(line)...)...); got.code != exitUsage {
			t.Errorf("bench %s: exit %d, %s", line, got.code, got.err)
		}
	}
}

func TestBenchDetectRefuses(t *testing.T) {
	for _, line := range []string{"--nodes 2", "--nodes 201", "--rounds 0", "--rounds 101", "--seconds 19", "--faults flood", "-o name", "extra"} {
		if got := run(t, "", nil, append([]string{"bench", "detect"}, strings.Fields(line)...)...); got.code != exitUsage {
			t.Errorf("bench detect %s: exit %d, %s", line, got.code, got.err)
		}
	}
}

// Of what nodes said in a minute, the part is counted in which they showed a peer as alive.
func TestShownAlive(t *testing.T) {
	from := time.Now()
	at := func(s int) time.Time { return from.Add(time.Duration(s) * time.Second) }
	tr := newTrial(&fleet{}, 3)
	tr.heard = []news{
		{node: 0, peer: 2, state: stateDead, at: at(5)}, {node: 0, peer: 2, state: stateAlive, at: at(15)}, {node: 0, peer: 2, state: stateLate, at: at(17)},
		{node: 1, peer: 0, state: stateDead, at: at(1)},
	}
	if got := tr.shownAlive(2, from, at(10), at(20)); got != 0.6 {
		t.Errorf("%v of the time, want 2 s of 10 at one node and all of them at the other", got)
	}
}
