package ptytest

import (
	"fmt"
	"os"
	"regexp"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"golang.org/x/sys/unix"
)

// A Terminal is a pseudo terminal: a program has the inner end, a test types and reads at the outer one.
type Terminal struct {
	Inner *os.File

	t     testing.TB
	outer *os.File

	mu   sync.Mutex
	text []byte
	more chan struct{} // closed and renewed with each text
}

// Open makes a terminal, which is closed with its test.
func Open(t testing.TB, columns, rows uint16) *Terminal {
	t.Helper()
	outer, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	term := &Terminal{t: t, outer: outer, more: make(chan struct{})}
	fd := int(outer.Fd())
	number, err := unix.IoctlGetUint32(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Col: columns, Row: rows})
	}
	if err == nil {
		term.Inner, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		term.read()
	}()
	t.Cleanup(func() {
		_ = term.Inner.Close() // then there is nothing to read any more
		<-ended
		_ = outer.Close()
	})
	return term
}

func (t *Terminal) read() {
	b := make([]byte, 1<<16)
	for {
		n, err := t.outer.Read(b)
		t.mu.Lock()
		t.text = append(t.text, b[:n]...)
		close(t.more)
		t.more = make(chan struct{})
		t.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// Attach says how a command is started on the terminal, as its own session.
func (t *Terminal) Attach() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: true, Setctty: true}
}

// Type presses keys.
func (t *Terminal) Type(keys string) {
	t.t.Helper()
	if _, err := t.outer.WriteString(keys); err != nil {
		t.t.Fatal(err)
	}
}

// Until waits for text, with or without what colours and places it, and forgets all that came up to there.
func (t *Terminal) Until(pattern string, limit time.Duration) {
	t.t.Helper()
	want := regexp.MustCompile(pattern)
	over := time.After(limit)
	for {
		t.mu.Lock()
		seen, more := ansi.Strip(string(t.text)), t.more
		found := want.MatchString(seen) || want.Match(t.text)
		if found {
			t.text = nil
		}
		t.mu.Unlock()
		if found {
			return
		}
		select {
		case <-more:
		case <-over:
			t.t.Fatalf("%q not seen within %s on\n%s", pattern, limit, seen)
		}
	}
}

// Mode is how the terminal treats what is typed and written.
func (t *Terminal) Mode() unix.Termios {
	t.t.Helper()
	mode, err := unix.IoctlGetTermios(int(t.outer.Fd()), unix.TCGETS)
	if err != nil {
		t.t.Fatal(err)
	}
	return *mode
}
