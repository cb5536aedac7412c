package proxy

import (
	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/proto" // what Codec falls back to
	"google.golang.org/grpc/mem"
)

// A frame is one message as it travels.
type frame struct{ data mem.BufferSlice }

// free gives the memory back. Nobody may look at the frame afterwards.
func (f *frame) free() {
	f.data.Free()
	f.data = nil
}

// Codec leaves frames as they are, and encodes everything else as protobuf. A server that has routes needs it for all of its
// services, since gRPC has one for a server.
func Codec() encoding.CodecV2 { return codec{encoding.GetCodecV2("proto")} }

type codec struct{ other encoding.CodecV2 }

// Name is what callers choose it by: the plain one of gRPC.
func (codec) Name() string { return "" }

// Marshal gives the frame's bytes, which gRPC frees when it has sent them.
func (c codec) Marshal(v any) (mem.BufferSlice, error) {
	if f, ok := v.(*frame); ok {
		f.data.Ref()
		return f.data, nil
	}
	return c.other.Marshal(v)
}

// Unmarshal keeps the bytes, which gRPC would free.
func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	if f, ok := v.(*frame); ok {
		data.Ref()
		f.data = data
		return nil
	}
	return c.other.Unmarshal(data, v)
}
