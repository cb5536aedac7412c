package transport

import (
	"context"
	"errors"
	"io"

	"github.com/g2g-net/g2g/proto/gossippb"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// echo is a program's service: what is sent comes back, as often as it was asked for.
type echo struct {
	before func(context.Context) error // is done first; nil for nothing
	times  int                         // of one answer, for one on a stream; 0 for 1
}

type echoServer interface {
	echo(ctx context.Context, in *wrapperspb.BytesValue) (*wrapperspb.BytesValue, error)
	stream(s grpc.ServerStream) error
}

func (e *echo) echo(ctx context.Context, in *wrapperspb.BytesValue) (*wrapperspb.BytesValue, error) {
	if e.before == nil {
		return in, nil
	}
	return in, e.before(ctx)
}

func (e *echo) stream(s grpc.ServerStream) error {
	for {
		var m wrapperspb.BytesValue
		if err := s.RecvMsg(&m); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		for range max(1, e.times) {
			if err := s.SendMsg(&m); err != nil {
				return err
			}
		}
	}
}

const echoUnary, echoStream = "/test.Echo/Unary", "/test.Echo/Stream"

func echoDesc(name string) *grpc.ServiceDesc {
	return &grpc.ServiceDesc{
		ServiceName: name, HandlerType: (*echoServer)(nil),
		Methods: []grpc.MethodDesc{{MethodName: "Unary", Handler: func(impl any, ctx context.Context, decode func(any) error, wrap grpc.UnaryServerInterceptor) (any, error) {
			var in wrapperspb.BytesValue
			if err := decode(&in); err != nil {
				return nil, err
			}
			return wrap(ctx, &in, &grpc.UnaryServerInfo{Server: impl, FullMethod: "/" + name + "/Unary"}, func(ctx context.Context, in any) (any, error) {
				return impl.(echoServer).echo(ctx, in.(*wrapperspb.BytesValue))
			})
		}}},
		Streams: []grpc.StreamDesc{{StreamName: "Stream", ServerStreams: true, ClientStreams: true, Handler: func(impl any, s grpc.ServerStream) error {
			return impl.(echoServer).stream(s)
		}}},
	}
}

// serves starts a Gossip server with the node's own service and an echo.
func (n *node) serves(e *echo, change ...func(*ServerConfig)) *node {
	n.world.t.Helper()
	services, err := CollectServices(func(r grpc.ServiceRegistrar) { r.RegisterService(echoDesc("test.Echo"), e) })
	if err != nil {
		n.world.t.Fatal(err)
	}
	c := ServerConfig{Source: n, Registry: n.registry, Services: services}
	for _, f := range change {
		f(&c)
	}
	server := NewGossipServer(c)
	server.RegisterService(bounded(gossippb.Gossip_ServiceDesc), gossipServer{})
	n.serve(server)
	return n
}

// channel is a program's way from one node to another.
func (n *node) channel(other *node) *Channel {
	return n.pool.Channel(other.ID(), []string{other.address}, func(context.Context) []string { return nil })
}

// shout makes one unary call with so many bytes.
func shout(conn grpc.ClientConnInterface, size int) error {
	in, out := &wrapperspb.BytesValue{Value: make([]byte, size)}, new(wrapperspb.BytesValue)
	if err := conn.Invoke(context.Background(), echoUnary, in, out); err != nil {
		return err
	}
	if len(out.GetValue()) != size {
		return errors.New("another answer came")
	}
	return nil
}

// talk begins a stream and sends one message.
func talk(ctx context.Context, conn grpc.ClientConnInterface, size int) (grpc.ClientStream, error) {
	s, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, echoStream)
	if err != nil {
		return nil, err
	}
	return s, s.SendMsg(&wrapperspb.BytesValue{Value: make([]byte, size)})
}
