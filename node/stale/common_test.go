package stale

import (
	"testing"
	"time"

	"github.com/g2g-net/g2g/pki"
)

// A peer that has not shown its pace yet has the one that is common among the others, or what it declares where that is longer.
func TestCommonPace(t *testing.T) {
	d := NewDetector(DefaultConfig())
	newcomer := pki.ID{0xff}
	is := func(declared, want time.Duration) {
		t.Helper()
		if got := d.Own(newcomer, declared); got != want {
			t.Errorf("its pace is %s, want %s", got, want)
		}
	}
	for i := range commonSamples/2 - 1 {
		d.Completed(pki.ID{byte(i)}, 4*time.Second)
	}
	is(time.Second, time.Second) // too few to tell
	d.Completed(pki.ID{0xfe}, 4*time.Second)
	is(time.Second, 4*time.Second)
	is(0, 4*time.Second)
	is(time.Minute, time.Minute)
	for i := range commonSamples {
		d.Completed(pki.ID{byte(i)}, 2*time.Second) // and now news comes sooner
	}
	is(time.Second, 2*time.Second)
	for range paceLeast {
		d.Completed(newcomer, time.Second)
	}
	is(time.Minute, time.Second) // its own
	for range commonSamples/2 - 1 {
		d.Completed(pki.ID{1}, time.Hour) // fewer than half
	}
	d.Forget(newcomer)
	is(time.Second, 2*time.Second)
}
