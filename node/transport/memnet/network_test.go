package memnet

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// connect opens a connection between two hosts.
func connect(t *testing.T, n *Network) (client, server net.Conn) {
	t.Helper()
	l, err := n.Host("10.0.0.2").Listen(":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err = n.Host("10.0.0.1").Dial(t.Context(), l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return client, server
}

func TestLatencyIsExact(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(func(from, _ netip.Addr) time.Duration {
			if from == netip.MustParseAddr("10.0.0.1") {
				return 10 * time.Millisecond
			}
			return 30 * time.Millisecond
		})
		start := time.Now()
		client, server := connect(t, n)
		if got := time.Since(start); got != 40*time.Millisecond {
			t.Errorf("the dial took %s", got)
		}
		start = time.Now()
		_, _ = client.Write([]byte("ping"))
		b := make([]byte, 10)
		if k, err := server.Read(b); string(b[:k]) != "ping" || err != nil || time.Since(start) != 10*time.Millisecond {
			t.Errorf("read %q, %v after %s", b[:k], err, time.Since(start))
		}
		_, _ = server.Write([]byte("pong"))
		_ = server.Close()
		all, err := io.ReadAll(client)
		if string(all) != "pong" || err != nil || time.Since(start) != 40*time.Millisecond {
			t.Errorf("read %q, %v after %s", all, err, time.Since(start))
		}
		if _, err := client.Write([]byte("late")); !errors.Is(err, syscall.EPIPE) {
			t.Errorf("a write to a closed end: %v", err)
		}
		_ = client.Close()
	})
}

func TestAddressesAreTheHosts(t *testing.T) {
	client, server := connect(t, New(nil))
	if client.LocalAddr().String() != server.RemoteAddr().String() || client.RemoteAddr().String() != server.LocalAddr().String() {
		t.Errorf("%s-%s and %s-%s", client.LocalAddr(), client.RemoteAddr(), server.LocalAddr(), server.RemoteAddr())
	}
	if a, ok := server.RemoteAddr().(*net.TCPAddr); !ok || a.IP.String() != "10.0.0.1" || a.Port == 0 {
		t.Errorf("remote address %v", server.RemoteAddr())
	}
}

func TestDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := connect(t, New(nil))
		start := time.Now()
		_ = client.SetDeadline(start.Add(time.Second))
		if _, err := client.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("read: %v after %s", err, time.Since(start))
		}
		if _, err := client.Write([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("write: %v", err)
		}
		_ = client.SetDeadline(time.Time{})
		go func() { _, _ = server.Write([]byte("x")) }()
		if _, err := client.Read(make([]byte, 1)); err != nil {
			t.Errorf("read without deadline: %v", err)
		}
		_, _ = client.Close(), server.Close()
	})
}

func TestWriterWaitsForTheReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := connect(t, New(func(netip.Addr, netip.Addr) time.Duration { return time.Millisecond }))
		sent := bytes.Repeat([]byte("0123456789abcdef"), 3*inFlight/16)
		done := make(chan error, 1)
		go func() {
			_, err := client.Write(sent)
			_ = client.Close()
			done <- err
		}()
		synctest.Wait()
		select {
		case err := <-done:
			t.Fatalf("the writer did not wait: %v", err)
		default:
		}
		got, err := io.ReadAll(server)
		if !bytes.Equal(got, sent) || err != nil {
			t.Errorf("%d bytes of %d arrived, %v", len(got), len(sent), err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		_ = server.Close()
	})
}

func TestDialFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(func(netip.Addr, netip.Addr) time.Duration { return time.Second })
		h := n.Host("10.0.0.1")
		l, err := n.Host("10.0.0.2").Listen("10.0.0.2:0")
		if err != nil {
			t.Fatal(err)
		}
		at := l.Addr().String()
		if _, err := n.Host("10.0.0.2").Listen(at); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("listen twice: %v", err)
		}
		if _, err := h.Listen(at); !errors.Is(err, syscall.EADDRNOTAVAIL) {
			t.Errorf("listen on another host's address: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		if _, err := h.Dial(ctx, at); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a dial that takes too long: %v", err)
		}
		cancel()
		waiting, err := h.Dial(t.Context(), at)
		if err != nil {
			t.Fatal(err)
		}
		_ = l.Close()
		if _, err := waiting.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("a connection that was never accepted: %v", err)
		}
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("accept on a closed listener: %v", err)
		}
		if _, err := h.Dial(t.Context(), at); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("a dial to nobody: %v", err)
		}
		if _, err := h.Dial(t.Context(), "nowhere:1"); err == nil || err.Error() != `dial tcp: "nowhere:1": no such host` {
			t.Errorf("a dial to no address: %v", err)
		}
	})
}
