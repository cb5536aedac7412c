package memnet

import (
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

// TestJitterKeepsTheOrder: what is sent later never arrives earlier, however the latency scatters.
func TestJitterKeepsTheOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 1))
		n := New(func(netip.Addr, netip.Addr) time.Duration { return time.Duration(r.IntN(50)) * time.Millisecond })
		a, b := connected(t, n)
		go func() {
			for i := range 100 {
				a.Write([]byte{byte(i)})
				time.Sleep(time.Millisecond)
			}
			a.Close()
		}()
		got, err := io.ReadAll(b)
		if err != nil || len(got) != 100 {
			t.Fatalf("%d bytes, %v", len(got), err)
		}
		for i, x := range got {
			if int(x) != i {
				t.Fatalf("byte %d stands at place %d", x, i)
			}
		}
		b.Close()
		time.Sleep(time.Second)
	})
}

func connected(t *testing.T, n *Network) (dialled, accepted net.Conn) {
	t.Helper()
	l, err := n.Host("10.0.0.2").Listen(":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if dialled, err = n.Host("10.0.0.1").Dial(t.Context(), l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if accepted, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	return dialled, accepted
}

func TestSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, end := connected(t, New(nil))
		var there time.Duration
		back := 50 * time.Millisecond
		far := Slow(near, func() time.Duration { return there }, func() time.Duration { return back })
		go func() { // the other end answers at once
			b := make([]byte, 16)
			for {
				n, err := end.Read(b)
				if err != nil {
					end.Write([]byte("bye"))
					end.Close()
					return
				}
				end.Write(b[:n])
			}
		}()
		b := make([]byte, 16)
		for _, way := range []time.Duration{30 * time.Millisecond, 30 * time.Millisecond, 70 * time.Millisecond} { // it grows
			there = way
			want := there + back
			began := time.Now()
			if _, err := far.Write([]byte("x")); err != nil {
				t.Fatal(err)
			}
			if n, err := far.Read(b); err != nil || string(b[:n]) != "x" {
				t.Fatalf("%q, %v", b[:n], err)
			}
			if got := time.Since(began); got != want {
				t.Errorf("a round trip of %s, want %s", got, want)
			}
		}
		_ = far.Close()
		time.Sleep(time.Second)
	})
}
