package node

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/transport"
	"github.com/g2g-net/g2g/pki"
)

// thief is somebody who stole the leaf of a node, with its key, out of its memory.
type thief struct {
	doors
	stolen *pki.Leaf
}

func (t thief) Leaf() *pki.Leaf { return t.stolen }

// call uses the stolen leaf at a node, on a connection that stays open.
func (t thief) call(victim *actor, pool *transport.Pool) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	c := victim.contact.Load()
	conn, err := pool.Conn(c.ID, c.Addresses)
	if err == nil {
		_, err = transport.Ping(ctx, conn)
	}
	return err
}

// TestRevokedLeafIsRefused steals the leaf of one of 8 nodes and uses it at every other. When the node rotates with revoke, the
// stolen leaf is refused everywhere within two seconds, on the thief's open connections and on new ones, while nobody
// loses the node. A node that starts again holds to it.
func TestRevokedLeafIsRefused(t *testing.T) {
	inWorld(t, 10*time.Millisecond, func(w *world) {
		nodes := []*actor{w.founder()}
		for i := 1; i < 8; i++ {
			nodes = append(nodes, w.joiner(i, nodes[0]))
		}
		w.allAlive(30*time.Second, nodes, 7)
		owner := nodes[3]
		w.pass(2 * time.Second) // past the second that the first epoch was named after
		th := thief{doors: doors{owner.Node}, stolen: owner.leaf.Load()}
		pool := transport.NewPool(transport.PoolConfig{Source: th, Registry: transport.NewRegistry(), Dial: w.net.Host("10.9.9.9").Dial})
		defer pool.Close()
		others := append(append([]*actor{}, nodes[:3]...), nodes[4:]...)
		for _, a := range others {
			if err := th.call(a, pool); err != nil {
				t.Fatalf("before: the stolen leaf at %s: %v", a.name, err)
			}
		}
		out, err := owner.Rotate(context.Background(), true)
		if err != nil {
			t.Fatal(err)
		}
		if out.MinEpoch != out.Leaf.Epoch || out.Redialled == 0 {
			t.Errorf("rotated to %+v", out)
		}
		took := w.until(2*time.Second, "every other refuses the stolen leaf", func() bool {
			for _, a := range others {
				if th.call(a, pool) == nil {
					return false
				}
			}
			return true
		})
		t.Logf("refused by all on open connections after %s", took)
		fresh := transport.NewPool(transport.PoolConfig{Source: th, Registry: transport.NewRegistry(), Dial: w.net.Host("10.9.9.10").Dial})
		for _, a := range others {
			refused(t, th.call(a, fresh), a)
		}
		fresh.Close()
		w.allAlive(time.Second, nodes, 7)
		again := others[0]
		again.halt()
		again.start()
		w.allAlive(10*time.Second, nodes, 7)
		last := transport.NewPool(transport.PoolConfig{Source: th, Registry: transport.NewRegistry(), Dial: w.net.Host("10.9.9.11").Dial})
		refused(t, th.call(again, last), again)
		last.Close()
		pool.Close()
		w.pass(time.Second) // the closes arrive
		haltAll(nodes)
	})
}

func refused(t *testing.T, err error, by *actor) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), "is revoked") {
		t.Errorf("the stolen leaf at %s: %v", by.name, err)
	}
}

// TestRotationIsTold rotates without revoking: the peers hear of the epoch, and nothing else changes.
func TestRotationIsTold(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		a := w.founder()
		b := w.joiner(1, a)
		w.allAlive(10*time.Second, []*actor{a, b}, 1)
		before := b.leaf.Load().Claims
		w.pass(2 * time.Second)
		out, err := b.Rotate(context.Background(), false)
		if err != nil {
			t.Fatal(err)
		}
		if out.Leaf.Epoch <= before.Epoch || out.Leaf.Hash == before.Hash || out.MinEpoch != 0 {
			t.Errorf("from epoch %d to %+v", before.Epoch, out)
		}
		w.until(2*time.Second, "the peer hears of the epoch", func() bool {
			p, err := a.Picture(context.Background())
			return err == nil && p.Gossip.Peers[0].Epoch == out.Leaf.Epoch
		})
		if got := a.alive(); got != 1 {
			t.Errorf("%d peers are alive after a rotation", got)
		}
		haltAll([]*actor{a, b})
	})
}

// TestRestoredBackup starts a node from a folder as it was ten rotations ago: it works again at once, since peers believe the
// higher numbers that it takes over from them.
func TestRestoredBackup(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		a := w.founder()
		b := w.joiner(1, a)
		w.allAlive(10*time.Second, []*actor{a, b}, 1)
		b.halt()
		backup := copyFolder(t, b.dir)
		b.start()
		w.allAlive(10*time.Second, []*actor{a, b}, 1)
		for range 10 {
			w.pass(3 * time.Second)
			if _, err := b.Rotate(context.Background(), true); err != nil {
				t.Fatal(err)
			}
		}
		w.pass(3 * time.Second)
		b.halt()
		b.dir = backup
		b.start()
		t.Logf("alive again after %s", w.allAlive(10*time.Second, []*actor{a, b}, 1))
		w.pass(time.Minute)
		w.allAlive(time.Second, []*actor{a, b}, 1)
		haltAll([]*actor{a, b})
	})
}

// TestServices starts six nodes that know nothing but their own admission and one shared address, behind which a balancer leads to
// one of them in turn, this very node among them: they find each other, nobody lists itself, and the balancer's address is advertised by nobody.
func TestServices(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		const shared = "10.8.0.1:7401"
		nodes := []*actor{w.founder()}
		for i := 1; i < 6; i++ {
			nodes = append(nodes, w.joiner(i, nodes[0]))
		}
		w.allAlive(30*time.Second, nodes, 5)
		var backends []string
		for _, a := range nodes {
			backends = append(backends, a.contact.Load().Addresses[0])
		}
		haltAll(nodes)
		stop := balance(t, w, shared, backends)
		for _, a := range nodes {
			forgetAddresses(t, a)
			a.cfg.Services = []string{shared}
			a.start()
		}
		t.Logf("complete after %s", w.allAlive(2*time.Minute, nodes, 5))
		self := 0
		for range 20 {
			w.pass(30 * time.Second)
			for _, a := range nodes {
				self += checkService(t, a, shared)
			}
		}
		if self == 0 {
			t.Error("no visit came home: the balancer did not do its work")
		}
		haltAll(nodes)
		stop()
		w.pass(time.Second)
	})
}

// checkService counts visits that came home, and looks for the balancer where it must not be.
func checkService(t *testing.T, a *actor, shared string) (self int) {
	t.Helper()
	p, err := a.Picture(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, peer := range p.Gossip.Peers {
		if peer.ID == a.ID() {
			t.Errorf("%s lists itself", a.name)
		}
		for _, address := range peer.Addresses {
			if address == shared {
				t.Errorf("%s holds the balancer for %s's address", a.name, peer.Name)
			}
		}
	}
	list, err := a.Services(context.Background())
	if err != nil || len(list) != 1 || list[0].Address != shared || list[0].Origin != "config" || list[0].Visits == 0 || list[0].Error != "" {
		t.Errorf("%s: services %+v, %v", a.name, list, err)
		return 0
	}
	if list[0].Self {
		return 1
	}
	return 0
}

// TestServicesOfTheOperator adds a service to a running node and takes it away: peers list it meanwhile, and it survives a restart.
func TestServicesOfTheOperator(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		const shared = "10.8.0.2:7401"
		a := w.founder()
		b := w.joiner(1, a)
		nodes := []*actor{a, b}
		w.allAlive(10*time.Second, nodes, 1)
		if err := a.AddService(context.Background(), shared); err != nil {
			t.Fatal(err)
		}
		named := func(want int) func() bool {
			return func() bool {
				list, err := b.Services(context.Background())
				return err == nil && len(list) == want && (want == 0 || list[0].Origin == "peers" && list[0].ToldBy[0] == a.ID())
			}
		}
		w.until(3*time.Second, "the peer names the service", named(1))
		a.halt()
		a.start()
		w.allAlive(10*time.Second, nodes, 1)
		w.until(3*time.Second, "the peer names the service after a restart", named(1))
		if err := a.RemoveService(context.Background(), shared); err != nil {
			t.Fatal(err)
		}
		w.until(3*time.Second, "the peer no longer names it", named(0))
		if err := a.RemoveService(context.Background(), shared); err == nil || !strings.Contains(err.Error(), "no such service was added here") {
			t.Errorf("removed twice: %v", err)
		}
		haltAll(nodes)
	})
}

// TestObservedAddress puts a node behind a translator: peers see it at another address than it knows. Once one of them has dialled it
// back there it advertises that address; one at which nobody can reach it, it does not.
func TestObservedAddress(t *testing.T) {
	for _, forwarded := range []bool{true, false} {
		inWorld(t, 5*time.Millisecond, func(w *world) {
			const outside = "203.0.113.7"
			a := w.founder()
			b := w.joiner(1, a)
			inner := w.joinerWith(2, a, func(c *actor) { translate(w, c, outside, forwarded) })
			nodes := []*actor{a, b, inner}
			w.allAlive(30*time.Second, nodes, 2)
			w.pass(10 * time.Second)
			port := inner.contact.Load().Addresses[0]
			want := outside + port[strings.LastIndexByte(port, ':'):]
			got := strings.Join(inner.contact.Load().Addresses, " ")
			if strings.Contains(got, want) != forwarded {
				t.Errorf("forwarded %t: it advertises %s", forwarded, got)
			}
			// Its operator can read what failed.
			told := strings.Join(inner.notices(gossip.KindAddress), "; ")
			if missed := "did not reach it at " + want; forwarded == strings.Contains(told, missed) || strings.Count(told, missed) > 1 {
				t.Errorf("forwarded %t: it is told %q", forwarded, told)
			}
			if forwarded {
				w.until(5*time.Second, "a peer holds the outside address", func() bool {
					p, err := b.Picture(context.Background())
					return err == nil && strings.Contains(strings.Join(peerNamed(p, "n2").Addresses, " "), want)
				})
			}
			haltAll(nodes)
			w.pass(time.Second)
		})
	}
}

// A joiner that cannot be dialled back is a member all the same; the operators of both sides are told.
func TestDialBackFails(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		f := w.founder()
		n := w.outsider(1)
		cfg := n.cfg
		cfg.Gossip.Advertise = []string{"nowhere.example:7401"}
		n.reload(cfg)
		joined, err := n.Join(context.Background(), f.token(gossip.NominateRequest{}), "")
		if err != nil || !strings.HasPrefix(joined.Warning, "dial back to [nowhere.example:7401]: ") {
			t.Errorf("%v, warning %q", err, joined.Warning)
		}
		told := strings.Join(f.notices(gossip.KindUnreached), "; ")
		if !strings.Contains(told, "admitted here, but dial back to [nowhere.example:7401]: ") {
			t.Errorf("the acceptor is told %q", told)
		}
		w.allAlive(10*time.Second, []*actor{f, n}, 1) // it calls by itself
		haltAll([]*actor{f, n})
	})
}
