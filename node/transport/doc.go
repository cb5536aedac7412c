// Package transport is gRPC over mutual TLS between nodes.
//
// It carries, it never decides: who is a member is pki's word, and what a call means is the handler's. TLS refuses only what
// is malformed, expired, re-dated or badly sealed. Who is a stranger, in the wrong mode or of a revoked epoch is told so at its
// first call, and its connection is closed a moment later.
//
// A node has one Registry and one Gate for all of its ports. Gossip and Registration are two servers behind two doors; the Pool
// holds the connections to peers. Services of programs stand behind the Gossip door, and calls of programs have connections of
// their own in the Pool.
package transport

import "github.com/g2g-net/g2g/pki"

// A Source gives what a node shows and what it believes, as of now. Both are asked at every handshake and the trust at every
// call, so a rotation or a new Trust needs no restart; both must be cheap, safe for concurrent use, and never nil once a
// connection is possible.
type Source interface {
	Leaf() *pki.Leaf
	Trust() *pki.Trust
}
