package transport

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/g2g-net/g2g/node/fanout"
	"github.com/g2g-net/g2g/node/wire"
	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/gossippb"
)

// Queries are the node as the Gossip port's queries see it.
type Queries interface {
	Serve(ctx context.Context, from pki.ID, r fanout.Request, accepted func(seen bool) error) (fanout.Response, error)
}

// Query answers one: at once whether it is taken, then what came of it.
func (s *GossipService) Query(pb *gossippb.QueryRequest, stream grpc.ServerStreamingServer[gossippb.QueryResponse]) error {
	member, ok := MemberFrom(stream.Context())
	if !ok {
		return status.Error(codes.PermissionDenied, "members only")
	}
	r, err := wire.Query(pb)
	if err != nil {
		return status.Error(codes.InvalidArgument, err.Error())
	}
	taken := false
	response, err := s.Queries.Serve(stream.Context(), member.ID, r, func(seen bool) error {
		taken = !seen
		return stream.Send(&gossippb.QueryResponse{Step: &gossippb.QueryResponse_Accepted{Accepted: &gossippb.QueryAccepted{Seen: seen}}})
	})
	switch {
	case errors.Is(err, fanout.ErrBusy):
		return status.Error(codes.ResourceExhausted, err.Error())
	case err != nil:
		return handlerError(err)
	case !taken:
		return nil
	}
	return stream.Send(&gossippb.QueryResponse{Step: &gossippb.QueryResponse_Answers{Answers: wire.EncodeQueryAnswers(response)}})
}

// AskQuery passes a question on to the peer behind the connection. It calls accepted once the peer has said whether it takes it.
func AskQuery(ctx context.Context, conn grpc.ClientConnInterface, r fanout.Request, accepted func(seen bool)) (fanout.Response, error) {
	ctx, cancel := context.WithCancel(ctx) // whatever is left of the stream when this returns
	defer cancel()
	stream, err := gossippb.NewGossipClient(conn).Query(ctx, wire.EncodeQuery(r), grpc.MaxCallRecvMsgSize(MaxMessage))
	if err != nil {
		return fanout.Response{}, err
	}
	first, err := stream.Recv()
	if err != nil {
		return fanout.Response{}, err
	}
	if first.GetAccepted() == nil {
		return fanout.Response{}, fmt.Errorf("ask query: it was neither taken nor seen")
	}
	accepted(first.GetAccepted().GetSeen())
	if first.GetAccepted().GetSeen() {
		return fanout.Response{}, nil
	}
	second, err := stream.Recv()
	if err != nil {
		return fanout.Response{}, err
	}
	return wire.QueryAnswers(second.GetAnswers(), r)
}

// Warm tells whether there is a connection for a program's calls to a peer.
func (p *Pool) Warm(id pki.ID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	peer := p.peers[id]
	return peer != nil && peer.lines[forPrograms].conn != nil && peer.lines[forPrograms].conn.GetState() == connectivity.Ready
}

// Links are the peers that gossip is connected to, with the last known distance, ordered by ID.
func (p *Pool) Links() (links []fanout.Link) {
	for _, c := range p.Clients() {
		if c.Gossip == connectivity.Ready {
			links = append(links, fanout.Link{Peer: [8]byte(c.ID[:8]), Latency: c.Latency.Distance})
		}
	}
	return links
}

// boundedStream is a stream of the node's own whose messages are held to MaxMessage, as those of unary methods are.
type boundedStream struct{ grpc.ServerStream }

// RecvMsg takes a message that is short enough.
func (s boundedStream) RecvMsg(v any) error { return decodeBounded(s.ServerStream.RecvMsg, v) }

// SendMsg sends one.
func (s boundedStream) SendMsg(v any) error {
	if m, ok := v.(proto.Message); ok && proto.Size(m) > MaxMessage {
		return status.Errorf(codes.ResourceExhausted, "trying to send message larger than max (%d vs. %d)", proto.Size(m), MaxMessage)
	}
	return s.ServerStream.SendMsg(v)
}
