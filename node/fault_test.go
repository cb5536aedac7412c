package node

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/transport"
)

// scissors cut the connections of a dialler, or of a listener, after a number of reads and writes in all.
type scissors struct {
	left atomic.Int64 // negative: they are open, and count
	used atomic.Int64
}

// off lets everything through again.
func (s *scissors) off() { s.left.Store(-1) }

func (s *scissors) at(n int) {
	s.left.Store(int64(n))
	s.used.Store(0)
}

// snip tells whether this read or write is one too many.
func (s *scissors) snip() bool {
	s.used.Add(1)
	for {
		left := s.left.Load()
		if left <= 0 {
			return left == 0
		}
		if s.left.CompareAndSwap(left, left-1) {
			return false
		}
	}
}

type cuttable struct {
	net.Conn
	by *scissors
}

func (c *cuttable) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.by.snip() {
		_ = c.Close()
		return 0, net.ErrClosed
	}
	return n, err
}

func (c *cuttable) Write(b []byte) (int, error) {
	if c.by.snip() {
		_ = c.Close()
		return 0, net.ErrClosed
	}
	return c.Conn.Write(b)
}

// wrap cuts what the dialler opens to one host.
func (s *scissors) wrap(dial transport.Dialer, host string) transport.Dialer {
	return func(ctx context.Context, address string) (net.Conn, error) {
		conn, err := dial(ctx, address)
		if err != nil || host != "" && conn.RemoteAddr().(*net.TCPAddr).IP.String() != host {
			return conn, err
		}
		return &cuttable{conn, s}, nil
	}
}

// The fault: the joiner, the acceptor or the nominator loses its connection after every single read and write of a registration, or
// the joiner is killed there and starts again. Joining again with the same token works, and the token of one use is used once.
func TestRegistrationIsCutAnywhere(t *testing.T) {
	for _, c := range []struct {
		what    string
		nominee bool // the acceptor's connection to the nominator is cut, not the joiner's to the acceptor
		restart bool // the joiner is killed and starts again in between
		lose    bool // so is the nominator
	}{
		{"joiner", false, false, false},
		{"joiner, killed", false, true, false},
		{"acceptor to nominator", true, false, false},
		{"joiner and nominator killed", false, true, true},
	} {
		t.Run(c.what, func(t *testing.T) {
			inWorld(t, 5*time.Millisecond, func(w *world) {
				cut := &scissors{}
				cut.off()
				f := w.founder()
				acceptor := w.actor(1)
				if c.nominee {
					acceptor.dial = cut.wrap(acceptor.dial, "10.0.0.1")
				}
				acceptor.start()
				if _, err := acceptor.Join(context.Background(), f.token(gossip.NominateRequest{}), ""); err != nil {
					t.Fatal(err)
				}
				failed, whole := 0, false
				for step := 0; !whole; step++ {
					token := f.token(gossip.NominateRequest{Label: fmt.Sprint("step ", step)})
					w.settle()
					joiner := w.actor(10 + step)
					if !c.nominee {
						joiner.dial = cut.wrap(joiner.dial, "10.0.0.2")
					}
					joiner.start()
					cut.at(step)
					_, err := joiner.Join(context.Background(), token, acceptor.Info().Register)
					whole = cut.left.Load() > 0
					cut.off()
					if err != nil {
						failed++
					}
					if (err == nil) != joiner.folder() {
						t.Errorf("step %d: %v, and the folder says member: %t", step, err, joiner.folder())
					}
					if c.restart {
						joiner.kill()
						joiner.start()
					}
					if c.lose {
						f.kill()
						f.start()
						w.settle()
					}
					if !joiner.Info().Member {
						w.pass(6 * time.Second) // the acceptor's way to the nominator is there again
						if _, err := joiner.Join(context.Background(), token, acceptor.Info().Register); err != nil {
							t.Errorf("step %d: again: %v", step, err)
						}
					}
					n := f.nomination(token.ID())
					if n.Used != 1 || n.Version != 2 || n.Users[0].Joiner != joiner.ID() {
						t.Errorf("step %d: used %d, version %d", step, n.Used, n.Version)
					}
					w.until(20*time.Second, "all list the joiner", func() bool { return listed(f, joiner) && listed(acceptor, joiner) && listed(joiner, f, acceptor) })
					joiner.halt()
				}
				t.Logf("%d attempts failed", failed)
				haltAll([]*actor{f, acceptor})
			})
		})
	}
}

// The fault: at every moment of a registration its operator gives up, or the acceptor is killed. Joining again with the same token
// works, at the acceptor or at another one, and the use is counted once.
func TestRegistrationIsGivenUpAnywhere(t *testing.T) {
	for _, killed := range []bool{false, true} {
		t.Run(fmt.Sprintf("acceptor killed %t", killed), func(t *testing.T) {
			inWorld(t, 5*time.Millisecond, func(w *world) {
				f := w.founder()
				acceptor := w.joiner(1, f)
				failed := 0
				for moment := time.Duration(0); moment < 80*time.Millisecond; moment += 4 * time.Millisecond {
					token := f.token(gossip.NominateRequest{})
					w.settle()
					joiner := w.outsider(10 + int(moment/time.Millisecond))
					at := acceptor.Info().Register
					ctx, cancel := context.WithCancel(context.Background())
					done := make(chan error)
					go func() {
						_, err := joiner.Join(ctx, token, at)
						done <- err
					}()
					w.pass(moment)
					if killed {
						acceptor.kill()
					} else {
						cancel()
					}
					err := <-done
					cancel()
					if err != nil {
						failed++
					}
					if member := joiner.Info().Member; (err == nil) != member || joiner.folder() != member {
						t.Errorf("after %s: %v, member %t, folder %t", moment, err, member, joiner.folder())
					}
					if killed {
						acceptor.start()
						at = f.Info().Register
					}
					if err != nil {
						if _, err := joiner.Join(context.Background(), token, at); err != nil {
							t.Errorf("after %s: again: %v", moment, err)
						}
					}
					if n := f.nomination(token.ID()); n.Used != 1 || n.Version != 2 {
						t.Errorf("after %s: used %d, version %d", moment, n.Used, n.Version)
					}
					w.until(20*time.Second, "all list the joiner", func() bool { return listed(f, joiner) && listed(acceptor, joiner) && listed(joiner, f, acceptor) })
					joiner.halt()
				}
				t.Logf("%d attempts failed", failed)
				haltAll([]*actor{f, acceptor})
			})
		})
	}
}
