package proxy

import (
	"context"
	"sync/atomic"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"
)

// reach is what gRPC tells of whether a call can have been seen by the peer that it was for.
//
// gRPC tries a call by itself once more over the same connection if it is certain that the peer has not processed it: it
// was never written, or the peer refused it or went away below it (RFC 9113 8.7). A try that gets no connection has no header. So a call whose
// last try has none cannot have been seen, whatever came before. Of any other a peer may have seen all.
type reach struct{ begun atomic.Bool }

type reachKey struct{}

// mayRepeat tells whether a call that failed so can be made at another peer.
func (r *reach) mayRepeat(err error) bool {
	return status.Code(err) == codes.Unavailable && !r.begun.Load()
}

// Reach watches the calls of Forwards on the connections that it is given to. Other calls pass by it.
func Reach() stats.Handler { return watch{} }

type watch struct{}

// HandleRPC notes that a try begins, and that its header was handed to a connection.
func (watch) HandleRPC(ctx context.Context, event stats.RPCStats) {
	switch event.(type) {
	case *stats.Begin, *stats.OutHeader:
	default:
		return
	}
	if r, ok := ctx.Value(reachKey{}).(*reach); ok {
		_, header := event.(*stats.OutHeader)
		r.begun.Store(header)
	}
}

// TagRPC has nothing to add.
func (watch) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

// TagConn has nothing to add.
func (watch) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

// HandleConn looks at no connection.
func (watch) HandleConn(context.Context, stats.ConnStats) {}
