package cmd

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	readyTime = 60 * time.Second  // for a process to be ready
	listTime  = 120 * time.Second // for all lists to be complete
	stopTime  = 10 * time.Second  // for goodbyes; who takes longer is killed
	joinTries = 20                // an acceptor lets a machine register only so often
)

// A fleet is nodes as processes of this program.
type fleet struct {
	a     *app
	dir   string
	nodes []*vessel
}

// A vessel is the process of one node.
type vessel struct {
	name, dir string
	process   *exec.Cmd
	ready     chan struct{} // closed when it has said that it is
	id        string        // from then on
	gone      chan struct{} // closed when it has ended
}

// program is a call of this program. It is found under the name that it was called by, and without the settings of this call.
func (b *fleet) program(ctx context.Context, args ...string) (*exec.Cmd, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := exec.CommandContext(ctx, path, args...) //nolint:gosec // this very program
	c.Args[0] = os.Args[0]
	for _, entry := range b.a.environ {
		if !strings.HasPrefix(entry, "G2G_") && !strings.HasPrefix(entry, "NOTIFY_") && !strings.HasPrefix(entry, "WATCHDOG_") {
			c.Env = append(c.Env, entry)
		}
	}
	tie(c)
	return c, nil
}

// call runs the program to its end.
func (b *fleet) call(ctx context.Context, in string, args ...string) error {
	c, err := b.program(ctx, args...)
	if err != nil {
		return err
	}
	var said bytes.Buffer
	c.Stdin, c.Stderr = strings.NewReader(in), &said
	if err := c.Run(); err != nil {
		return fmt.Errorf("g2g %s: %w: %s", args[0], err, strings.TrimSpace(said.String()))
	}
	return nil
}

func (b *fleet) folder(i int) (name, dir string) {
	name = fmt.Sprintf("node-%d", i+1)
	return name, filepath.Join(b.dir, name)
}

var loopback = []string{"--listen", "127.0.0.1:0", "--register", "127.0.0.1:0"}

// found makes the folders of n members of one network. Afterwards none runs.
func (b *fleet) found(ctx context.Context, n int, p *progress) error {
	name, dir := b.folder(0)
	if err := b.call(ctx, "", append([]string{"init", "-q", "--dir", dir, "--name", name}, loopback...)...); err != nil {
		return err
	}
	founder, err := b.launch(ctx, 0)
	if err != nil {
		return err
	}
	defer founder.stop()
	if err := founder.await(ctx); err != nil {
		return err
	}
	node, err := dial(ctx, dir)
	if err != nil {
		return err
	}
	defer node.Close()
	token, _, err := node.Nominate(ctx, nomination{mode: modeServer, ttl: time.Hour, uses: uint32(n)}) //nolint:gosec // n is small
	if err != nil {
		return err
	}
	for i := 1; i < n; i++ {
		p.Step("node %d of %d joins", i+1, n)
		if err := b.join(ctx, i, token); err != nil {
			return err
		}
	}
	return nil
}

// join makes the folder of one more member.
func (b *fleet) join(ctx context.Context, i int, token string) (err error) {
	name, dir := b.folder(i)
	for range joinTries {
		err = b.call(ctx, token, append([]string{"join", "-", "-q", "--dir", dir, "--name", name}, loopback...)...)
		if err == nil || ctx.Err() != nil || !strings.Contains(err.Error(), "too many registrations") {
			return err
		}
		pause(ctx, again)
	}
	return err
}

// launch starts the process of a node, with some settings in its environment.
func (b *fleet) launch(ctx context.Context, i int, settings ...string) (*vessel, error) {
	name, dir := b.folder(i)
	c, err := b.program(context.WithoutCancel(ctx), "serve", "--dir", dir) // it ends by stop, with a goodbye
	if err != nil {
		return nil, err
	}
	c.Env = append(c.Env, settings...)
	log, err := os.OpenFile(filepath.Join(dir, "serve.log"), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	c.Stderr = log
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	v := &vessel{name: name, dir: dir, process: c, ready: make(chan struct{}), gone: make(chan struct{})}
	go func() {
		defer close(v.gone)
		lines := bufio.NewScanner(out)
		if lines.Scan() && strings.HasPrefix(lines.Text(), "ready ") {
			v.id = idIn(lines.Text())
			close(v.ready)
		}
		for lines.Scan() { // nothing more is said; the end of it is the process's
		}
		_ = c.Wait()
	}()
	return v, nil
}

// idIn finds the ID in the line that says ready.
func idIn(line string) string {
	for _, word := range strings.Fields(line) {
		if id, ok := strings.CutPrefix(word, "id="); ok {
			return id
		}
	}
	return ""
}

// await returns when the process has said that it is ready.
func (v *vessel) await(ctx context.Context) error {
	limit := time.NewTimer(readyTime)
	defer limit.Stop()
	select {
	case <-v.ready:
		return nil
	case <-v.gone:
		return v.lost()
	case <-limit.C:
		return fmt.Errorf("%s was not ready within %s", v.name, readyTime)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// lost says what a process that ended by itself had logged last.
func (v *vessel) lost() error {
	log, _ := os.ReadFile(filepath.Join(v.dir, "serve.log")) // without it the exit code is what is left
	lines := strings.Split(strings.TrimSpace(string(log)), "\n")
	return fmt.Errorf("%s ended by itself (%s): %s", v.name, v.process.ProcessState, lines[len(lines)-1])
}

// stop asks the process to end, and waits for that.
func (v *vessel) stop() {
	_ = v.process.Process.Signal(syscall.SIGTERM) // it may be gone already
	v.bury()
}

func (v *vessel) bury() {
	limit := time.NewTimer(stopTime)
	defer limit.Stop()
	select {
	case <-v.gone:
	case <-limit.C:
		_ = v.process.Process.Kill()
		<-v.gone
	}
}

// stop ends all processes at once.
func (b *fleet) stop() {
	for _, v := range b.nodes {
		if v != nil {
			_ = v.process.Process.Signal(syscall.SIGTERM)
		}
	}
	for _, v := range b.nodes {
		if v != nil {
			v.bury()
		}
	}
}

// complete serves all nodes, and returns after how many milliseconds half of them, and all of them, listed all others.
func (b *fleet) complete(ctx context.Context) (half, all int64, err error) {
	entries, err := os.ReadDir(b.dir)
	if err != nil {
		return 0, 0, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, listTime, fmt.Errorf("the lists were not complete within %s", listTime))
	defer cancel()
	started := time.Now()
	for i := range entries {
		v, err := b.launch(ctx, i)
		if err != nil {
			return 0, 0, err
		}
		b.nodes = append(b.nodes, v)
	}
	var after []int64
	for _, v := range b.nodes {
		at, err := v.lists(ctx, len(entries)-1)
		if err != nil {
			return 0, 0, stopped(ctx, err)
		}
		after = append(after, at.Sub(started).Milliseconds())
	}
	slices.Sort(after)
	return after[(len(after)-1)/2], after[len(after)-1], nil
}

// lists returns when the node listed so many others as alive, by its own clock: its events tell that afterwards as well. One node
// at a time is asked, and seldom: to follow all of them would take a good part of the time that is measured.
func (v *vessel) lists(ctx context.Context, others int) (at time.Time, err error) {
	if err := v.await(ctx); err != nil {
		return at, err
	}
	node, err := dial(ctx, v.dir)
	if err != nil {
		return at, err
	}
	defer node.Close()
	for {
		p, err := node.Picture(ctx)
		if err != nil {
			return at, fmt.Errorf("%s: %w", v.name, err)
		}
		if inState(p.peers, stateAlive) >= others {
			return v.listed(ctx, node, others)
		}
		pause(ctx, again)
	}
}

// listed looks up when that was.
func (v *vessel) listed(ctx context.Context, node *client, others int) (at time.Time, err error) {
	alive := map[string]bool{}
	err = node.Events(ctx, 0, false, func(e eventView) error {
		switch e.Kind {
		case stateAlive:
			alive[e.Peer] = true
		case stateLate, stateDead, stateLeft:
			delete(alive, e.Peer)
		default:
			return nil
		}
		if len(alive) >= others && e.Time != nil {
			at = *e.Time
			return errMet
		}
		return nil
	})
	if errors.Is(err, errMet) {
		return at, nil
	}
	return at, fmt.Errorf("%s: its events do not tell when it listed %d others: %w", v.name, others, err)
}

// rest lets time pass, unless a process ends.
func (b *fleet) rest(ctx context.Context, d time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	for _, v := range b.nodes {
		go func() {
			select {
			case <-v.gone:
				cancel()
			case <-ctx.Done():
			}
		}()
	}
	<-ctx.Done()
	for _, v := range b.nodes {
		select {
		case <-v.gone:
			return v.lost()
		default:
		}
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return nil
	}
	return context.Cause(ctx)
}
