package transport

import (
	"context"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
)

// Programs stands for every method that is not the node's own, in Traffic.
const Programs = "programs"

// Traffic is what the connections of a node carried since it started. Nothing in it ever goes back.
type Traffic struct {
	Methods   []MethodTraffic // in the order of Table; unary calls of programs last
	Dialled   uint64          // handshakes that were begun from here
	Accepted  uint64          // and from there
	Failed    uint64          // those of either that came to nothing
	Handshake Flow            // what the socket carried in them
	Socket    Flow            // and afterwards
}

// MethodTraffic is what became of one method of gRPC.
type MethodTraffic struct {
	Method          string // full name, or Programs
	Asked, Answered Calls
}

// Calls counts calls, and the bytes of their messages before gRPC, HTTP/2 and TLS add theirs.
type Calls struct{ Count, Sent, Received uint64 }

// Flow counts what was read from sockets and written to them, in bytes and in system calls that moved some.
type Flow struct{ Read, Written, Reads, Writes uint64 }

// traffic is where the counting happens: atomic additions, on paths that cost a thousand times as much.
type traffic struct {
	methods   map[string]*methodTraffic // fixed when it is made
	dialled   atomic.Uint64
	accepted  atomic.Uint64
	failed    atomic.Uint64
	handshake flow
	socket    flow
}

type methodTraffic struct{ asked, answered calls }

type calls struct{ count, sent, received atomic.Uint64 }

type flow struct{ read, written, reads, writes atomic.Uint64 }

func newTraffic() *traffic {
	t := &traffic{methods: map[string]*methodTraffic{Programs: {}}}
	for _, rule := range Table() {
		t.methods[rule.Method] = &methodTraffic{}
	}
	return t
}

func (t *traffic) method(name string) *methodTraffic {
	if m := t.methods[name]; m != nil {
		return m
	}
	return t.methods[Programs]
}

// Traffic is the state of now.
func (r *Registry) Traffic() Traffic {
	t := r.traffic
	out := Traffic{
		Dialled: t.dialled.Load(), Accepted: t.accepted.Load(), Failed: t.failed.Load(),
		Handshake: t.handshake.load(), Socket: t.socket.load(),
	}
	for _, name := range append(methodNames(), Programs) {
		m := t.methods[name]
		out.Methods = append(out.Methods, MethodTraffic{Method: name, Asked: m.asked.load(), Answered: m.answered.load()})
	}
	return out
}

func methodNames() (names []string) {
	for _, rule := range Table() {
		names = append(names, rule.Method)
	}
	return names
}

func (c *calls) load() Calls {
	return Calls{Count: c.count.Load(), Sent: c.sent.Load(), Received: c.received.Load()}
}

func (f *flow) load() Flow {
	return Flow{Read: f.read.Load(), Written: f.written.Load(), Reads: f.reads.Load(), Writes: f.writes.Load()}
}

// asked counts the calls from here.
func (t *traffic) asked(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	c := &t.method(method).asked
	c.count.Add(1)
	c.sent.Add(sizeOf(req))
	err := invoke(ctx, method, req, reply, cc, opts...)
	if err == nil {
		c.received.Add(sizeOf(reply))
	}
	return err
}

// answered counts the calls that came here, refused ones among them.
func (t *traffic) answered(ctx context.Context, req any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	c := &t.method(info.FullMethod).answered
	c.count.Add(1)
	c.received.Add(sizeOf(req))
	reply, err := handle(ctx, req)
	if err == nil {
		c.sent.Add(sizeOf(reply))
	}
	return reply, err
}

func sizeOf(message any) uint64 {
	if m, ok := message.(proto.Message); ok {
		return uint64(proto.Size(m)) //nolint:gosec // a size
	}
	return 0
}

// counted is a raw connection under TLS whose bytes are counted.
type counted struct {
	raw
	traffic *traffic
	flow    *flow // another once the handshake is over, before anybody else reads or writes
}

func (t *traffic) count(c raw, direction *atomic.Uint64) *counted {
	direction.Add(1)
	return &counted{raw: c, traffic: t, flow: &t.handshake}
}

// over says that the handshake is.
func (c *counted) over() { c.flow = &c.traffic.socket }

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.raw.Read(b)
	if n > 0 {
		c.flow.reads.Add(1)
		c.flow.read.Add(uint64(n))
	}
	return n, err
}

func (c *counted) Write(b []byte) (int, error) {
	n, err := c.raw.Write(b)
	if n > 0 {
		c.flow.writes.Add(1)
		c.flow.written.Add(uint64(n))
	}
	return n, err
}
