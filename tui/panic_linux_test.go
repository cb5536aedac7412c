//go:build !race

// After a panic bubbletea closes what it still reads from, which the race detector now and then sees.

package tui

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"golang.org/x/sys/unix"

	"github.com/g2g-net/g2g/tui/ptytest"
)

// A panic in a view gives a real terminal back as it was: what is typed is echoed and comes in lines again.
func TestPanicOnATerminal(t *testing.T) {
	term := ptytest.Open(t, 80, 24)
	before := term.Mode()
	m := newModel(Options{Replay: opened(t, "well"), In: term.Inner, Out: term.Inner}, &look{})
	var fails atomic.Bool
	m.draw = func(s *scene) string {
		if fails.Load() {
			panic("a view failed")
		}
		return view(s)
	}
	ended := make(chan error, 1)
	go func() { ended <- m.run(t.Context()) }()
	term.Until("alive", 30*time.Second)
	if during := term.Mode(); during.Lflag&(unix.ECHO|unix.ICANON) != 0 {
		t.Error("the dashboard runs, and the terminal is not raw")
	}
	fails.Store(true)
	term.Type("j")
	if err := <-ended; !errors.Is(err, tea.ErrProgramPanic) {
		t.Errorf("ended with %v", err)
	}
	if after := term.Mode(); after != before {
		t.Errorf("the terminal is left as %+v, and was %+v", after, before)
	}
	const leave, cursor = `\x1b\[\?1049l`, `\x1b\[\?25h`
	term.Until("(?s)"+leave+".*"+cursor+"|"+cursor+".*"+leave, 30*time.Second)
}
