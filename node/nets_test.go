package node

import (
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/g2g-net/g2g/node/admin"
	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/store"
)

// copyFolder is a backup of a node that does not run.
func copyFolder(t *testing.T, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "backup")
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{store.IdentityFile, store.FounderFile} {
		if err := os.Chmod(filepath.Join(to, name), 0o600); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	return to
}

// forgetAddresses leaves a node that does not run with nothing but its admission.
func forgetAddresses(t *testing.T, a *actor) {
	t.Helper()
	d, err := store.Open(a.dir)
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

// balance leads each connection to the next backend, as a TCP load balancer does, until stop.
func balance(t *testing.T, w *world, address string, backends []string) (stop func()) {
	t.Helper()
	ip, _, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	host := w.net.Host(ip)
	l, err := host.Listen(address)
	if err != nil {
		t.Fatal(err)
	}
	var tasks sync.WaitGroup
	tasks.Go(func() {
		for i := 0; ; i++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			tasks.Go(func() { pipeTo(c, host.Dial, backends[i%len(backends)]) })
		}
	})
	return func() {
		_ = l.Close()
		tasks.Wait()
	}
}

// pipeTo copies between a connection and a backend until one side ends.
func pipeTo(c net.Conn, dial func(context.Context, string) (net.Conn, error), backend string) {
	to, err := dial(context.Background(), backend)
	if err != nil {
		_ = c.Close()
		return
	}
	var both sync.WaitGroup
	pump := func(dst, src net.Conn) {
		_, _ = io.Copy(dst, src)
		_ = dst.Close()
		_ = src.Close()
	}
	both.Go(func() { pump(to, c) })
	both.Go(func() { pump(c, to) })
	both.Wait()
}

// translate puts a node behind an address translator: its dials come from the outside address, and with a forwarded port
// what reaches that is led to the node. Nobody can reach its own address.
func translate(w *world, a *actor, outside string, forwarded bool) {
	out := w.net.Host(outside)
	bind := a.bind
	a.dial = out.Dial
	a.bind = func(address string) (net.Listener, error) {
		l, err := bind(address)
		if err != nil || !forwarded {
			return l, err
		}
		_, port, err := net.SplitHostPort(l.Addr().String())
		if err != nil {
			return l, err
		}
		public, err := out.Listen(":" + port)
		return both{l, public}, err
	}
}

// both is a listener that also accepts what another one does, and ends with it.
type both struct {
	net.Listener
	public net.Listener
}

// Accept takes only what comes through the translator, as the node's own address is out of reach.
func (b both) Accept() (net.Conn, error) { return b.public.Accept() }

func (b both) Close() error {
	_ = b.public.Close()
	return b.Listener.Close()
}

func peerNamed(p admin.Picture, name string) gossip.Peer {
	for _, peer := range p.Gossip.Peers {
		if peer.Name == name {
			return peer
		}
	}
	return gossip.Peer{}
}
