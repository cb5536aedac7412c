package tui

import (
	"time"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"github.com/g2g-net/g2g/proto/adminpb"
)

// A model is what the program holds: the data as it came, and what the person at the keys has chosen.
type model struct {
	scene
	opt     Options
	again   func()                // tries the node now
	latest  *picture              // newer than what is shown, while paused
	behind  []*adminpb.Event      // all events; those shown stop where the pause began
	noteEnd time.Time             // when the note goes
	call    func(call) tea.Cmd    // acts on the node
	clockOf func() time.Time      // of the screen
	draw    func(s *scene) string // view, but for tests
	mouse   bool
}

func newModel(opt Options, look *look) *model {
	m := &model{opt: opt, clockOf: time.Now, draw: view, mouse: opt.Mouse}
	if opt.Zone != nil {
		m.clockOf = func() time.Time { return time.Now().In(opt.Zone) }
	}
	m.look, m.past = look, newHistory()
	m.ui.hidden = hiddenAtFirst
	m.ui.every, m.ui.actions = opt.Interval, opt.AllowActions
	m.ui.keys = newKeys(opt.AllowActions, opt.Controls)
	for _, c := range opt.Controls {
		m.ui.briefs = append(m.ui.briefs, c.Brief)
	}
	m.link = link{name: opt.Name, replay: opt.Replay != nil, try: 1}
	m.again, m.call = func() {}, func(call) tea.Cmd { return nil }
	m.now = m.clockOf()
	return m
}

type tickMsg struct{}

func tick() tea.Cmd { return tea.Tick(time.Second, func(time.Time) tea.Msg { return tickMsg{} }) }

// Init starts the clock.
func (m *model) Init() tea.Cmd { return tick() }

// View draws what is held.
func (m *model) View() string { return m.draw(&m.scene) }

// Update takes what came: data, a key, the time.
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	if !m.link.replay {
		m.now = m.clockOf()
	}
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.w, m.h = msg.Width, msg.Height
		m.follow()
	case tickMsg:
		if !m.clockOf().Before(m.noteEnd) {
			m.ui.note = ""
		}
		return m, tick()
	case pictureMsg:
		m.take(msg.s)
	case eventsMsg:
		m.hear(msg.events)
	case lostMsg:
		m.link.down, m.link.try, m.link.next = msg.why, msg.try, msg.next
	case endedMsg:
		m.link.ended = true
	case doneMsg:
		m.done(msg)
	case tea.KeyMsg:
		cmd := m.press(msg)
		return m, cmd
	case tea.MouseMsg:
		m.click(msg)
	}
	return m, nil
}

// take holds a picture: on the screen, or behind a paused one.
func (m *model) take(s *adminpb.Snapshot) {
	m.past.add(s)
	s.History = nil
	if m.link.replay {
		m.now = time.UnixMilli(s.GetTimeMs()).In(m.now.Location())
	}
	m.link.at, m.link.down = m.now, ""
	p := newPicture(s)
	if !m.ui.paused.IsZero() {
		m.latest = p
		m.ui.waiting++
		return
	}
	m.pic = p
	if m.ui.cursor == "" {
		if rows := m.rows(); len(rows) > 0 {
			m.ui.cursor = rows[0].GetId()
		}
	}
}

func (m *model) hear(events []*adminpb.Event) {
	m.behind = latest(append(m.behind, events...))
	if m.ui.paused.IsZero() {
		m.events = m.behind
		return
	}
}

// pause stops the screen, or lets it go on with what has come meanwhile.
func (m *model) pause() {
	if m.ui.paused.IsZero() {
		m.ui.paused, m.ui.waiting = m.now, 0
		m.events = m.behind[:len(m.behind):len(m.behind)]
		return
	}
	m.ui.paused = time.Time{}
	if m.latest != nil {
		m.pic, m.latest = m.latest, nil
	}
	m.events = m.behind
}

const (
	noteTime = 8 * time.Second
	// holdTime is how long the rows stay in their order after the cursor has moved.
	holdTime = 2 * time.Second
)

func (m *model) note(text string) {
	m.ui.note, m.ui.noteBad, m.noteEnd = text, false, m.clockOf().Add(noteTime)
}

func (m *model) fail(text string) {
	m.note(text)
	m.ui.noteBad = true
}

// hold keeps the rows in their order while the cursor moves.
func (m *model) hold() {
	rows := m.rows()
	m.ui.held = m.ui.held[:0]
	for _, p := range rows {
		m.ui.held = append(m.ui.held, p.GetId())
	}
	m.ui.until = m.now.Add(holdTime)
}

// move selects another row. The selection is an ID: it stays with its peer wherever that goes.
func (m *model) move(by int) {
	if m.ui.page == eventsPage {
		m.ui.eventTop = max(0, min(m.ui.eventTop+by, len(m.chosen(""))-1))
		return
	}
	m.hold()
	rows := m.rows()
	if len(rows) == 0 {
		return
	}
	at := place(rows, m.ui.cursor) + by
	m.ui.cursor = rows[min(max(at, 0), len(rows)-1)].GetId()
	m.follow()
}

// follow scrolls to where the cursor is.
func (m *model) follow() {
	rows := m.rows()
	m.ui.top = scroll(m.ui.top, place(rows, m.ui.cursor), tableHeight(&m.scene), len(rows))
}

// press does what a key is bound to.
func (m *model) press(k tea.KeyMsg) tea.Cmd {
	keys := m.ui.keys
	switch {
	case m.ui.prompt != nil:
		return m.ui.prompt.press(m, k)
	case key.Matches(k, keys.Quit):
		return tea.Quit
	case m.ui.choosing && m.choose(k):
		return nil
	case key.Matches(k, keys.Back):
		m.back()
		return nil
	case key.Matches(k, keys.Help):
		m.ui.help = !m.ui.help
		return nil
	}
	m.ui.help = false
	if m.pressMove(k) || m.pressLook(k) {
		return nil
	}
	return m.pressDo(k)
}

// back goes one step back. It never quits.
func (m *model) back() {
	switch {
	case m.ui.help:
		m.ui.help = false
	case m.ui.choosing:
		m.ui.choosing = false
	case m.ui.page != overviewPage:
		m.ui.page = overviewPage
	case m.ui.zoom != noPanel:
		m.ui.zoom = noPanel
	case m.ui.filter != "":
		m.ui.filter = ""
	}
	m.follow()
}

func (m *model) pressMove(k tea.KeyMsg) bool {
	keys, screen := m.ui.keys, max(1, tableHeight(&m.scene)-1)
	if m.ui.page == eventsPage {
		screen = max(1, m.h-6)
	}
	const all = 1 << 30
	for _, of := range []struct {
		b  key.Binding
		by int
	}{
		{keys.Up, -1}, {keys.Down, 1}, {keys.Previous, -1}, {keys.Next, 1}, {keys.PageUp, -screen}, {keys.PageDown, screen},
		{keys.First, -all}, {keys.Last, all},
	} {
		if key.Matches(k, of.b) {
			m.move(of.by)
			return true
		}
	}
	return false
}

func (m *model) pressLook(k tea.KeyMsg) bool {
	keys, ui := m.ui.keys, &m.ui
	switch {
	case key.Matches(k, keys.Open):
		if ui.page == overviewPage && m.pic != nil && m.pic.byID[ui.cursor] != nil {
			ui.page = peerPage
		}
	case key.Matches(k, keys.Overview):
		ui.page = overviewPage
	case key.Matches(k, keys.Peer):
		ui.page = peerPage
	case key.Matches(k, keys.Events):
		ui.page, ui.eventTop = eventsPage, 0
	case key.Matches(k, keys.Pause):
		m.pause()
	case key.Matches(k, keys.Now):
		m.again()
	case key.Matches(k, keys.Filter):
		m.askFilter()
	case key.Matches(k, keys.Sort):
		ui.sort = (ui.sort + 1) % sortKeys
		ui.until = time.Time{}
	case key.Matches(k, keys.Reverse):
		ui.backward = !ui.backward
		ui.until = time.Time{}
	case key.Matches(k, keys.Columns):
		ui.choosing = true
	case key.Matches(k, keys.Zoom):
		ui.zoom = (ui.zoom + 1) % panelKinds
		ui.page = overviewPage
	case key.Matches(k, keys.In):
		ui.fitted, ui.back = true, max(0, ui.back-1)
	case key.Matches(k, keys.Out):
		ui.fitted, ui.back = false, min(len(spans)-1, ui.back+1)
	case key.Matches(k, keys.Serious):
		ui.serious = !ui.serious
	case key.Matches(k, keys.Kind):
		m.nextKind()
	default:
		return false
	}
	m.follow()
	return true
}

// nextKind goes through the kinds of events that there are, and then shows all again.
func (m *model) nextKind() {
	all := append(kinds(m.events), "")
	for i, kind := range all {
		if kind == m.ui.kind {
			m.ui.kind = all[(i+1)%len(all)]
			m.ui.eventTop = 0
			return
		}
	}
	m.ui.kind = ""
}

func (m *model) askFilter() {
	p := newPrompt("/", m.ui.filter)
	p.change = func(m *model, text string) {
		m.ui.filter, m.ui.until = text, time.Time{}
		if rows := m.rows(); len(rows) > 0 && m.ui.page == overviewPage {
			m.ui.cursor = rows[place(rows, m.ui.cursor)].GetId()
		}
		m.follow()
	}
	m.ui.prompt = p
}

// choose is a key while the columns are chosen; others than these close nothing and do their own work.
func (m *model) choose(k tea.KeyMsg) bool {
	switch {
	case key.Matches(k, m.ui.keys.Up):
		m.ui.choice = max(0, m.ui.choice-1)
	case key.Matches(k, m.ui.keys.Down):
		m.ui.choice = min(int(columnKinds)-1, m.ui.choice+1)
	case k.String() == " " || k.String() == "x":
		if columnKind(m.ui.choice) != nameColumn {
			m.ui.hidden[m.ui.choice] = !m.ui.hidden[m.ui.choice]
		}
	case key.Matches(k, m.ui.keys.Columns):
		m.ui.choosing = false
	default:
		return false
	}
	return true
}

// click selects the row under the mouse, and the wheel moves the selection.
func (m *model) click(e tea.MouseMsg) {
	switch e.Button {
	case tea.MouseButtonWheelUp:
		m.move(-1)
	case tea.MouseButtonWheelDown:
		m.move(1)
	case tea.MouseButtonLeft:
		if e.Action == tea.MouseActionPress {
			m.clickRow(e.X, e.Y)
		}
	default:
	}
}

func (m *model) clickRow(x, y int) {
	if m.pic == nil || m.ui.page != overviewPage || m.w < minWidth || m.h < minHeight {
		return
	}
	a := newCanvas(m.w, 0).area()
	a.y, a.h = 2, m.h-3
	panels := []placed{{m.ui.zoom, a}}
	if m.ui.zoom == noPanel {
		panels = overview(&m.scene, a)
	}
	for _, p := range panels {
		row := y - p.area.y - 2
		if p.kind != peersPanel || x < p.area.x || x >= p.area.x+p.area.w || row < 0 || row >= tableHeight(&m.scene) {
			continue
		}
		if rows := m.rows(); m.ui.top+row < len(rows) {
			m.hold()
			m.ui.cursor = rows[m.ui.top+row].GetId()
		}
	}
}
