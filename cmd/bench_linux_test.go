package cmd

import (
	"os"
	"testing"
	"time"
)

const netDev = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:    1000      10    0    0    0     0          0         0     3000      30    0    0    0     0       0          0
  eth0: 99999999   99999    0    0    0     0          0         0 99999999   99999    0    0    0     0       0          0
`

func TestParseLoopback(t *testing.T) {
	if bytes, packets, err := parseLoopback(netDev); bytes != 2000 || packets != 20 || err != nil {
		t.Errorf("%d, %d, %v", bytes, packets, err)
	}
	for _, text := range []string{"", "eth0: 1 2 3", "lo: 1 2 3", "lo: a b c d e f g h i j k"} {
		if _, _, err := parseLoopback(text); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
}

func TestParseProcessorTime(t *testing.T) {
	const stat = "4242 (g2g ) (x) S 1 4242 4242 0 -1 4194560 1500 0 0 0 120 34 0 0 20 0 9 0 1 2 3"
	if got, err := parseProcessorTime(stat); got != 1540*time.Millisecond || err != nil {
		t.Errorf("%s, %v", got, err)
	}
	for _, text := range []string{"", "1 (g2g", "1 (g2g) S 1 2", "1 (g2g) S 1 2 3 4 5 6 7 8 9 10 x y"} {
		if _, err := parseProcessorTime(text); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
}

func TestParseKeyed(t *testing.T) {
	const text = "Rss:   9000 kB\nPss:   4321 kB\nPss_Dirty:  1 kB\n"
	if got, err := parseKeyed([]byte(text), "Pss:"); got != 4321 || err != nil {
		t.Errorf("%d, %v", got, err)
	}
	for _, text := range []string{"", "Pss:", "Pss: many"} {
		if _, err := parseKeyed([]byte(text), "Pss:"); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
}

// This process has counters too.
func TestCountersOfAProcess(t *testing.T) {
	if _, _, err := loopbackCounters(); err != nil {
		t.Error(err)
	}
	if _, err := processorTime(os.Getpid()); err != nil {
		t.Error(err)
	}
	if n, err := wakeupsOf(os.Getpid()); n == 0 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := wakeupsOf(-1); err == nil {
		t.Error("no process has wake-ups")
	}
}
