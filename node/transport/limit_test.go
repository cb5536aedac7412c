package transport

import (
	"fmt"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestRegistrationsAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.root.registration(new(registrar))
		n := w.node("10.0.0.2")
		try := func() codes.Code {
			stream := n.register(w.root)
			_, err := ask(stream, aHello)
			_ = stream.CloseSend()
			_, _ = stream.Recv()
			return status.Code(err)
		}
		for i := range RegistrationBurst {
			if code := try(); code != codes.OK {
				t.Fatalf("registration %d: %s", i, code)
			}
		}
		passed := 0
		for range 20 { // each takes 4 ms of round trips
			if try() == codes.OK {
				passed++
			}
		}
		if passed > 2 {
			t.Errorf("%d more passed", passed)
		}
		later()
		if code := try(); code != codes.OK {
			t.Errorf("a second later: %s", code)
		}
	})
}

func TestLimiterIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter()
		source := func(i int) string { return fmt.Sprintf("10.%d.%d.1", i>>8, i&255) }
		passed := 0
		for i := range 5000 {
			if l.allow(sourceOf(hostOf(mustTCP(source(i))))) {
				passed++
			}
			if n := len(l.young) + len(l.old); n > 2*maxBuckets {
				t.Fatalf("%d addresses are remembered", n)
			}
		}
		if passed != RegistrationRateInAll {
			t.Errorf("%d passed at once", passed)
		}
		time.Sleep(10 * time.Second)
		// One that keeps coming is not forgotten while others pass by.
		for i := range 3 * maxBuckets {
			l.bucket(sourceOf(hostOf(mustTCP(source(i)))))
			busy := l.bucket(sourceOf(hostOf(mustTCP("192.0.2.1"))))
			if i < RegistrationBurst != busy.Allow() {
				t.Fatalf("registration %d", i)
			}
		}
	})
}

func mustTCP(host string) net.Addr { return &net.TCPAddr{IP: net.ParseIP(host), Port: 1} }

func TestRegistrationsAtOnceAreBounded(t *testing.T) {
	wrap := atMost(2)
	info := &grpc.StreamServerInfo{FullMethod: "/m"}
	free := make(chan struct{})
	started := make(chan struct{})
	done := make(chan error)
	for range 2 {
		go func() {
			done <- wrap(nil, nil, info, func(any, grpc.ServerStream) error {
				started <- struct{}{}
				<-free
				return nil
			})
		}()
		<-started
	}
	nothing := func(any, grpc.ServerStream) error { return nil }
	expect(t, wrap(nil, nil, info, nothing), codes.ResourceExhausted, "refused /m: too many run at once, try again in a second")
	close(free)
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	expect(t, wrap(nil, nil, info, nothing), codes.OK, "")
}

func TestRegistrationsAtOnceAreBoundedOnTheWire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.root.registration(new(registrar))
		for i := range MaxRegistrations + 1 {
			_, err := ask(w.node(fmt.Sprintf("10.1.0.%d", i)).register(w.root), aClaim)
			if i < MaxRegistrations {
				expect(t, err, codes.OK, "")
			} else {
				expect(t, err, codes.ResourceExhausted, "refused /g2g.gossip.v1.Registration/Register: too many run at once, try again in a second")
			}
			time.Sleep(50 * time.Millisecond) // below the rate of all
		}
	})
}
