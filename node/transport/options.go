package transport

import (
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
)

// dialOptions are what every connection from here has, but for those of programs.
func dialOptions() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithAuthority(authority),
		grpc.WithNoProxy(),
		grpc.WithDisableServiceConfig(),
		grpc.WithIdleTimeout(0),
		grpc.WithMaxHeaderListSize(maxHeaders),
		grpc.WithReadBufferSize(bufferSize),
		grpc.WithWriteBufferSize(bufferSize),
		grpc.WithStaticStreamWindowSize(window),
		grpc.WithStaticConnWindowSize(window),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(MaxMessage), grpc.MaxCallSendMsgSize(MaxMessage)),
	}
}

// programOptions stand in for some of dialOptions on the connections of programs. Their calls need have no deadline, as gossip's have, so
// a connection that has fallen silent under one must be found out.
func programOptions() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: programPing, Timeout: keepaliveTimeout}),
		grpc.WithReadBufferSize(programBuffer),
		grpc.WithWriteBufferSize(programBuffer),
		grpc.WithStaticStreamWindowSize(programWindow),
		grpc.WithStaticConnWindowSize(programWindowAll),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(programMessage), grpc.MaxCallSendMsgSize(programMessage)),
	}
}
