package node

import (
	"context"
	"net"
	"testing"
	"time"
)

// TestTwoAddresses: a node advertises an address from which nothing comes back before the one at which it is reached. Peers that
// start anew use the other within a second, and programs' calls find it as well.
func TestTwoAddresses(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		const dead = "10.99.0.1:7401"
		blind := func(a *actor) {
			withEcho(a)
			dial := a.dial
			a.dial = func(ctx context.Context, address string) (net.Conn, error) {
				if address == dead {
					<-ctx.Done()
					return nil, ctx.Err()
				}
				return dial(ctx, address)
			}
		}
		f := w.founder(blind)
		a, b := w.joinerWith(1, f, blind), w.joinerWith(2, f, blind)
		nodes := []*actor{f, a, b}
		w.allAlive(10*time.Second, nodes, 2)
		w.pass(10 * time.Second)
		good := b.Info().Gossip
		b.halt()
		b.cfg.Gossip.Advertise = []string{dead, good}
		b.start()
		t.Logf("all list all after %s", w.allAlive(time.Second, nodes, 2))
		w.until(5*time.Second, "a peer holds both addresses", func() bool {
			p, err := a.Picture(context.Background())
			return err == nil && len(peerNamed(p, "n2").Addresses) == 2
		})
		w.pass(10 * time.Second)
		a.halt()
		a.start()
		t.Logf("all list all after %s", w.allAlive(time.Second, nodes, 2))
		began := time.Now()
		if err := shout(a.program("n2"), 0); err != nil || time.Since(began) > time.Second {
			t.Errorf("a program's first call: %v after %s", err, time.Since(began))
		}
		t.Logf("a program's first call took %s", time.Since(began))
		w.pass(time.Minute)
		for _, x := range nodes {
			p, err := x.Picture(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			for _, peer := range p.Gossip.Peers {
				if peer.Unreachable {
					t.Errorf("%s finds %s unreachable", x.name, peer.Name)
				}
			}
		}
		haltAll(nodes)
	})
}
