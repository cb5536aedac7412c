package admin

import (
	"context"
	"log/slog"

	"google.golang.org/grpc"

	"github.com/g2g-net/g2g/proto/adminpb"
)

// MaxMessage bounds a message of the admin API, in bytes, either way. It is what a gRPC client takes unless told otherwise.
const MaxMessage = 4 << 20

// NewServer makes the server of the admin API, to be served on a listener of Listen. Its streams end when the ring is
// closed; until then GracefulStop waits for them. What watchers see of the past is in the history, which the node adds to.
func NewServer(node Node, ring *Ring, past *History, log *slog.Logger) *grpc.Server {
	server := grpc.NewServer(
		grpc.MaxRecvMsgSize(MaxMessage), grpc.MaxSendMsgSize(MaxMessage),
		grpc.UnaryInterceptor(guardCall(log)), grpc.StreamInterceptor(guardStream(log)),
	)
	adminpb.RegisterAdminServer(server, &service{node: node, ring: ring, past: past})
	return server
}

// service answers from pictures and hands requests that passed the gate to the node. It keeps no state but the last minute.
type service struct {
	adminpb.UnimplementedAdminServer
	node Node
	ring *Ring
	past *History
}

// Show gives the picture of now.
func (s *service) Show(ctx context.Context, _ *adminpb.ShowRequest) (*adminpb.Snapshot, error) {
	p, err := s.node.Picture(ctx)
	if err != nil {
		return nil, err
	}
	return snapshotOf(p), nil
}

// Nominate makes a token. Its text stands in the answer and nowhere else.
func (s *service) Nominate(ctx context.Context, pb *adminpb.NominateRequest) (*adminpb.NominateResponse, error) {
	req, err := nominateRequest(pb)
	if err != nil {
		return nil, err
	}
	token, n, err := s.node.Nominate(ctx, req)
	if err != nil {
		return nil, err
	}
	return &adminpb.NominateResponse{Token: token.Reveal(), Nomination: nominationOf(n, s.names(ctx))}, nil
}

// Tokens lists the nominations known here, ordered by token ID.
func (s *service) Tokens(ctx context.Context, _ *adminpb.TokensRequest) (*adminpb.TokensResponse, error) {
	p, err := s.node.Picture(ctx)
	if err != nil {
		return nil, err
	}
	if p.Gossip == nil {
		return nil, ErrNoNetwork
	}
	return tokensOf(p), nil
}

// RevokeToken takes a token of this node back.
func (s *service) RevokeToken(ctx context.Context, pb *adminpb.RevokeTokenRequest) (*adminpb.RevokeTokenResponse, error) {
	if pb.GetTokenId() == "" {
		return nil, invalidf("revoke: no token ID")
	}
	n, err := s.node.Revoke(ctx, pb.GetTokenId())
	if err != nil {
		return nil, err
	}
	return &adminpb.RevokeTokenResponse{Nomination: nominationOf(n, s.names(ctx))}, nil
}

// names are for an answer to something already done, so a picture that fails costs the names and not the answer.
func (s *service) names(ctx context.Context) names {
	p, err := s.node.Picture(ctx)
	if err != nil {
		return nil
	}
	return namesOf(p)
}

// Join lets a node that has no network register.
func (s *service) Join(ctx context.Context, pb *adminpb.JoinRequest) (*adminpb.JoinResponse, error) {
	token, err := joinRequest(pb)
	if err != nil {
		return nil, err
	}
	j, err := s.node.Join(ctx, token, pb.GetAt())
	if err != nil {
		return nil, err
	}
	return &adminpb.JoinResponse{
		Network: j.Network.String(), Acceptor: j.Acceptor.String(), Nominator: j.Nominator.String(), Mode: j.Mode.String(),
		Depth: count(j.Depth), Warning: utf8Of(j.Warning), ObservedAddress: utf8Of(j.Observed),
	}, nil
}

// Leave says goodbye. The node stops afterwards.
func (s *service) Leave(ctx context.Context, _ *adminpb.LeaveRequest) (*adminpb.LeaveResponse, error) {
	if err := s.node.Leave(ctx); err != nil {
		return nil, err
	}
	return &adminpb.LeaveResponse{}, nil
}
