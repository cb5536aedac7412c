package admin

import (
	"context"
	"time"

	"github.com/g2g-net/g2g/node/fanout"
	"github.com/g2g-net/g2g/proto/adminpb"
)

// Query asks the network by the fan-out.
func (s *service) Query(ctx context.Context, pb *adminpb.QueryRequest) (*adminpb.QueryResponse, error) {
	most := fanout.MaxBudget.Milliseconds()
	if pb.GetTimeoutMs() < 0 || pb.GetTimeoutMs() > most {
		return nil, invalidf("query: %d ms are not 0 to %d", pb.GetTimeoutMs(), most)
	}
	r, err := s.node.Query(ctx, fanout.Query{
		Name: pb.GetName(), Question: pb.GetQuestion(), Fanout: int(pb.GetFanout()), Links: pb.GetLinks(),
		Budget: time.Duration(pb.GetTimeoutMs()) * time.Millisecond,
	})
	if err != nil {
		return nil, err
	}
	out := &adminpb.QueryResponse{
		LeftOut: count(r.LeftOut), Asked: count(r.Asked), Seen: count(r.Seen), Failed: count(r.Failed), Instead: count(r.Instead),
	}
	for _, a := range r.Answers {
		out.Answers = append(out.Answers, answerOf(a))
	}
	return out, nil
}

func answerOf(a fanout.Answer) *adminpb.QueryAnswer {
	out := &adminpb.QueryAnswer{
		Id: a.ID.String(), Name: a.Name, Hops: count(a.Hops), ElapsedUs: a.Elapsed.Microseconds(), Body: a.Body, Error: utf8Of(a.Error), Unknown: a.Unknown,
	}
	for _, l := range a.Links {
		out.Links = append(out.Links, &adminpb.QueryLink{IdBegins: l.Peer[:], LatencyMs: fraction(l.Latency)})
	}
	return out
}
