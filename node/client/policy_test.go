package client

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/attributes"
	"google.golang.org/grpc/balancer"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/resolver"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/pki"
)

// channel is gRPC as the policy sees it: connections do what the test says. Its lock guards all of it.
type channel struct {
	balancer.ClientConn
	mu    sync.Mutex
	state balancer.State
	subs  []*sub
	loans map[pki.ID]int
	full  bool
}

// sub is one connection to one address.
type sub struct {
	balancer.SubConn
	channel *channel
	peer    pki.ID
	listen  func(balancer.SubConnState)
	wanted  bool // to connect
	state   connectivity.State
	dropped bool
}

func (c *channel) NewSubConn(addresses []resolver.Address, o balancer.NewSubConnOptions) (balancer.SubConn, error) {
	id, ok := Expected(addresses[0].Attributes)
	if !ok {
		return nil, errors.New("nobody is expected there")
	}
	s := &sub{channel: c, peer: id, listen: o.StateListener}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.subs = append(c.subs, s)
	return s, nil
}

func (c *channel) UpdateState(s balancer.State) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state = s
}

func (s *sub) Connect() {
	s.channel.mu.Lock()
	defer s.channel.mu.Unlock()
	s.wanted = true
}

func (s *sub) Shutdown() {
	s.channel.mu.Lock()
	defer s.channel.mu.Unlock()
	s.dropped = true
}

func (s *sub) become(state connectivity.State) {
	s.channel.mu.Lock()
	s.state = state
	if state == connectivity.Connecting {
		s.wanted = false
	}
	s.channel.mu.Unlock()
	u := balancer.SubConnState{ConnectivityState: state}
	if state == connectivity.TransientFailure {
		u.ConnectionError = errors.New("refused")
	}
	s.listen(u)
	synctest.Wait()
}

// step lets one connection go on: a new one connects or fails, one that stands may break.
func (c *channel) step(random *rand.Rand) {
	c.mu.Lock()
	live := slices.DeleteFunc(slices.Clone(c.subs), func(s *sub) bool { return s.dropped })
	c.subs = live
	c.mu.Unlock()
	if len(live) == 0 {
		return
	}
	s := live[random.IntN(len(live))]
	c.mu.Lock()
	state, wanted := s.state, s.wanted
	c.mu.Unlock()
	switch {
	case state == connectivity.Idle && wanted:
		s.become(connectivity.Connecting)
	case state == connectivity.Connecting && random.IntN(3) == 0:
		s.become(connectivity.TransientFailure)
	case state == connectivity.Connecting:
		s.become(connectivity.Ready)
	case state == connectivity.TransientFailure && random.IntN(2) == 0, state == connectivity.Ready && random.IntN(4) == 0:
		s.become(connectivity.Idle)
	}
}

// first is the first peer of the order that is connected.
func (c *channel) first(order []pki.ID) (pki.ID, bool) {
	for _, id := range order {
		if slices.ContainsFunc(c.subs, func(s *sub) bool { return !s.dropped && s.peer == id && s.state == connectivity.Ready }) {
			return id, true
		}
	}
	return pki.ID{}, false
}

type place struct {
	channel *channel
	id      pki.ID
}

func (place) Begin()                  {}
func (place) End(error, bool)         {}
func (place) Note(connectivity.State) {}
func (l place) Return() {
	l.channel.mu.Lock()
	defer l.channel.mu.Unlock()
	l.channel.loans[l.id]--
}

func (c *channel) Serving(string) []gossip.Place  { return nil }
func (c *channel) OrderReplaced() <-chan struct{} { return nil }
func (c *channel) Stopped() <-chan struct{}       { return nil }
func (c *channel) Lend(id pki.ID, _ []string, _ func()) (Loan, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.full {
		return nil, errors.New("the client set is full")
	}
	c.loans[id]++
	return place{c, id}, nil
}

// tell gives the policy an order, all of whose peers name the same address, as peers may.
func (c *channel) tell(p balancer.Balancer, order []pki.ID) {
	n := &news{node: c, none: errors.New("nobody serves it")}
	for _, id := range order {
		n.targets = append(n.targets, target{id: id, name: fmt.Sprint("n", id[0]), addresses: []string{"10.0.0.1:1"}})
	}
	if err := p.UpdateClientConnState(balancer.ClientConnState{ResolverState: resolver.State{Attributes: attributes.New(newsKey{}, n)}}); err != nil {
		panic(err)
	}
	synctest.Wait()
}

func newChannel() (*channel, balancer.Balancer) {
	c := &channel{loans: map[pki.ID]int{}}
	return c, policyBuilder{}.Build(c, balancer.BuildOptions{})
}

// Whatever connections do and however the order changes: calls go to the first peer of the order that is connected; they wait while somebody
// may still connect, and fail when nobody can; who is not in the order has no connection; every place is given back.
func TestPolicyFollowsTheOrder(t *testing.T) {
	for seed := range uint64(40) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 9))
			c, p := newChannel()
			var order []pki.ID
			for step := range 300 {
				switch random.IntN(12) {
				case 0:
					order = nil
					for _, i := range random.Perm(6)[:random.IntN(7)] {
						order = append(order, pki.ID{byte(i + 1)})
					}
					c.tell(p, order)
				case 1:
					time.Sleep(time.Duration(random.IntN(int(2 * rest))))
				case 2:
					c.mu.Lock()
					c.full = !c.full
					c.mu.Unlock()
				default:
					c.step(random)
				}
				synctest.Wait()
				if msg := c.wrong(order); msg != "" {
					t.Fatalf("seed %d, step %d: %s", seed, step, msg)
				}
			}
			p.Close()
			synctest.Wait()
			c.mu.Lock()
			defer c.mu.Unlock()
			for id, n := range c.loans {
				if n != 0 {
					t.Errorf("seed %d: %d places of %v are not given back", seed, n, id)
				}
			}
		})
	}
}

// wrong is what a call would see that must not be.
func (c *channel) wrong(order []pki.ID) string {
	c.mu.Lock()
	msg := c.astray(order)
	id, connected := c.first(order)
	state := c.state
	c.mu.Unlock()
	if msg != "" || state.Picker == nil {
		return msg
	}
	r, err := state.Picker.Pick(balancer.PickInfo{})
	synctest.Wait()
	switch {
	case err == nil:
		r.Done(balancer.DoneInfo{BytesSent: true})
		if got := r.SubConn.(*sub); !connected || got.peer != id {
			return fmt.Sprintf("picked %v, first is %v (%t)", got.peer, id, connected)
		}
	case connected:
		return fmt.Sprintf("%v although %v is connected", err, id)
	case errors.Is(err, balancer.ErrNoSubConnAvailable) == (state.ConnectivityState == connectivity.TransientFailure):
		return fmt.Sprintf("%v in state %s", err, state.ConnectivityState)
	}
	return ""
}

// astray is whoever has a connection that must have none. The lock is held.
func (c *channel) astray(order []pki.ID) string {
	for _, s := range c.subs {
		if !s.dropped && !slices.Contains(order, s.peer) {
			return fmt.Sprintf("a connection to %v, who is not in the order", s.peer)
		}
	}
	for id, n := range c.loans {
		if n < 0 || n > 1 {
			return fmt.Sprintf("%d places are lent for %v", n, id)
		}
	}
	return ""
}

// ready brings a policy to where it gives calls a connection.
func ready(n int) *channel {
	c, p := newChannel()
	var order []pki.ID
	for i := range n {
		order = append(order, pki.ID{byte(i + 1)})
	}
	c.tell(p, order)
	c.subs[0].become(connectivity.Connecting)
	c.subs[0].become(connectivity.Ready)
	return c
}

// One connection is made where one is needed, and the next only when its head start is over.
func TestConnectionsAreLazy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := newChannel()
		a, b := pki.ID{1}, pki.ID{2}
		// made checks who was connected to so far, and who is not dropped.
		made := func(when, want string) []*sub {
			t.Helper()
			synctest.Wait()
			c.mu.Lock()
			defer c.mu.Unlock()
			got := ""
			for _, s := range c.subs {
				got += map[pki.ID]string{a: "a", b: "b"}[s.peer] + map[bool]string{true: "-", false: "+"}[s.dropped]
			}
			if got != want {
				t.Fatalf("%s: connections %s, want %s", when, got, want)
			}
			return c.subs
		}
		c.tell(p, []pki.ID{a, b})
		made("the first call", "a+")[0].become(connectivity.Connecting)
		time.Sleep(headStart + time.Millisecond)
		subs := made("the head start is over", "a+b+")
		subs[1].become(connectivity.Connecting)
		subs[1].become(connectivity.Ready)
		subs[0].become(connectivity.Ready)
		time.Sleep(2*rest + time.Millisecond)
		made("nobody has used the second for a while", "a+b-")
		c.tell(p, []pki.ID{b, a})
		made("another order, and no call", "a+b-")
		pick(t, c.picker())
		made("a call", "a+b-b+")
		p.Close()
	})
}

func (c *channel) picker() balancer.Picker {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state.Picker
}

func TestPickAllocatesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := ready(256).picker()
		if n := testing.AllocsPerRun(1000, func() { pick(t, p) }); n != 0 {
			t.Errorf("%v allocations a pick", n)
		}
	})
}

func BenchmarkPick(b *testing.B) {
	for _, n := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("peers=%d", n), func(b *testing.B) {
			var c *channel
			synctest.Test(new(testing.T), func(*testing.T) { c = ready(n) })
			b.ReportAllocs()
			p := c.picker()
			for b.Loop() {
				pick(b, p)
			}
		})
	}
}

func pick(t testing.TB, p balancer.Picker) {
	r, err := p.Pick(balancer.PickInfo{FullMethodName: "/pkg.Service/Method"})
	if err != nil {
		t.Fatal(err)
	}
	r.Done(balancer.DoneInfo{BytesSent: true})
}
