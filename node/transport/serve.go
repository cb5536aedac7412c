package transport

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/wire"
	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/gossippb"
)

// ErrBusy is a node whose inbox is full: nothing was changed, the caller may try again later.
var ErrBusy = errors.New("the node is busy")

// A Handler is the node as the Gossip port sees it. What it is given has passed wire.
type Handler interface {
	// Receive answers a member's request.
	Receive(ctx context.Context, from pki.ID, req gossip.Message) (gossip.Message, error)
	// Reach dials an address of the caller's and looks for the caller there.
	Reach(ctx context.Context, from pki.ID, req gossip.ReachRequest) error
	// Timed takes round trips to a member that measured this node, as timed on this side.
	Timed(from pki.ID, rtts []time.Duration)
	// Decide judges a claim on a token of this node. A refusal is a *pki.Refusal.
	Decide(ctx context.Context, claim pki.Claim) (pki.Chain, error)
}

// GossipService is the Gossip port's service: it turns messages into values for the handler, and back.
type GossipService struct {
	gossippb.UnimplementedGossipServer
	ID      pki.ID // this node's
	Gate    *wire.Gate
	Handler Handler
	Queries Queries // what peers ask the network
}

// AddTo registers the service with a server that NewGossipServer made.
func (s *GossipService) AddTo(server grpc.ServiceRegistrar) {
	server.RegisterService(bounded(gossippb.Gossip_ServiceDesc), s)
}

// Join answers one.
func (s *GossipService) Join(ctx context.Context, pb *gossippb.JoinRequest) (*gossippb.JoinResponse, error) {
	return serve[*gossippb.JoinResponse](ctx, s, pb)
}

// Exchange answers one.
func (s *GossipService) Exchange(ctx context.Context, pb *gossippb.ExchangeRequest) (*gossippb.ExchangeResponse, error) {
	return serve[*gossippb.ExchangeResponse](ctx, s, pb)
}

// Push answers one.
func (s *GossipService) Push(ctx context.Context, pb *gossippb.PushRequest) (*gossippb.PushResponse, error) {
	return serve[*gossippb.PushResponse](ctx, s, pb)
}

// Nominations answers one.
func (s *GossipService) Nominations(ctx context.Context, pb *gossippb.NominationsRequest) (*gossippb.NominationsResponse, error) {
	return serve[*gossippb.NominationsResponse](ctx, s, pb)
}

// Probe answers one.
func (s *GossipService) Probe(ctx context.Context, pb *gossippb.ProbeRequest) (*gossippb.ProbeResponse, error) {
	return serve[*gossippb.ProbeResponse](ctx, s, pb)
}

// Hint answers one.
func (s *GossipService) Hint(ctx context.Context, pb *gossippb.HintRequest) (*gossippb.HintResponse, error) {
	return serve[*gossippb.HintResponse](ctx, s, pb)
}

// Signature answers one.
func (s *GossipService) Signature(ctx context.Context, pb *gossippb.SignatureRequest) (*gossippb.SignatureResponse, error) {
	return serve[*gossippb.SignatureResponse](ctx, s, pb)
}

// serve takes a request through the gate to the handler.
func serve[R proto.Message](ctx context.Context, s *GossipService, pb proto.Message) (none R, err error) {
	member, ok := MemberFrom(ctx)
	if !ok {
		return none, status.Error(codes.PermissionDenied, "members only")
	}
	req, err := s.Gate.Request(time.Now(), pb)
	if err != nil {
		return none, status.Error(codes.InvalidArgument, err.Error())
	}
	if join, ok := req.(gossip.JoinRequest); ok {
		if join.Contact.ID != member.ID {
			return none, status.Error(codes.InvalidArgument, "read join: the contact is not the caller's")
		}
		join.Observed = ObservedHost(ctx)
		req = join
	}
	if exchange, ok := req.(gossip.ExchangeRequest); ok && len(exchange.Hints) > 0 && member.Mode() == pki.Client {
		return none, status.Error(codes.InvalidArgument, "read exchange: a client-mode member hints at nobody") // as by the table
	}
	resp, err := s.Handler.Receive(ctx, member.ID, req)
	if err != nil {
		return none, handlerError(err)
	}
	return wire.Encode(resp).(R), nil
}

func handlerError(err error) error {
	switch {
	case errors.Is(err, ErrBusy):
		return status.Error(codes.ResourceExhausted, err.Error())
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return status.FromContextError(err).Err()
	}
	return status.Error(codes.Unavailable, err.Error())
}

// Reach answers one. It asks the handler beside the machine, which dials nobody.
func (s *GossipService) Reach(ctx context.Context, pb *gossippb.ReachRequest) (*gossippb.ReachResponse, error) {
	member, ok := MemberFrom(ctx)
	if !ok {
		return nil, status.Error(codes.PermissionDenied, "members only")
	}
	req, err := s.Gate.Request(time.Now(), pb)
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	reach := req.(gossip.ReachRequest)
	reach.Observed = ObservedHost(ctx)
	resp := &gossippb.ReachResponse{}
	if err := s.Handler.Reach(ctx, member.ID, reach); err != nil {
		if errors.Is(err, ErrBusy) {
			return nil, handlerError(err)
		}
		resp.Error = printable(err.Error())
	}
	return resp, nil
}

// Claim answers the acceptor of a joiner that holds a token of this node.
func (s *GossipService) Claim(ctx context.Context, pb *gossippb.ClaimRequest) (*gossippb.ClaimResponse, error) {
	member, ok := MemberFrom(ctx)
	if !ok {
		return nil, status.Error(codes.PermissionDenied, "members only")
	}
	claim, _, err := s.Gate.Claim(time.Now(), pb, member.ID, s.ID.Pin())
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	chain, err := s.Handler.Decide(ctx, claim)
	if refusal, ok := errors.AsType[*pki.Refusal](err); ok {
		return &gossippb.ClaimResponse{Refusal: refusal.Reason, Proven: refusal.Proven}, nil
	}
	if err != nil {
		return nil, handlerError(err)
	}
	return &gossippb.ClaimResponse{Chain: chain.Bytes()}, nil
}

// Ask sends a request to the peer behind the connection and brings its answer through the gate.
func Ask(ctx context.Context, conn grpc.ClientConnInterface, gate *wire.Gate, req gossip.Message, options ...grpc.CallOption) (gossip.Message, error) {
	client := gossippb.NewGossipClient(conn)
	var pb proto.Message
	var err error
	switch encoded := wire.Encode(req).(type) {
	case *gossippb.JoinRequest:
		pb, err = client.Join(ctx, encoded, options...)
	case *gossippb.ExchangeRequest:
		pb, err = client.Exchange(ctx, encoded, options...)
	case *gossippb.PushRequest:
		pb, err = client.Push(ctx, encoded, options...)
	case *gossippb.NominationsRequest:
		pb, err = client.Nominations(ctx, encoded, options...)
	case *gossippb.ProbeRequest:
		pb, err = client.Probe(ctx, encoded, options...)
	case *gossippb.HintRequest:
		pb, err = client.Hint(ctx, encoded, options...)
	case *gossippb.SignatureRequest:
		pb, err = client.Signature(ctx, encoded, options...)
	case *gossippb.ReachRequest:
		pb, err = client.Reach(ctx, encoded, options...)
	default:
		return nil, fmt.Errorf("ask: a %T is no request", req)
	}
	if err != nil {
		return nil, err
	}
	return gate.Response(time.Now(), pb, req)
}

// Refused tells whether a call failed because the peer is there and will not: no fault of the network.
func Refused(err error) bool {
	switch status.Code(err) {
	case codes.PermissionDenied, codes.Unauthenticated, codes.InvalidArgument, codes.Unimplemented:
		return true
	}
	return false
}

// Unreached tells whether a call failed for want of a connection.
func Unreached(err error) bool { return status.Code(err) == codes.Unavailable }

// LeafRefused tells that a peer refused a call for nothing but the epoch of this node's leaf.
func LeafRefused(err error) bool { return status.Code(err) == codes.Unauthenticated }

// AskClaim asks the nominator behind the connection to decide. A refusal is a *pki.Refusal.
func AskClaim(ctx context.Context, conn grpc.ClientConnInterface, gate *wire.Gate, nominator pki.ID, reg wire.Registration) (pki.Chain, error) {
	pb, err := gossippb.NewGossipClient(conn).Claim(ctx, wire.EncodeClaim(reg.Claim, reg.Contact))
	if err != nil {
		return pki.Chain{}, err
	}
	chain, refusal, err := gate.Decision(pb, reg.Claim, nominator)
	if refusal != nil {
		return pki.Chain{}, refusal
	}
	return chain, err
}
