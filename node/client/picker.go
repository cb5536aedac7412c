package client

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"google.golang.org/grpc/balancer"
	"google.golang.org/grpc/connectivity"
)

// picker gives each call the same connection, until another picker takes its place. It allocates nothing.
type picker struct {
	link  *link
	first balancer.Picker // of the link's pick_first
	// better is called once, at the first pick, where somebody before this peer should be connected to.
	better func()
	asked  atomic.Bool
}

// Pick takes the connection.
func (p *picker) Pick(info balancer.PickInfo) (balancer.PickResult, error) {
	if p.better != nil && !p.asked.Load() && p.asked.CompareAndSwap(false, true) {
		p.better()
	}
	r, err := p.first.Pick(info)
	if err != nil {
		return r, err
	}
	p.link.begin()
	r.Done = p.link.done
	return r, nil
}

// waiter has calls wait for the next picker.
type waiter struct {
	better func() // as picker's
	asked  atomic.Bool
}

// Pick has the call wait.
func (w *waiter) Pick(balancer.PickInfo) (balancer.PickResult, error) {
	if w.better != nil && w.asked.CompareAndSwap(false, true) {
		w.better()
	}
	return balancer.PickResult{}, balancer.ErrNoSubConnAvailable
}

// refuser fails calls, unless they wait for a connection.
type refuser struct{ err error }

// Pick fails.
func (r refuser) Pick(balancer.PickInfo) (balancer.PickResult, error) {
	return balancer.PickResult{}, r.err
}

// show gives gRPC the picker of now. The policy's mu is held.
func (p *policy) show() {
	p.cc.UpdateState(p.state())
}

func (p *policy) state() balancer.State {
	if len(p.order) == 0 {
		return balancer.State{ConnectivityState: connectivity.TransientFailure, Picker: refuser{p.none}}
	}
	if b := p.ready(); b != nil {
		k := &picker{link: b.link, first: b.state.Picker}
		if b != p.order[0] && p.idleBefore(b) {
			k.better = p.wanted
		}
		return balancer.State{ConnectivityState: connectivity.Ready, Picker: k}
	}
	idle := false
	for _, b := range p.order {
		switch b.state.ConnectivityState {
		case connectivity.Connecting:
			return balancer.State{ConnectivityState: connectivity.Connecting, Picker: &waiter{}}
		case connectivity.Idle:
			idle = true
		case connectivity.Ready, connectivity.TransientFailure, connectivity.Shutdown:
		}
	}
	if idle {
		return balancer.State{ConnectivityState: connectivity.Idle, Picker: &waiter{better: p.wanted}}
	}
	return balancer.State{ConnectivityState: connectivity.TransientFailure, Picker: refuser{p.failures()}}
}

// idleBefore tells whether somebody comes first who is not even tried. The lock is held.
func (p *policy) idleBefore(b *branch) bool {
	for _, other := range p.order {
		if other == b {
			return false
		}
		if other.state.ConnectivityState == connectivity.Idle {
			return true
		}
	}
	return false
}

// wanted connects to whoever comes first, without waiting: there is a call.
func (p *policy) wanted() { go p.ExitIdle() }

// maxNamed bounds the peers that an error names.
const maxNamed = 4

// failures says why nobody is connected. The lock is held.
func (p *policy) failures() error {
	var texts []string
	for _, b := range p.order[:min(len(p.order), maxNamed)] {
		why := b.why
		if why == nil {
			why = errors.New("no connection")
		}
		texts = append(texts, fmt.Sprintf("%s (%s): %v", b.target.name, b.target.id.Short(), why))
	}
	if more := len(p.order) - maxNamed; more > 0 {
		texts = append(texts, fmt.Sprintf("%d more", more))
	}
	return errors.New("no peer can be reached that serves it: " + strings.Join(texts, "; "))
}
