package transport

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/gossippb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestPoolFindsOnlyTheExpectedNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		n, other := w.member("10.0.0.2", pki.Server), w.member("10.0.0.3", pki.Server)
		w.root.gossip(gossipServer{})
		other.address = w.root.address
		err := join(n.to(other))
		want := "transport: authentication handshake failed: expected node " + other.ID().String() + ", found " + w.root.ID().String()
		if status.Code(err) != codes.Unavailable || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	})
}

func TestPoolKeepsOneConnectionAPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		n := w.member("10.0.0.2", pki.Server)
		w.root.gossip(gossipServer{})
		first, _ := n.pool.Conn(w.root.ID(), []string{w.root.address})
		second, err := n.pool.Conn(w.root.ID(), []string{w.root.address})
		if first != second || err != nil || n.pool.Len() != 1 {
			t.Errorf("%p, %p, %v, %d", first, second, err, n.pool.Len())
		}
		expect(t, join(n.to(w.root)), codes.OK, "")
		n.pool.Keep(func(id pki.ID) bool { return id == w.root.ID() })
		expect(t, join(n.to(w.root)), codes.OK, "")
		if got := w.root.registry.Counts().Inbound; got != 1 {
			t.Errorf("%d connections", got)
		}
		n.pool.Drop(w.root.ID())
		later()
		if got, open := n.pool.Len(), w.root.registry.Counts(); got != 0 || open != (Counts{}) {
			t.Errorf("dropped: %d, %+v", got, open)
		}
		n.pool.Close()
		if _, err := n.pool.Conn(w.root.ID(), []string{w.root.address}); !errors.Is(err, ErrPoolClosed) {
			t.Errorf("closed: %v", err)
		}
		n.pool.Redial(w.root.ID())
	})
}

func TestPoolIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		n := w.member("10.0.0.2", pki.Server)
		for i := range MaxPool {
			if _, err := n.pool.Conn(pki.ID{1, byte(i >> 8), byte(i)}, []string{"10.0.0.9:1"}); err != nil {
				t.Fatal(err)
			}
		}
		_, err := n.pool.Conn(pki.ID{2}, []string{"10.0.0.9:1"})
		if want := "connect to node " + (pki.ID{2}).String() + ": the pool of connections is full"; !errors.Is(err, ErrPoolFull) || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
		if _, err := n.pool.Conn(pki.ID{1, 0, 1}, []string{"10.0.0.9:2"}); err != nil {
			t.Errorf("one that is there: %v", err)
		}
		if _, err := n.pool.Conn(pki.ID{3}, nil); !errors.Is(err, ErrNoAddress) {
			t.Errorf("no address: %v", err)
		}
	})
}

// A full pool gives the place of the peer that was not asked for longest, if that is long ago.
func TestFullPoolMakesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		n := w.member("10.0.0.2", pki.Server)
		open := func(id pki.ID) error {
			_, err := n.pool.Conn(id, []string{"10.0.0.9:1"})
			return err
		}
		for i := range MaxPool {
			if err := open(pki.ID{1, byte(i >> 8), byte(i)}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Millisecond)
		}
		time.Sleep(poolRest - MaxPool*time.Millisecond)
		if err := open(pki.ID{2}); err != nil {
			t.Error(err)
		}
		if err := open(pki.ID{1, 0, 0}); !errors.Is(err, ErrPoolFull) {
			t.Errorf("the first, which made room: %v", err)
		}
		if err := open(pki.ID{1, 0, 1}); err != nil {
			t.Errorf("the second: %v", err)
		}
	})
}

func TestPeersThatNobodyAsksForAreDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		n := w.member("10.0.0.2", pki.Server)
		open := func(ids ...byte) {
			for _, id := range ids {
				if _, err := n.pool.Conn(pki.ID{id}, []string{"10.0.0.9:1"}); err != nil {
					t.Fatal(err)
				}
			}
		}
		open(1, 2, 3)
		time.Sleep(time.Minute)
		open(2)
		n.pool.Sweep(time.Minute, func(id pki.ID) bool { return id == pki.ID{3} })
		if got := n.pool.Len(); got != 2 { // 2 was asked for, 3 is wanted
			t.Errorf("%d are left", got)
		}
	})
}

func TestUnreachablePeersFailFast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		n := w.member("10.0.0.2", pki.Server)
		w.root.address = "10.0.0.1:1"
		start := time.Now()
		if err := join(n.to(w.root)); status.Code(err) != codes.Unavailable || time.Since(start) > 100*time.Millisecond {
			t.Errorf("%v after %s", err, time.Since(start))
		}
	})
}

// A host that never answers costs a second, and not what the backoff has grown to.
func TestConnectsAreBoundedInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		n := w.member("10.0.0.2", pki.Server)
		var waited atomic.Int64
		n.pool.config.Dial = func(ctx context.Context, _ string) (net.Conn, error) {
			start := time.Now()
			<-ctx.Done()
			waited.Store(max(waited.Load(), int64(time.Since(start))))
			return nil, ctx.Err()
		}
		w.root.address = "10.0.0.1:1"
		for range 60 {
			_ = join(n.to(w.root))
			later()
		}
		if got := time.Duration(waited.Load()); got != connectTimeout {
			t.Errorf("a connect took %s", got)
		}
	})
}

// However long a peer was away, it is back within the longest backoff and a connect.
func TestBackoffIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		n := w.member("10.0.0.2", pki.Server)
		w.root.gossip(gossipServer{})
		var away atomic.Bool
		away.Store(true)
		n.pool.config.Dial = func(ctx context.Context, address string) (net.Conn, error) {
			if away.Load() {
				return nil, errors.New("away")
			}
			return n.host.Dial(ctx, address)
		}
		for range 600 {
			_ = join(n.to(w.root))
			later()
		}
		away.Store(false)
		back := time.Now()
		for join(n.to(w.root)) != nil {
			time.Sleep(100 * time.Millisecond)
		}
		if took := time.Since(back); took > 7*time.Second {
			t.Errorf("back after %s", took)
		}
	})
}

func TestNewAddressesAreTriedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		n := w.member("10.0.0.2", pki.Server)
		w.root.gossip(gossipServer{})
		at := w.root.address
		w.root.address = "10.0.0.1:1"
		for range 30 { // until the backoff is long
			_ = join(n.to(w.root))
			later()
		}
		conn, err := n.pool.Conn(w.root.ID(), []string{"10.0.0.1:1", at})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		for join(gossippb.NewGossipClient(conn)) != nil {
			time.Sleep(10 * time.Millisecond)
		}
		if took := time.Since(start); took > 100*time.Millisecond {
			t.Errorf("reached after %s", took)
		}
		// And given up with the contact that names it no more, without failing a call.
		w.root.address = at
		expect(t, join(n.to(w.root)), codes.OK, "")
	})
}

func TestRedialShowsTheLeavesOfNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		n := w.member("10.0.0.2", pki.Server)
		slow := make(chan struct{})
		w.root.gossip(gossipServer{push: func(context.Context) (*gossippb.PushResponse, error) {
			<-slow
			return &gossippb.PushResponse{}, nil
		}})
		expect(t, join(n.to(w.root)), codes.OK, "")
		pushed := make(chan error, 1)
		go func() {
			_, err := n.to(w.root).Push(context.Background(), &gossippb.PushRequest{})
			pushed <- err
		}()
		later()
		n.mint(2, time.Hour)
		w.root.mint(3, time.Hour)
		expect(t, join(n.to(w.root)), codes.OK, "")
		if claims, _ := w.root.registry.Leaf(n.ID()); claims.Epoch != 1 {
			t.Errorf("epoch %d before", claims.Epoch)
		}
		n.pool.Redial(w.root.ID())
		expect(t, join(n.to(w.root)), codes.OK, "")
		if claims, _ := w.root.registry.Leaf(n.ID()); claims.Epoch != 2 {
			t.Errorf("the caller's epoch is %d", claims.Epoch)
		}
		if claims, _ := n.registry.Leaf(w.root.ID()); claims.Epoch != 3 {
			t.Errorf("the server's epoch is %d", claims.Epoch)
		}
		close(slow)
		if err := <-pushed; err != nil {
			t.Errorf("the call under way: %v", err)
		}
		later()
		if got := w.root.registry.Counts().Inbound; got != 1 {
			t.Errorf("%d connections", got)
		}
	})
}

func TestObservedHosts(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.1:7":          "192.0.2.1",
		"[::ffff:192.0.2.1]:7": "192.0.2.1",
		"[2001:db8::1]:7":      "2001:db8::1",
		"[fe80::1%eth0]:7":     "fe80::1",
	} {
		tcp, err := net.ResolveTCPAddr("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range []net.Addr{tcp, textAddr(address)} {
			if got := hostOf(a).String(); got != want {
				t.Errorf("%T %s: %s", a, address, got)
			}
		}
	}
	for _, a := range []net.Addr{nil, textAddr("pipe"), &net.UnixAddr{Name: "/x"}} {
		if got := hostOf(a); got.IsValid() {
			t.Errorf("%v: %s", a, got)
		}
	}
}

type textAddr string

func (textAddr) Network() string  { return "test" }
func (a textAddr) String() string { return string(a) }

// After a failed try gRPC fails every call by it, until another try has ended. Freshen forgets what failed, so that the next call
// makes a connection and is answered on it; and it makes a new one where one stands, at most every connectTimeout.
func TestFreshenMakesAConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.root.gossip(gossipServer{})
		n := w.member("10.0.0.2", pki.Server)
		down := true
		pool := NewPool(PoolConfig{Source: n, Registry: n.registry, Dial: func(ctx context.Context, address string) (net.Conn, error) {
			if down {
				return nil, errors.New("the network is down")
			}
			return n.host.Dial(ctx, address)
		}})
		defer pool.Close()
		ask := func() error {
			conn, err := pool.Conn(w.root.ID(), []string{w.root.address})
			if err != nil {
				return err
			}
			return join(gossippb.NewGossipClient(conn))
		}
		pool.Freshen(w.root.ID()) // nothing is there
		if err := ask(); status.Code(err) != codes.Unavailable {
			t.Fatalf("while the network is down: %v", err)
		}
		down = false
		if err := ask(); status.Code(err) != codes.Unavailable {
			t.Errorf("by what failed before: %v", err)
		}
		pool.Freshen(w.root.ID())
		expect(t, ask(), codes.OK, "")
		for range 5 {
			pool.Freshen(w.root.ID())
			expect(t, ask(), codes.OK, "")
		}
		later()
		if got := w.root.registry.Counts().Inbound; got != 1 {
			t.Errorf("%d connections are left", got)
		}
		pool.Close()
		pool.Freshen(w.root.ID())
	})
}

// A dial into a cut hangs until its time is over. Once the cut has healed, the next fresh call is answered, rather than after that time;
// a dial that has only just begun is left alone.
func TestFreshenEndsADialThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.root.gossip(gossipServer{})
		n := w.member("10.0.0.2", pki.Server)
		cut, dials := true, 0
		pool := NewPool(PoolConfig{Source: n, Registry: n.registry, Dial: func(ctx context.Context, address string) (net.Conn, error) {
			if dials++; cut {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return n.host.Dial(ctx, address)
		}})
		defer pool.Close()
		ask := func(within time.Duration) error {
			conn, err := pool.Conn(w.root.ID(), []string{w.root.address})
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(t.Context(), within)
			defer cancel()
			_, err = gossippb.NewGossipClient(conn).Join(ctx, &gossippb.JoinRequest{})
			return err
		}
		if err := ask(hangTimeout - time.Millisecond); status.Code(err) != codes.DeadlineExceeded {
			t.Fatalf("into the cut: %v", err)
		}
		pool.Freshen(w.root.ID())
		synctest.Wait()
		if dials != 1 {
			t.Errorf("%d dials within %s", dials, hangTimeout)
		}
		cut = false
		time.Sleep(time.Millisecond)
		began := time.Now()
		pool.Freshen(w.root.ID())
		expect(t, ask(connectTimeout), codes.OK, "")
		if took := time.Since(began); took > 100*time.Millisecond {
			t.Errorf("it was answered after %s, %d dials", took, dials)
		}
	})
}

// Whoever hears of a connection that broke holds nobody up: neither the reader that saw it, nor the pool, which waits for that
// reader when it gives the connection up at the same moment.
func TestBrokenConnectionHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.root.gossip(gossipServer{})
		n := w.member("10.0.0.2", pki.Server)
		heard, release := make(chan struct{}, 8), make(chan struct{})
		pool := NewPool(PoolConfig{Source: n, Registry: n.registry, Dial: n.host.Dial, Broken: func(pki.ID) {
			heard <- struct{}{}
			<-release
		}})
		conn, err := pool.Conn(w.root.ID(), []string{w.root.address})
		if err != nil {
			t.Fatal(err)
		}
		expect(t, join(gossippb.NewGossipClient(conn)), codes.OK, "")
		w.root.registry.CloseAll()
		<-heard
		done := make(chan struct{})
		go func() {
			pool.Redial(w.root.ID())
			pool.Freshen(w.root.ID())
			close(done)
		}()
		later()
		select {
		case <-done:
		default:
			t.Error("the pool waits for who heard of it")
		}
		close(release)
		<-done
		pool.Close()
	})
}
