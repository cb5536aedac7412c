package admin

import (
	"strings"
	"time"
)

// milli is Unix milliseconds; 0 for the zero time, which is never.
func milli(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// span is whole milliseconds. A clock that was set back between two readings makes no negative ages.
func span(d time.Duration) int64 { return max(0, d).Milliseconds() }

// fraction is milliseconds with their fraction.
func fraction(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// count is a number that is never negative and far below 2^32.
func count(n int) uint32 { return uint32(n) } //nolint:gosec // bounded by the view

// utf8Of is text that protobuf takes. Only texts that quote errors of others need it: names and labels are checked.
func utf8Of(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
