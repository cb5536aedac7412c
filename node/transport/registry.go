package transport

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"slices"
	"sync"

	"github.com/g2g-net/g2g/pki"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
)

const (
	// MaxLeaves bounds the leaves that a registry remembers.
	MaxLeaves = 1024
	// MaxInboundPerPeer bounds the connections that one peer opens here. The oldest makes way: after a crash of the peer it is
	// the one that is dead. A peer needs one, and another while it turns over.
	MaxInboundPerPeer = 8
)

// A Registry knows every open connection of a node, both ways, since gRPC cannot close a single one.
//
//  1. A connection is in peers (under the ID of its verified leaf) from before it was judged until it was closed.
//  2. An inbound connection is in calls under a key that only it has, for as long.
//  3. order has exactly the keys of leaves, the one shown last at its end; owners has exactly the hashes of the values.
type Registry struct {
	// VerifyChain is pki's, or one that remembers. It is set before the first connection.
	VerifyChain func([]byte, pki.Genesis) (pki.Chain, error)

	mu     sync.Mutex
	peers  map[pki.ID][]*connection // in order of arrival
	calls  map[any]*connection
	leaves map[pki.ID]pki.LeafClaims
	order  []pki.ID
	owners map[[sha256.Size]byte]pki.ID // by the leaf's hash
	counts Counts

	traffic *traffic
}

// Counts says how many connections are open, to how many different nodes, and how many calls were refused so far.
type Counts struct {
	Inbound, Outbound, Peers int
	Refused                  uint64
}

// NewRegistry makes an empty registry.
func NewRegistry() *Registry {
	return &Registry{
		peers:  make(map[pki.ID][]*connection),
		calls:  make(map[any]*connection),
		leaves: make(map[pki.ID]pki.LeafClaims),
		owners: make(map[[sha256.Size]byte]pki.ID),

		VerifyChain: pki.VerifyChain,

		traffic: newTraffic(),
	}
}

// Close ends all connections of a node, open streams included, and tells how many these were.
func (r *Registry) Close(id pki.ID) int {
	return r.end(func(c *connection) bool { return c.claims.ID == id })
}

// CloseBelow ends the connections of a node whose leaf is of an older epoch. The Trust that says so must have been
// published before: then no handshake can slip through in between.
func (r *Registry) CloseBelow(id pki.ID, minEpoch uint64) int {
	return r.end(func(c *connection) bool { return c.claims.ID == id && c.claims.Epoch < minEpoch })
}

// CloseAll ends every connection, those of registrations included.
func (r *Registry) CloseAll() int {
	return r.end(func(*connection) bool { return true })
}

// Leaf is what the node's leaf said when it was last seen as a member's on a connection.
func (r *Registry) Leaf(id pki.ID) (pki.LeafClaims, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	claims, ok := r.leaves[id]
	return claims, ok
}

// Counts is the state of now.
func (r *Registry) Counts() Counts {
	r.mu.Lock()
	defer r.mu.Unlock()
	counts := r.counts
	counts.Peers = len(r.peers)
	if r.peers[pki.ID{}] != nil {
		counts.Peers-- // registrations
	}
	return counts
}

// add takes a connection in until it closes. One that is over its peer's bound makes the peer's oldest end.
func (r *Registry) add(c *connection) {
	oldest := r.enter(c)
	c.raw.whenClosed(func() { r.forget(c) })
	if oldest != nil {
		oldest.end()
	}
}

func (r *Registry) enter(c *connection) (oldest *connection) {
	r.mu.Lock()
	defer r.mu.Unlock()
	id := c.claims.ID
	r.peers[id] = append(r.peers[id], c)
	if c.key != nil {
		r.calls[c.key] = c
	}
	*r.counter(c)++
	oldest = r.overBound(id)
	if oldest != nil {
		r.remove(oldest)
	}
	return oldest
}

func (r *Registry) counter(c *connection) *int {
	if c.inbound {
		return &r.counts.Inbound
	}
	return &r.counts.Outbound
}

// overBound finds the oldest inbound connection of a peer that has too many.
func (r *Registry) overBound(id pki.ID) *connection {
	if id.IsZero() {
		return nil // registrations have no ID; the gate bounds them
	}
	var oldest *connection
	inbound := 0
	for _, c := range r.peers[id] {
		if c.inbound {
			if inbound == 0 {
				oldest = c
			}
			inbound++
		}
	}
	if inbound <= MaxInboundPerPeer {
		return nil
	}
	return oldest
}

// remember keeps a member's leaf and forgets the one that was not seen for longest.
func (r *Registry) remember(claims pki.LeafClaims) {
	r.mu.Lock()
	defer r.mu.Unlock()
	id := claims.ID
	if old, ok := r.leaves[id]; ok {
		i := slices.Index(r.order, id)
		r.order = slices.Delete(r.order, i, i+1)
		delete(r.owners, old.Hash)
	} else if len(r.order) >= MaxLeaves {
		delete(r.owners, r.leaves[r.order[0]].Hash)
		delete(r.leaves, r.order[0])
		r.order = slices.Delete(r.order, 0, 1)
	}
	r.leaves[id] = claims
	r.owners[claims.Hash] = id
	r.order = append(r.order, id)
}

// verified gives what is remembered of a leaf by all of its bytes.
func (r *Registry) verified(leaf []byte) (pki.LeafClaims, bool) {
	hash := sha256.Sum256(leaf)
	r.mu.Lock()
	defer r.mu.Unlock()
	id, ok := r.owners[hash]
	return r.leaves[id], ok
}

// end takes connections out and closes them.
func (r *Registry) end(which func(*connection) bool) int {
	var ended []*connection
	r.mu.Lock()
	for _, of := range r.peers {
		for _, c := range of {
			if which(c) {
				ended = append(ended, c)
			}
		}
	}
	for _, c := range ended {
		r.remove(c)
	}
	r.mu.Unlock()
	for _, c := range ended {
		c.end()
	}
	return len(ended)
}

// forget takes out a connection that was closed.
func (r *Registry) forget(c *connection) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.remove(c)
}

func (r *Registry) remove(c *connection) {
	of := r.peers[c.claims.ID]
	i := slices.Index(of, c)
	if i < 0 {
		return
	}
	*r.counter(c)--
	if len(of) == 1 {
		delete(r.peers, c.claims.ID)
	} else {
		r.peers[c.claims.ID] = slices.Delete(of, i, i+1)
	}
	if c.key != nil {
		delete(r.calls, c.key)
	}
}

// refused counts a refused call.
func (r *Registry) refused() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts.Refused++
}

// errClosed tells that a call outlived its connection here.
var errClosed = errors.New("the connection was closed")

// find gives the connection that a call came in on.
func (r *Registry) find(ctx context.Context) (*connection, error) {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return nil, errors.New("no connection in the context")
	}
	key, err := keyOf(p.AuthInfo)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if c := r.calls[key]; c != nil {
		return c, nil
	}
	return nil, errClosed
}

// keyOf is what no other connection has: the pointer to its certificate, which every handshake here makes anew, or where the
// other end showed none the exported keying material.
func keyOf(info credentials.AuthInfo) (any, error) {
	if t, ok := info.(credentials.TLSInfo); ok && len(t.State.PeerCertificates) > 0 {
		return t.State.PeerCertificates[0], nil
	}
	return export(info)
}

// ownCertificate makes the certificate's pointer the connection's own. The TLS stack shares equal certificates.
func ownCertificate(certificates []*x509.Certificate) []*x509.Certificate {
	if len(certificates) == 0 {
		return nil
	}
	own := *certificates[0]
	return []*x509.Certificate{&own}
}
