package admin

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/g2g-net/g2g/proto/adminpb"
)

// started runs f, and gives its end.
func started(f func() error) <-chan error {
	end := make(chan error, 1)
	go func() { end <- f() }()
	return end
}

func TestWatchSkipsForASlowReader(t *testing.T) {
	w := newWorld(t)
	synctest.Test(t, func(t *testing.T) {
		node := &fakeNode{picture: w.picture(t)}
		step := func() {
			node.mu.Lock()
			defer node.mu.Unlock()
			node.picture.Now = node.picture.Now.Add(time.Second)
			node.turn.Add(1)
		}
		ctx, cancel := context.WithCancel(t.Context())
		stream := newStream[adminpb.Snapshot](ctx)
		s := service{node: node, ring: NewRing(), past: NewHistory()}
		end := started(func() error { return s.Watch(&adminpb.WatchRequest{}, stream) })

		first := (<-stream.out).GetTimeMs()
		step()
		time.Sleep(2 * watchInterval) // virtual, as all here: the second picture is drawn, and waits for its reader
		synctest.Wait()
		for range 100 {
			step()
			time.Sleep(watchInterval)
		}
		if got := (<-stream.out).GetTimeMs() - first; got != 1000 {
			t.Errorf("the second picture is %d ms after the first, want 1000", got)
		}
		if got := (<-stream.out).GetTimeMs() - first; got != 101_000 {
			t.Errorf("the third picture is %d ms after the first, want 101000: all between are skipped", got)
		}
		cancel()
		if err := <-end; !errors.Is(err, context.Canceled) {
			t.Errorf("ended with %v", err)
		}
	})
}

func TestWatchRate(t *testing.T) {
	w := newWorld(t)
	synctest.Test(t, func(t *testing.T) {
		node := &fakeNode{picture: w.picture(t)}
		stream := newStream[adminpb.Snapshot](t.Context())
		s := service{node: node, ring: NewRing(), past: NewHistory()}
		end := started(func() error { return s.Watch(&adminpb.WatchRequest{}, stream) })
		seen := 0
		read := started(func() error {
			for {
				select {
				case <-stream.out:
					seen++
				case <-s.ring.done:
					return nil
				}
			}
		})
		for range 1000 { // ten seconds of a change every 10 ms
			node.turn.Add(1)
			time.Sleep(10 * time.Millisecond)
		}
		synctest.Wait()
		if seen < 49 || seen > 51 {
			t.Errorf("%d pictures in 10 s, want 50", seen)
		}
		before := seen
		time.Sleep(watchInterval)
		synctest.Wait()
		last := seen // a change of the last moment
		time.Sleep(time.Hour)
		synctest.Wait()
		if last > before+1 || seen != last {
			t.Errorf("pictures of a node that does not change: %d, then %d, then %d", before, last, seen)
		}
		s.ring.Close()
		if err := errors.Join(<-end, <-read); err != nil {
			t.Error(err)
		}
	})
}

func TestFollowLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := service{ring: NewRing()}
		s.ring.Add(time.Now().Add(-time.Hour), notice("long ago"))
		s.ring.Add(time.Now().Add(-time.Second), notice("just now"))
		stream := newStream[adminpb.Event](t.Context())
		end := started(func() error {
			return s.Events(&adminpb.EventsRequest{Follow: true, SinceMs: 60_000}, stream)
		})
		if got := (<-stream.out).GetSeq(); got != 2 {
			t.Fatalf("the first event is %d, want 2: 1 is too old", got)
		}
		for seq := uint64(3); seq < 3+2*followBatch; seq++ {
			s.ring.Add(time.Now(), notice(""))
			if seq%3 == 0 { // falls behind, and has to catch up
				synctest.Wait()
			}
		}
		for seq := uint64(3); seq < 3+2*followBatch; seq++ {
			if got := (<-stream.out).GetSeq(); got != seq {
				t.Fatalf("event %d, want %d", got, seq)
			}
		}
		synctest.Wait()
		s.ring.Add(time.Now().Add(-time.Hour), notice("a clock was set back"))
		s.ring.Close()
		if got := (<-stream.out).GetSeq(); got != 3+2*followBatch {
			t.Errorf("the event that came with the end is %d", got)
		}
		if err := <-end; err != nil {
			t.Error(err)
		}
	})
}

func TestFollowTellsOfAGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := service{ring: NewRing()}
		for range RingSize + 7 { // what was dropped before a reader came is no gap
			s.ring.Add(time.Now(), notice(""))
		}
		ctx, cancel := context.WithCancel(t.Context())
		stream := newStream[adminpb.Event](ctx)
		end := started(func() error { return s.Events(&adminpb.EventsRequest{Follow: true}, stream) })
		if e := <-stream.out; e.GetSeq() != 8 || e.GetKind() == string(KindGap) {
			t.Fatalf("the first event is %v", e)
		}
		synctest.Wait() // a batch is taken, and its second event waits for the reader
		for range RingSize {
			s.ring.Add(time.Now(), notice(""))
		}
		for seq := uint64(9); seq < 8+followBatch; seq++ {
			if got := (<-stream.out).GetSeq(); got != seq {
				t.Fatalf("event %d, want %d", got, seq)
			}
		}
		e := <-stream.out
		// 8 to 7+followBatch came; the ring begins at RingSize+8.
		if e.GetKind() != string(KindGap) || e.GetSeq() != RingSize+7 || e.GetSeverity() != "warning" ||
			e.GetDetail() != "9744 events are missing: they came faster than they were read" {
			t.Errorf("the gap is %v", e)
		}
		if got := (<-stream.out).GetSeq(); got != RingSize+8 {
			t.Errorf("after the gap comes %d", got)
		}
		cancel()
		if err := <-end; !errors.Is(err, context.Canceled) {
			t.Errorf("ended with %v", err)
		}
	})
}
