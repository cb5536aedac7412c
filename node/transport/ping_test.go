package transport

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/g2g-net/g2g/node/latency"
)

// A caller is timed from an answer to the ping that brings its number back, and cannot seem nearer than it is: without the number, with a
// wrong one, or with one of before it is timed by nothing.
func TestPingsTimeTheCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p pings
		var told []time.Duration
		ping := func(after time.Duration, echo, number uint64) {
			time.Sleep(after)
			if rtts := p.next(time.Now(), echo, number); rtts != nil {
				told = append(told, rtts...)
				if len(rtts) != latency.Enough {
					t.Errorf("%d round trips at a time", len(rtts))
				}
			}
		}
		ping(0, 0, 11)
		ping(5*time.Millisecond, 11, 12)
		ping(6*time.Millisecond, 12, 13)
		ping(7*time.Millisecond, 13, 14)
		if want := []time.Duration{5 * time.Millisecond, 6 * time.Millisecond, 7 * time.Millisecond}; !slices.Equal(told, want) {
			t.Fatalf("told %v, want %v", told, want)
		}
		told = nil
		for number := uint64(20); number < 40; number += 4 {
			ping(time.Millisecond, 0, number)
			ping(time.Millisecond, number, number+1)
			ping(time.Millisecond, number, number+2)   // of before the last
			ping(time.Millisecond, number+9, number+3) // made up
		}
		if told != nil {
			t.Errorf("told %v of pings that brought nothing back", told)
		}
	})
}
