package transport

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/g2g-net/g2g/pki"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// goesOn takes the answer that lies there, and asks for another.
func goesOn(t *testing.T, s grpc.ClientStream) {
	t.Helper()
	for range 2 {
		if err := s.RecvMsg(new(wrapperspb.BytesValue)); err != nil {
			t.Fatalf("the stream: %v", err)
		}
		_ = s.SendMsg(&wrapperspb.BytesValue{})
	}
}

// Programs have a connection of their own to a peer: one that is full of their calls delays no call of gossip.
func TestProgramsDoNotDelayGossip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.root.serves(&echo{before: func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}})
		n := w.member("10.0.0.2", pki.Server)
		channel := n.channel(w.root)
		for range 2 * programStreams {
			go func() { _ = shout(channel, 1) }()
		}
		later()
		start := time.Now()
		expect(t, join(n.to(w.root)), codes.OK, "")
		if took := time.Since(start); took > 20*time.Millisecond {
			t.Errorf("gossip waited for %s", took)
		}
		if got := w.root.registry.Counts(); got.Inbound != 2 || got.Peers != 1 || n.pool.Len() != 1 {
			t.Errorf("%+v, %d in the pool", got, n.pool.Len())
		}
	})
}

func TestClientsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.root.serves(&echo{before: func(ctx context.Context) error {
			switch _, deadline := ctx.Deadline(); {
			case deadline:
				return status.Error(codes.NotFound, "nothing here")
			default:
				return nil
			}
		}})
		n, other := w.member("10.0.0.2", pki.Server), w.member("10.0.0.3", pki.Server)
		other.address = "10.0.0.3:1"
		if got := n.pool.Clients(); len(got) != 0 {
			t.Errorf("%v", got)
		}
		channel := n.channel(w.root)
		expect(t, join(n.to(w.root)), codes.OK, "")
		expect(t, shout(channel, 1), codes.OK, "")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_ = channel.Invoke(ctx, echoUnary, &wrapperspb.BytesValue{}, &wrapperspb.BytesValue{})
		ctx, giveUp := context.WithCancel(t.Context())
		s, err := talk(ctx, channel, 1)
		if err != nil {
			t.Fatal(err)
		}
		_ = s.RecvMsg(new(wrapperspb.BytesValue))
		if err := shout(n.channel(other), 1); status.Code(err) != codes.Unavailable {
			t.Errorf("unreachable: %v", err)
		}
		clients := make(map[pki.ID]Client)
		for _, c := range n.pool.Clients() {
			clients[c.ID] = c
		}
		got := clients[w.root.ID()]
		if got.Calls != 4 || got.Failures != 1 || got.Running != 1 || got.State != connectivity.Ready || got.Addresses[0] != w.root.address ||
			got.LastError != "rpc error: code = NotFound desc = nothing here" || time.Since(got.LastUsed) > 100*time.Millisecond {
			t.Errorf("%+v", got)
		}
		gone := clients[other.ID()]
		if gone.Calls != 1 || gone.Failures != 1 || gone.State != connectivity.TransientFailure || !strings.Contains(gone.LastError, "refused") {
			t.Errorf("%+v", gone)
		}
		giveUp()
		later()
		if got := n.pool.Clients(); len(got) != 2 || got[0].ID.Compare(got[1].ID) > 0 || got[0].Running+got[1].Running != 0 || got[0].Failures+got[1].Failures != 2 {
			t.Errorf("%+v", got)
		}
	})
}

// A channel outlives the connection behind it, which is closed once nobody has used it for a while, and no earlier.
func TestChannelOutlivesItsConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.root.serves(&echo{})
		n := w.member("10.0.0.2", pki.Client)
		channel := n.channel(w.root)
		wanted := func(pki.ID) bool { return true }
		open := func(want int) {
			t.Helper()
			n.pool.Sweep(time.Minute, wanted)
			synctest.Wait()
			later()
			if got := w.root.registry.Counts().Inbound; got != want {
				t.Errorf("%d connections are open, not %d", got, want)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		s, err := talk(ctx, channel, 1)
		if err != nil {
			t.Fatal(err)
		}
		expect(t, join(n.to(w.root)), codes.OK, "")
		time.Sleep(time.Hour)
		open(2) // a stream is under way
		goesOn(t, s)
		cancel()
		later()
		time.Sleep(55 * time.Second)
		open(2) // it was a moment ago
		time.Sleep(10 * time.Second)
		open(1) // gossip's stays, to a peer that is wanted
		expect(t, shout(channel, 1), codes.OK, "")
		open(2)
		wanted = func(pki.ID) bool { return false }
		time.Sleep(time.Minute)
		open(0)
		if got := n.pool.Clients(); len(got) != 0 || n.pool.Len() != 0 {
			t.Errorf("%+v", got)
		}
		expect(t, shout(channel, 1), codes.OK, "")
		n.pool.Close()
		expect(t, shout(channel, 1), codes.Unavailable, "connect to node "+w.root.ID().String()+": the pool of connections is closed")
		if _, err := talk(t.Context(), channel, 1); status.Code(err) != codes.Unavailable {
			t.Error(err)
		}
	})
}

// A channel goes where the peer's newest contact says, and asks for that only while it has no connection.
func TestChannelFollowsThePeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.root.serves(&echo{})
		n := w.member("10.0.0.2", pki.Server)
		asked := 0
		var at []string
		channel := n.pool.Channel(w.root.ID(), nil, func(context.Context) []string {
			asked++
			return at
		})
		expect(t, shout(channel, 1), codes.Unavailable, "connect to node "+w.root.ID().String()+": no address is known")
		at = []string{"10.0.0.1:1"}
		for range 30 { // until the backoff is long
			if err := shout(channel, 1); status.Code(err) != codes.Unavailable {
				t.Error(err)
			}
			later()
		}
		at = []string{w.root.address}
		start, before := time.Now(), asked
		for shout(channel, 1) != nil {
			time.Sleep(time.Millisecond)
		}
		if took := time.Since(start); took > 100*time.Millisecond || asked != before+1 {
			t.Errorf("reached after %s, asked for addresses %d times", took, asked-before)
		}
		for range 1000 {
			expect(t, shout(channel, 1), codes.OK, "")
		}
		if asked != before+1 {
			t.Errorf("asked for addresses %d times", asked-before)
		}
		at = nil // forgotten meanwhile: the pool's stand
		w.root.registry.Close(n.ID())
		later()
		expect(t, shout(channel, 1), codes.OK, "")
	})
}

// A full pool gives nobody's place away whose calls are under way.
func TestFullPoolKeepsWhatIsInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.root.serves(&echo{})
		n := w.member("10.0.0.2", pki.Server)
		ctx, cancel := context.WithCancel(t.Context())
		s, err := talk(ctx, n.channel(w.root), 1)
		if err != nil {
			t.Fatal(err)
		}
		later()
		for i := range 2 * MaxPool {
			if _, err := n.pool.Conn(pki.ID{1, byte(i >> 8), byte(i)}, []string{"10.0.0.9:1"}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(poolRest / (MaxPool / 2))
		}
		goesOn(t, s)
		cancel()
		later()
	})
}

// A new handshake shows the leaves of now on both of a peer's connections; calls under way end on the old ones.
func TestRedialRenewsBothConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.root.serves(&echo{before: func(context.Context) error {
			time.Sleep(10 * time.Second)
			return nil
		}})
		n := w.member("10.0.0.2", pki.Server)
		channel := n.channel(w.root)
		expect(t, join(n.to(w.root)), codes.OK, "")
		slow := make(chan error, 1)
		go func() { slow <- shout(channel, 1) }()
		later()
		n.mint(2, time.Hour)
		n.pool.Redial(w.root.ID())
		expect(t, join(n.to(w.root)), codes.OK, "")
		quick := make(chan error, 1)
		go func() { quick <- shout(channel, 1) }()
		later()
		if got := w.root.registry.Counts().Inbound; got != 3 { // the old one of the slow call
			t.Errorf("%d connections", got)
		}
		expect(t, <-slow, codes.OK, "")
		later()
		epochs := make(map[uint64]int)
		w.root.registry.mu.Lock()
		for _, c := range w.root.registry.peers[n.ID()] {
			epochs[c.claims.Epoch]++
		}
		w.root.registry.mu.Unlock()
		if len(epochs) != 1 || epochs[2] != 2 {
			t.Errorf("connections by epoch: %v", epochs)
		}
		expect(t, <-quick, codes.OK, "")
	})
}
