package proxy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"time"

	"golang.org/x/time/rate"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// A Caller is the member that makes a call, as the connection proved.
type Caller struct{ ID, Mode string }

// A RoutesConfig is what Routes need of their node.
type RoutesConfig struct {
	Backends map[string]string // host:port, by the full name of a service
	// Dial opens a connection to a backend.
	Dial func(ctx context.Context, address string) (net.Conn, error)
	// Caller is whose call it is. A call of nobody's is refused.
	Caller func(ctx context.Context) (Caller, bool)
	Log    *slog.Logger
}

// Routes carry the calls of members to backends.
type Routes struct {
	config RoutesConfig
	conns  map[string]*grpc.ClientConn // by service; two services of one backend have two
	told   rate.Sometimes              // of backends that are away
}

// toldEvery is how often at most it is logged that a backend cannot be reached: members can make as many calls as they like.
const toldEvery = 10 * time.Second

const (
	backoffFirst = 100 * time.Millisecond
	backoffMax   = 2 * time.Second
)

// NewRoutes makes the connections to the backends, which are dialled when they are first needed.
func NewRoutes(c RoutesConfig) (*Routes, error) {
	r := &Routes{config: c, conns: make(map[string]*grpc.ClientConn, len(c.Backends)), told: rate.Sometimes{First: 1, Interval: toldEvery}}
	for service, backend := range c.Backends { // into a map again
		conn, err := grpc.NewClient("passthrough:///"+backend, append(clientOptions(), grpc.WithContextDialer(c.Dial))...)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("route %s to %s: %w", service, backend, err), r.Close())
		}
		r.conns[service] = conn
	}
	return r, nil
}

func clientOptions() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithNoProxy(),
		grpc.WithDisableServiceConfig(),
		grpc.WithIdleTimeout(0),
		grpc.WithMaxHeaderListSize(maxHeaders),
		grpc.WithStaticStreamWindowSize(window),
		grpc.WithStaticConnWindowSize(windowInAll),
		grpc.WithStatsHandler(Reach()),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: backoffFirst, Multiplier: 1.6, Jitter: 0.2, MaxDelay: backoffMax},
			MinConnectTimeout: handshakeTime,
		}),
	}
}

// Services are the names of those that are routed, ordered.
func (r *Routes) Services() []string {
	var names []string
	for name := range r.conns { // sorted below
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Has tells whether a method, by its full name, is one of a service that is routed.
func (r *Routes) Has(method string) bool { return r.conns[serviceOf(method)] != nil }

// Handle carries one call to its backend. It is the handler of streams for what the server does not know.
func (r *Routes) Handle(_ any, in grpc.ServerStream) error {
	ctx := in.Context()
	method, _ := grpc.Method(ctx)
	service := serviceOf(method)
	conn := r.conns[service]
	if conn == nil {
		return status.Errorf(codes.Unimplemented, "no method %s here", method)
	}
	caller, ok := r.config.Caller(ctx)
	if !ok {
		return status.Errorf(codes.PermissionDenied, "refused %s: members only", method)
	}
	md, _ := metadata.FromIncomingContext(ctx)
	md = passed(md)
	md.Set(PeerID, caller.ID)
	md.Set(PeerMode, caller.Mode)
	source := &source{in: in}
	source.settle()
	var seen reach
	ctx = context.WithValue(metadata.NewOutgoingContext(ctx, md), reachKey{}, &seen)
	trailer, err := (&relay{in: in, source: source, method: method}).over(ctx, conn)
	in.SetTrailer(trailer)
	if seen.unseen(err) {
		r.told.Do(func() {
			r.config.Log.Warn("the backend of a route cannot be reached", "service", service, "backend", r.config.Backends[service], "error", err)
		})
		// The words of err name addresses of this host, which are none of the caller's business.
		return status.Errorf(codes.Unavailable, "route %s: the backend behind this node cannot be reached", service)
	}
	return err
}

// Codec is what the server needs that Handle belongs to.
func (r *Routes) Codec() encoding.CodecV2 { return Codec() }

// Close ends the connections to the backends, with the calls on them.
func (r *Routes) Close() error {
	var errs []error
	for _, conn := range r.conns { // the order decides nothing
		errs = append(errs, conn.Close())
	}
	return errors.Join(errs...)
}
