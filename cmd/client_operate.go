package cmd

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/g2g-net/g2g/proto/adminpb"
)

const (
	// rotateTime is longer than a node takes to make new handshakes with all its active peers.
	rotateTime = 30 * time.Second
	// pingTime is longer than a node gives one round trip.
	pingTime = 5 * time.Second
)

// Rotate renews the node's leaf; with revoke its older ones are refused everywhere.
func (c *client) Rotate(ctx context.Context, revoke bool) (rotatedView, error) {
	ctx, cancel := context.WithTimeout(ctx, rotateTime)
	defer cancel()
	reply, err := c.rpc.Rotate(ctx, &adminpb.RotateRequest{Revoke: revoke})
	if err != nil {
		return rotatedView{}, err
	}
	leaf := leafOf(reply.GetLeaf())
	return rotatedView{
		Epoch: leaf.Epoch, NotBefore: leaf.NotBefore, NotAfter: leaf.NotAfter, Fingerprint: leaf.Fingerprint,
		Revoked: revoke, MinEpoch: reply.GetMinEpoch(), Shown: reply.GetRedialled(),
	}, nil
}

// Ping hands over each of count round trips to a peer, given by its ID.
func (c *client) Ping(ctx context.Context, id string, count uint32, see func(tripView) error) error {
	ctx, cancel := context.WithTimeout(ctx, pingTime*time.Duration(count+1))
	defer cancel()
	stream, err := c.rpc.Ping(ctx, &adminpb.PingRequest{Peer: id, Count: count})
	if err != nil {
		return err
	}
	for {
		trip, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := see(tripOf(trip)); err != nil {
			return err
		}
	}
}

// Services lists the shared addresses that the node knows.
func (c *client) Services(ctx context.Context) ([]serviceView, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	reply, err := c.rpc.Services(ctx, &adminpb.ServicesRequest{})
	return servicesOf(reply), err
}

// AddService makes an address one of the node's services, and lists them.
func (c *client) AddService(ctx context.Context, address string) ([]serviceView, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	reply, err := c.rpc.AddService(ctx, &adminpb.AddServiceRequest{Address: address})
	return servicesOf(reply), err
}

// RemoveService undoes AddService.
func (c *client) RemoveService(ctx context.Context, address string) ([]serviceView, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	reply, err := c.rpc.RemoveService(ctx, &adminpb.RemoveServiceRequest{Address: address})
	return servicesOf(reply), err
}

// Counters tells how much of what the node did since it started.
func (c *client) Counters(ctx context.Context) ([]counterView, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	reply, err := c.rpc.Counters(ctx, &adminpb.CountersRequest{})
	views := make([]counterView, 0, len(reply.GetCounters()))
	for _, n := range reply.GetCounters() {
		views = append(views, counterView{Name: n.GetName(), Method: n.GetMethod(), Value: n.GetValue()})
	}
	return views, err
}

func servicesOf(reply *adminpb.ServicesResponse) []serviceView {
	views := make([]serviceView, len(reply.GetServices()))
	for i, s := range reply.GetServices() {
		views[i] = serviceView{
			Address: s.GetAddress(), Origin: s.GetOrigin(), LastVisit: atMilli(s.GetLastVisitMs()), LastID: s.GetLastId(),
			LastName: s.GetLastName(), Self: s.GetSelf(), Error: s.GetError(), Visits: s.GetVisits(), ToldBy: nonNil(s.GetToldBy()),
		}
	}
	return views
}

func tripOf(p *adminpb.PingResponse) tripView {
	t := tripView{Seq: p.GetSeq(), Error: p.GetError()}
	if t.Error == "" {
		rtt := float64(p.GetRttUs()) / 1000
		t.RttMS = &rtt
	}
	return t
}

// Signature shows a node's, the peer's of that ID or its own.
func (c *client) Signature(ctx context.Context, id string) (shownSignature, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	s, err := c.rpc.ShowSignature(ctx, &adminpb.ShowSignatureRequest{Peer: id})
	if err != nil {
		return shownSignature{}, err
	}
	return shownSignature{
		ID: s.GetId(), Name: s.GetName(), Sequence: s.GetSequence(), AgeMS: s.GetAgeMs(), Count: s.GetCount(), Dimension: int(s.GetDimension()),
		Mean: nonNil(s.GetMean()), Histogram: nonNil(s.GetHistogram()), Distance: s.Distance, Short: s.GetShort(), Published: s.GetPublished(),
	}, nil
}

// Query asks the network.
func (c *client) Query(ctx context.Context, q *adminpb.QueryRequest) (queryView, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(q.GetTimeoutMs())*time.Millisecond+queryGrace)
	defer cancel()
	reply, err := c.rpc.Query(ctx, q)
	if err != nil {
		return queryView{}, err
	}
	v := queryView{
		Answers: []answerView{}, LeftOut: reply.GetLeftOut(), asked: reply.GetAsked(), seen: reply.GetSeen(), failed: reply.GetFailed(), instead: reply.GetInstead(),
	}
	for _, a := range reply.GetAnswers() {
		v.Answers = append(v.Answers, answerOf(a))
	}
	return v, nil
}
