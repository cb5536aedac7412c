package tui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"github.com/g2g-net/g2g/proto/adminpb"
)

// A Control acts on the selected node from outside of it, as a demo can: key, what the foot and the help say, the command that
// it equals, and what it does.
type Control struct {
	Key, Brief, Help string
	Command          func(node string) string
	Do               func(ctx context.Context, node string) error
}

// A call is one act on the node and the command that it equals.
type call struct {
	command string
	do      func(ctx context.Context, node adminpb.AdminClient) (string, error)
}

// doneMsg is how a call ended.
type doneMsg struct {
	command, text string
	err           error
}

const (
	// actTime is how long an act may take.
	actTime = 15 * time.Second
	// pings is how many round trips a ping measures.
	pings = 3
)

// calling makes commands of calls: each on a connection of its own, with a deadline.
func calling(ctx context.Context, dial Dial) func(call) tea.Cmd {
	return func(c call) tea.Cmd {
		return func() tea.Msg {
			ctx, cancel := context.WithTimeout(ctx, actTime)
			defer cancel()
			conn, err := dial(ctx)
			if err != nil {
				return doneMsg{c.command, "", err}
			}
			defer conn.Close()
			text, err := c.do(ctx, conn)
			return doneMsg{c.command, text, err}
		}
	}
}

func (m *model) done(d doneMsg) {
	if d.err != nil {
		m.fail(d.command + ": " + reason(d.err))
		return
	}
	if d.text == "" {
		m.note("done: " + d.command)
		return
	}
	m.note(d.text + "   = " + d.command)
}

// at is the words that point a command at the node that is watched.
func (m *model) at(command string) string {
	if m.opt.Dir == "" {
		return command
	}
	return command + " --dir " + m.opt.Dir
}

// pressDo is a key that writes a file or acts on a node.
func (m *model) pressDo(k tea.KeyMsg) tea.Cmd {
	keys := m.ui.keys
	switch {
	case key.Matches(k, keys.Export):
		m.save(".jsonl", func(w io.Writer) error { return export(w, &m.scene) })
	case key.Matches(k, keys.Save):
		m.save(".txt", func(w io.Writer) error {
			s := m.scene
			s.look = &look{ascii: m.look.ascii}
			_, err := io.WriteString(w, view(&s)+"\n")
			return err
		})
	case key.Matches(k, keys.Mouse):
		m.mouse = !m.mouse
		if m.mouse {
			m.note("mouse on: click selects, the wheel moves; m gives it back to the terminal")
			return tea.EnableMouseCellMotion
		}
		m.note("mouse off")
		return tea.DisableMouse
	case key.Matches(k, keys.Ping):
		return m.ping()
	case key.Matches(k, keys.Rotate):
		m.ask(m.at("g2g cert rotate"), "renew this node's certificate?", rotate)
	case key.Matches(k, keys.Nominate):
		m.ask(m.at("g2g nominate"), "make a token for one server-mode node, for 30 minutes?", nominate)
	}
	for i, b := range keys.Controls {
		if key.Matches(k, b) {
			return m.control(m.opt.Controls[i])
		}
	}
	return nil
}

// save writes a file beside where g2g was started.
func (m *model) save(ending string, write func(io.Writer) error) {
	if m.pic == nil {
		m.fail("there is nothing to save yet")
		return
	}
	path := "g2g-top-" + m.now.UTC().Format("20060102T150405") + ending
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err == nil {
		err = errors.Join(write(f), f.Close())
	}
	if err != nil {
		m.fail(err.Error())
		return
	}
	text := "written to " + path
	if ending == ".jsonl" {
		text += "   show it: g2g top --replay " + path
	}
	m.note(text)
}

// selected is the peer under the cursor.
func (m *model) selected() *adminpb.Peer {
	if m.pic == nil {
		return nil
	}
	return m.pic.byID[m.ui.cursor]
}

func (m *model) ping() tea.Cmd {
	p := m.selected()
	if p == nil {
		m.fail("no peer is selected")
		return nil
	}
	c := call{command: m.at(fmt.Sprintf("g2g ping %s -c %d", name(p), pings))}
	c.do = func(ctx context.Context, node adminpb.AdminClient) (string, error) { return ping(ctx, node, p) }
	m.note("pinging " + name(p) + " …")
	return m.call(c)
}

func ping(ctx context.Context, node adminpb.AdminClient, p *adminpb.Peer) (string, error) {
	stream, err := node.Ping(ctx, &adminpb.PingRequest{Peer: p.GetId(), Count: pings})
	if err != nil {
		return "", err
	}
	var trips []string
	for {
		trip, err := stream.Recv()
		switch {
		case errors.Is(err, io.EOF):
			return name(p) + " answered after " + strings.Join(trips, ", "), nil
		case err != nil:
			return "", err
		case trip.GetError() != "":
			return "", errors.New(trip.GetError())
		}
		trips = append(trips, latency(float64(trip.GetRttUs())/1000))
	}
}

// ask wants a y before it acts.
func (m *model) ask(command, question string, do func(context.Context, adminpb.AdminClient) (string, error)) {
	p := newPrompt(question, "")
	p.asks, p.command = true, command
	p.done = func(m *model, _ string) tea.Cmd {
		m.note("asked the node …")
		return m.call(call{command: command, do: do})
	}
	m.ui.prompt = p
}

func rotate(ctx context.Context, node adminpb.AdminClient) (string, error) {
	r, err := node.Rotate(ctx, &adminpb.RotateRequest{})
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("the certificate has epoch %d now", r.GetLeaf().GetEpoch()), nil
}

func nominate(ctx context.Context, node adminpb.AdminClient) (string, error) {
	r, err := node.Nominate(ctx, &adminpb.NominateRequest{Mode: "server", TtlS: 1800, Uses: 1})
	if err != nil {
		return "", err
	}
	return r.GetToken(), nil
}

// control acts on the selected node of a demo.
func (m *model) control(c Control) tea.Cmd {
	p := m.selected()
	if p == nil {
		m.fail("no node is selected")
		return nil
	}
	who := name(p)
	m.note(c.Command(who) + " …")
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), actTime)
		defer cancel()
		return doneMsg{c.Command(who), "", c.Do(ctx, who)}
	}
}
