package node

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/g2g-net/g2g/node/client"
	"github.com/g2g-net/g2g/pki"
)

// heard counts the calls that reached each node's program, by what they asked for.
type heard struct {
	mu sync.Mutex
	by map[time.Duration][]string
}

func (h *heard) serve(a *actor) {
	name := a.name
	e := &echo{}
	a.services = e.register
	e.took = func(in time.Duration) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.by[in] = append(h.by[in], name)
	}
}

func (h *heard) who(in time.Duration) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Join(h.by[in], " ")
}

// balanced makes a network of n nodes that serve an echo, and one more that calls it.
func (w *world) balanced(n int, change ...func(*actor)) (servers []*actor, caller *actor, h *heard) {
	h = &heard{by: map[time.Duration][]string{}}
	servers = []*actor{w.founder(h.serve)}
	for i := 1; i < n; i++ {
		servers = append(servers, w.joinerWith(i, servers[0], h.serve))
	}
	caller = w.joinerWith(n, servers[0], func(a *actor) {
		for _, f := range change {
			f(a)
		}
	})
	w.until(20*time.Second, "the caller knows who serves it", func() bool { return len(caller.Serving("test.Echo")) == n })
	return servers, caller, h
}

func (a *actor) newClient(service string) *grpc.ClientConn {
	a.w.t.Helper()
	conn, err := a.NewClient("g2g:///" + service)
	if err != nil {
		a.w.t.Fatal(err)
	}
	return conn
}

// Calls go to the first of the order, over its place in the client set, and elsewhere when the order is another.
func TestCallsFollowTheOrder(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		servers, caller, h := w.balanced(3, func(a *actor) { a.cfg.Order.Rebuild = 2 * time.Second })
		conn := caller.newClient("test.Echo")
		asked := map[string]int{}
		for i := range 20 {
			takes := time.Duration(i) * time.Microsecond
			first := caller.Serving("test.Echo")[0].Name
			if err := shout(conn, takes); err != nil {
				t.Fatal(err)
			}
			if i == 0 && h.who(takes) != first {
				t.Errorf("the first call went to %s, the first of the order is %s", h.who(takes), first)
			}
			asked[h.who(takes)]++
			w.pass(3 * time.Second)
		}
		if len(asked) < 2 { // all of one, by chance, once in a billion
			t.Errorf("asked %v: calls do not follow the order", asked)
		}
		if n := caller.lent(); n < 1 || n > 3 {
			t.Errorf("%d connections are open", n)
		}
		w.pass(3 * time.Minute)
		if n := caller.lent(); n != 0 || conn.GetState() != connectivity.Idle {
			t.Errorf("%d connections are open after a rest, %s", n, conn.GetState())
		}
		if err := shout(conn, time.Second); err != nil {
			t.Errorf("after a rest: %v", err)
		}
		_ = conn.Close()
		if n := caller.lent(); n != 0 {
			t.Errorf("%d connections are open after the close", n)
		}
		haltAll(append(servers, caller))
	})
}

// lent counts the places of the client set that connections to services take.
func (a *actor) lent() int { return a.member.Load().pool.Lent() }

// A node that is killed in the middle of calls loses none that had not been sent to it, and no call is carried out twice.
func TestNoCallIsLost(t *testing.T) {
	for seed := range uint64(2) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			inWorld(t, time.Millisecond, func(w *world) { callsWhileNodesDie(w, rand.New(rand.NewPCG(seed, 1)), false) })
		})
	}
}

// Methods that may be carried out twice, and say so as gRPC has it, lose no call at all.
func TestNoCallIsLostThatMayBeRepeated(t *testing.T) {
	inWorld(t, time.Millisecond, func(w *world) { callsWhileNodesDie(w, rand.New(rand.NewPCG(1, 2)), true) })
}

const repeatable = `{"loadBalancingConfig":[{"` + client.Policy + `":{}}],"methodConfig":[{"name":[{"service":"test.Echo"}],"retryPolicy":{
	"maxAttempts":4,"initialBackoff":"0.01s","maxBackoff":"0.1s","backoffMultiplier":2,"retryableStatusCodes":["UNAVAILABLE"]}}]}`

// ordeal is a long run of calls, while nodes die and come back.
type ordeal struct {
	w     *world
	heard *heard
	mu    sync.Mutex
	began map[time.Duration]time.Time // of a call, which is told by how long it takes
	lost  map[time.Duration]error
	died  []time.Time
}

func callsWhileNodesDie(w *world, random *rand.Rand, repeat bool) {
	servers, caller, h := w.balanced(4)
	o := &ordeal{w: w, heard: h, began: map[time.Duration]time.Time{}, lost: map[time.Duration]error{}}
	conn := caller.newClient("test.Echo")
	if repeat {
		_ = conn.Close()
		var err error
		if conn, err = caller.NewClient("g2g:///test.Echo", grpc.WithDefaultServiceConfig(repeatable)); err != nil {
			w.t.Fatal(err)
		}
	}
	var calls sync.WaitGroup
	const n = 600
	for i := range n {
		calls.Go(func() { o.call(conn, 20*time.Millisecond+time.Duration(i)) })
		w.pass(time.Duration(random.IntN(10)) * time.Millisecond)
		switch i % 150 {
		case 75:
			o.kill(servers, caller.inUse())
		case 149:
			for _, a := range servers {
				if a.Node == nil {
					a.start()
				}
			}
		}
	}
	calls.Wait()
	o.judge(repeat)
	_ = conn.Close()
	haltAll(append(servers, caller))
}

func (o *ordeal) call(conn grpc.ClientConnInterface, takes time.Duration) {
	o.mu.Lock()
	o.began[takes] = time.Now()
	o.mu.Unlock()
	if err := shout(conn, takes); err != nil {
		o.mu.Lock()
		o.lost[takes] = err
		o.mu.Unlock()
	}
}

func (o *ordeal) kill(servers []*actor, name string) {
	for _, a := range servers {
		if a.Node != nil && a.name == name {
			o.died = append(o.died, time.Now())
			a.kill()
		}
	}
}

func (o *ordeal) judge(repeat bool) {
	for takes, err := range o.lost {
		if who := o.heard.who(takes); who == "" && !o.onTheWay(takes) || status.Code(err) != codes.Unavailable {
			o.w.t.Errorf("a call is lost that was not sent to a node that died: %v", err)
		}
	}
	if repeat {
		if len(o.lost) > 0 {
			o.w.t.Errorf("%d calls are lost that may be repeated: %v", len(o.lost), o.lost)
		}
		return
	}
	for takes := range o.began {
		if who := o.heard.who(takes); strings.Contains(who, " ") || who == "" && o.lost[takes] == nil {
			o.w.t.Errorf("call %s was carried out by %q", takes, who)
		}
	}
	o.w.t.Logf("%d of %d calls were cut off with the %d nodes that died", len(o.lost), len(o.began), len(o.died))
	if len(o.lost) < len(o.died) || len(o.died) == 0 {
		o.w.t.Error("no node died in the middle of calls: the test has shown nothing")
	}
}

// onTheWay tells whether a call was begun so shortly before or after a death that it had gone out, and the caller could not know.
func (o *ordeal) onTheWay(takes time.Duration) bool {
	return slices.ContainsFunc(o.died, func(at time.Time) bool { return o.began[takes].Sub(at).Abs() <= time.Millisecond })
}

// inUse is who has most calls of the node's under way.
func (a *actor) inUse() (name string) {
	most := 0
	var id pki.ID
	for _, c := range a.Clients() {
		if c.Running > most {
			most, id = c.Running, c.ID
		}
	}
	for _, p := range a.Order() {
		if p.ID == id {
			name = p.Name
		}
	}
	return name
}

func TestNobodyServesIt(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		f := w.founder(withEcho)
		n1 := w.joiner(1, f)
		w.allAlive(10*time.Second, []*actor{f, n1}, 1)
		for target, want := range map[string]string{
			"g2g:///a/b":         `new client: target "g2g:///a/b": service name "a/b": its parts are letters, digits and _, no digit first`,
			"g2g://host/pkg.A":   `new client: target "g2g://host/pkg.A": not like g2g:///pkg.Service`,
			"dns:///example:443": `new client: target "dns:///example:443": not like g2g:///pkg.Service`,
		} {
			if _, err := f.NewClient(target); err == nil || err.Error() != want {
				t.Errorf("got %v, want %s", err, want)
			}
		}
		conn := n1.newClient("test.Other")
		err := shoutAt(context.Background(), conn)
		if status.Code(err) != codes.Unavailable || !strings.Contains(err.Error(), "no peer in the query order serves test.Other") {
			t.Errorf("got %v", err)
		}
		_ = conn.Close()
		echoes := n1.newClient("test.Echo")
		f.halt()
		if err := shout(echoes, 0); status.Code(err) != codes.Unavailable {
			t.Errorf("the only peer has left: %v", err)
		}
		waiting := make(chan error, 1)
		go func() { waiting <- shoutAt(context.Background(), echoes, grpc.WaitForReady(true)) }()
		w.pass(time.Second)
		f.start()
		select {
		case err := <-waiting:
			if err != nil {
				t.Errorf("the call that waits: %v", err)
			}
		case <-time.After(time.Minute):
			t.Error("the call that waits does so still")
		}
		n1.halt()
		if err := shout(echoes, 0); status.Code(err) != codes.Unavailable || !strings.Contains(err.Error(), "the node has stopped") {
			t.Errorf("of a node that has stopped: %v", err)
		}
		_ = echoes.Close()
		lone := w.actor(4)
		lone.start()
		if _, err := lone.NewClient("g2g:///test.Echo"); err == nil || err.Error() != `new client "g2g:///test.Echo": `+ErrNoNetwork.Error() {
			t.Errorf("without a network: %v", err)
		}
		haltAll([]*actor{f, lone})
	})
}

// Rotations cost no call, and neither does it when the caller revokes its leaf: these connections show the new one like all others.
func TestServicesFollowRotations(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		servers, caller, _ := w.balanced(2)
		conn := caller.newClient("test.Echo")
		stop := make(chan struct{})
		var calls sync.WaitGroup
		calls.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				case <-time.After(2 * time.Millisecond):
				}
				if err := shout(conn, 3*time.Millisecond); err != nil {
					t.Errorf("call %d: %v", i, err)
				}
			}
		})
		for i := range 6 {
			w.pass(time.Second)
			who := append(servers, caller)[i%3]
			if _, err := who.Rotate(context.Background(), who == caller); err != nil {
				t.Error(err)
			}
		}
		w.pass(time.Second)
		close(stop)
		calls.Wait()
		_ = conn.Close()
		haltAll(append(servers, caller))
	})
}

func shoutAt(ctx context.Context, conn grpc.ClientConnInterface, options ...grpc.CallOption) error {
	return conn.Invoke(ctx, echoUnary, durationpb.New(0), new(durationpb.Duration), options...)
}
