package node

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"

	"google.golang.org/grpc"

	"github.com/g2g-net/g2g/node/config"
	"github.com/g2g-net/g2g/node/proxy"
	"github.com/g2g-net/g2g/node/transport"
	"github.com/g2g-net/g2g/node/view"
)

// serves are the names of all that this node serves to members on its Gossip port: its program's and those of other programs, ordered.
func (n *Node) serves() []string {
	names := n.programs.Names()
	for _, r := range n.cfg.Load().Routes {
		names = append(names, r.Service)
	}
	slices.Sort(names)
	return names
}

// checkRoutes reports routes that do not go with the services of the program.
func checkRoutes(routes []config.Passage, programs transport.Services) error {
	var errs []error
	names := programs.Names()
	for _, r := range routes {
		if slices.Contains(names, r.Service) {
			errs = append(errs, fmt.Errorf("route %q: the program serves it itself", r.Service))
		}
	}
	if all := len(names) + len(routes); all > view.MaxServes {
		errs = append(errs, fmt.Errorf("%d services with those that are routed: a node serves at most %d", all, view.MaxServes))
	}
	return errors.Join(errs...)
}

// openRoutes makes what carries members' calls to programs on this host; nil where none are.
func (n *Node) openRoutes() (*proxy.Routes, error) {
	routes := n.cfg.Load().Routes
	if len(routes) == 0 {
		return nil, nil
	}
	c := proxy.RoutesConfig{Backends: make(map[string]string, len(routes)), Dial: n.opt.Dial, Caller: routedFor, Log: n.log}
	for _, r := range routes {
		c.Backends[r.Service] = r.Address
		n.log.Info("a service is routed to a program", "service", r.Service, "backend", r.Address)
	}
	return proxy.NewRoutes(c)
}

func routedFor(ctx context.Context) (proxy.Caller, bool) {
	c, ok := CallerFrom(ctx)
	return proxy.Caller{ID: c.ID.String(), Mode: c.Mode.String()}, ok
}

// forward is a port on this host.
type forward struct {
	*proxy.Forward
	at string // as bound
}

// openForwards opens the ports on this host, or none.
func (n *Node) openForwards() error {
	for _, f := range n.cfg.Load().Forwards {
		l, err := n.opt.Listen("tcp", f.Address)
		if err != nil {
			return fmt.Errorf("listen for forward %s: %w", f.Service, err)
		}
		peers := func() iter.Seq2[string, grpc.ClientConnInterface] { return n.channels(f.Service) }
		opened := &forward{proxy.NewForward(proxy.ForwardConfig{Service: f.Service, Peers: peers}), l.Addr().String()}
		n.forwards = append(n.forwards, opened)
		n.tasks.Go(func() { n.served("forward of "+f.Service, opened.Serve(l)) })
		n.log.Info("a service of peers is served to this host", "service", f.Service, "listen", opened.at)
	}
	return nil
}

// closeForwards lets the calls that are under way end for a moment, then cuts them.
func (n *Node) closeForwards() {
	var all sync.WaitGroup
	for _, f := range n.forwards {
		all.Go(func() { f.Stop(stopTime) })
	}
	all.Wait()
}

// channels are the peers that serve a service, by their IDs, in query order.
func (n *Node) channels(service string) iter.Seq2[string, grpc.ClientConnInterface] {
	return func(yield func(string, grpc.ClientConnInterface) bool) {
		m := n.member.Load()
		if m == nil {
			return
		}
		for _, p := range n.Serving(service) {
			newest := func(ctx context.Context) []string { return n.addressesOf(ctx, p.ID) }
			if !yield(p.ID.String(), m.pool.Channel(p.ID, p.Addresses, newest)) {
				return
			}
		}
	}
}
