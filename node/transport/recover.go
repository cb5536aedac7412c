package transport

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"golang.org/x/time/rate"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// panicLogEvery is how often a panic is logged at most, so that a peer that found one cannot fill the log with it.
const panicLogEvery = time.Minute

// recoverer turns a handler's panic into an error: what a peer sends must never end the node.
type recoverer struct {
	log       *slog.Logger
	sometimes rate.Sometimes
}

func newRecoverer(log *slog.Logger) *recoverer {
	return &recoverer{log: log, sometimes: rate.Sometimes{First: 1, Interval: panicLogEvery}}
}

func (r *recoverer) unary(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (_ any, err error) {
	defer r.catch(info.FullMethod, &err)
	return handler(ctx, request)
}

func (r *recoverer) stream(server any, s grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) (err error) {
	defer r.catch(info.FullMethod, &err)
	return handler(server, s)
}

// catch is deferred directly: only so does recover see the panic.
func (r *recoverer) catch(method string, err *error) {
	p := recover()
	if p == nil {
		return
	}
	stack := string(debug.Stack())
	r.sometimes.Do(func() {
		r.log.Error("handler panicked", "method", method, "panic", fmt.Sprint(p), "stack", stack)
	})
	*err = status.Error(codes.Internal, method+": internal error")
}
