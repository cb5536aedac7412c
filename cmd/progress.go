package cmd

import (
	"fmt"
	"sync"
	"time"
)

// patience is how long work may last before it has to show that it lives.
const patience = 2 * time.Second

// A progress shows work that lasts: on a terminal one line, rewritten every second; elsewhere one line a step.
type progress struct {
	t       *terminal
	started time.Time

	mu    sync.Mutex
	step  string
	told  string // the last step written
	shown bool   // a line stands on the terminal
	ended bool

	stop chan struct{}
	gone chan struct{}
}

// Progress starts to watch over work; End must be called.
func (t *terminal) Progress(step string) *progress {
	p := &progress{t: t, started: time.Now(), step: step, stop: make(chan struct{}), gone: make(chan struct{})}
	go p.run()
	return p
}

// Step says what is being done now.
func (p *progress) Step(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.step = fmt.Sprintf(format, args...)
	if time.Since(p.started) >= patience {
		p.show()
	}
}

// End wipes the line and waits for the watcher.
func (p *progress) End() {
	p.mu.Lock()
	ended := p.ended
	p.ended = true
	if !ended && p.shown {
		fmt.Fprint(p.t.err, clearLine)
	}
	p.mu.Unlock()
	if !ended {
		close(p.stop)
	}
	<-p.gone
}

func (p *progress) run() {
	defer close(p.gone)
	next := time.NewTimer(patience)
	defer next.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-next.C:
			p.mu.Lock()
			p.show()
			p.mu.Unlock()
			next.Reset(time.Second)
		}
	}
}

// show writes the step; mu is held.
func (p *progress) show() {
	switch {
	case p.t.quiet || p.ended:
	case p.t.live:
		p.shown = true
		fmt.Fprintf(p.t.err, "%sg2g: %s (%s)", clearLine, plain(p.step), span(time.Since(p.started)))
	case p.step != p.told:
		p.told = p.step
		fmt.Fprintf(p.t.err, "g2g: %s (%s)\n", plain(p.step), span(time.Since(p.started)))
	}
}
