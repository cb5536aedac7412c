// Package admin serves the admin API of one node from its snapshots, over a unix socket in the node's folder.
package admin

import (
	"context"
	"errors"
	"time"

	"github.com/g2g-net/g2g/node/fanout"
	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/signature"
	"github.com/g2g-net/g2g/pki"
)

// What a node answers, for callers of the API to branch on. A node wraps them; the text that people see is the whole error's.
// None of them changed anything.
var (
	ErrNoNetwork   = errors.New("this node has no network")
	ErrHasNetwork  = errors.New("this node has a network already")
	ErrRefused     = errors.New("refused")                  // by an acceptor or a nominator
	ErrUnreachable = errors.New("nobody could be reached")  // at the addresses of a token
	ErrInvalid     = errors.New("the request is not valid") // the caller's fault
	ErrBusy        = errors.New("the node is busy")         // its inbox is full
)

// Node is the running node as admin sees it. Every method may be called from many goroutines at once.
type Node interface {
	Picture(ctx context.Context) (Picture, error)
	// Turn grows whenever something may have changed. It is cheap.
	Turn() uint64
	// Nominate fills the request's addresses where they are empty.
	Nominate(ctx context.Context, req gossip.NominateRequest) (pki.Token, pki.Nomination, error)
	// Revoke takes a token ID or an unambiguous prefix of one.
	Revoke(ctx context.Context, id string) (pki.Nomination, error)
	// Join asks at the address instead of the token's, unless it is empty.
	Join(ctx context.Context, token pki.Token, at string) (Joined, error)
	// Rotate renews the leaf; with revoke older ones are refused everywhere.
	Rotate(ctx context.Context, revoke bool) (Rotated, error)
	// Ping tells of count round trips to a peer, one after the other, until tell fails.
	Ping(ctx context.Context, peer pki.ID, count int, tell func(time.Duration, error) error) error
	// Query asks the network by the fan-out.
	Query(ctx context.Context, q fanout.Query) (fanout.Result, error)
	// Services lists the shared addresses; AddService and RemoveService change this node's.
	Services(ctx context.Context) ([]gossip.Service, error)
	AddService(ctx context.Context, address string) error
	RemoveService(ctx context.Context, address string) error
	// Counters tells how much of what the node did since it started, in a fixed order.
	Counters() []Counter
	// Publish is an application's sign of life.
	Publish(ctx context.Context, mean, histogram []float64, count uint64) (sequence uint64, err error)
	// ShowSignature asks a peer, or takes this node's own for the zero ID.
	ShowSignature(ctx context.Context, id pki.ID) (Signature, error)
	// LoadData takes batches of samples from next until it says that there are no more: then all count. An error of next's, or a sample
	// that is refused, changes nothing.
	LoadData(ctx context.Context, next func() (samples [][]float32, more bool, err error)) (Loaded, error)
	DataStat(ctx context.Context) (DataStat, error)
	// DrawData draws at most n different samples at random.
	DrawData(ctx context.Context, n int) ([][]float32, error)
	// Leave returns when goodbye was said. The node stops afterwards.
	Leave(ctx context.Context) error
}

// A Picture is what a node knows at one moment. It is immutable.
type Picture struct {
	Gossip          *gossip.Snapshot // nil without a network
	ID              pki.ID
	Name            string
	Genesis         pki.Genesis
	Chain           pki.Chain
	Version         string
	Started         time.Time
	Now             time.Time
	GossipAddress   string // as bound; empty without a listener
	RegisterAddress string
	AdminAddress    string
	Leaf            pki.LeafClaims
	Leaves          map[pki.ID]pki.LeafClaims // as connections showed them
}

// Joined is what became of a registration that was accepted.
type Joined struct {
	Network   pki.NetworkID
	Acceptor  pki.ID
	Nominator pki.ID
	Mode      pki.Mode
	Depth     int
	Warning   string // why the acceptor could not dial back; empty if it could
	Observed  string // this node's address as the acceptor saw it
}

// A Counter is a number that only grows while the node runs.
type Counter struct {
	Name   string
	Method string // of gRPC; empty where it is about none
	Value  uint64
}

// Rotated is what became of a rotation.
type Rotated struct {
	Leaf      pki.LeafClaims
	MinEpoch  uint64 // leaves of this node below it are refused
	Redialled int    // peers that were shown the new leaf before the old ones were revoked
}

// A Signature is what a node says of its data.
type Signature struct {
	signature.Signature
	ID         pki.ID
	Name       string
	Sequence   uint64
	Age        time.Duration
	Published  bool    // false: nothing is known
	Distance   float64 // to this node's
	Comparable bool    // or there is none
}

// DataStat is how much data there is.
type DataStat struct {
	Count     int
	Dimension int
	Bytes     int64 // of values
}

// Loaded is what became of a load.
type Loaded struct {
	Added      int
	Duplicates int
	Stat       DataStat
}
