package transport

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/gossippb"
)

// A call that failed by the error of an earlier dial says nothing of now. Made anew, it finds whoever listens again at once, or that
// nobody does.
func TestAnewTellsOfNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		n := w.member("10.0.0.2", pki.Server)
		conn, err := n.pool.Conn(w.root.ID(), []string{"10.0.0.1:1"})
		if err != nil {
			t.Fatal(err)
		}
		ask := func(ctx context.Context, options ...grpc.CallOption) error {
			ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
			defer cancel()
			_, err := gossippb.NewGossipClient(conn).Join(ctx, &gossippb.JoinRequest{}, options...)
			return err
		}
		want := func(err error, code codes.Code) {
			t.Helper()
			if status.Code(err) != code {
				t.Errorf("got %v, want %s", err, code)
			}
		}
		want(ask(t.Context()), codes.Unavailable)
		if _, _, ok := n.pool.Anew(t.Context(), w.root.ID(), time.Now().Add(-time.Second), false); ok {
			t.Error("what was dialled since tells of now")
		}
		time.Sleep(10 * time.Millisecond)
		begun := time.Now()
		want(ask(t.Context()), codes.Unavailable)
		if n.pool.Absent(w.root.ID(), begun) {
			t.Fatal("nothing was dialled, and yet all addresses refused")
		}
		ctx, end, ok := n.pool.Anew(t.Context(), w.root.ID(), begun, false)
		if !ok {
			t.Fatal("the error of an earlier dial tells of now")
		}
		want(ask(ctx, grpc.WaitForReady(true)), codes.Canceled)
		end()
		if took := time.Since(begun); took > 100*time.Millisecond || !n.pool.Absent(w.root.ID(), begun) {
			t.Errorf("it took %s to see that nobody listens", took)
		}
	})
}
