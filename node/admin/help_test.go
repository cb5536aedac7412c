package admin

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/g2g-net/g2g/node/fanout"
	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/signature"
	"github.com/g2g-net/g2g/node/stale"
	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/adminpb"
)

// noon is the time in every picture: 2026-09-21 13:33:20 UTC.
var noon = time.Unix(1_790_000_000, 0).UTC()

func chance(label string) *rand.ChaCha8 { return rand.NewChaCha8(sha256.Sum256([]byte(label))) }

func someone(t testing.TB, name string) *pki.Identity {
	t.Helper()
	i, err := pki.NewIdentity(chance(name))
	must(t, err)
	return i
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A world is a network of ada, whom the founder admitted, bob and carol, whom ada did, and a client, dan.
type world struct {
	genesis               pki.Genesis
	founder               *pki.Identity
	ada, bob, carol, dan  *pki.Identity
	adaChain              pki.Chain
	serverToken, danToken pki.Token
}

func newWorld(t testing.TB) world {
	t.Helper()
	w := world{
		founder: someone(t, "founder"), ada: someone(t, "ada"), bob: someone(t, "bob"), carol: someone(t, "carol"), dan: someone(t, "dan"),
	}
	var err error
	w.genesis, err = pki.Found(chance("nonce"), w.founder, "testnet", noon)
	must(t, err)
	w.adaChain, err = pki.AdmitRoot(w.founder, w.genesis, w.ada.Key(), noon)
	must(t, err)
	w.serverToken = w.token(t, pki.Server)
	w.danToken = w.token(t, pki.Client)
	return w
}

func (w world) token(t testing.TB, mode pki.Mode) pki.Token {
	t.Helper()
	token, err := pki.NewToken(chance("token "+mode.String()), mode, noon.Add(time.Hour), w.genesis.Network(), w.ada.ID(), []string{"10.0.0.1:7402"})
	must(t, err)
	return token
}

func (w world) nomination(token pki.Token) pki.Nomination {
	return pki.Nomination{
		Network: w.genesis.Network(), Nominator: w.ada.Key(), TokenKey: token.Key(), Mode: token.Mode,
		MayNominate: token.Mode == pki.Server, NotBefore: noon.Unix(), NotAfter: noon.Add(time.Hour).Unix(), Uses: 2, Label: "shelf",
		Version: 2, Used: 1, Users: []pki.TokenUse{{Joiner: w.bob.ID(), At: noon.Unix() + 5}},
	}
}

func (w world) peer(t testing.TB, who *pki.Identity, name string, token pki.Token, state view.State) gossip.Peer {
	t.Helper()
	chain, err := w.adaChain.Admit(w.ada, who.Key(), w.nomination(token), noon)
	must(t, err)
	return gossip.Peer{
		Entry: view.Entry{
			Contact: &view.Contact{
				ID: who.ID(), Key: who.Key(), Name: name, Mode: token.Mode, Sequence: 3, Epoch: 9, Incarnation: 4,
				Addresses: []string{"10.0.0.2:7401"}, Services: []string{"10.9.9.9:80"}, Chain: chain,
			},
			BeatSequence: 65, FirstSeen: noon.Add(-time.Minute), State: state,
		},
		Age: 400 * time.Millisecond,
	}
}

// picture is ada's, a second after her machine's snapshot.
func (w world) picture(t testing.TB) Picture {
	t.Helper()
	bob := w.peer(t, w.bob, "node-b", w.serverToken, view.Dead)
	bob.Reason, bob.Unreachable = "silent", true
	carol := w.peer(t, w.carol, "node-a", w.serverToken, view.Alive)
	carol.Active, carol.LastExchange = true, noon
	dan := w.peer(t, w.dan, "node-b", w.danToken, view.Alive)
	return Picture{
		Gossip: &gossip.Snapshot{
			At: noon, Contact: &view.Contact{Addresses: []string{"10.0.0.1:7401"}}, Sequence: 7, Age: 200 * time.Millisecond,
			Peers: []gossip.Peer{bob, dan, carol}, Active: []pki.ID{w.carol.ID()}, Observed: []string{"10.0.0.1"},
			Disagree: []pki.ID{w.carol.ID(), w.founder.ID()}, Isolated: true,
			Nominations: []gossip.SealedNomination{{Nomination: w.nomination(w.serverToken)}, {Nomination: w.nomination(w.danToken)}},
			Bound:       stale.Bound{Limit: 10 * time.Second, N: 1, Mean: 1500 * time.Microsecond, StdDev: time.Millisecond, Stretch: 2.5, Floor: 2 * time.Second},
		},
		ID: w.ada.ID(), Name: "ada", Genesis: w.genesis, Chain: w.adaChain, Version: "v0.1.0",
		Started: noon.Add(-time.Hour), Now: noon.Add(time.Second),
		GossipAddress: "[::]:7401", RegisterAddress: "[::]:7402", AdminAddress: "/a/admin.sock",
		Leaf: pki.LeafClaims{Epoch: 5, NotBefore: noon, NotAfter: noon.Add(time.Hour)},
		Leaves: map[pki.ID]pki.LeafClaims{
			w.carol.ID(): {Epoch: 9, NotBefore: noon, NotAfter: noon.Add(time.Minute)},
			w.bob.ID():   {Epoch: 8, NotBefore: noon, NotAfter: noon.Add(time.Minute)}, // he has told of a newer one since
		},
	}
}

// fakeNode answers what it is told to, and keeps what it was asked.
type fakeNode struct {
	mu      sync.Mutex
	picture Picture
	err     error
	panics  bool
	asked   gossip.NominateRequest
	text    string // what Revoke or Join was asked for
	token   pki.Token
	result  pki.Nomination
	joined  Joined
	left    bool
	turn    atomic.Uint64
}

func (f *fakeNode) answer() error {
	if f.panics {
		panic("told to")
	}
	return f.err
}

func (f *fakeNode) Picture(context.Context) (Picture, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.picture, f.answer()
}

func (f *fakeNode) Turn() uint64 { return f.turn.Load() }

func (f *fakeNode) Nominate(_ context.Context, req gossip.NominateRequest) (pki.Token, pki.Nomination, error) {
	f.asked = req
	return f.token, f.result, f.answer()
}

func (f *fakeNode) Revoke(_ context.Context, id string) (pki.Nomination, error) {
	f.text = id
	return f.result, f.answer()
}

func (f *fakeNode) Join(_ context.Context, token pki.Token, at string) (Joined, error) {
	f.text = token.ID().String() + " at " + at
	return f.joined, f.answer()
}

func (f *fakeNode) Leave(context.Context) error {
	f.left = true
	return f.answer()
}

// serve runs the node's admin API on a real socket in a folder of its own.
func serve(t *testing.T, node Node) (adminpb.AdminClient, *Ring) {
	t.Helper()
	dir := t.TempDir()
	l, path, err := Listen(dir)
	must(t, err)
	if path != SocketPath(dir) {
		t.Errorf("Listen says %q, SocketPath %q", path, SocketPath(dir))
	}
	ring := NewRing()
	server := NewServer(node, ring, NewHistory(), slog.New(slog.DiscardHandler))
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	conn, err := grpc.NewClient("passthrough:///admin", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", path)
		}))
	must(t, err)
	t.Cleanup(func() {
		ring.Close()
		server.GracefulStop() // would wait for ever for a stream that does not end with the ring
		if err := <-served; err != nil && !errors.Is(err, grpc.ErrServerStopped) {
			t.Error(err)
		}
		_ = conn.Close()
	})
	return adminpb.NewAdminClient(conn), ring
}

// wantStatus wants exactly this code and text.
func wantStatus(t testing.TB, err error, code codes.Code, text string) {
	t.Helper()
	if s := status.Convert(err); s.Code() != code || s.Message() != text {
		t.Errorf("answered %s %q, want %s %q", s.Code(), s.Message(), code, text)
	}
}

// fakeStream is the server's side of a stream whose reader takes a message when it wants to.
type fakeStream[T any] struct {
	grpc.ServerStream
	ctx context.Context
	out chan *T
}

func newStream[T any](ctx context.Context) fakeStream[T] {
	return fakeStream[T]{ctx: ctx, out: make(chan *T)}
}

func (s fakeStream[T]) Context() context.Context { return s.ctx }

func (s fakeStream[T]) Send(m *T) error {
	select {
	case s.out <- m:
		return nil
	case <-s.ctx.Done():
		return s.ctx.Err()
	}
}

func (f *fakeNode) Rotate(_ context.Context, revoke bool) (Rotated, error) {
	r := Rotated{Leaf: f.picture.Leaf}
	if revoke {
		r.MinEpoch, r.Redialled = r.Leaf.Epoch, 3
	}
	return r, f.err
}

func (f *fakeNode) Ping(_ context.Context, _ pki.ID, count int, tell func(time.Duration, error) error) error {
	for range count {
		if err := tell(1500*time.Microsecond, nil); err != nil {
			return err
		}
	}
	return f.err
}

func (f *fakeNode) Query(_ context.Context, q fanout.Query) (fanout.Result, error) {
	f.text = fmt.Sprintf("%s %q %d %s %t", q.Name, q.Question, q.Fanout, q.Budget, q.Links)
	return fanout.Result{
		Answers: []fanout.Answer{{ID: f.picture.ID, Name: "ada", Hops: 1, Elapsed: 1500 * time.Microsecond, Body: []byte("\xff"), Error: "a\xffb", Links: []fanout.Link{{Peer: [8]byte{1}, Latency: time.Millisecond}}}},
		LeftOut: 1, Asked: 2, Seen: 3, Failed: 4, Instead: 5,
	}, f.err
}

func (f *fakeNode) Services(context.Context) ([]gossip.Service, error) {
	return []gossip.Service{{Address: "members.example.org:7401", Origin: "config", Visits: 2}}, f.err
}

func (f *fakeNode) AddService(context.Context, string) error { return f.err }

func (f *fakeNode) Publish(_ context.Context, mean, histogram []float64, count uint64) (uint64, error) {
	f.text = fmt.Sprint(mean, histogram, count)
	return 8, f.err
}

func (f *fakeNode) ShowSignature(_ context.Context, id pki.ID) (Signature, error) {
	if id.IsZero() {
		return Signature{Name: "ada", Sequence: 3}, f.err
	}
	return Signature{
		ID: id, Name: "bob", Sequence: 4, Age: time.Second, Published: true, Distance: 0.5, Comparable: true,
		Signature: signature.Signature{Dimension: 200, Mean: []float32{1}, Histogram: []float32{2}, Count: 5},
	}, f.err
}

func (f *fakeNode) LoadData(_ context.Context, next func() ([][]float32, bool, error)) (Loaded, error) {
	f.text = ""
	for {
		samples, more, err := next()
		if err != nil {
			f.text = "given up"
			return Loaded{}, err
		}
		if !more {
			return Loaded{Added: 2, Duplicates: 1, Stat: DataStat{Count: 9, Dimension: 2, Bytes: 72}}, f.err
		}
		f.text += fmt.Sprint(samples)
	}
}

func (f *fakeNode) DataStat(context.Context) (DataStat, error) {
	return DataStat{Count: 9, Dimension: 2, Bytes: 72}, f.err
}

func (f *fakeNode) DrawData(_ context.Context, n int) ([][]float32, error) {
	return make([][]float32, n), f.err
}

func (f *fakeNode) RemoveService(context.Context, string) error { return f.err }

func (f *fakeNode) Counters() []Counter {
	return []Counter{{Name: "saves", Value: 3}, {Name: "asked", Method: "/g2g.v1.Gossip/Ping", Value: 5}}
}
