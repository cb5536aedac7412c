package cmd

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/store"
)

// TestHAProxy starts six nodes that know nothing but their own admission and one shared address, at which HAProxy leads each connection
// to the next of their six gossip ports: they find each other, none lists itself, and nobody advertises the balancer's address,
// though every visit comes from there.
func TestHAProxy(t *testing.T) {
	program, err := exec.LookPath("haproxy")
	if err != nil {
		absent(t, "haproxy is not installed")
	}
	l := newLab(t, 6)
	sites := l.sites()
	network(t, sites)
	balancer := l.add()
	shared := balancer.ip + ":7401"
	var backends []string
	for _, s := range sites {
		s.stop()
		forget(t, s.dir)
		backends = append(backends, fmt.Sprintf("server %s %s:7401", s.name, l.hosts[len(backends)].ip))
	}
	balancer.haproxy(program, shared, backends)
	began := time.Now()
	for _, s := range sites {
		s.start("--service", shared)
	}
	found := awaiting(t, sites, "alive==5", siteTime)(began)
	await(t, sites, "converged")
	for _, s := range sites {
		checkBehind(t, s, shared, balancer.ip)
	}
	t.Logf("six nodes listed each other %s after the first start, by visits to %s", found.Round(time.Millisecond), shared)
}

// forget leaves a folder with nothing but its admission: no address of anybody.
func forget(t *testing.T, dir string) {
	t.Helper()
	d, err := store.Open(dir)
	if err == nil {
		err = d.Save(gossip.Save{ReserveChanged: true})
	}
	if err == nil {
		err = d.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// haproxy balances on a host, until the test ends.
func (h *host) haproxy(program, bind string, servers []string) {
	h.t.Helper()
	file := filepath.Join(h.t.TempDir(), "haproxy.cfg")
	config := "global\n\tmaxconn 1000\ndefaults\n\tmode tcp\n\ttimeout connect 1s\n\ttimeout client 1m\n\ttimeout server 1m\n" +
		"listen mesh\n\tbind " + bind + "\n\tbalance roundrobin\n\t" + strings.Join(servers, "\n\t") + "\n"
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		h.t.Fatal(err)
	}
	words := append(h.enter(), program, "-db", "-f", file)
	c := exec.Command(words[0], words[1:]...)
	tie(c)
	var said strings.Builder
	c.Stdout, c.Stderr = &said, &said
	if err := c.Start(); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait() // it was killed
		if h.t.Failed() {
			h.t.Logf("haproxy: %s", said.String())
		}
	})
	host, port, _ := strings.Cut(bind, ":")
	h.sh("timeout 20 bash -c 'until (exec 3<>/dev/tcp/" + host + "/" + port + ") 2>/dev/null; do sleep 0.05; done'")
}

// checkBehind looks for the balancer where it must not be, and for visits where they must.
func checkBehind(t *testing.T, s *site, shared, balancer string) {
	t.Helper()
	p := s.look()
	for _, peer := range p.peers {
		if peer.ID == p.self.ID {
			t.Errorf("%s lists itself", s.name)
		}
		if strings.Contains(strings.Join(peer.Addresses, " "), balancer+":") {
			t.Errorf("%s holds the balancer for an address of %s: %v", s.name, peer.Name, peer.Addresses)
		}
	}
	if advertised := p.self.status.Advertised; len(advertised) != 1 || strings.HasPrefix(advertised[0], balancer+":") {
		t.Errorf("%s advertises %v", s.name, advertised)
	}
	var seen []serviceView
	s.ask(func(ctx context.Context, c *client) error {
		for { // the last visit may have come too late
			list, err := c.Services(ctx)
			if err != nil {
				return fmt.Errorf("services %+v: %w", seen, err)
			}
			if slices.ContainsFunc(list, func(v serviceView) bool { return v.Address == shared && v.Visits > 0 && v.Error == "" }) {
				return nil
			}
			seen = list
			pause(ctx, time.Second)
		}
	})
}
