package admin

import (
	"strings"
	"testing"
	"time"

	"github.com/g2g-net/g2g/node/gossip"
)

func notice(detail string) gossip.Notice {
	return gossip.Notice{Kind: gossip.KindAlive, Severity: gossip.Info, Detail: detail}
}

func seqs(events []Event) (first, last uint64, count int) {
	if len(events) == 0 {
		return 0, 0, 0
	}
	return events[0].Seq, events[len(events)-1].Seq, len(events)
}

func wantSeqs(t *testing.T, events []Event, first, last uint64) {
	t.Helper()
	if f, l, n := seqs(events); f != first || l != last || first > 0 && n != int(last-first+1) {
		t.Fatalf("%d events %d to %d, want %d to %d", n, f, l, first, last)
	}
	for i, e := range events {
		if e.Seq != first+uint64(i) {
			t.Fatalf("event %d has seq %d", i, e.Seq)
		}
	}
}

func TestRingKeepsTheLatest(t *testing.T) {
	r := NewRing()
	wantSeqs(t, r.Since(0, noon), 0, 0)
	for i := range 3 {
		r.Add(noon.Add(time.Duration(i)*time.Second), notice(""))
	}
	wantSeqs(t, r.Since(0, noon), 1, 3)
	for range RingSize {
		r.Add(noon, notice(""))
	}
	wantSeqs(t, r.Since(0, noon), 4, RingSize+3)
	if len(r.events) != RingSize {
		t.Errorf("%d events are kept", len(r.events))
	}
}

func TestRingSince(t *testing.T) {
	r := NewRing()
	for i := range 10 {
		r.Add(noon.Add(time.Duration(i)*time.Second), notice(""))
	}
	now := noon.Add(9 * time.Second)
	wantSeqs(t, r.Since(3*time.Second, now), 8, 10) // 2 s, 1 s and 0 s old; the one of 3 s is not younger
	wantSeqs(t, r.Since(time.Hour, now), 1, 10)
	wantSeqs(t, r.Since(time.Nanosecond, now.Add(time.Minute)), 0, 0)
}

func TestRingNext(t *testing.T) {
	r := NewRing()
	for range RingSize + 5 {
		r.Add(noon, notice(""))
	}
	for _, c := range []struct {
		name              string
		seq               uint64
		limit             int
		first, last, gone uint64
	}{
		{"from before the oldest", 2, 4, 6, 9, 3},
		{"right before the oldest", 5, 4, 6, 9, 0},
		{"in the middle", 100, 1, 101, 101, 0},
		{"over the seam", RingSize - 1, 3, RingSize, RingSize + 2, 0},
		{"the last ones", RingSize + 3, 100, RingSize + 4, RingSize + 5, 0},
		{"after the last", RingSize + 5, 100, 0, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			events, gone, _ := r.next(c.seq, c.limit)
			wantSeqs(t, events, c.first, c.last)
			if gone != c.gone {
				t.Errorf("%d are gone, want %d", gone, c.gone)
			}
		})
	}
}

func TestRingTellsOfMore(t *testing.T) {
	r := NewRing()
	_, _, more := r.next(0, 1)
	select {
	case <-more:
		t.Fatal("there is nothing")
	default:
	}
	r.Add(noon, notice(""))
	<-more
}

func TestRingBoundsDetails(t *testing.T) {
	r := NewRing()
	r.Add(noon, notice(strings.Repeat("x", MaxDetail+1)))
	r.Add(noon, notice("bad \xff"))
	events := r.Since(0, noon)
	if got := len(events[0].Detail); got != MaxDetail {
		t.Errorf("%d bytes are kept", got)
	}
	if got := events[1].Detail; got != "bad \uFFFD" {
		t.Errorf("detail %q", got)
	}
}
