package transport

import (
	"log/slog"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
)

// What every connection has, both ways. Nobody should change these.
const (
	// MaxMessage bounds a message of the node's own services, in bytes.
	MaxMessage = 64 << 10
	// MaxStreams bounds the calls that run at once on one Gossip connection of a node whose program serves nothing there.
	MaxStreams = 64

	maxHeaders        = 8 << 10  // bytes of a call's headers
	bufferSize        = 4 << 10  // bytes for reading and for writing; gRPC's own 32 KiB are what an idle connection costs most
	window            = 64 << 10 // bytes of a stream, and of a connection, that may be under way; a static one saves 48 bytes a message
	streamWorkers     = 2        // calls served at a time on goroutines that keep their stacks, which grow anew on each new one; more begin others
	connectionTimeout = 10 * time.Second
	keepaliveTime     = time.Minute      // a silent connection is asked after this,
	keepaliveTimeout  = 10 * time.Second // and closed without an answer in this
	keepaliveMinTime  = 10 * time.Second // a client may ask no more often

	defaultAge      = 4 * time.Hour
	defaultAgeGrace = 10 * time.Minute

	// What a Gossip port has more of where programs serve there, and what their connections have.
	programMessage   = 4 << 20 // bytes; gRPC's own bound for what is received
	programStreams   = 256     // calls at once on one connection; one more waits at the caller
	programWindow    = 1 << 20 // bytes of a stream that may be under way: 13 MB/s at 80 ms
	programWindowAll = 4 << 20 // bytes of a connection that may be under way
	programBuffer    = 32 << 10
	programPing      = 2 * keepaliveMinTime // a connection that is silent under a call is asked after this

	// A registration takes seconds; what stays longer was left behind.
	registrationStreams  = 4
	registrationIdle     = 10 * time.Second
	registrationAge      = 2 * time.Minute
	registrationAgeGrace = 30 * time.Second
)

// ServerConfig is what a server needs of its node. Source and Registry must be set.
type ServerConfig struct {
	Source   Source
	Registry *Registry
	// Log gets what an operator must see: panics of handlers. Nil discards it.
	Log *slog.Logger
	// MaxConnectionAge is how long a Gossip connection lives before its calls move to a new one, with the leaves of then.
	// Zero takes 4 h. Less costs handshakes; more than what is left of a leaf's life at its rotation makes connections expire.
	MaxConnectionAge time.Duration
	// MaxConnectionAgeGrace is how long a call may outlive that age. Zero takes 10 min. A shorter one than the longest
	// call's deadline makes calls fail. A stream without an end is cut then, and must be begun anew.
	MaxConnectionAgeGrace time.Duration
	// Services are a program's, for members on the Gossip port. With any, the port takes messages of 4 MiB, and has windows
	// that do not slow them down.
	Services Services
	// Routes are services of other programs, for members too; nil for none. With any, the port is as with Services.
	Routes Routes
}

// Routes carry the calls of services that are known by their names alone. Their handler knows the caller as every other does.
type Routes interface {
	Has(method string) bool
	Handle(server any, stream grpc.ServerStream) error
	// Codec is for all services of the port: it leaves the messages of routes as they are.
	Codec() encoding.CodecV2
}

func (c ServerConfig) withDefaults() ServerConfig {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.MaxConnectionAge == 0 {
		c.MaxConnectionAge = defaultAge
	}
	if c.MaxConnectionAgeGrace == 0 {
		c.MaxConnectionAgeGrace = defaultAgeGrace
	}
	return c
}

// NewGossipServer makes the server of the Gossip port: mutual TLS, members only. It serves listeners that stand behind
// the node's Gate.
func NewGossipServer(c ServerConfig) *grpc.Server {
	c = c.withDefaults()
	authorizer, recoverer := newAuthorizer(c), newRecoverer(c.Log)
	server := grpc.NewServer(append(gossipOptions(c),
		grpc.Creds(serverCredentials{source: c.Source, registry: c.Registry, door: gossipDoor}),
		grpc.UnknownServiceHandler(c.unknown),
		grpc.KeepaliveParams(keepalive.ServerParameters{
			MaxConnectionAge: c.MaxConnectionAge, MaxConnectionAgeGrace: c.MaxConnectionAgeGrace,
			Time: keepaliveTime, Timeout: keepaliveTimeout,
		}),
		grpc.ChainUnaryInterceptor(c.Registry.traffic.answered, recoverer.unary, authorizer.unary),
		grpc.ChainStreamInterceptor(recoverer.stream, authorizer.stream),
	)...)
	c.Services.addTo(server)
	return server
}

// NewRegistrationServer makes the server of the Registration port: this end alone shows a leaf, and strangers are
// answered. It serves listeners that stand behind the node's Gate; the handler calls Proven.
func NewRegistrationServer(c ServerConfig) *grpc.Server {
	c = c.withDefaults()
	authorizer, recoverer := newAuthorizer(c), newRecoverer(c.Log)
	authorizer.admit = newLimiter().admitStranger
	return grpc.NewServer(append(commonOptions(),
		grpc.Creds(serverCredentials{source: c.Source, registry: c.Registry, door: registrationDoor}),
		grpc.MaxConcurrentStreams(registrationStreams),
		grpc.KeepaliveParams(keepalive.ServerParameters{
			MaxConnectionIdle: registrationIdle, MaxConnectionAge: registrationAge, MaxConnectionAgeGrace: registrationAgeGrace,
			Time: keepaliveTime, Timeout: keepaliveTimeout,
		}),
		grpc.ChainUnaryInterceptor(recoverer.unary, authorizer.unary),
		grpc.ChainStreamInterceptor(recoverer.stream, authorizer.stream, atMost(MaxRegistrations)),
	)...)
}

// unknown answers calls of services that the server does not know: those of routes, and those that are not here. It stands behind
// the authorizer, as every handler does, so that only members learn what is.
func (c ServerConfig) unknown(server any, s grpc.ServerStream) error {
	method, _ := grpc.Method(s.Context())
	if c.Routes != nil && !reserved(method) && c.Routes.Has(method) {
		return c.Routes.Handle(server, s)
	}
	return status.Errorf(codes.Unimplemented, "no method %s here", method)
}

// gossipOptions are those that depend on who serves. A node whose program serves nothing keeps to what gossip needs; a later
// option stands in for an earlier one. A read buffer is held by every idle connection, a write buffer is not, and large reads
// pass by it: so it stays small.
func gossipOptions(c ServerConfig) []grpc.ServerOption {
	if c.Services.None() && c.Routes == nil {
		return append(commonOptions(), grpc.MaxConcurrentStreams(MaxStreams))
	}
	options := commonOptions()
	if c.Routes != nil {
		options = append(options, grpc.ForceServerCodecV2(c.Routes.Codec()))
	}
	return append(options,
		grpc.MaxConcurrentStreams(programStreams),
		grpc.MaxRecvMsgSize(programMessage),
		grpc.MaxSendMsgSize(programMessage),
		grpc.WriteBufferSize(programBuffer),
		grpc.StaticStreamWindowSize(programWindow),
		grpc.StaticConnWindowSize(programWindowAll),
	)
}

func commonOptions() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.MaxRecvMsgSize(MaxMessage),
		grpc.MaxSendMsgSize(MaxMessage),
		grpc.MaxHeaderListSize(maxHeaders),
		grpc.ReadBufferSize(bufferSize),
		grpc.WriteBufferSize(bufferSize),
		grpc.StaticStreamWindowSize(window),
		grpc.StaticConnWindowSize(window),
		grpc.ConnectionTimeout(connectionTimeout),
		grpc.NumStreamWorkers(streamWorkers),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: keepaliveMinTime, PermitWithoutStream: true}),
	}
}
