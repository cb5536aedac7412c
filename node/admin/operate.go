package admin

import (
	"context"
	"time"

	"google.golang.org/grpc"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/adminpb"
)

// maxPings bounds one request.
const maxPings = 1000

// Rotate renews the node's leaf.
func (s *service) Rotate(ctx context.Context, pb *adminpb.RotateRequest) (*adminpb.RotateResponse, error) {
	r, err := s.node.Rotate(ctx, pb.GetRevoke())
	if err != nil {
		return nil, err
	}
	return &adminpb.RotateResponse{Leaf: leafOf(r.Leaf), MinEpoch: r.MinEpoch, Redialled: count(r.Redialled)}, nil
}

// Ping measures round trips to a peer.
func (s *service) Ping(pb *adminpb.PingRequest, stream grpc.ServerStreamingServer[adminpb.PingResponse]) error {
	id, err := pki.ParseID(pb.GetPeer())
	if err != nil {
		return invalidf("ping: %v", err)
	}
	n := int(max(1, pb.GetCount()))
	if n > maxPings {
		return invalidf("ping: %d round trips are over the bound of %d", n, maxPings)
	}
	seq := uint32(0)
	return s.node.Ping(stream.Context(), id, n, func(rtt time.Duration, fault error) error {
		seq++
		resp := &adminpb.PingResponse{Seq: seq, RttUs: rtt.Microseconds()}
		if fault != nil {
			resp.RttUs, resp.Error = 0, utf8Of(fault.Error())
		}
		return stream.Send(resp)
	})
}

// Counters tells how much of what the node did.
func (s *service) Counters(ctx context.Context, _ *adminpb.CountersRequest) (*adminpb.CountersResponse, error) {
	p, err := s.node.Picture(ctx)
	if err != nil {
		return nil, err
	}
	resp := &adminpb.CountersResponse{UptimeUs: p.Now.Sub(p.Started).Microseconds()}
	for _, c := range s.node.Counters() {
		resp.Counters = append(resp.Counters, &adminpb.Counter{Name: c.Name, Method: c.Method, Value: c.Value})
	}
	return resp, nil
}

// Services lists the shared addresses.
func (s *service) Services(ctx context.Context, _ *adminpb.ServicesRequest) (*adminpb.ServicesResponse, error) {
	list, err := s.node.Services(ctx)
	if err != nil {
		return nil, err
	}
	return s.servicesOf(ctx, list), nil
}

// AddService makes an address one of this node's services.
func (s *service) AddService(ctx context.Context, pb *adminpb.AddServiceRequest) (*adminpb.ServicesResponse, error) {
	if err := pki.CheckAddress(pb.GetAddress()); err != nil {
		return nil, invalidf("add service: %v", err)
	}
	if err := s.node.AddService(ctx, pb.GetAddress()); err != nil {
		return nil, err
	}
	return s.Services(ctx, nil)
}

// RemoveService undoes AddService.
func (s *service) RemoveService(ctx context.Context, pb *adminpb.RemoveServiceRequest) (*adminpb.ServicesResponse, error) {
	if err := s.node.RemoveService(ctx, pb.GetAddress()); err != nil {
		return nil, err
	}
	return s.Services(ctx, nil)
}

func (s *service) servicesOf(ctx context.Context, list []gossip.Service) *adminpb.ServicesResponse {
	names := s.names(ctx)
	out := &adminpb.ServicesResponse{}
	for _, v := range list {
		pb := &adminpb.Service{Address: v.Address, Origin: v.Origin, Error: utf8Of(v.Error), Visits: count(v.Visits), Self: v.Self}
		if !v.At.IsZero() {
			pb.LastVisitMs = v.At.UnixMilli()
		}
		if !v.Last.IsZero() {
			pb.LastId, pb.LastName = v.Last.String(), names[v.Last]
		}
		for _, id := range v.ToldBy {
			pb.ToldBy = append(pb.ToldBy, names[id])
		}
		out.Services = append(out.Services, pb)
	}
	return out
}
