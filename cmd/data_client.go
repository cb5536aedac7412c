package cmd

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"

	"github.com/g2g-net/g2g/proto/adminpb"
)

// chunkBytes is how much of a load travels in one message: well below what the node takes.
const chunkBytes = 1 << 20

// nodeData is the data of a node that runs.
type nodeData struct{ *client }

func (c nodeData) Stat(ctx context.Context) (dataView, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	stat, err := c.rpc.DataStat(ctx, &adminpb.DataStatRequest{})
	return dataOf(stat), err
}

func dataOf(s *adminpb.DataStatResponse) dataView {
	return dataView{Count: int(s.GetCount()), Dimension: int(s.GetDimension()), Bytes: s.GetBytes()}
}

func (c nodeData) Draw(ctx context.Context, n int) ([][]float32, error) {
	stream, err := c.rpc.DrawData(ctx, &adminpb.DrawDataRequest{Count: uint32(n)}) //nolint:gosec // at most maxDrawn
	if err != nil {
		return nil, err
	}
	var samples [][]float32
	for {
		sample, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return samples, nil
		}
		if err != nil {
			return nil, err
		}
		samples = append(samples, sample.GetValues())
	}
}

func (c nodeData) Begin(ctx context.Context) (dataLoad, error) {
	ctx, cancel := context.WithCancel(ctx)
	stream, err := c.rpc.LoadData(ctx)
	if err != nil {
		cancel()
		return nil, err
	}
	return &nodeLoad{stream: stream, cancel: cancel}, nil
}

// nodeLoad streams samples to the node in chunks.
type nodeLoad struct {
	stream grpc.ClientStreamingClient[adminpb.LoadDataRequest, adminpb.LoadDataResponse]
	cancel context.CancelFunc
	chunk  []*adminpb.Sample
	bytes  int
}

func (l *nodeLoad) Add(sample []float32) error {
	l.chunk, l.bytes = append(l.chunk, &adminpb.Sample{Values: sample}), l.bytes+8+4*len(sample)
	if l.bytes < chunkBytes {
		return nil
	}
	return l.send(false)
}

// send sends what has gathered. Where the node has ended the stream, its reason is the error.
func (l *nodeLoad) send(commit bool) error {
	err := l.stream.Send(&adminpb.LoadDataRequest{Samples: l.chunk, Commit: commit})
	l.chunk, l.bytes = nil, 0
	if errors.Is(err, io.EOF) {
		_, err = l.stream.CloseAndRecv()
	}
	return err
}

func (l *nodeLoad) Commit() (loadedView, error) {
	defer l.cancel()
	if err := l.send(true); err != nil {
		return loadedView{}, err
	}
	reply, err := l.stream.CloseAndRecv()
	if err != nil {
		return loadedView{}, err
	}
	stat := dataOf(reply.GetStat())
	return loadedView{
		Added: int(reply.GetAdded()), Duplicates: int(reply.GetDuplicates()), Count: stat.Count, Dimension: stat.Dimension, Bytes: stat.Bytes,
	}, nil
}

// Abort ends the stream without a commit, upon which the node drops what it got.
func (l *nodeLoad) Abort() error {
	l.cancel()
	return nil
}
