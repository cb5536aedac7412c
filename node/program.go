package node

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/transport"
	"github.com/g2g-net/g2g/pki"
)

// What Dial says of a peer that it does not find. Nothing was changed.
var (
	ErrNoPeer    = errors.New("no such peer")
	ErrAmbiguous = errors.New("fits more than one peer")
	// ErrNoPort is a peer that is not there to be called: a client-mode member, or this node itself.
	ErrNoPort = errors.New("cannot be called")
)

// A Caller is the member that makes a call.
type Caller struct {
	ID   pki.ID
	Mode pki.Mode
}

// CallerFrom is who makes the call that the context of a service's handler belongs to, as the connection proved and as it was
// judged for this very call. It is false outside of calls on the Gossip port.
func CallerFrom(ctx context.Context) (Caller, bool) {
	m, ok := transport.MemberFrom(ctx)
	if !ok {
		return Caller{}, false
	}
	return Caller{ID: m.ID, Mode: m.Mode()}, true
}

// A Peer is another member as this node knows it.
type Peer struct {
	ID        pki.ID
	Name      string // chosen by the peer; two may have the same
	Mode      pki.Mode
	State     string   // alive, late, dead or left
	Addresses []string // of its Gossip port; none in client mode
}

// Peers lists the members that this node knows, ordered by ID. A client-mode member is known to those that it talks to.
func (n *Node) Peers(ctx context.Context) ([]Peer, error) {
	if n.member.Load() == nil {
		return nil, fmt.Errorf("peers: %w", ErrNoNetwork)
	}
	s, err := n.snapshot(ctx)
	if err != nil {
		return nil, fmt.Errorf("peers: %w", err)
	}
	peers := make([]Peer, len(s.Peers))
	for i, p := range s.Peers {
		peers[i] = Peer{ID: p.ID, Name: p.Name, Mode: p.Mode, State: p.State.String(), Addresses: slices.Clone(p.Addresses)}
	}
	return peers, nil
}

// A Client is one peer of the client set.
type Client = transport.Client

// Clients is the client set: the peers that this node has connections to, and what became of the calls on them, ordered by ID.
// A peer that nobody calls leaves it after a minute, unless gossip keeps it warm.
func (n *Node) Clients() []Client {
	m := n.member.Load()
	if m == nil {
		return nil
	}
	return m.pool.Clients()
}

// Dial gives a secured connection to a peer, by its name, its ID or an unambiguous prefix of that (ErrNoPeer, ErrAmbiguous).
// Whoever answers there is that peer: a name is looked up once, here, and IDs are proven at every handshake.
//
// It is good for as long as the node runs, follows the peer to other addresses and survives every rotation. There is nothing to
// connect, keep or close: the node does, in its client set, at most one connection a peer for all who dial it. That is why it
// is no *grpc.ClientConn, which anybody could close for all others. Calls fail fast while the peer cannot be reached; the
// context bounds the look-up alone.
func (n *Node) Dial(ctx context.Context, peer string) (grpc.ClientConnInterface, error) {
	p, err := n.find(ctx, peer)
	if err != nil {
		return nil, fmt.Errorf("dial %q: %w", peer, err)
	}
	if p.ID == n.ID() {
		return nil, fmt.Errorf("dial %q: it is this node itself: %w", peer, ErrNoPort)
	}
	if p.Mode != pki.Server {
		return nil, fmt.Errorf("dial %q: a %s-mode member has no port: %w", peer, p.Mode, ErrNoPort)
	}
	newest := func(ctx context.Context) []string { return n.addressesOf(ctx, p.ID) }
	return n.member.Load().pool.Channel(p.ID, p.Addresses, newest), nil
}

// addressesOf are the newest that are known of a peer, or none where the machine cannot be asked.
func (n *Node) addressesOf(ctx context.Context, id pki.ID) (addresses []string) {
	_ = n.do(ctx, func(_ time.Time, m *gossip.Machine) { addresses = m.Addresses(id) })
	return addresses
}

func (n *Node) find(ctx context.Context, text string) (Peer, error) {
	peers, err := n.Peers(ctx)
	if err != nil {
		return Peer{}, err
	}
	return pick(append(peers, Peer{ID: n.ID(), Name: n.cfg.Load().Name}), text)
}

// pick finds the one peer that a text names. Names are the peers' own choice, so one that two have is nobody's.
func pick(peers []Peer, text string) (Peer, error) {
	for _, fits := range []func(Peer) bool{
		func(p Peer) bool { return p.ID.String() == text },
		func(p Peer) bool { return p.Name == text },
		func(p Peer) bool { return p.ID.HasPrefix(text) },
	} {
		var found []Peer
		for _, p := range peers {
			if fits(p) {
				found = append(found, p)
			}
		}
		switch len(found) {
		case 0:
		case 1:
			return found[0], nil
		default:
			return Peer{}, fmt.Errorf("%w: %s", ErrAmbiguous, list(found))
		}
	}
	return Peer{}, ErrNoPeer
}

// maxNamed bounds how many peers an error names.
const maxNamed = 8

func list(peers []Peer) string {
	var texts []string
	for _, p := range peers[:min(len(peers), maxNamed)] {
		texts = append(texts, fmt.Sprintf("%s (%s)", p.ID, p.Name))
	}
	slices.Sort(texts)
	if more := len(peers) - maxNamed; more > 0 {
		texts = append(texts, fmt.Sprintf("%d more", more))
	}
	return strings.Join(texts, ", ")
}
