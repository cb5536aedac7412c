package admin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/g2g-net/g2g/node/fanout"
	"github.com/g2g-net/g2g/node/gossip"
)

// statusCodes are what callers branch on. The first that fits counts: an error may hold several, as when one address of a
// token refused and another did not answer, and a dial that ran out of time holds a context error too.
var statusCodes = []struct {
	is   error
	code codes.Code
}{
	{ErrInvalid, codes.InvalidArgument},
	{ErrNoNetwork, codes.FailedPrecondition},
	{ErrHasNetwork, codes.FailedPrecondition},
	{gossip.ErrNoToken, codes.NotFound},
	{ErrRefused, codes.PermissionDenied},
	{ErrUnreachable, codes.Unavailable},
	{ErrBusy, codes.ResourceExhausted},
	{fanout.ErrQuery, codes.InvalidArgument},
	{fanout.ErrBusy, codes.ResourceExhausted},
	{context.Canceled, codes.Canceled},
	{context.DeadlineExceeded, codes.DeadlineExceeded},
}

// statusOf is the one place where errors become codes. The message is the error's full text.
func statusOf(err error) error {
	if err == nil {
		return nil
	}
	for _, s := range statusCodes {
		if errors.Is(err, s.is) {
			return status.Error(s.code, err.Error())
		}
	}
	return status.Error(codes.Unknown, err.Error())
}

// An invalid is an ErrInvalid with a text of its own.
type invalid struct{ error }

func (i invalid) Unwrap() []error { return []error{ErrInvalid, i.error} }

func invalidf(format string, args ...any) error { return invalid{fmt.Errorf(format, args...)} }

// guardCall gives every call its code. A panic costs the call that met it, not the node.
func guardCall(log *slog.Logger) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (reply any, err error) {
		defer caught(log, info.FullMethod, &err)
		reply, err = handle(ctx, req)
		return reply, statusOf(err)
	}
}

// guardStream is guardCall for streams.
func guardStream(log *slog.Logger) grpc.StreamServerInterceptor {
	return func(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) (err error) {
		defer caught(log, info.FullMethod, &err)
		return statusOf(handle(srv, stream))
	}
}

func caught(log *slog.Logger, method string, err *error) {
	if p := recover(); p != nil {
		log.Error("admin call panicked", "method", method, "panic", p, "stack", string(debug.Stack()))
		*err = status.Error(codes.Internal, "the node failed inside: its log tells where")
	}
}
