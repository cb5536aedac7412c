package client

import (
	"sync/atomic"
	"time"

	"google.golang.org/grpc/balancer"
	"google.golang.org/grpc/balancer/pickfirst"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/resolver"
)

// link is the connection to one peer, from when it is wanted until it is not: gRPC's own pick_first over the peer's addresses, in a place
// of the client set. It is the ClientConn that pick_first sees.
type link struct {
	balancer.ClientConn
	branch *branch
	loan   Loan
	first  balancer.Balancer
	done   func(balancer.DoneInfo)

	running atomic.Int64
	used    atomic.Int64 // Unix nanoseconds at the last call's end
}

func newLink(b *branch, loan Loan) *link {
	l := &link{ClientConn: b.policy.cc, branch: b, loan: loan}
	l.done = l.end // made once: a method value is an allocation
	l.used.Store(time.Now().UnixNano())
	l.first = balancer.Get(pickfirst.Name).Build(l, b.policy.options)
	return l
}

// UpdateState takes what pick_first says. It is called with pick_first's lock held, so it calls no link itself.
func (l *link) UpdateState(s balancer.State) {
	p := l.branch.policy
	p.mu.Lock()
	defer p.mu.Unlock()
	if l.branch.link != l {
		return
	}
	l.loan.Note(s.ConnectivityState)
	l.branch.set(s)
	p.show()
	p.tendSoon()
}

// dial gives pick_first the addresses of now. What is wrong with them it says by its state.
func (l *link) dial(endpoints []resolver.Endpoint) {
	_ = l.first.UpdateClientConnState(balancer.ClientConnState{ResolverState: resolver.State{Endpoints: endpoints}})
}

func (l *link) begin() {
	l.running.Add(1)
	l.loan.Begin()
}

// end is called at the end of each call, and of each that found the connection gone and began nowhere.
func (l *link) end(info balancer.DoneInfo) {
	l.loan.End(info.Err, info.BytesSent || info.Err != nil)
	l.used.Store(time.Now().UnixNano())
	l.running.Add(-1)
}

// rested tells whether nobody has used the link for a while.
func (l *link) rested(now time.Time) bool {
	return l.running.Load() == 0 && now.Sub(time.Unix(0, l.used.Load())) >= rest
}

// close ends the link; calls under way end on it.
func (l *link) close() {
	l.first.Close()
	l.loan.Note(connectivity.Shutdown)
	l.loan.Return()
}
