package client

import (
	"slices"
	"time"

	"google.golang.org/grpc/balancer"
	"google.golang.org/grpc/connectivity"
)

// branch is one peer below the balancer.
//
//  1. link is changed with both locks of the policy held, so either is enough to look at it.
//  2. target is as link. turn is guarded by the policy's calls lock; state, since and why by its mu.
//  3. Without a link the state is Idle, or TransientFailure where there was no place for one.
type branch struct {
	policy *policy
	target target
	turn   int
	link   *link

	state balancer.State
	since time.Time // of the state
	why   error     // it failed
}

func newBranch(p *policy, t target) *branch {
	return &branch{policy: p, target: t, state: balancer.State{ConnectivityState: connectivity.Idle}}
}

// set notes a state. The policy's mu is held.
func (b *branch) set(s balancer.State) {
	if s.ConnectivityState != b.state.ConnectivityState {
		b.since = time.Now()
	}
	b.state, b.why = s, nil
	if s.ConnectivityState == connectivity.TransientFailure && s.Picker != nil {
		_, b.why = s.Picker.Pick(balancer.PickInfo{})
	}
}

// connect makes a connection, or has the one that rests made anew.
func (b *branch) connect() {
	if b.link != nil {
		b.link.first.ExitIdle()
		return
	}
	loan, err := b.policy.node.Lend(b.target.id, b.target.addresses, b.anew)
	if err != nil {
		b.policy.mu.Lock()
		b.set(balancer.State{ConnectivityState: connectivity.TransientFailure})
		b.why = err
		b.policy.mu.Unlock()
		return
	}
	l := newLink(b, loan)
	b.policy.mu.Lock()
	b.link = l
	b.policy.mu.Unlock()
	l.dial(b.target.endpoints(b.turn))
}

// move takes what another order says of the peer.
func (b *branch) move(t target) {
	moved := !slices.Equal(t.addresses, b.target.addresses)
	b.policy.mu.Lock()
	b.target = t
	if b.link == nil { // for which there may be place now
		b.set(balancer.State{ConnectivityState: connectivity.Idle})
	}
	b.policy.mu.Unlock()
	if b.link != nil && moved {
		b.link.dial(t.endpoints(b.turn))
	}
}

// anew has the connection made anew, with the leaves of now; calls under way end on the old one.
func (b *branch) anew() {
	go func() {
		b.policy.calls.Lock()
		defer b.policy.calls.Unlock()
		if b.link != nil {
			b.turn++
			b.link.dial(b.target.endpoints(b.turn))
		}
	}()
}

// shut closes the connection, if there is one.
func (b *branch) shut() {
	l := b.link
	if l == nil {
		return
	}
	b.policy.mu.Lock()
	b.link = nil
	b.set(balancer.State{ConnectivityState: connectivity.Idle})
	b.policy.mu.Unlock()
	l.close()
}
