package admin

import (
	"context"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/adminpb"
)

func groupsOf(groups []gossip.Group) []*adminpb.Group {
	out := make([]*adminpb.Group, len(groups))
	for i, g := range groups {
		out[i] = &adminpb.Group{Letter: g.Letter, LabelMs: g.Label}
		for _, m := range g.Members {
			out[i].Members = append(out[i].Members, &adminpb.Member{Id: m.ID.String(), Name: m.Name, LatencyMs: fraction(m.Distance)})
		}
	}
	return out
}

func orderOf(places []gossip.Place) []*adminpb.Place {
	out := make([]*adminpb.Place, len(places))
	for i, p := range places {
		out[i] = &adminpb.Place{
			Position: count(i + 1), Id: p.ID.String(), Name: p.Name, Group: p.Group, GroupLabelMs: p.GroupLabel,
			LatencyMs: fraction(p.Distance),
		}
		if len(p.Addresses) > 0 {
			out[i].Address = p.Addresses[0]
		}
	}
	return out
}

// Why gives what stands behind a peer's place.
func (s *service) Why(ctx context.Context, pb *adminpb.WhyRequest) (*adminpb.WhyResponse, error) {
	id, err := pki.ParseID(pb.GetPeer())
	if err != nil {
		return nil, invalidf("why: %v", err)
	}
	p, err := s.node.Picture(ctx)
	if err != nil {
		return nil, err
	}
	if p.Gossip != nil {
		for _, peer := range p.Gossip.Peers {
			if peer.ID == id {
				return whyOf(p, peer), nil
			}
		}
	}
	return nil, status.Errorf(codes.NotFound, "why: no peer %s", id)
}

func whyOf(p Picture, peer gossip.Peer) *adminpb.WhyResponse {
	out := &adminpb.WhyResponse{CountsMs: span(peer.Path.Counts), Floor: p.Gossip.Floor}
	for _, sample := range peer.Path.Samples {
		out.RoundTrips = append(out.RoundTrips, &adminpb.RoundTrip{AgeMs: span(p.Now.Sub(sample.At)), RttUs: sample.RTT.Microseconds()})
	}
	return out
}
