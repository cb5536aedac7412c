package tui

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"
)

// A panic in a view gives the terminal back: the main screen, and a cursor.
func TestPanicRestoresTheTerminal(t *testing.T) {
	var out bytes.Buffer
	silent, typed := io.Pipe()
	defer typed.Close()
	m := newModel(Options{Replay: opened(t, "well"), In: silent, Out: &out}, &look{})
	m.draw = func(*scene) string { panic("a view failed") }
	err := m.run(t.Context())
	if !errors.Is(err, tea.ErrProgramPanic) || !strings.HasPrefix(err.Error(), "the dashboard failed inside: ") {
		t.Errorf("ended with %v", err)
	}
	const enter, leave, cursor = "\x1b[?1049h", "\x1b[?1049l", "\x1b[?25h"
	text := out.String()
	if !strings.Contains(text, enter) || strings.LastIndex(text, leave) < strings.Index(text, enter) || !strings.HasSuffix(strings.TrimRight(text, "\r\n"), cursor) &&
		strings.LastIndex(text, cursor) < strings.Index(text, enter) {
		t.Errorf("the terminal was left so: %q", text)
	}
}
