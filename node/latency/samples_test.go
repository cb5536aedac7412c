package latency

import (
	"testing"
	"time"
)

const ms = time.Millisecond

var epoch = time.Unix(1_700_000_000, 0)

func TestEstimateIsByNearestRank(t *testing.T) {
	var s Samples
	if got := s.Estimate(epoch); got != (Estimate{}) {
		t.Fatalf("an estimate of nothing: %+v", got)
	}
	s.Add(epoch, 0)
	s.Add(epoch, -ms)
	if got := s.Estimate(epoch); got.N != 0 {
		t.Fatalf("a round trip of no time was taken: %+v", got)
	}
	for i := range 5 {
		s.Add(epoch.Add(time.Duration(i)*time.Second), time.Duration(5-i)*ms)
	}
	if got, want := s.Estimate(epoch), (Estimate{N: 5, Distance: ms, Median: 3 * ms, P99: 5 * ms, Spread: 3 * ms / 2}); got != want {
		t.Errorf("five round trips: %+v, want %+v", got, want)
	}
	for i := 6; i <= 20; i++ {
		s.Add(epoch.Add(time.Duration(i)*time.Second), time.Duration(i)*ms)
	}
	if got, want := s.Estimate(epoch), (Estimate{N: 20, Distance: 4 * ms, Median: 10 * ms, P99: 20 * ms, Spread: 6 * ms}); got != want {
		t.Errorf("twenty: %+v, want %+v", got, want)
	}
	s.Add(epoch.Add(time.Minute), 30*ms) // pushes out the first: 5 ms
	if got := s.Since(epoch); len(got) != Kept || got[0].RTT != 4*ms || got[Kept-1].RTT != 30*ms {
		t.Errorf("kept %v", got)
	}
	if got, want := s.Estimate(epoch.Add(20*time.Second)), (Estimate{N: 2, Distance: 20 * ms, Median: 20 * ms, P99: 30 * ms, Spread: 5 * ms}); got != want {
		t.Errorf("the last two: %+v, want %+v", got, want)
	}
}

func TestCountIsOfThoseSince(t *testing.T) {
	var s Samples
	for i := range 2 * Kept {
		for ago := range Kept + 2 {
			since := epoch.Add(time.Duration(i-ago) * time.Second)
			if got, want := s.Count(since), len(s.Since(since)); got != want || got != s.Estimate(since).N {
				t.Fatalf("%d taken: %d not older than %s, want %d", i, got, since.Sub(epoch), want)
			}
		}
		at := epoch.Add(time.Duration(i) * time.Second)
		if s.Add(at, ms); !s.Since(at)[0].At.Equal(at) {
			t.Fatalf("taken at %s, given back as of %s", at, s.Since(at)[0].At)
		}
	}
}

func TestPausesDoNotMoveTheDistance(t *testing.T) {
	var s Samples
	for i := range Kept {
		rtt := 10 * ms
		if i%4 != 0 { // three of four round trips wait for somebody's processor
			rtt = 300 * ms
		}
		s.Add(epoch, rtt)
	}
	if got := s.Estimate(epoch).Distance; got != 10*ms {
		t.Errorf("distance %s", got)
	}
}
