package cmd

import (
	"strings"
	"testing"
)

func TestBenchRefuses(t *testing.T) {
	for _, line := range []string{"--nodes 1", "--nodes 201", "--nodes x", "--seconds 0", "--seconds 3601", "--settle -1s", "--settle 2h", "-o name", "extra"} {
		if got := run(t, "", nil, append([]string{"bench"}, strings.Fields(line)...)...); got.code != exitUsage {
			t.Errorf("bench %s: exit %d, %s", line, got.code, got.err)
		}
	}
}
