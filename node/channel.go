package node

import (
	"fmt"

	"google.golang.org/grpc"

	"github.com/g2g-net/g2g/node/client"
	"github.com/g2g-net/g2g/pki"
)

// carrier is the node as package client sees it.
type carrier struct{ *Node }

// Stopped is closed when the loop has ended.
func (c carrier) Stopped() <-chan struct{} { return c.stopped }

// Lend gives a place in the client set.
func (c carrier) Lend(peer pki.ID, addresses []string, anew func()) (client.Loan, error) {
	m := c.member.Load()
	if m == nil {
		return nil, ErrNoNetwork
	}
	loan, err := m.pool.Lend(peer, addresses, anew)
	if err != nil {
		return nil, err // a nil *Loan would be no nil Loan
	}
	return loan, nil
}

// NewClient gives a connection to whoever serves a service: target is g2g:///pkg.Service. Each call goes to the first peer of the query
// order that serves it and is connected; so with every new order calls go elsewhere, and what a peer that fails had not been sent goes to
// the next (package client says exactly what). Connections are made when there are calls, in the node's client set, and closed after a
// minute without. Calls fail at once with Unavailable while nobody serves it or can be reached, unless grpc.WaitForReady says
// otherwise. This node itself is never called.
//
// The connection is the caller's, to be closed. Options come before the node's own; a service config may name retries for methods, and
// client.Policy as the policy.
func (n *Node) NewClient(target string, options ...grpc.DialOption) (*grpc.ClientConn, error) {
	if _, err := client.ServiceOf(target); err != nil {
		return nil, fmt.Errorf("new client: %w", err)
	}
	own, err := n.DialOptions()
	if err != nil {
		return nil, fmt.Errorf("new client %q: %w", target, err)
	}
	first := grpc.WithDefaultServiceConfig(client.ServiceConfig)
	return grpc.NewClient(target, append(append([]grpc.DialOption{first}, options...), own...)...)
}

// DialOptions are for programs that call grpc.NewClient themselves, with a target g2g:///pkg.Service and a service config that names
// client.Policy (client.ServiceConfig).
func (n *Node) DialOptions() ([]grpc.DialOption, error) {
	m := n.member.Load()
	if m == nil {
		return nil, ErrNoNetwork
	}
	return append(m.pool.ServiceOptions(), grpc.WithResolvers(client.NewBuilder(carrier{n}))), nil
}
