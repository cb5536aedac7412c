// Package proxy carries gRPC calls of programs in any language, as the bytes that they are, between a program on this host and the
// node's secured connections.
//
// A Route stands at the end of a connection: what members call is carried to a backend on this host. A Forward stands at its
// beginning: what programs on this host call is carried to the peers that serve it. Neither reads a message. A ready-made proxy
// (mwitkow/grpc-proxy, siderolabs/grpc-proxy) has one peer for a call, chosen before it begins, and none has the rule that
// a Forward is for: the next peer gets a call if, and only if, the one before cannot have seen it.
package proxy

import "time"

// What the connections to programs on this host are bound by. They are those that members have between them.
const (
	maxMessage    = 4 << 20   // bytes of a message
	maxHeaders    = 8 << 10   // bytes of the headers of a call, and of its trailers
	maxStreams    = 256       // calls at once on one connection; one more waits at the caller
	window        = 1 << 20   // bytes of a stream that may be under way
	windowInAll   = 4 << 20   // bytes of a connection that may be under way
	maxCalls      = 1024      // calls of one Forward at once; one more is refused
	maxConns      = 256       // connections of programs to one Forward; one more is closed
	maxKept       = 256 << 10 // bytes that a call has sent, and may send again to another peer; gRPC keeps as many
	handshakeTime = 5 * time.Second
)
