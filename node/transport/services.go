package transport

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
)

// Services are what a program serves on the Gossip port, beside the node's own.
//
//  1. No two have one name, and none has one of the node's own packages.
//  2. Each has an implementation of the type that its description asks for.
type Services struct{ list []service }

type service struct {
	desc *grpc.ServiceDesc
	impl any
}

// CollectServices has a program register its services, and reports everything that is wrong with them. gRPC's own server would
// end the process. A nil register is a program without services.
func CollectServices(register func(grpc.ServiceRegistrar)) (Services, error) {
	if register == nil {
		return Services{}, nil
	}
	var c collector
	register(&c)
	c.ended = true
	return Services{c.list}, errors.Join(c.faults...)
}

// None tells whether there is no service.
func (s Services) None() bool { return len(s.list) == 0 }

// Names are the full names of the services, ordered.
func (s Services) Names() []string {
	var names []string
	for _, service := range s.list {
		names = append(names, service.desc.ServiceName)
	}
	slices.Sort(names)
	return names
}

func (s Services) addTo(server *grpc.Server) {
	for _, service := range s.list {
		server.RegisterService(service.desc, service.impl)
	}
}

// collector is the registrar that a program sees.
type collector struct {
	list   []service
	faults []error
	ended  bool
}

// RegisterService takes a service. The port opens with the services that were registered before: one that comes later would never
// be served, so that is a panic, as it is the end of the process with gRPC's own server.
func (c *collector) RegisterService(desc *grpc.ServiceDesc, impl any) {
	if c.ended {
		panic(fmt.Sprintf("service %q: registered after the node was opened", desc.ServiceName))
	}
	if err := c.check(desc, impl); err != nil {
		c.faults = append(c.faults, fmt.Errorf("service %q: %w", desc.ServiceName, err))
		return
	}
	c.list = append(c.list, service{desc, impl})
}

func (c *collector) check(desc *grpc.ServiceDesc, impl any) error {
	switch {
	case desc.ServiceName == "":
		return errors.New("it has no name")
	case reserved("/" + desc.ServiceName + "/"):
		return errors.New("the packages g2g and g2g.* are the node's own")
	case len(c.list) >= view.MaxServes:
		return fmt.Errorf("a node serves at most %d", view.MaxServes)
	case slices.ContainsFunc(c.list, func(s service) bool { return s.desc.ServiceName == desc.ServiceName }):
		return errors.New("registered twice")
	case pki.CheckServiceName(desc.ServiceName) != nil: // peers could not be told of it
		return pki.CheckServiceName(desc.ServiceName)
	case impl == nil || desc.HandlerType == nil:
		return nil
	}
	wanted := reflect.TypeOf(desc.HandlerType).Elem()
	if wanted.Kind() == reflect.Interface && !reflect.TypeOf(impl).Implements(wanted) {
		return fmt.Errorf("a %T is no %s", impl, wanted)
	}
	return nil
}

// reserved tells the methods in the node's own packages, of which there are those in the Table and no others.
func reserved(method string) bool {
	name := strings.TrimLeft(method, "/")
	return strings.HasPrefix(name, "g2g.") || strings.HasPrefix(name, "g2g/")
}

// bounded is a service of the node's own whose messages are held to MaxMessage, also on a port whose services of programs need
// larger ones. gRPC has one bound for all methods of a server, checks it before it takes a message in, and gives no handler the
// message's size; an interceptor sees a message only when it is decoded, which can take twenty times its bytes. So the message
// is taken as one of unknown fields, which decodes to nothing but its bytes, and then decoded if it is short enough. What a member
// can make the node hold beyond that is the larger bound, once a call, as it can by the services that need it.
//
// The codec is the caller's to choose, among those that the program knows. One that is not protobuf leaves no unknown fields: the
// handler gets an empty message, which it refuses.
func bounded(desc grpc.ServiceDesc) *grpc.ServiceDesc {
	desc.Methods = slices.Clone(desc.Methods)
	for i, m := range desc.Methods {
		desc.Methods[i].Handler = func(impl any, ctx context.Context, decode func(any) error, wrap grpc.UnaryServerInterceptor) (any, error) {
			reply, err := m.Handler(impl, ctx, func(v any) error { return decodeBounded(decode, v) }, wrap)
			if err != nil {
				return nil, err
			}
			if m, ok := reply.(proto.Message); ok && proto.Size(m) > MaxMessage {
				return nil, status.Errorf(codes.ResourceExhausted, "trying to send message larger than max (%d vs. %d)", proto.Size(m), MaxMessage)
			}
			return reply, nil
		}
	}
	desc.Streams = slices.Clone(desc.Streams)
	for i, m := range desc.Streams {
		desc.Streams[i].Handler = func(impl any, s grpc.ServerStream) error { return m.Handler(impl, boundedStream{s}) }
	}
	return &desc
}

func decodeBounded(decode func(any) error, v any) error {
	var taken emptypb.Empty
	if err := decode(&taken); err != nil {
		return err
	}
	m, ok := v.(proto.Message)
	if !ok {
		return status.Errorf(codes.Internal, "a %T where a message is needed", v)
	}
	b := taken.ProtoReflect().GetUnknown()
	if len(b) > MaxMessage {
		return status.Errorf(codes.ResourceExhausted, "grpc: received message larger than max (%d vs. %d)", len(b), MaxMessage)
	}
	if err := proto.Unmarshal(b, m); err != nil {
		return status.Errorf(codes.Internal, "grpc: failed to unmarshal the received message: %v", err)
	}
	return nil
}
