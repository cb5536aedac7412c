package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

// A trial follows what the nodes of a fleet say of each other. Nodes are known by their places in the fleet.
type trial struct {
	fleet *fleet
	next  int // whose turn it is to be harmed
	began time.Time

	apps   []*publisher
	stalls int // how many there were

	mu      sync.Mutex
	changed chan struct{}  // closed at each piece of news
	place   map[string]int // by ID
	shown   [][]string     // the state of a peer (second place) at a node (first)
	heard   []news         // in the order they came
	down    []bool         // killed, or stopped
	follow  sync.WaitGroup
	cancel  []context.CancelFunc
}

// news is that a node shows another state of a peer.
type news struct {
	node, peer int
	state      string
	at         time.Time // by the node's clock, which is the machine's
	detail     string
}

func newTrial(b *fleet, n int) *trial {
	t := &trial{
		fleet: b, began: time.Now(), changed: make(chan struct{}), place: map[string]int{},
		shown: make([][]string, n), down: make([]bool, n), cancel: make([]context.CancelFunc, n),
	}
	b.nodes = make([]*vessel, n)
	return t
}

// start serves all nodes and waits until each lists all others.
func (t *trial) start(ctx context.Context) error {
	all := make([]int, len(t.shown))
	for i := range all {
		all[i] = i
	}
	_, err := t.launch(ctx, all)
	return err
}

// launch serves some of the nodes, and returns when the last was ready once everybody lists everybody.
func (t *trial) launch(ctx context.Context, nodes []int) (ready time.Time, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, listTime, fmt.Errorf("the lists were not complete within %s", listTime))
	defer cancel()
	for _, i := range nodes {
		if t.fleet.nodes[i], err = t.fleet.launch(ctx, i, t.settings(i)...); err != nil {
			return ready, err
		}
	}
	for _, i := range nodes {
		v := t.fleet.nodes[i]
		if err := v.await(ctx); err != nil {
			return ready, err
		}
		t.mu.Lock()
		t.place[v.id] = i
		t.mu.Unlock()
	}
	ready = time.Now()
	for _, i := range nodes { // news of a peer needs its place
		if err := t.watch(ctx, i); err != nil {
			return ready, err
		}
	}
	return ready, t.until(ctx, t.whole)
}

// watch follows a node's events, from its first on.
func (t *trial) watch(ctx context.Context, i int) error {
	t.mu.Lock()
	t.shown[i], t.down[i] = make([]string, len(t.shown)), false
	t.mu.Unlock()
	node, err := dial(ctx, t.fleet.nodes[i].dir)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	t.cancel[i] = cancel
	t.follow.Go(func() {
		defer node.Close()
		_ = node.Events(ctx, 0, true, func(e eventView) error { // it ends with the process, whose end shows otherwise
			t.hear(i, e)
			return nil
		})
	})
	return nil
}

func (t *trial) hear(i int, e eventView) {
	switch e.Kind {
	case stateAlive, stateLate, stateDead, stateLeft:
	default:
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	peer, ok := t.place[e.Peer]
	if !ok || e.Time == nil {
		return
	}
	t.heard = append(t.heard, news{node: i, peer: peer, state: e.Kind, at: *e.Time, detail: e.Detail})
	t.shown[i][peer] = e.Kind
	close(t.changed)
	t.changed = make(chan struct{})
}

// until waits for a condition over what is shown, which the lock is held for.
func (t *trial) until(ctx context.Context, met func() bool) error {
	for {
		t.mu.Lock()
		ok, changed := met(), t.changed
		t.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// whole tells whether every node lists all others as alive.
func (t *trial) whole() bool {
	for i := range t.shown {
		if !t.everywhere(i, stateAlive) {
			return false
		}
	}
	return true
}

// everywhere tells whether all nodes that are up show a peer in a state.
func (t *trial) everywhere(peer int, state string) bool {
	for i := range t.shown {
		if i != peer && !t.down[i] && t.shown[i][peer] != state {
			return false
		}
	}
	return true
}

// settle lets the network be whole for a while.
func (t *trial) settle(ctx context.Context) error {
	limit, cancel := context.WithTimeoutCause(ctx, listTime, fmt.Errorf("the lists were not complete for %s within %s", beforeFault, listTime))
	defer cancel()
	for {
		if err := t.until(limit, t.whole); err != nil {
			return err
		}
		quiet, cancel := context.WithTimeout(limit, beforeFault)
		err := t.until(quiet, func() bool { return !t.whole() })
		cancel()
		if err != nil {
			return context.Cause(limit) // nothing changed meanwhile, unless all ends
		}
	}
}

// since gives the news that nodes had from a time on.
func (t *trial) since(at time.Time) (out []news) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, n := range t.heard {
		if !n.at.Before(at) {
			out = append(out, n)
		}
	}
	return out
}

func (t *trial) mark(nodes []int, down bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, i := range nodes {
		t.down[i] = down
	}
}

// end gives up following.
func (t *trial) end() {
	for _, cancel := range t.cancel {
		if cancel != nil {
			cancel()
		}
	}
	t.follow.Wait()
}

// write puts all news into a file, a line each.
func (t *trial) write(path string) error {
	type line struct {
		AtMS   int64  `json:"at_ms"` // from the beginning of the measurement
		Node   string `json:"node"`
		Peer   string `json:"peer"`
		State  string `json:"state"`
		Detail string `json:"detail"`
	}
	var lines []line
	for _, n := range t.since(time.Time{}) {
		lines = append(lines, line{n.at.Sub(t.began).Milliseconds(), t.fleet.nodes[n.node].name, t.fleet.nodes[n.peer].name, n.state, n.detail})
	}
	var b strings.Builder
	err := errors.Join(writeLines(&b, lines), os.WriteFile(path, []byte(b.String()), 0o600))
	if err != nil {
		return fmt.Errorf("write the events: %w", err)
	}
	return nil
}
