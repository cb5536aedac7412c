package wire

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"github.com/g2g-net/g2g/node/fanout"
	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/gossippb"
)

// linkSize is what one link takes: the first bytes of an ID, and microseconds.
const linkSize = 8 + 4

// Query accepts a question that a peer passes on.
func Query(pb *gossippb.QueryRequest) (fanout.Request, error) {
	if len(pb.GetId()) != len(fanout.ID{}) {
		return fanout.Request{}, fmt.Errorf("read query: ID of %d bytes where %d are needed", len(pb.GetId()), len(fanout.ID{}))
	}
	r := fanout.Request{
		Query: fanout.Query{
			Name: pb.GetName(), Question: pb.GetQuestion(), Fanout: int(pb.GetFanout()), Budget: microseconds(pb.GetBudgetUs()), Links: pb.GetLinks(),
		},
		ID: fanout.ID(pb.GetId()), Hops: int(pb.GetHops()),
	}
	if err := r.Check(); err != nil {
		return fanout.Request{}, fmt.Errorf("read query: %w", err)
	}
	return r, nil
}

// microseconds takes more than a duration holds for as much as it does.
func microseconds(n uint64) time.Duration {
	const most = math.MaxInt64 / int64(time.Microsecond)
	return time.Duration(min(n, uint64(most))) * time.Microsecond
}

// EncodeQuery is its inverse.
func EncodeQuery(r fanout.Request) *gossippb.QueryRequest {
	return &gossippb.QueryRequest{
		Id: r.ID[:], Name: r.Name, Question: r.Question, Fanout: uint32(r.Fanout), BudgetUs: uint64(r.Budget.Microseconds()), //nolint:gosec // checked
		Hops: uint32(r.Hops), Links: r.Links, //nolint:gosec // checked
	}
}

// QueryAnswers accepts what a peer brings for a question.
func QueryAnswers(pb *gossippb.QueryAnswers, to fanout.Request) (fanout.Response, error) {
	r := fanout.Response{LeftOut: int(min(pb.GetLeftOut(), fanout.MaxLeftOut))}
	if len(pb.GetAnswers()) > fanout.MaxAnswers {
		return fanout.Response{}, fmt.Errorf("read answers: %d are over the bound of %d", len(pb.GetAnswers()), fanout.MaxAnswers)
	}
	for _, one := range pb.GetAnswers() {
		a, err := queryAnswer(one)
		if err != nil {
			return fanout.Response{}, fmt.Errorf("read answers: %w", err)
		}
		r.Answers = append(r.Answers, a)
	}
	if err := r.Check(to); err != nil {
		return fanout.Response{}, fmt.Errorf("read answers: %w", err)
	}
	return r, nil
}

func queryAnswer(pb *gossippb.QueryAnswer) (fanout.Answer, error) {
	a := fanout.Answer{
		Name: pb.GetName(), Hops: int(pb.GetHops()), Elapsed: microseconds(pb.GetElapsedUs()), Body: pb.GetBody(), Error: pb.GetError(), Unknown: pb.GetUnknown(),
	}
	if len(pb.GetNode()) != len(pki.ID{}) {
		return a, fmt.Errorf("ID of %d bytes where %d are needed", len(pb.GetNode()), len(pki.ID{}))
	}
	a.ID = pki.ID(pb.GetNode())
	links := pb.GetLinks()
	if len(links)%linkSize != 0 || len(links)/linkSize > fanout.MaxLinks {
		return a, fmt.Errorf("%d bytes of links are no multiple of %d, or more than %d", len(links), linkSize, fanout.MaxLinks)
	}
	for ; len(links) > 0; links = links[linkSize:] {
		latency := time.Duration(binary.BigEndian.Uint32(links[8:])) * time.Microsecond
		a.Links = append(a.Links, fanout.Link{Peer: [8]byte(links), Latency: latency})
	}
	return a, nil
}

// EncodeQueryAnswers is the inverse of QueryAnswers.
func EncodeQueryAnswers(r fanout.Response) *gossippb.QueryAnswers {
	pb := &gossippb.QueryAnswers{LeftOut: uint32(r.LeftOut)} //nolint:gosec // bounded
	for _, a := range r.Answers {
		one := &gossippb.QueryAnswer{
			Node: a.ID[:], Name: a.Name, Hops: uint32(a.Hops), ElapsedUs: uint64(a.Elapsed.Microseconds()), //nolint:gosec // checked
			Body: a.Body, Error: a.Error, Unknown: a.Unknown,
		}
		for _, l := range a.Links {
			one.Links = append(one.Links, l.Peer[:]...)
			one.Links = binary.BigEndian.AppendUint32(one.Links, uint32(min(max(0, l.Latency.Microseconds()), math.MaxUint32)))
		}
		pb.Answers = append(pb.Answers, one)
	}
	return pb
}
