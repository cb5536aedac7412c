package admin

import (
	"errors"
	"io"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/g2g-net/g2g/proto/adminpb"
)

func TestSignaturesAreShown(t *testing.T) {
	w := newWorld(t)
	api, _ := serve(t, &fakeNode{})
	own, err := api.ShowSignature(t.Context(), &adminpb.ShowSignatureRequest{})
	must(t, err)
	if own.GetSequence() != 3 || own.Distance != nil || own.GetPublished() {
		t.Errorf("%v", own)
	}
	bob, err := api.ShowSignature(t.Context(), &adminpb.ShowSignatureRequest{Peer: w.bob.ID().String()})
	must(t, err)
	wantMessage(t, bob, &adminpb.ShowSignatureResponse{
		Id: w.bob.ID().String(), Name: "bob", Sequence: 4, AgeMs: 1000, Count: 5, Dimension: 200, Mean: []float32{1}, Histogram: []float32{2},
		Distance: new(0.5), Short: true, Published: true,
	})
	if _, err := api.ShowSignature(t.Context(), &adminpb.ShowSignatureRequest{Peer: "bob"}); status.Code(err) != codes.InvalidArgument {
		t.Errorf("no ID: %v", err)
	}
}

func TestSignatureIsPublished(t *testing.T) {
	node := &fakeNode{}
	api, _ := serve(t, node)
	reply, err := api.PublishSignature(t.Context(), &adminpb.PublishSignatureRequest{Mean: []float64{1}, Histogram: []float64{2, 3}, Count: 4})
	must(t, err)
	if reply.GetSequence() != 8 || node.text != "[1] [2 3] 4" {
		t.Errorf("%v, %s", reply, node.text)
	}
}

func TestDataIsLoadedWhole(t *testing.T) {
	node := &fakeNode{}
	api, _ := serve(t, node)
	sample := func(x float32) *adminpb.Sample { return &adminpb.Sample{Values: []float32{x, x}} }
	for _, commit := range []bool{true, false} {
		stream, err := api.LoadData(t.Context())
		must(t, err)
		must(t, stream.Send(&adminpb.LoadDataRequest{Samples: []*adminpb.Sample{sample(1), sample(2)}}))
		must(t, stream.Send(&adminpb.LoadDataRequest{Samples: []*adminpb.Sample{sample(3)}, Commit: commit}))
		reply, err := stream.CloseAndRecv()
		if !commit {
			if status.Code(err) != codes.InvalidArgument || node.text != "given up" {
				t.Errorf("without a commit: %v, %v", reply, err)
			}
			continue
		}
		must(t, err)
		want := &adminpb.LoadDataResponse{Added: 2, Duplicates: 1, Stat: &adminpb.DataStatResponse{Count: 9, Dimension: 2, Bytes: 72}}
		wantMessage(t, reply, want)
		if node.text != "[[1 1] [2 2]][[3 3]]" {
			t.Errorf("it was given %s", node.text)
		}
	}
}

func TestDataIsDrawn(t *testing.T) {
	api, _ := serve(t, &fakeNode{})
	for asked, want := range map[uint32]int{0: 1, 7: 7, 1000: 1000} {
		stream, err := api.DrawData(t.Context(), &adminpb.DrawDataRequest{Count: asked})
		must(t, err)
		n := 0
		for ; err == nil; n++ {
			_, err = stream.Recv()
		}
		if !errors.Is(err, io.EOF) || n-1 != want {
			t.Errorf("asked for %d, got %d, %v", asked, n-1, err)
		}
	}
	stream, err := api.DrawData(t.Context(), &adminpb.DrawDataRequest{Count: 1001})
	must(t, err)
	if _, err := stream.Recv(); status.Code(err) != codes.InvalidArgument {
		t.Errorf("over the bound: %v", err)
	}
	stat, err := api.DataStat(t.Context(), &adminpb.DataStatRequest{})
	must(t, err)
	if stat.GetCount() != 9 {
		t.Errorf("%v", stat)
	}
}
