package admin

import (
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/adminpb"
)

func TestWatchBringsTheLastMinute(t *testing.T) {
	w := newWorld(t)
	synctest.Test(t, func(t *testing.T) {
		node := &fakeNode{picture: w.picture(t)}
		ring := NewRing()
		s := service{node: node, ring: ring, past: NewHistory()}
		p := node.picture
		for i := range 3 * HistorySize {
			s.past.Add(p.Now.Add(time.Duration(i)*time.Second), readingsOf(p))
		}
		stream := newStream[adminpb.Snapshot](t.Context())
		end := started(func() error {
			return s.Watch(&adminpb.WatchRequest{HistoryMs: 30_000, IntervalMs: 1500}, stream)
		})
		first := <-stream.out
		began := time.Now()
		if h := first.GetHistory(); h.GetStepMs() != 1000 || len(h.GetPeers()) != len(p.Gossip.Peers) || len(h.GetMeanDistance()) != 30 {
			t.Fatalf("the first picture has the history %v", h)
		}
		for _, of := range first.GetHistory().GetPeers() {
			if len(of.GetAgeMs()) != 30 || len(of.GetLatencyMs()) != 30 || math.IsNaN(float64(of.GetAgeMs()[29])) {
				t.Errorf("%s has the ages %v and latencies %v", of.GetId(), of.GetAgeMs(), of.GetLatencyMs())
			}
		}
		node.turn.Add(1)
		if second := <-stream.out; second.GetHistory() != nil || time.Since(began) != 1500*time.Millisecond {
			t.Errorf("the second picture came after %s with history %v", time.Since(began), second.GetHistory())
		}
		ring.Close()
		if err := <-end; err != nil {
			t.Error(err)
		}
	})
}

// readingsOf are ordered by ID, as a Machine gives them.
func readingsOf(p Picture) (out []gossip.Reading) {
	for _, peer := range p.Gossip.Peers {
		out = append(out, gossip.Reading{ID: peer.ID, Age: peer.Age, Latency: peer.Path.Distance, Distance: peer.Distance, Comparable: peer.Comparable})
	}
	slices.SortFunc(out, func(a, b gossip.Reading) int { return a.ID.Compare(b.ID) })
	return out
}

func TestHistoryHasGaps(t *testing.T) {
	p := newWorld(t).picture(t)
	h, all, now := NewHistory(), readingsOf(p), p.Now
	h.Add(now, all)
	h.Add(now.Add(3*time.Second), all[1:])
	past := h.past(HistorySize)
	if len(past.GetMeanDistance()) != 4 || len(past.GetPeers()) != len(all)-1 {
		t.Fatalf("after four slots: %v", past)
	}
	for _, of := range past.GetPeers() {
		a := of.GetAgeMs()
		if of.GetId() == all[0].ID.String() || math.IsNaN(float64(a[0])) || !math.IsNaN(float64(a[1])) || !math.IsNaN(float64(a[2])) || math.IsNaN(float64(a[3])) {
			t.Errorf("%s: ages %v", of.GetId(), a)
		}
	}
	if h.Add(now.Add(-time.Hour), all); len(h.past(HistorySize).GetMeanDistance()) != 1 {
		t.Error("a clock that was set back begins a new history")
	}
}

func TestWatchRequests(t *testing.T) {
	for _, c := range []struct {
		history, interval int64
		past              int
		every             time.Duration
	}{
		{0, 0, 0, watchInterval}, {60_000, 1000, 60, time.Second}, {math.MaxInt64, math.MaxInt64, HistorySize, maxWatchInterval}, {999, 1, 0, watchInterval},
	} {
		past, every, err := watchRequest(&adminpb.WatchRequest{HistoryMs: c.history, IntervalMs: c.interval})
		if err != nil || past != c.past || every != c.every {
			t.Errorf("%d, %d: %d, %s, %v", c.history, c.interval, past, every, err)
		}
	}
	if _, _, err := watchRequest(&adminpb.WatchRequest{HistoryMs: -1}); err == nil {
		t.Error("a negative time is taken")
	}
}

// Fallen peers have series and no part in the mean.
func TestMeanIsOverThoseWhoCount(t *testing.T) {
	h, now := NewHistory(), time.Unix(1000, 0)
	h.Add(now, []gossip.Reading{
		{ID: pki.ID{1}, Distance: 2, Comparable: true, Counts: true}, {ID: pki.ID{2}, Distance: 4, Comparable: true, Counts: true},
		{ID: pki.ID{3}, Distance: 100, Comparable: true}, {ID: pki.ID{4}, Counts: true},
	})
	past := h.past(1)
	if past.GetMeanDistance()[0] != 3 || len(past.GetPeers()) != 4 {
		t.Errorf("%v", past)
	}
	if h.Due(now.Add(999*time.Millisecond)) || !h.Due(now.Add(time.Second)) {
		t.Error("one sample a step")
	}
}
