// Package client is the gRPC resolver and balancer that bring a program's calls to the peers that serve a service, in the node's query
// order.
//
// A program gets connections from node.NewClient, or passes node.DialOptions to grpc.NewClient, with a target like
// g2g:///pkg.Service. The resolver lists who serves it, and lists them anew whenever the order is another. The balancer takes the
// first one of the list that is connected, connects to those before it when there are calls, and gives a peer up, with its calls
// ended, when it leaves the order.
//
// A call that was not sent goes to the next peer: gRPC picks again where a connection breaks before it, and where the other end
// says that it took no notice of the call. A call that was sent on a connection that then breaks may have been carried out, so its caller
// is told. Who has methods that may well be carried out twice says so in a retry policy of gRPC's.
package client

import (
	"google.golang.org/grpc/attributes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/resolver"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/pki"
)

// Scheme is of the targets that name a service: g2g:///pkg.Service.
const Scheme = "g2g"

// Policy is the balancer's name in a service config.
const Policy = "g2g_query_order"

// ServiceConfig is what every connection has that brings none of its own: the policy, and no retries.
const ServiceConfig = `{"loadBalancingConfig":[{"` + Policy + `":{}}]}`

// A Node is what this package needs of one: *node.Node, seen from here.
type Node interface {
	// Serving is the part of the query order that serves a service.
	Serving(service string) []gossip.Place
	// OrderReplaced is closed once the order is another than it is now.
	OrderReplaced() <-chan struct{}
	// Stopped is closed when the node has stopped.
	Stopped() <-chan struct{}
	// Lend gives a place in the client set for a connection to a peer. Anew is called, without waiting, when the connection must be made
	// anew, with the leaves of now.
	Lend(peer pki.ID, addresses []string, anew func()) (Loan, error)
}

// A Loan is a place in the client set that a connection of this package's takes. It counts the calls there.
type Loan interface {
	Begin()
	End(err error, sent bool)
	Note(state connectivity.State)
	Return()
}

// expectation is whom to find at an address. Another turn makes gRPC connect anew.
type expectation struct {
	peer pki.ID
	turn int
}

type expectationKey struct{}

// addressOf is an address of a peer's, with who must be found there.
func addressOf(address string, e expectation) resolver.Address {
	return resolver.Address{Addr: address, Attributes: attributes.New(expectationKey{}, e)}
}

// Expected is whom a handshake must find, by the attributes of the address that was dialled.
func Expected(a *attributes.Attributes) (pki.ID, bool) {
	e, ok := a.Value(expectationKey{}).(expectation)
	return e.peer, ok
}
