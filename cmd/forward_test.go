package cmd

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const countMethod = "/lab.Tallied/Call"

// tallied is a backend that takes down each call that arrives, before it answers some milliseconds later.
type tallied struct {
	at string

	mu    sync.Mutex
	calls map[uint64]int
}

func newTallied(t *testing.T) *tallied {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &tallied{at: l.Addr().String(), calls: map[uint64]int{}}
	server := grpc.NewServer()
	server.RegisterService(&grpc.ServiceDesc{ServiceName: "lab.Tallied", Streams: []grpc.StreamDesc{{StreamName: "Call", Handler: c.call}}}, nil)
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	t.Cleanup(func() {
		server.Stop()
		<-served
	})
	return c
}

func (c *tallied) call(_ any, s grpc.ServerStream) error {
	in := &wrapperspb.UInt64Value{}
	if err := s.RecvMsg(in); err != nil {
		return err
	}
	c.mu.Lock()
	c.calls[in.GetValue()]++
	c.mu.Unlock()
	select {
	case <-time.After(5 * time.Millisecond):
		return s.SendMsg(in)
	case <-s.Context().Done():
		return s.Context().Err()
	}
}

func (c *tallied) arrived(id uint64) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.calls[id]
}

// volley makes numbered calls at a rate, and keeps how each ended.
type volley struct {
	all    sync.WaitGroup
	mu     sync.Mutex
	errs   []error
	seenBy []string // the ID of the peer that answered, or may have seen it
}

// run makes n calls, spread over a time. It does not wait for their answers.
func (v *volley) run(conn grpc.ClientConnInterface, n int, over time.Duration) {
	began := time.Now()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for done := 0; done < n; {
		due := min(n, int(int64(n)*int64(time.Since(began))/int64(over))+1)
		for ; done < due; done++ {
			v.call(conn)
		}
		<-tick.C
	}
}

func (v *volley) call(conn grpc.ClientConnInterface) {
	v.mu.Lock()
	id := len(v.errs)
	v.errs, v.seenBy = append(v.errs, nil), append(v.seenBy, "")
	v.mu.Unlock()
	v.all.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), siteTime)
		defer cancel()
		var head, trail metadata.MD
		in := wrapperspb.UInt64(uint64(id))
		err := conn.Invoke(ctx, countMethod, in, &wrapperspb.UInt64Value{}, grpc.Header(&head), grpc.Trailer(&trail))
		v.mu.Lock()
		defer v.mu.Unlock()
		v.errs[id], v.seenBy[id] = err, fmt.Sprint(append(head.Get("g2g-peer-id"), trail.Get("g2g-peer-id")...))
	})
}

// TestForwardWhosePreferredPeerIsKilled kills the preferred peer's process in the middle of 1,000 calls a second. A call that fails had
// been given to the connection to that peer; every other one is answered, and none arrives twice. FORWARD_CALLS sets how many calls
// there are.
func TestForwardWhosePreferredPeerIsKilled(t *testing.T) {
	n, rate := envInt(t, "FORWARD_CALLS", 1000), 1000
	if slow {
		n, rate = n/10, rate/10
	}
	half := time.Duration(n) * time.Second / time.Duration(2*rate)
	sites := []*site{newSite(t, "one"), newSite(t, "two"), newSite(t, "near")}
	backends := map[string]*tallied{}
	var each []*tallied
	for _, s := range sites[:2] {
		b := newTallied(t)
		each = append(each, b)
		s.env = append(s.env, "G2G_ROUTE=lab.Tallied="+b.at)
	}
	near := sites[2]
	near.env = append(near.env, "G2G_FORWARD=lab.Tallied=127.0.0.1:0", "G2G_ORDER_REBUILD=1h")
	network(t, sites)
	near.knows("lab.Tallied", 2)
	for i, s := range sites[:2] {
		backends[fmt.Sprint([]string{s.ready["id"]})] = each[i]
	}
	conn, err := grpc.NewClient(near.forwards("lab.Tallied"), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var v volley
	v.run(conn, 1, time.Millisecond)
	v.all.Wait() // both ends are connected
	preferred := sites[0]
	if near.look().serving("lab.Tallied")[0].ID != preferred.ready["id"] {
		preferred = sites[1]
	}
	lost := fmt.Sprint([]string{preferred.ready["id"]})
	killed := make(chan struct{})
	v.run(conn, n/2, half)
	go func() { defer close(killed); preferred.kill() }()
	v.run(conn, n/2, half)
	<-killed
	v.untilAnother(conn, lost)
	v.check(t, lost, backends)
}

// untilAnother makes calls, one after the other, until one is answered by another peer than that which was lost: a busy machine may
// be late to kill it.
func (v *volley) untilAnother(conn grpc.ClientConnInterface, lost string) {
	for end := time.Now().Add(siteTime); time.Now().Before(end); v.run(conn, 1, time.Millisecond) {
		v.all.Wait()
		if last := len(v.errs) - 1; v.errs[last] == nil && v.seenBy[last] != lost {
			return
		}
	}
	v.all.Wait()
}

func (v *volley) check(t *testing.T, lost string, backends map[string]*tallied) {
	t.Helper()
	failed, atBackend, after := 0, 0, 0
	for id, err := range v.errs {
		total := 0
		for _, b := range backends {
			total += b.arrived(uint64(id))
		}
		by := v.seenBy[id]
		switch {
		case total > 1:
			t.Errorf("call %d arrived %d times", id, total)
		case err == nil:
			if backends[by] == nil || backends[by].arrived(uint64(id)) != 1 {
				t.Errorf("call %d was answered by %s, where it did not arrive", id, by)
			}
			if by != lost {
				after++
			}
		case status.Code(err) != codes.Unavailable || by != lost || total != backends[lost].arrived(uint64(id)):
			t.Errorf("call %d: %v, seen by %s", id, err, by)
		default:
			failed++
			atBackend += total
		}
	}
	t.Logf("%d calls, %d answered by the next peer, %d failed: all of them on the connection to the peer that was killed, %d had arrived at its backend", len(v.errs), after, failed, atBackend)
	if after == 0 {
		t.Error("the next peer answered nothing")
	}
}
