package proxy

import (
	"context"
	"slices"
	"sync/atomic"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"
)

// reach is what gRPC tells of whether a call can have been seen by the peer that it was for.
//
// gRPC tries a call by itself once more over the same connection if it is certain that the peer has not processed it: it was never
// written, or the peer refused the stream or went away below it (RFC 9113 8.7). So only its last try counts. One that got no connection
// has handed over no header. One that was refused, too, has heard nothing, and ends in one of gRPC's own words for that. Of
// every other call a peer may have seen all.
type reach struct{ handed, heard atomic.Bool }

type reachKey struct{}

// refusals are what gRPC says of a stream that was not processed, where no other end has said anything.
var refusals = []string{
	"stream terminated by RST_STREAM with error code: REFUSED_STREAM",
	"the stream is rejected because server is draining the connection",
	"the connection is draining",
}

// unseen tells whether a call that failed so cannot have been seen.
func (r *reach) unseen(err error) bool {
	s := status.Convert(err)
	if s.Code() != codes.Unavailable {
		return false
	}
	return !r.handed.Load() || !r.heard.Load() && slices.Contains(refusals, s.Message())
}

// Reach watches the calls of Forwards and Routes on the connections that it is given to. Other calls pass by it.
func Reach() stats.Handler { return watch{} }

type watch struct{}

// HandleRPC notes that a try begins, that its header was handed to a connection, and that the other end said something.
func (watch) HandleRPC(ctx context.Context, event stats.RPCStats) {
	r, ok := ctx.Value(reachKey{}).(*reach)
	if !ok {
		return
	}
	switch event.(type) {
	case *stats.Begin:
		r.handed.Store(false)
		r.heard.Store(false)
	case *stats.OutHeader:
		r.handed.Store(true)
	case *stats.InHeader, *stats.InTrailer:
		r.heard.Store(true)
	}
}

// TagRPC has nothing to add.
func (watch) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

// TagConn has nothing to add.
func (watch) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

// HandleConn looks at no connection.
func (watch) HandleConn(context.Context, stats.ConnStats) {}
