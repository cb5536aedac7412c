package tui

import (
	tea "github.com/charmbracelet/bubbletea"
)

// A prompt asks for a word in the last line of the screen.
type prompt struct {
	label   string
	command string // the g2g command that it comes to; empty for none
	text    []rune
	asks    bool // for one key: only y is yes
	change  func(m *model, text string)
	done    func(m *model, text string) tea.Cmd
}

func newPrompt(label, text string) *prompt {
	return &prompt{label: label, text: []rune(text)}
}

func (p *prompt) draw(a area) {
	x := a.put(1, 0, bold, p.label)
	if p.asks {
		x = a.put(x+1, 0, bold|warn, "y")
		x = a.put(x, 0, plain, " yes, any other key no")
	} else {
		x = a.put(x, 0, plain, string(p.text))
		a.put(x, 0, bold, "█")
	}
	if p.command != "" && x+width(p.command)+3 < a.w {
		a.right(a.w-1, 0, dim, p.command)
	}
}

// press takes a key. Escape leaves everything as it is; Enter ends a text and is never a yes.
func (p *prompt) press(m *model, k tea.KeyMsg) tea.Cmd {
	if k.String() == "ctrl+c" {
		return tea.Quit
	}
	if p.asks {
		m.ui.prompt = nil
		if k.String() == "y" {
			return p.done(m, "y")
		}
		m.note("nothing was done")
		return nil
	}
	switch k.Type {
	case tea.KeyEsc:
		m.ui.prompt = nil
		if p.change != nil {
			p.change(m, "")
		}
		return nil
	case tea.KeyEnter:
		m.ui.prompt = nil
		if p.done != nil {
			return p.done(m, string(p.text))
		}
		return nil
	case tea.KeyBackspace:
		p.text = p.text[:max(0, len(p.text)-1)]
	case tea.KeyCtrlU:
		p.text = p.text[:0]
	case tea.KeyRunes, tea.KeySpace:
		p.text = append(p.text, k.Runes...)
		p.text = p.text[:min(len(p.text), maxText)]
	default:
		return nil
	}
	if p.change != nil {
		p.change(m, string(p.text))
	}
	return nil
}

// maxText bounds what is typed, in characters.
const maxText = 200
