package node

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/transport"
	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/node/wire"
	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/gossippb"
)

// The fault: the nominator is down when its token is shown to another member. Who knows the nomination says so; who does
// not says what everybody is told. Nothing is used up, and the token is good once the nominator is back.
func TestNominatorNotReachable(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		f := w.founder()
		n1 := w.joiner(1, f)
		known := f.token(gossip.NominateRequest{})
		w.settle()
		unknown := f.token(gossip.NominateRequest{})
		id := f.ID()
		f.halt() // before a sync could tell of the second token
		joiner := w.outsider(2)
		check := unchanged(n1, joiner)
		_, err := joiner.Join(context.Background(), known, n1.Info().Register)
		if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "register: refused: its nominator n0 ("+id.Short()+") cannot be reached: ") {
			t.Errorf("whose nomination is known: %v", err)
		}
		check()
		joiner.refused(unknown, n1.Info().Register, pki.ErrUniform, n1)
		f.start()
		for _, token := range []pki.Token{known, unknown} {
			if n := f.nomination(token.ID()); n.Used != 0 || n.Version != 1 {
				t.Errorf("used %d, version %d", n.Used, n.Version)
			}
		}
		w.settle() // n1 dials it again
		if _, err := joiner.Join(context.Background(), known, n1.Info().Register); err != nil {
			t.Error(err)
		}
		haltAll([]*actor{f, n1, joiner})
	})
}

// A token names a nominator that the acceptor has never heard of: it asks at the addresses in the token who is there, and then
// that very node over mutual TLS.
func TestNominatorUnknownToTheAcceptor(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		f := w.founder()
		n1 := w.joiner(1, f)
		n1.halt()
		n2 := w.joiner(2, f)
		token := n2.token(gossip.NominateRequest{})
		f.halt()
		n1.start()
		if n1.peer(n2.ID()) != nil {
			t.Fatal("n1 has heard of n2")
		}
		joiner := w.outsider(3)
		joined, err := joiner.Join(context.Background(), token, n1.Info().Register)
		if err != nil || joined.Nominator != n2.ID() || joined.Acceptor != n1.ID() {
			t.Errorf("%+v, %v", joined, err)
		}
		if n := n2.nomination(token.ID()); n.Used != 1 {
			t.Errorf("used %d", n.Used)
		}
		haltAll([]*actor{n1, n2, joiner})
	})
}

// The attack: a member that did not make the token answers at the addresses that stand in it. It is not asked: the acceptor
// wants the node that the token's pin names.
func TestSomebodyElseAtTheNominatorsAddress(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		f := w.founder()
		mallory := w.member("10.0.9.1", f, pki.Server)
		decider := &falseNominator{}
		at := mallory.serveGossip(decider)
		fake := &fakeAcceptor{welcome: func() *gossippb.RegisterWelcome {
			contact := mallory.contact(func(c *view.Contact) { c.Addresses = []string{at} })
			return mallory.welcomesWith(wire.Envelope(contact.Sealed))
		}}
		n1 := w.joiner(1, f)
		n1.halt()
		token := f.token(gossip.NominateRequest{Addresses: []string{mallory.serve(fake)}})
		f.halt()
		n1.start() // it has heard of nobody yet
		joiner := w.outsider(3)
		joiner.refused(token, n1.Info().Register, pki.ErrUniform, n1)
		fake.sawHellosOnly(t, 1)
		if n := decider.asked.Load(); n != 0 {
			t.Errorf("it was asked to decide %d times", n)
		}
		haltAll([]*actor{n1, joiner})
	})
}

// falseNominator counts how often it is asked to decide.
type falseNominator struct {
	gossippb.UnimplementedGossipServer
	asked atomic.Int64
}

func (f *falseNominator) Claim(context.Context, *gossippb.ClaimRequest) (*gossippb.ClaimResponse, error) {
	f.asked.Add(1)
	return &gossippb.ClaimResponse{Refusal: "refused by somebody else", Proven: true}, nil
}

// The attack: a stranger makes an acceptor knock at its own host's services, under their addresses and under a name of them, to
// find out what is there. None of them sees a byte. What stands at addresses of others sees the handshake and a hello.
func TestStrangerSendsTheAcceptorAround(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		knocks := &knocks{}
		f := w.founder(func(a *actor) { a.dial = knocks.over(w, a.dial) })
		inner, err := w.net.Host("127.0.0.1").Listen(":0")
		if err != nil {
			t.Fatal(err)
		}
		defer inner.Close()
		mallory := w.stranger("10.0.9.1", f)
		port := inner.Addr().(*net.TCPAddr).Port
		var addresses []string
		for _, host := range []string{"127.0.0.1", "[::1]", "169.254.169.254", "localhost", "10.0.9.1"} {
			addresses = append(addresses, fmt.Sprintf("%s:%d", host, port))
		}
		token, err := pki.NewToken(rand.Reader, pki.Server, time.Now().Add(time.Hour), f.genesis().Network(), mallory.ID(), addresses)
		if err != nil {
			t.Fatal(err)
		}
		contains(t, mallory.claimAt(f.Info().Register, token, mallory.contact()), pki.ErrUniform)
		want := []string{addresses[3] + ": 0 bytes", addresses[4] + ": refused"}
		if got := knocks.list(); !slices.Equal(got, want) {
			t.Errorf("it dialled %q, want %q", got, want)
		}
		haltAll([]*actor{f})
	})
}

// knocks counts what is sent over each connection that is dialled to a host outside of the world's nodes.
type knocks struct {
	mu    sync.Mutex
	conns []*knock
}

type knock struct {
	net.Conn
	address string
	refused bool
	written atomic.Int64
}

func (k *knock) Write(b []byte) (int, error) {
	k.written.Add(int64(len(b)))
	return k.Conn.Write(b)
}

// over dials as before, and knows where localhost is.
func (ks *knocks) over(w *world, dial transport.Dialer) transport.Dialer {
	return func(ctx context.Context, address string) (net.Conn, error) {
		conn, err := dial(ctx, strings.Replace(address, "localhost", "127.0.0.1", 1))
		k := &knock{Conn: conn, address: address, refused: err != nil}
		ks.mu.Lock()
		defer ks.mu.Unlock()
		ks.conns = append(ks.conns, k)
		if err != nil {
			return nil, err
		}
		return k, nil
	}
}

func (ks *knocks) list() (out []string) {
	ks.mu.Lock()
	defer ks.mu.Unlock()
	for _, k := range ks.conns {
		what := fmt.Sprintf("%d bytes", k.written.Load())
		if k.refused {
			what = "refused"
		}
		out = append(out, k.address+": "+what)
	}
	return out
}
