package admin

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"

	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/adminpb"
)

// maxDrawn bounds the samples of one request.
const maxDrawn = 1000

// ShowSignature gives a node's signature in full.
func (s *service) ShowSignature(ctx context.Context, pb *adminpb.ShowSignatureRequest) (*adminpb.ShowSignatureResponse, error) {
	var id pki.ID
	if pb.GetPeer() != "" {
		var err error
		if id, err = pki.ParseID(pb.GetPeer()); err != nil {
			return nil, invalidf("show signature: %v", err)
		}
	}
	sig, err := s.node.ShowSignature(ctx, id)
	if err != nil {
		return nil, err
	}
	resp := &adminpb.ShowSignatureResponse{
		Id: sig.ID.String(), Name: sig.Name, Sequence: sig.Sequence, AgeMs: span(sig.Age), Count: sig.Count, Dimension: count(sig.Dimension),
		Mean: sig.Mean, Histogram: sig.Histogram, Short: sig.IsShort(), Published: sig.Published,
	}
	if sig.Comparable {
		resp.Distance = &sig.Distance
	}
	return resp, nil
}

// PublishSignature is an application's sign of life.
func (s *service) PublishSignature(ctx context.Context, pb *adminpb.PublishSignatureRequest) (*adminpb.PublishSignatureResponse, error) {
	sequence, err := s.node.Publish(ctx, pb.GetMean(), pb.GetHistogram(), pb.GetCount())
	if err != nil {
		return nil, err
	}
	return &adminpb.PublishSignatureResponse{Sequence: sequence}, nil
}

// errCut is a load whose stream ends without a commit.
var errCut = errors.New("load data: the load was not finished: nothing was changed")

// LoadData takes a stream of samples.
func (s *service) LoadData(stream grpc.ClientStreamingServer[adminpb.LoadDataRequest, adminpb.LoadDataResponse]) error {
	done := false
	loaded, err := s.node.LoadData(stream.Context(), func() (samples [][]float32, more bool, err error) {
		if done {
			return nil, false, nil
		}
		pb, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil, false, invalid{errCut}
		}
		if err != nil {
			return nil, false, err
		}
		done = pb.GetCommit()
		for _, sample := range pb.GetSamples() {
			samples = append(samples, sample.GetValues())
		}
		return samples, true, nil
	})
	if err != nil {
		return err
	}
	return stream.SendAndClose(&adminpb.LoadDataResponse{
		Added: count(loaded.Added), Duplicates: count(loaded.Duplicates), Stat: statOf(loaded.Stat),
	})
}

// DataStat tells how much data there is.
func (s *service) DataStat(ctx context.Context, _ *adminpb.DataStatRequest) (*adminpb.DataStatResponse, error) {
	stat, err := s.node.DataStat(ctx)
	if err != nil {
		return nil, err
	}
	return statOf(stat), nil
}

func statOf(stat DataStat) *adminpb.DataStatResponse {
	return &adminpb.DataStatResponse{Count: count(stat.Count), Dimension: count(stat.Dimension), Bytes: stat.Bytes}
}

// DrawData draws samples at random.
func (s *service) DrawData(pb *adminpb.DrawDataRequest, stream grpc.ServerStreamingServer[adminpb.Sample]) error {
	n := int(max(1, pb.GetCount()))
	if n > maxDrawn {
		return invalidf("draw data: %d samples are over the bound of %d", n, maxDrawn)
	}
	samples, err := s.node.DrawData(stream.Context(), n)
	if err != nil {
		return err
	}
	for _, sample := range samples {
		if err := stream.Send(&adminpb.Sample{Values: sample}); err != nil {
			return err
		}
	}
	return nil
}
