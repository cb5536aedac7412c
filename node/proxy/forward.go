package proxy

import (
	"context"
	"iter"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// A ForwardConfig is what a Forward needs of its node.
type ForwardConfig struct {
	Service string // full name
	// Peers are those that serve it, by their IDs, in the order to try, with the node's connections to them.
	Peers func() iter.Seq2[string, grpc.ClientConnInterface]
}

// A Forward carries the calls of programs on this host to the peers that serve one service. Everything else is refused.
type Forward struct {
	config ForwardConfig
	server *grpc.Server
	places chan struct{} // one a call
}

// NewForward makes one, which Serve lets in.
func NewForward(c ForwardConfig) *Forward {
	f := &Forward{config: c, places: make(chan struct{}, maxCalls)}
	f.server = grpc.NewServer(
		grpc.ForceServerCodecV2(Codec()),
		grpc.UnknownServiceHandler(f.handle),
		grpc.MaxRecvMsgSize(maxMessage),
		grpc.MaxSendMsgSize(maxMessage),
		grpc.MaxHeaderListSize(maxHeaders),
		grpc.MaxConcurrentStreams(maxStreams),
		grpc.StaticStreamWindowSize(window),
		grpc.StaticConnWindowSize(windowInAll),
		grpc.ConnectionTimeout(handshakeTime),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: pingMinTime, PermitWithoutStream: true}),
	)
	return f
}

// pingMinTime is how often a program may ask whether the connection stands.
const pingMinTime = 5 * time.Second

// Serve takes the connections of programs until Stop. They are not proved: whoever can open one calls as this node.
func (f *Forward) Serve(l net.Listener) error { return f.server.Serve(atMost(l, maxConns)) }

// Stop lets the calls under way end, for as long as grace, then cuts them.
func (f *Forward) Stop(grace time.Duration) {
	timer := time.AfterFunc(grace, f.server.Stop)
	defer timer.Stop()
	f.server.GracefulStop()
}

func (f *Forward) handle(_ any, in grpc.ServerStream) error {
	method, _ := grpc.Method(in.Context())
	if serviceOf(method) != f.config.Service {
		return status.Errorf(codes.Unimplemented, "no method %s here: this port is for %s", method, f.config.Service)
	}
	select {
	case f.places <- struct{}{}:
	default:
		return status.Errorf(codes.ResourceExhausted, "forward %s: %d calls run at once, no more are taken", f.config.Service, maxCalls)
	}
	defer func() { <-f.places }()
	md, _ := metadata.FromIncomingContext(in.Context())
	return f.carry(metadata.NewOutgoingContext(in.Context(), passed(md)), in, method)
}

// carry tries one peer after the other, as long as none can have seen the call.
func (f *Forward) carry(ctx context.Context, in grpc.ServerStream, method string) error {
	source := &source{in: in}
	tried := 0
	var last error
	for id, conn := range f.config.Peers() {
		tried++
		var seen reach
		r := &relay{in: in, source: source, method: method, with: metadata.Pairs(PeerID, id)}
		trailer, err := r.over(context.WithValue(ctx, reachKey{}, &seen), conn)
		if !seen.unseen(err) {
			if !seen.handed.Load() {
				trailer.Delete(PeerID) // that peer has nothing to do with it
			}
			in.SetTrailer(trailer)
			return err
		}
		if last = err; source.settled.Load() || ctx.Err() != nil {
			break // it has sent more than is kept, or nobody waits for it any more
		}
	}
	if err := ctx.Err(); err != nil {
		return status.FromContextError(err).Err()
	}
	if tried == 0 {
		return status.Errorf(codes.Unavailable, "forward %s: no peer that can be reached serves it", f.config.Service)
	}
	return status.Errorf(codes.Unavailable, "forward %s: none of %d peers that serve it could be reached: %s", f.config.Service, tried, status.Convert(last).Message())
}
