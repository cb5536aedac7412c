package cmd

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// demoSocket is the name of the socket in a demo's folder over which other processes act on its nodes: a line VERB NODE there,
// a line ok or error TEXT back.
const demoSocket = "demo.sock"

const (
	demoLine    = 256              // bytes of a request
	demoActTime = 30 * time.Second // for one act, such as a start
)

// A demoAct is something that can be done to nodes of a demo, by a command and by a key of its dashboard.
type demoAct struct {
	verb, short string
	key, brief  string // of the dashboard, where it acts on the selected node
	do          func(*demo, context.Context, *demoNode) error
}

var demoActs = []demoAct{
	{"stop", "Stop a node: it says goodbye", "X", "stop", (*demo).halt},
	{"stall", "Stall a node: no signs of life", "Z", "stall", (*demo).stall},
	{"cut", "Cut a node off from all others", "C", "cut", (*demo).cut},
	{"heal", "End a node's stall and cut", "H", "heal", (*demo).heal},
	{"restart", "Start a node again", "B", "back", (*demo).again},
	{"rotate", "Renew a node's certificate", "O", "rotate", (*demo).rotate},
}

func (a *app) demoActCommand(act demoAct) *cobra.Command {
	return &cobra.Command{
		Use:   act.verb + " NODE",
		Short: act.short,
		Long: act.short + `.

NODE is a name that the demo printed, region-N for all nodes of a region, or all. A region that is cut off is so from the others;
its nodes still reach each other. The demo is found by --dir, its folder or that of one of its nodes; without it, the one
that runs with temporary folders on this machine.`,
		Example: "  g2g demo " + act.verb + " node-2\n  g2g demo " + act.verb + " region-2",
		Args:    exactly(1, "NODE"),
		RunE: func(c *cobra.Command, args []string) error {
			path, err := a.demoSocket()
			if err != nil {
				return err
			}
			if err := actOn(c.Context(), path, act.verb, args[0]); err != nil {
				return err
			}
			a.Note("%s: %s", args[0], act.verb)
			return nil
		},
	}
}

// demoSocket finds the socket of a demo that runs.
func (a *app) demoSocket() (string, error) {
	var candidates []string
	if a.dirFlag != "" {
		dir, err := filepath.Abs(a.dirFlag)
		if err != nil {
			return "", err
		}
		candidates = []string{filepath.Join(dir, demoSocket), filepath.Join(filepath.Dir(dir), demoSocket)}
	} else {
		candidates, _ = filepath.Glob(filepath.Join(os.TempDir(), "g2g-demo-*", demoSocket)) // the pattern is a good one
	}
	var found []string
	for _, path := range candidates {
		if _, err := os.Lstat(path); err == nil {
			found = append(found, path)
		}
	}
	switch {
	case len(found) == 0:
		return "", &failure{why: errors.New("no demo runs"), hint: "start one: g2g demo --headless; or say where: --dir", code: exitUnreachable}
	case len(found) > 1 && a.dirFlag == "":
		return "", wrongUsage(fmt.Sprintf("%d demos run", len(found)), "say which: --dir "+shellWord(filepath.Dir(found[0])))
	}
	return found[0], nil
}

// actOn has a demo do something to one of its nodes.
func actOn(ctx context.Context, path, verb, name string) error {
	ctx, cancel := context.WithTimeout(ctx, demoActTime)
	defer cancel()
	var d net.Dialer
	c, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		return &failure{why: fmt.Errorf("reach the demo: %w", err), hint: "start one: g2g demo --headless", code: exitUnreachable}
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { _ = c.Close() })()
	if _, err := fmt.Fprintf(c, "%s %s\n", verb, name); err != nil {
		return fmt.Errorf("reach the demo: %w", err)
	}
	answer, err := bufio.NewReader(io.LimitReader(c, 1<<12)).ReadString('\n')
	answer = strings.TrimSpace(answer)
	switch text, failed := strings.CutPrefix(answer, "error "); {
	case answer == "ok":
		return nil
	case failed && strings.HasPrefix(text, "no node"):
		return &failure{why: errors.New(text), hint: "the demo printed its nodes' names", code: exitNobody}
	case failed:
		return fmt.Errorf("%s %s: %s", verb, name, text)
	}
	return fmt.Errorf("reach the demo: %w", err)
}

// listen opens the demo's socket; what is returned closes it.
func (d *demo) listen(ctx context.Context) (stop func(), err error) {
	path := filepath.Join(d.dir, demoSocket)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) { // of a demo that was killed: the nodes' folders are locked
		return nil, fmt.Errorf("open the demo's socket: %w", err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("open the demo's socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("open the demo's socket: %w", err), l.Close())
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go d.answer(ctx, c)
		}
	}()
	return func() { _ = l.Close() }, nil
}

// answer does what one connection asks.
func (d *demo) answer(ctx context.Context, c net.Conn) {
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(demoActTime))
	line, err := bufio.NewReader(io.LimitReader(c, demoLine)).ReadString('\n')
	if err != nil {
		return
	}
	verb, name, _ := strings.Cut(strings.TrimSpace(line), " ")
	err = fmt.Errorf("no act %q", verb)
	for _, act := range demoActs {
		if act.verb == verb {
			err = d.act(ctx, act, name)
		}
	}
	if err != nil {
		fmt.Fprintf(c, "error %s\n", strings.ReplaceAll(err.Error(), "\n", "; "))
		return
	}
	fmt.Fprintln(c, "ok")
}
