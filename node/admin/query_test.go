package admin

import (
	"context"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/g2g-net/g2g/proto/adminpb"
)

func TestQuery(t *testing.T) {
	f := &fakeNode{picture: newWorld(t).picture(t)}
	s := &service{node: f}
	r, err := s.Query(context.Background(), &adminpb.QueryRequest{Name: "sum", Question: []byte("q"), Fanout: 4, TimeoutMs: 1500, Links: true})
	if want := `sum "q" 4 1.5s true`; err != nil || f.text != want {
		t.Errorf("%v, asked %s, want %s", err, f.text, want)
	}
	a := r.GetAnswers()[0]
	if a.GetElapsedUs() != 1500 || a.GetHops() != 1 || a.GetError() != "a\uFFFDb" || string(a.GetBody()) != "\xff" || a.GetLinks()[0].GetLatencyMs() != 1 {
		t.Errorf("%v", r)
	}
	if r.GetLeftOut() != 1 || r.GetAsked() != 2 || r.GetSeen() != 3 || r.GetFailed() != 4 || r.GetInstead() != 5 {
		t.Errorf("%v", r)
	}
	for _, ms := range []int64{-1, 30_001, 1 << 62} {
		if _, err := s.Query(context.Background(), &adminpb.QueryRequest{TimeoutMs: ms}); status.Code(statusOf(err)) != codes.InvalidArgument {
			t.Errorf("%d ms: %v", ms, err)
		}
	}
}
