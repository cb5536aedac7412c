package cmd

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/adminpb"
)

// A fakeNode answers the admin socket of a folder as it is told to.
type fakeNode struct {
	adminpb.UnimplementedAdminServer
	dir     string
	shows   []*adminpb.Snapshot // Show gives the first, Watch all of them, then it stays open
	ends    bool                // Watch ends after them
	events  []*adminpb.Event
	refuse  error
	hangs   bool
	asked   *adminpb.NominateRequest
	revoked string
	rotate  *adminpb.RotateRequest
	trips   []*adminpb.PingResponse
	unheard error // what Ping ends with
	shared  []*adminpb.Service
	query   *adminpb.QueryRequest // the last
	answers *adminpb.QueryResponse
	full    bool // takes no more services
}

// serveFake puts the fake behind a socket until the test ends.
func serveFake(t *testing.T, f *fakeNode) *fakeNode {
	t.Helper()
	serveAdmin(t, f, f)
	return f
}

// serveAdmin puts what answers behind the socket of a fake's folder.
func serveAdmin(t testing.TB, f *fakeNode, answers adminpb.AdminServer) {
	t.Helper()
	dir, err := os.MkdirTemp("", "g2g") //nolint:usetesting // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	f.dir = dir
	socket, err := net.Listen("unix", filepath.Join(dir, "admin.sock"))
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	adminpb.RegisterAdminServer(server, answers)
	go func() { _ = server.Serve(socket) }()
	t.Cleanup(server.Stop)
}

func (f *fakeNode) wait(ctx context.Context) error {
	if f.hangs {
		<-ctx.Done()
		return status.FromContextError(ctx.Err()).Err()
	}
	return f.refuse
}

func (f *fakeNode) Show(ctx context.Context, _ *adminpb.ShowRequest) (*adminpb.Snapshot, error) {
	if err := f.wait(ctx); err != nil {
		return nil, err
	}
	return f.shows[0], nil
}

func (f *fakeNode) Watch(_ *adminpb.WatchRequest, stream grpc.ServerStreamingServer[adminpb.Snapshot]) error {
	for _, s := range f.shows {
		if err := stream.Send(s); err != nil {
			return err
		}
	}
	if f.ends {
		return nil
	}
	<-stream.Context().Done()
	return nil
}

func (f *fakeNode) Events(r *adminpb.EventsRequest, stream grpc.ServerStreamingServer[adminpb.Event]) error {
	for _, e := range f.events {
		if err := stream.Send(e); err != nil {
			return err
		}
	}
	return nil
}

func (f *fakeNode) Nominate(ctx context.Context, r *adminpb.NominateRequest) (*adminpb.NominateResponse, error) {
	f.asked = r
	if err := f.wait(ctx); err != nil {
		return nil, err
	}
	return &adminpb.NominateResponse{Token: "g2gs1_secret", Nomination: fakeNomination()}, nil
}

func (f *fakeNode) Tokens(context.Context, *adminpb.TokensRequest) (*adminpb.TokensResponse, error) {
	return &adminpb.TokensResponse{Nominations: []*adminpb.Nomination{fakeNomination()}}, nil
}

func (f *fakeNode) RevokeToken(_ context.Context, r *adminpb.RevokeTokenRequest) (*adminpb.RevokeTokenResponse, error) {
	f.revoked = r.GetTokenId()
	if r.GetTokenId() != "00aa" {
		return nil, status.Errorf(codes.NotFound, "no token %q", r.GetTokenId())
	}
	n := fakeNomination()
	n.RevokedAt = 1_800_000_000
	return &adminpb.RevokeTokenResponse{Nomination: n}, nil
}

func (f *fakeNode) Rotate(ctx context.Context, r *adminpb.RotateRequest) (*adminpb.RotateResponse, error) {
	f.rotate = r
	if err := f.wait(ctx); err != nil {
		return nil, err
	}
	reply := &adminpb.RotateResponse{Leaf: &adminpb.Leaf{Epoch: 8, NotBefore: 1_700_000_000, NotAfter: 4_000_000_000, Fingerprint: "aabb"}, MinEpoch: 5}
	if r.GetRevoke() {
		reply.MinEpoch, reply.Redialled = 8, 2
	}
	return reply, nil
}

func (f *fakeNode) Ping(r *adminpb.PingRequest, stream grpc.ServerStreamingServer[adminpb.PingResponse]) error {
	for _, trip := range f.trips[:min(len(f.trips), int(r.GetCount()))] {
		if err := stream.Send(trip); err != nil {
			return err
		}
	}
	return f.unheard
}

func (f *fakeNode) Why(_ context.Context, r *adminpb.WhyRequest) (*adminpb.WhyResponse, error) {
	reply := &adminpb.WhyResponse{CountsMs: 300_000, Floor: 0.1}
	if r.GetPeer() == fakeID(4) {
		reply.RoundTrips = []*adminpb.RoundTrip{{AgeMs: 3000, RttUs: 90_000}, {AgeMs: 2000, RttUs: 80_100}, {AgeMs: 1000, RttUs: 80_000}}
	}
	return reply, nil
}

func (f *fakeNode) Query(ctx context.Context, r *adminpb.QueryRequest) (*adminpb.QueryResponse, error) {
	f.query = r
	return f.answers, f.wait(ctx)
}

func (f *fakeNode) Services(ctx context.Context, _ *adminpb.ServicesRequest) (*adminpb.ServicesResponse, error) {
	return &adminpb.ServicesResponse{Services: f.shared}, f.wait(ctx)
}

func (f *fakeNode) AddService(ctx context.Context, r *adminpb.AddServiceRequest) (*adminpb.ServicesResponse, error) {
	if !f.full {
		f.shared = append(f.shared, &adminpb.Service{Address: r.GetAddress(), Origin: originAdded})
	}
	return f.Services(ctx, nil)
}

func (f *fakeNode) RemoveService(ctx context.Context, r *adminpb.RemoveServiceRequest) (*adminpb.ServicesResponse, error) {
	f.shared = slices.DeleteFunc(f.shared, func(s *adminpb.Service) bool { return s.GetAddress() == r.GetAddress() })
	return f.Services(ctx, nil)
}

// fakeServices are one of each origin, and one that came home.
func fakeServices() []*adminpb.Service {
	return []*adminpb.Service{
		{Address: "a.example:1", Origin: originConfig, LastVisitMs: 1_700_000_000_000, LastId: fakeID(2), LastName: "node-b", Visits: 3, ToldBy: []string{"node-b", "node-c"}},
		{Address: "b.example:1", Origin: originAdded, LastVisitMs: 1_700_000_000_000, LastId: fakeID(1), Self: true, Visits: 1},
		{Address: "c.example:1", Origin: originAdded, LastVisitMs: 1_700_000_000_000, Error: "nobody \x1b[31m", Visits: 2},
		{Address: "d.example:1", Origin: originPeers, ToldBy: []string{"node-c"}},
	}
}

func fakeNomination() *adminpb.Nomination {
	return &adminpb.Nomination{
		TokenId: "00000000000000aa", Nominator: fakeID(1), NominatorName: "node-a", Mode: modeServer, Uses: 2, Used: 1,
		NotBefore: 1_700_000_000, NotAfter: 4_000_000_000, MayNominate: true, Label: "for b",
		Users: []*adminpb.TokenUse{{Id: fakeID(2), Name: "node-b", Time: 1_700_000_100}},
	}
}

func fakeID(n byte) string { return pki.ID{n}.String() }

// fakePicture is a network of four as node-a sees it: node-b alive, node-c dead, node-d late and unreachable.
func fakePicture() *adminpb.Snapshot {
	peer := func(n byte, name, state, reason string, age int64) *adminpb.Peer {
		return &adminpb.Peer{
			Id: fakeID(n), Name: name, Mode: modeServer, State: state, Reason: reason, AgeMs: age, LimitMs: 10_000,
			Addresses: []string{"192.0.2." + string('0'+rune(n)) + ":7401"}, Sequence: uint64(n) * 100, Depth: 1,
			NominatedBy: fakeID(1), FirstSeenMs: 1_700_000_000_000, LastExchangeMs: 1_700_000_001_500,
			Leaf: &adminpb.Leaf{Epoch: 7},
			Chain: []*adminpb.ChainLink{{
				Subject: fakeID(n), Nominator: fakeID(1), Mode: modeServer, Depth: 1, IssuedAt: 1_700_000_000, TokenId: "00000000000000aa", MayNominate: true,
			}},
		}
	}
	s := &adminpb.Snapshot{
		TimeMs: 1_700_000_002_000,
		Self: &adminpb.Self{
			Id: fakeID(1), Name: "node-a", Network: pki.NetworkID{9}.String(), NetworkName: "home", Mode: modeServer,
			Version: "v1", UptimeMs: 65_000, GossipAddress: "127.0.0.1:7401", RegisterAddress: "127.0.0.1:7402",
			Advertised: []string{"192.0.2.1:7401"}, LimitMs: 10_000, Active: 2,
			Leaf:      &adminpb.Leaf{Epoch: 6, NotBefore: 1_700_000_000, NotAfter: 1_700_086_400, Fingerprint: "00112233445566778899"},
			Signature: &adminpb.Signature{Sequence: 65, AgeMs: 400},
		},
		Peers: []*adminpb.Peer{
			peer(2, "node-b", stateAlive, "", 300), peer(3, "node-c", stateDead, "silent", 40_000), peer(4, "node-d", stateLate, "", 12_000),
		},
	}
	s.Peers[0].Leaf = &adminpb.Leaf{Epoch: 7, NotBefore: 1_700_000_000, NotAfter: 1_700_086_400, Fingerprint: "aabbccddeeff00112233"}
	s.Peers[0].Services = []string{"g2g.example:7401"}
	s.Peers[2].Unreachable, s.Peers[2].LastExchangeMs = true, 0
	return s
}

// A call is what one command line came to.
type call struct {
	code     int
	out, err string
}

// run executes a command line in this process. It fails the test when that takes too long.
func run(t *testing.T, in string, environ []string, args ...string) call {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), 30*time.Second, errors.New("the test waited too long"))
	defer cancel()
	return runUntil(ctx, in, environ, args...)
}

func runUntil(ctx context.Context, in string, environ []string, args ...string) call {
	var out, err bytes.Buffer
	code := newApp(strings.NewReader(in), &out, &err, environ).run(ctx, args)
	return call{code, out.String(), err.String()}
}
