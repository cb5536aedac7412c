package admin

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/g2g-net/g2g/proto/adminpb"
)

func TestWatchBringsTheLastMinute(t *testing.T) {
	w := newWorld(t)
	synctest.Test(t, func(t *testing.T) {
		node := &fakeNode{picture: w.picture(t)}
		ring := NewRing()
		s := service{node: node, ring: ring, past: newHistory()}
		p := node.picture
		for range 3 * HistorySize {
			p.Now, p.Gossip.At = p.Now.Add(time.Second), p.Gossip.At.Add(time.Second)
			s.past.add(p)
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

func TestHistoryHasGaps(t *testing.T) {
	w := newWorld(t)
	h, p := newHistory(), w.picture(t)
	h.add(p)
	gone := p.Gossip.Peers[0].ID
	later := *p.Gossip
	later.Peers = later.Peers[1:]
	p.Gossip, p.Now = &later, p.Now.Add(3*time.Second)
	h.add(p)
	past := h.past(HistorySize)
	if len(past.GetMeanDistance()) != 4 || len(past.GetPeers()) != len(later.Peers) {
		t.Fatalf("after four slots: %v", past)
	}
	for _, of := range past.GetPeers() {
		a := of.GetAgeMs()
		if of.GetId() == gone.String() || math.IsNaN(float64(a[0])) || !math.IsNaN(float64(a[1])) || !math.IsNaN(float64(a[2])) || math.IsNaN(float64(a[3])) {
			t.Errorf("%s: ages %v", of.GetId(), a)
		}
	}
	p.Now = p.Now.Add(-time.Hour)
	if h.add(p); len(h.past(HistorySize).GetMeanDistance()) != 1 {
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

// A picture shares the contacts with the machine, so a sample changes nothing in it.
func TestSamplesLeaveThePictureAlone(t *testing.T) {
	w := newWorld(t)
	p := w.picture(t)
	newHistory().add(p)
	for _, peer := range p.Gossip.Peers {
		if peer.Chain.IsZero() {
			t.Errorf("the chain of %s is gone", peer.Name)
		}
	}
	if p.Chain.IsZero() {
		t.Error("the node's own chain is gone")
	}
}
