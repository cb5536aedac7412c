package cmd

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// watched runs work of five seconds in three steps and returns what stderr got.
func watched(t *testing.T, term terminal) string {
	var err strings.Builder
	synctest.Test(t, func(t *testing.T) {
		term.err = &err
		p := term.Progress("one")
		defer p.End()
		time.Sleep(time.Second)
		p.Step("two")
		time.Sleep(2 * time.Second)
		p.Step("three\x1b")
		p.Step("three\x1b")
		time.Sleep(1500 * time.Millisecond)
		p.End()
		p.Step("too late")
	})
	return err.String()
}

func TestProgressIsALineAStepWithoutATerminal(t *testing.T) {
	if got, want := watched(t, terminal{}), "g2g: two (2.0s)\ng2g: three\\x1b (3.0s)\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestProgressRewritesOneLineOnATerminal(t *testing.T) {
	got := watched(t, terminal{live: true})
	if strings.Contains(got, "\n") || !strings.Contains(got, clearLine+"g2g: two (2.0s)") || !strings.HasSuffix(got, clearLine) {
		t.Errorf("%q: want lines that are rewritten and wiped", got)
	}
}

func TestProgressIsSilent(t *testing.T) {
	if got := watched(t, terminal{quiet: true}); got != "" {
		t.Errorf("with -q: %q", got)
	}
	synctest.Test(t, func(t *testing.T) {
		var err strings.Builder
		term := terminal{err: &err, live: true}
		p := term.Progress("short")
		time.Sleep(patience - time.Millisecond)
		p.End()
		if err.Len() > 0 {
			t.Errorf("short work showed %q", err.String())
		}
	})
}
