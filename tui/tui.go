// Package tui is the dashboard of a node: it draws what the admin API shows.
package tui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/g2g-net/g2g/proto/adminpb"
	"github.com/g2g-net/g2g/tui/quiet"
)

func init() { quiet.Restore() }

// Options are what a dashboard is made from.
type Options struct {
	Dial         Dial       // the node; nil with Replay
	Replay       *Recording // shown instead of a node
	Name         string     // of what is watched, for the time before it answers
	Dir          string     // for the commands that are shown: the node's folder; empty for the default one
	In           io.Reader
	Out          io.Writer
	Interval     time.Duration // least time between two pictures
	Theme        string        // one of Themes; empty for auto
	ASCII        bool
	Mouse        bool
	AllowActions bool
	Record       io.Writer // what comes is written there too; nil for nowhere
	Controls     []Control
	Zone         *time.Location // of the times on the screen; nil for the local one
}

// framesPerSecond bounds how often the screen is written: more is not seen.
const framesPerSecond = 12

// Run shows the dashboard until its reader quits or ctx ends; then it returns the cause of that.
func Run(ctx context.Context, opt Options) error {
	look, err := newLook(opt.Out, opt.Theme, opt.ASCII)
	if err != nil {
		return err
	}
	m := newModel(opt, look)
	if err := m.ui.keys.clash(); err != nil {
		return err
	}
	return m.run(ctx)
}

// run shows the model until its reader quits or ctx ends.
func (m *model) run(ctx context.Context) error {
	opt := m.opt
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	options := []tea.ProgramOption{
		tea.WithContext(ctx), tea.WithInput(opt.In), tea.WithOutput(opt.Out), tea.WithAltScreen(), tea.WithFPS(framesPerSecond),
		tea.WithoutSignalHandler(), // cmd has one for all commands
	}
	if opt.Mouse {
		options = append(options, tea.WithMouseCellMotion())
	}
	source := opt.Replay.run
	if opt.Replay == nil {
		l := newLive(opt.Dial, opt.Interval)
		m.again = func() {
			select {
			case l.again <- struct{}{}:
			default: // it is being tried already
			}
		}
		m.call = calling(ctx, opt.Dial)
		source = l.run
	}
	p := tea.NewProgram(m, options...)
	told := make(chan struct{})
	var recorded error
	go func() {
		defer close(told)
		source(ctx, func(msg any) {
			if err := recordTo(opt.Record, msg); err != nil && recorded == nil {
				recorded = fmt.Errorf("record: %w", err)
			}
			p.Send(msg)
		})
	}()
	_, err := p.Run()
	cancelled := ctx.Err() != nil
	cancel()
	<-told
	switch {
	case err != nil && cancelled:
		return errors.Join(context.Cause(ctx), recorded)
	case errors.Is(err, tea.ErrProgramPanic):
		return fmt.Errorf("the dashboard failed inside: %w", err)
	}
	return errors.Join(err, recorded)
}

// recordTo writes what came, unless nobody asked for it.
func recordTo(w io.Writer, msg any) error {
	if w == nil {
		return nil
	}
	switch msg := msg.(type) {
	case pictureMsg:
		return writeRecord(w, msg.s)
	case eventsMsg:
		for _, e := range msg.events {
			if err := writeRecord(w, e); err != nil {
				return err
			}
		}
	}
	return nil
}

// A Size is that of a screen, in cells.
type Size struct{ Width, Height int }

// Batch writes n screens as text, one after the other, an interval apart; 1 is what a dashboard shows at its start. A
// recording is shown from its end, or with more than one screen from its start.
func Batch(ctx context.Context, opt Options, size Size, n int) error {
	look, err := newLook(opt.Out, opt.Theme, opt.ASCII)
	if err != nil {
		return err
	}
	m := newModel(opt, look)
	if err := m.ui.keys.clash(); err != nil {
		return err
	}
	m.w, m.h = size.Width, size.Height
	if opt.Replay != nil {
		return m.batchReplay(n)
	}
	conn, err := opt.Dial(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	for i := range n {
		if i > 0 {
			select {
			case <-time.After(opt.Interval):
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		s, events, err := fetch(ctx, conn)
		if err != nil {
			return err
		}
		if err := errors.Join(recordTo(opt.Record, eventsMsg{fresh(m.behind, events)}), recordTo(opt.Record, pictureMsg{s})); err != nil {
			return fmt.Errorf("record: %w", err)
		}
		m.behind = nil // all of them have come again
		m.Update(eventsMsg{events})
		m.Update(pictureMsg{s})
		if err := m.print(i); err != nil {
			return err
		}
	}
	return nil
}

// fresh are the events after those that are known.
func fresh(known, events []*adminpb.Event) []*adminpb.Event {
	if len(known) == 0 {
		return events
	}
	last := known[len(known)-1].GetSeq()
	for i, e := range events {
		if e.GetSeq() > last {
			return events[i:]
		}
	}
	return nil
}

func (m *model) batchReplay(n int) error {
	shown := 0
	for _, one := range m.opt.Replay.told {
		switch one := one.(type) {
		case *adminpb.Event:
			m.Update(eventsMsg{[]*adminpb.Event{one}})
		case *adminpb.Snapshot:
			m.Update(pictureMsg{one})
			if n > 1 {
				if err := m.print(shown); err != nil {
					return err
				}
				if shown++; shown == n {
					return nil
				}
			}
		}
	}
	m.link.ended = true
	if n == 1 {
		return m.print(0)
	}
	return nil
}

// print writes the screen as text. What says that it goes on is not true of a page.
func (m *model) print(i int) error {
	between := ""
	if i > 0 {
		between = "\n"
	}
	_, err := fmt.Fprintln(m.opt.Out, between+m.View())
	return err
}
