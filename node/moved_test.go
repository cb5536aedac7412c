package node

import (
	"context"
	"testing"
	"time"
)

// move starts a node again at another port: its old one is taken meanwhile.
func (a *actor) move() (free func()) {
	a.w.t.Helper()
	at := a.Info().Gossip
	a.halt()
	taken, err := a.host.Listen(at)
	if err != nil {
		a.w.t.Fatal(err)
	}
	a.start()
	if a.Info().Gossip == at {
		a.w.t.Fatalf("%s did not move from %s", a.name, at)
	}
	return func() { _ = taken.Close() }
}

// TestAllOthersMoved: while a node is away all others rotate ten times and move to other ports. When it starts again, nobody is where
// it knew them. It comes back by itself: where it kept its own port the others find it through their reserves, also if it had said
// goodbye; where it moved as well, through a service.
func TestAllOthersMoved(t *testing.T) {
	for _, c := range []struct {
		name           string
		goodbye, moves bool
		away           time.Duration
	}{
		{name: "killed", away: time.Minute},
		{name: "said goodbye", goodbye: true, away: time.Minute},
		{name: "was away for long", away: time.Hour},
		{name: "moved as well", moves: true, away: time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) { allOthersMoved(t, c.goodbye, c.moves, c.away) })
	}
}

func allOthersMoved(t *testing.T, goodbye, moves bool, away time.Duration) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		nodes := []*actor{w.founder()}
		for i := 1; i < 6; i++ {
			nodes = append(nodes, w.joiner(i, nodes[0]))
		}
		w.allAlive(30*time.Second, nodes, 5)
		w.pass(10 * time.Second) // the addresses are on disk
		gone, others := nodes[3], append(append([]*actor{}, nodes[:3]...), nodes[4:]...)
		was := gone.Info().Gossip
		if goodbye {
			gone.halt()
		} else {
			gone.kill()
		}
		for range 10 {
			w.pass(away / 10)
			for _, a := range others {
				if _, err := a.Rotate(context.Background(), false); err != nil {
					t.Fatal(err)
				}
			}
		}
		var frees []func()
		for _, a := range others {
			frees = append(frees, a.move())
			w.allAlive(20*time.Second, others, 4)
		}
		w.pass(time.Minute) // nobody has started just now
		if moves {
			stop := w.lead(gone, was, others)
			defer stop()
		}
		gone.start()
		if (gone.Info().Gossip != was) != moves {
			t.Fatalf("it is at %s, and was at %s", gone.Info().Gossip, was)
		}
		t.Logf("back after %s", w.allAlive(time.Minute, nodes, 5))
		haltAll(nodes)
		for _, free := range frees {
			free()
		}
		w.pass(time.Second)
	})
}

// lead takes the port of a node that is away, and gives it a service that leads to the others.
func (w *world) lead(gone *actor, was string, others []*actor) (stop func()) {
	w.t.Helper()
	taken, err := gone.host.Listen(was)
	if err != nil {
		w.t.Fatal(err)
	}
	var backends []string
	for _, a := range others {
		backends = append(backends, a.Info().Gossip)
	}
	const shared = "10.8.0.3:7401"
	gone.cfg.Services = []string{shared}
	end := balance(w.t, w, shared, backends)
	return func() {
		end()
		_ = taken.Close()
	}
}
