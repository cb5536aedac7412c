package node

import (
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc"
)

// A node knows who serves what, in query order, and is told when that is another.
func TestServing(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		f := w.founder(withEcho)
		n1 := w.joinerWith(1, f, withEcho)
		n2 := w.joinerWith(2, f, func(a *actor) { a.services = func(grpc.ServiceRegistrar) {} })
		nodes := []*actor{f, n1, n2}
		w.allAlive(10*time.Second, nodes, 2)
		serving := func() (names []string) {
			for _, p := range n2.Serving("test.Echo") {
				names = append(names, p.Name)
			}
			slices.Sort(names)
			return names
		}
		w.until(10*time.Second, "both are known to serve it", func() bool { return slices.Equal(serving(), []string{"n0", "n1"}) })
		if len(n2.Order()) != 2 || len(n2.Serving("test.Ech")) != 0 || len(n1.Serving("test.Echo")) != 1 {
			t.Errorf("%d places, %v", len(n2.Order()), n1.Serving("test.Echo"))
		}
		replaced := n2.OrderReplaced()
		n1.halt()
		select {
		case <-replaced:
		case <-time.After(time.Second):
			t.Error("nobody is told that a peer has left the order")
		}
		if got := serving(); !slices.Equal(got, []string{"n0"}) {
			t.Errorf("%v after one has left", got)
		}
		haltAll([]*actor{f, n2})
	})
}

// While many come one after the other the order is made for those who look at it, not for each of them; in the end all are in it.
func TestOrderIsPublishedNowAndThen(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		nodes := []*actor{w.founder()}
		for i := 1; i < 8; i++ {
			nodes = append(nodes, w.joiner(i, nodes[0]))
		}
		w.allAlive(10*time.Second, nodes, len(nodes)-1)
		haltAll(nodes)
		seen, waiting := nodes[0], nodes[1:]
		seen.start()
		var at []time.Time
		replaced, next, done := seen.OrderReplaced(), time.NewTicker(orderSpacing/4), time.After(5*time.Second)
		defer next.Stop()
		for more := true; more; {
			select {
			case <-replaced:
				at, replaced = append(at, time.Now()), seen.OrderReplaced()
			case <-next.C:
				if len(waiting) > 0 {
					waiting[0].start()
					waiting = waiting[1:]
				}
			case <-done:
				more = false
			}
		}
		for i := 1; i < len(at); i++ {
			if apart := at[i].Sub(at[i-1]); apart < orderSpacing {
				t.Errorf("two orders are %s apart", apart)
			}
		}
		if len(at) < 2 || len(seen.Order()) != len(nodes)-1 {
			t.Errorf("%d orders, %d places in the last", len(at), len(seen.Order()))
		}
		haltAll(nodes)
	})
}
