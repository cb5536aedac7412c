package tui

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// BenchmarkView1000 is a view of a thousand peers. It tells the processor's time, too: that is not of what else runs.
func BenchmarkView1000(b *testing.B) {
	m := replayed(b, thousand(), Size{120, 36})
	m.look = coloured(b)
	b.ReportAllocs()
	before := processorTime(b)
	for b.Loop() {
		view(&m.scene)
	}
	b.ReportMetric(float64((processorTime(b)-before).Microseconds())/1000/float64(b.N), "cpu-ms/op")
}

func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var used unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
