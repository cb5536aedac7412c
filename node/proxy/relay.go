package proxy

import (
	"context"
	"errors"
	"io"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// both is a stream of any kind: on the wire all are one.
var both = &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}

// A relay is one call on its way from a caller to whoever answers it.
type relay struct {
	in     grpc.ServerStream
	source *source
	method string
	with   metadata.MD // goes back to the caller with the headers, or else with the trailers
}

// over performs the call over a connection, to its end. The trailers are for the caller, if this is how the call ends.
func (r *relay) over(ctx context.Context, conn grpc.ClientConnInterface) (trailer metadata.MD, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out, err := conn.NewStream(ctx, both, r.method, grpc.ForceCodecV2(Codec()), grpc.CallContentSubtype(subtype(r.in.Context())),
		grpc.MaxCallRecvMsgSize(maxMessage), grpc.MaxCallSendMsgSize(maxMessage))
	if err != nil {
		return nil, err
	}
	r.source.to(out, cancel)
	trailer, err = r.answer(out)
	cancel() // so that nothing waits in source
	if fault := r.source.failure(); fault != nil {
		return nil, fault
	}
	return trailer, err
}

// answer brings back what comes, to the status at the end.
func (r *relay) answer(out grpc.ClientStream) (trailer metadata.MD, err error) {
	with := r.with
	if header, err := out.Header(); err == nil && header != nil {
		r.source.settle()
		if err := r.in.SendHeader(metadata.Join(passed(header), with)); err != nil {
			return nil, err
		}
		with = nil
	}
	for {
		f := new(frame)
		err := out.RecvMsg(f)
		if errors.Is(err, io.EOF) {
			return metadata.Join(passed(out.Trailer()), with), nil
		}
		if err != nil {
			return metadata.Join(passed(out.Trailer()), with), err
		}
		r.source.settle()
		err = r.in.SendMsg(f)
		f.free()
		if err != nil {
			return nil, err
		}
	}
}

// subtype is how the messages of a call are encoded, as its caller says it: nothing for protobuf, as a rule.
func subtype(ctx context.Context) string {
	md, _ := metadata.FromIncomingContext(ctx)
	for _, value := range md.Get("content-type") {
		if _, subtype, ok := strings.Cut(value, "+"); ok {
			return subtype
		}
	}
	return ""
}

// serviceOf is the service of a method's full name, /service/method; empty where it is none.
func serviceOf(method string) string {
	service, name, ok := strings.Cut(strings.TrimPrefix(method, "/"), "/")
	if !ok || name == "" || strings.Contains(name, "/") || "/"+service+"/"+name != method {
		return ""
	}
	return service
}
