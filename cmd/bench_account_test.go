package cmd

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestShareAddsUp(t *testing.T) {
	start := time.Unix(1_800_000_000, 0)
	first := tally{at: start, sum: map[string]uint64{"loop_timers": 10, "saves": 7}}
	last := tally{at: start.Add(10 * time.Second), sum: map[string]uint64{
		"loop_timers": 50, "saves": 7, "socket_reads": 60, "handshake_reads": 20, "socket_written_bytes": 8000, "handshake_written_bytes": 1000,
		"asked Exchange": 20, "asked_sent_bytes Exchange": 4000, "answered Exchange": 20, "answered_sent_bytes Exchange": 2000,
		"answered_received_bytes Exchange": 4000, "asked_received_bytes Exchange": 2000,
	}}
	b := benchView{Account: last.since(first, 20), SentBytesS: 600, WakeupsS: 12}
	if _, ok := b.Account["saves"]; ok {
		t.Error("what did not grow is told")
	}
	b.Share = b.share()
	if want := (shareView{Messages: 300, Framing: 100, Handshake: 50, Link: 150, Reads: 4, Timers: 2, Handing: 6}); b.Share != want {
		t.Errorf("%+v, want %+v", b.Share, want)
	}
	s := b.Share
	if bytes, wakeups := s.Messages+s.Framing+s.Handshake+s.Link, s.Reads+s.Timers+s.Handing; math.Abs(bytes-b.SentBytesS)+math.Abs(wakeups-b.WakeupsS) > 1e-9 {
		t.Errorf("the parts are %v bytes and %v wake-ups", bytes, wakeups)
	}
	var text strings.Builder
	for _, f := range accountFields(b) {
		text.WriteString(f.label + ": " + f.value + "\n")
	}
	if want := "Exchange: asked 1.00/s (200 B out, 100 B back), answered 1.00/s (200 B in, 100 B back)\n"; !strings.HasSuffix(text.String(), want) {
		t.Errorf("%s", text.String())
	}
}
