package tui

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// latency is a time on the wire, with two digits where they tell something.
func latency(ms float64) string {
	switch {
	case math.IsNaN(ms) || ms < 0:
		return "-"
	case ms < 1:
		return fmt.Sprintf("%.2fms", ms)
	case ms < 9.95:
		return fmt.Sprintf("%.1fms", ms)
	case ms < 999.5:
		return fmt.Sprintf("%.0fms", ms)
	case ms < 9950:
		return fmt.Sprintf("%.1fs", ms/1000)
	}
	return fmt.Sprintf("%.0fs", min(ms/1000, 1e6))
}

// span is how long something has been or will be, in one unit that is big enough.
func span(d time.Duration) string {
	switch {
	case d < 0:
		return "-" + span(-max(d, -math.MaxInt64))
	case d < 9950*time.Millisecond:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < 3*time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < 3*time.Hour:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d < 3*day:
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return fmt.Sprintf("%dd", d/day)
}

const day = 24 * time.Hour

// seconds is span without tenths: for clocks that tick once a second.
func seconds(d time.Duration) string {
	if d < 10*time.Second {
		return fmt.Sprintf("%ds", max(0, d/time.Second))
	}
	return span(d)
}

// uptime is a span in two units.
func uptime(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", max(0, d/time.Second))
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", d/time.Minute, d/time.Second%60)
	case d < day:
		return fmt.Sprintf("%dh%02dm", d/time.Hour, d/time.Minute%60)
	}
	return fmt.Sprintf("%dd%02dh", d/day, d/time.Hour%24)
}

func millis(ms int64) time.Duration {
	return time.Duration(min(max(ms, -maxMillis), maxMillis)) * time.Millisecond
}

const maxMillis = int64(math.MaxInt64 / time.Millisecond)

// distance is how far two signatures are apart.
func distance(d float64) string {
	if math.IsNaN(d) || d < 0 {
		return "-"
	}
	if d >= 9.995 {
		return fmt.Sprintf("%.0f", min(d, 99999))
	}
	return fmt.Sprintf("%.2f", d)
}

// fit cuts text to a width, and shows that it did.
func fit(text string, w int) string {
	if width(text) <= w {
		return text
	}
	n, end := 0, 0
	for i, r := range text {
		if n+runeWidth(r) > w-1 {
			break
		}
		n += runeWidth(r)
		end = i + len(string(r))
	}
	if w <= 0 {
		return ""
	}
	return text[:end] + "…"
}

// pad fills text up to a width, to the left of what follows.
func pad(text string, w int) string { return text + strings.Repeat(" ", max(0, w-width(text))) }

// count says how many of a thing there are.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// short is enough of an ID to tell it from the others on a screen; it is what PEER takes as a prefix.
func short(id string) string { return id[:min(len(id), 14)] }

// orNaN is a number that may be missing.
func orNaN(v *float64) float64 {
	if v == nil {
		return math.NaN()
	}
	return *v
}
