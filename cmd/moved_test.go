package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"
)

// TestAllOthersMovedProcesses: while a process is killed all others rotate ten times, then start again at other ports. It comes back
// by itself, through their reserves; and where its own port is taken as well, through a service that leads to them.
func TestAllOthersMovedProcesses(t *testing.T) {
	sites := make([]*site, 4)
	for i := range sites {
		sites[i] = newSite(t, fmt.Sprint("n", i))
	}
	network(t, sites)
	gone, others := sites[1], []*site{sites[0], sites[2], sites[3]}
	for _, s := range sites { // a goodbye brings the addresses to the disk
		s.stop()
		s.start()
	}
	await(t, sites, "alive==3")
	gone.end(syscall.SIGKILL)
	moveAll(t, others)
	gone.start()
	t.Logf("through the reserves: all list all after %s", await(t, sites, "alive==3"))

	gone.end(syscall.SIGKILL)
	moveAll(t, others)
	gone.hold()
	shared := relay(t, others)
	gone.start("--service", shared)
	t.Logf("through a service: all list all after %s", await(t, sites, "alive==3"))
	for _, s := range sites {
		if p := s.look(); fmt.Sprint(p.self.status.Advertised) != fmt.Sprintf("[%s]", s.ready["gossip"]) {
			t.Errorf("%s advertises %v, it is at %s", s.name, p.self.status.Advertised, s.ready["gossip"])
		}
	}
}

// moveAll rotates ten times, and has each node start again elsewhere.
func moveAll(t *testing.T, sites []*site) {
	t.Helper()
	for range 10 {
		for _, s := range sites {
			s.ask(func(ctx context.Context, c *client) error {
				_, err := c.Rotate(ctx, false)
				return err
			})
		}
	}
	for _, s := range sites {
		was := s.ready["gossip"]
		s.stop()
		s.hold()
		s.start()
		if s.ready["gossip"] == was {
			t.Fatalf("%s did not move from %s", s.name, was)
		}
		await(t, sites, fmt.Sprintf("alive==%d", len(sites)-1))
	}
}

// hold takes the port that a stopped node had, until the test ends. Another process may have taken it before: that does as well.
func (s *site) hold() {
	s.t.Helper()
	l, err := net.Listen("tcp", s.ready["gossip"])
	if errors.Is(err, syscall.EADDRINUSE) {
		return
	}
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = l.Close() })
}

// relay leads each connection to the next of some nodes, until the test ends.
func relay(t *testing.T, to []*site) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for i := 0; ; i++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go lead(c, to[i%len(to)].ready["gossip"])
		}
	}()
	return l.Addr().String()
}

// lead copies between a connection and an address until one side ends.
func lead(c net.Conn, address string) {
	defer c.Close()
	to, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer to.Close()
	ended := make(chan struct{}, 2)
	pump := func(dst io.Writer, src io.Reader) {
		_, _ = io.Copy(dst, src)
		ended <- struct{}{}
	}
	go pump(to, c)
	go pump(c, to)
	<-ended
}
