package tui

import (
	"strings"

	tea "github.com/charmbracelet/bubbletea"
)

// type_ presses keys by their names.
func type_(m *model, keys string) {
	for _, k := range strings.Fields(keys) {
		m.Update(keyOf(k))
	}
}

func keyOf(k string) tea.KeyMsg {
	for t, name := range map[tea.KeyType]string{
		tea.KeyEnter: "enter", tea.KeyEsc: "esc", tea.KeyUp: "up", tea.KeyDown: "down", tea.KeyCtrlC: "ctrl+c", tea.KeyPgDown: "pgdown",
		tea.KeyPgUp: "pgup", tea.KeyBackspace: "backspace", tea.KeyCtrlS: "ctrl+s",
	} {
		if name == k {
			return tea.KeyMsg{Type: t}
		}
	}
	if k == "space" {
		return tea.KeyMsg{Type: tea.KeySpace, Runes: []rune{' '}}
	}
	return tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(k)}
}
