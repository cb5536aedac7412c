package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/g2g-net/g2g/node/fanout"
	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/adminpb"
)

func TestShow(t *testing.T) {
	p := newWorld(t).picture(t)
	client, _ := serve(t, &fakeNode{picture: p})
	got, err := client.Show(t.Context(), &adminpb.ShowRequest{})
	must(t, err)
	wantMessage(t, got, snapshotOf(p))
}

func TestShowFull(t *testing.T) {
	client, _ := serve(t, &fakeNode{picture: newWorld(t).full(t)})
	got, err := client.Show(t.Context(), &adminpb.ShowRequest{})
	must(t, err)
	if len(got.GetPeers()) != 1536 {
		t.Errorf("%d peers came", len(got.GetPeers()))
	}
}

func TestNominate(t *testing.T) {
	w := newWorld(t)
	node := &fakeNode{picture: w.picture(t), token: w.serverToken, result: w.nomination(w.serverToken)}
	client, _ := serve(t, node)
	got, err := client.Nominate(t.Context(), &adminpb.NominateRequest{TtlS: 60, Uses: 2, Label: "shelf"})
	must(t, err)
	if want := (gossip.NominateRequest{Mode: pki.Server, Life: time.Minute, Uses: 2, Label: "shelf"}); !reflect.DeepEqual(node.asked, want) {
		t.Errorf("the node was asked for %+v, want %+v", node.asked, want)
	}
	if got.GetToken() != w.serverToken.Reveal() {
		t.Errorf("the token is %q", got.GetToken())
	}
	wantMessage(t, got.GetNomination(), nominationOf(node.result, namesOf(node.picture)))
}

func TestTokens(t *testing.T) {
	w := newWorld(t)
	p := w.picture(t)
	client, _ := serve(t, &fakeNode{picture: p})
	got, err := client.Tokens(t.Context(), &adminpb.TokensRequest{})
	must(t, err)
	wantMessage(t, got, &adminpb.TokensResponse{Nominations: []*adminpb.Nomination{
		nominationOf(w.nomination(w.serverToken), namesOf(p)), nominationOf(w.nomination(w.danToken), namesOf(p)),
	}})
}

func TestTokensWithoutNetwork(t *testing.T) {
	client, _ := serve(t, &fakeNode{picture: newWorld(t).bare()})
	_, err := client.Tokens(t.Context(), &adminpb.TokensRequest{})
	wantStatus(t, err, codes.FailedPrecondition, "this node has no network")
}

func TestRevokeToken(t *testing.T) {
	w := newWorld(t)
	node := &fakeNode{picture: w.picture(t), result: w.nomination(w.serverToken).Revoked(noon)}
	client, _ := serve(t, node)
	got, err := client.RevokeToken(t.Context(), &adminpb.RevokeTokenRequest{TokenId: "0a1b"})
	must(t, err)
	if node.text != "0a1b" || got.GetNomination().GetRevokedAt() != noon.Unix() || got.GetNomination().GetNominatorName() != "ada" {
		t.Errorf("revoked %q: %v", node.text, got)
	}
	_, err = client.RevokeToken(t.Context(), &adminpb.RevokeTokenRequest{})
	wantStatus(t, err, codes.InvalidArgument, "revoke: no token ID")
}

func TestJoin(t *testing.T) {
	w := newWorld(t)
	node := &fakeNode{joined: Joined{
		Network: w.genesis.Network(), Acceptor: w.bob.ID(), Nominator: w.ada.ID(), Mode: pki.Client, Depth: 2,
		Warning: "dial back: \xff", Observed: "10.0.0.9",
	}}
	client, _ := serve(t, node)
	got, err := client.Join(t.Context(), &adminpb.JoinRequest{Token: w.danToken.Reveal(), At: "10.0.0.2:7402"})
	must(t, err)
	if want := w.danToken.ID().String() + " at 10.0.0.2:7402"; node.text != want {
		t.Errorf("the node was asked to join by %q, want %q", node.text, want)
	}
	wantMessage(t, got, &adminpb.JoinResponse{
		Network: w.genesis.Network().String(), Acceptor: w.bob.ID().String(), Nominator: w.ada.ID().String(), Mode: "client", Depth: 2,
		Warning: "dial back: \uFFFD", ObservedAddress: "10.0.0.9",
	})
}

func TestLeave(t *testing.T) {
	node := &fakeNode{}
	client, _ := serve(t, node)
	_, err := client.Leave(t.Context(), &adminpb.LeaveRequest{})
	must(t, err)
	if !node.left {
		t.Error("the node was not asked")
	}
}

func TestEvents(t *testing.T) {
	w := newWorld(t)
	client, ring := serve(t, &fakeNode{})
	ring.Add(time.Now().Add(-time.Hour), gossip.Notice{Kind: gossip.KindNominated, Severity: gossip.Info, Detail: "long ago"})
	now := time.Now()
	ring.Add(now, gossip.Notice{Kind: gossip.KindDead, Severity: gossip.Warning, Peer: w.bob.ID(), Name: "node-b", Detail: "silent"})
	want := []*adminpb.Event{
		{Seq: 1, TimeMs: now.Add(-time.Hour).UnixMilli(), Kind: "nominated", Severity: "info", Detail: "long ago"},
		{Seq: 2, TimeMs: now.UnixMilli(), Kind: "dead", Severity: "warning", Peer: w.bob.ID().String(), Name: "node-b", Detail: "silent"},
	}
	for _, c := range []struct {
		since int64
		want  []*adminpb.Event
	}{{0, want}, {60_000, want[1:]}} {
		stream, err := client.Events(t.Context(), &adminpb.EventsRequest{SinceMs: c.since})
		must(t, err)
		for _, e := range c.want {
			got, err := stream.Recv()
			must(t, err)
			if e.Seq == 2 {
				wantMessage(t, got, e)
			}
			if got.GetSeq() != e.GetSeq() || got.GetDetail() != e.GetDetail() {
				t.Errorf("got %v, want %v", got, e)
			}
		}
		if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
			t.Errorf("ended with %v", err)
		}
	}
}

func TestStreamsEndWithTheRing(t *testing.T) {
	client, ring := serve(t, &fakeNode{picture: newWorld(t).bare()})
	events, err := client.Events(t.Context(), &adminpb.EventsRequest{Follow: true})
	must(t, err)
	watch, err := client.Watch(t.Context(), &adminpb.WatchRequest{})
	must(t, err)
	_, err = watch.Recv()
	must(t, err)
	ring.Add(noon, notice("first"))
	got, err := events.Recv()
	must(t, err)
	if got.GetDetail() != "first" {
		t.Errorf("got %v", got)
	}
	ring.Add(noon, notice("last"))
	ring.Close()
	ring.Close()
	got, err = events.Recv()
	must(t, err)
	if got.GetDetail() != "last" {
		t.Errorf("got %v", got)
	}
	if _, err := events.Recv(); !errors.Is(err, io.EOF) {
		t.Errorf("events ended with %v", err)
	}
	if _, err := watch.Recv(); !errors.Is(err, io.EOF) {
		t.Errorf("watch ended with %v", err)
	}
}

func TestWatch(t *testing.T) {
	node := &fakeNode{picture: newWorld(t).bare()}
	client, _ := serve(t, node)
	stream, err := client.Watch(t.Context(), &adminpb.WatchRequest{})
	must(t, err)
	_, err = stream.Recv()
	must(t, err)
	node.mu.Lock()
	node.picture.Name = "renamed"
	node.mu.Unlock()
	node.turn.Add(1)
	got, err := stream.Recv()
	must(t, err)
	if got.GetSelf().GetName() != "renamed" {
		t.Errorf("got %v", got)
	}
}

// calls is every RPC, with a request that passes the gate.
func calls(ctx context.Context, client adminpb.AdminClient, token pki.Token) map[string]func() error {
	return map[string]func() error{
		"Show": func() error { _, err := client.Show(ctx, &adminpb.ShowRequest{}); return err },
		"Watch": func() error {
			stream, err := client.Watch(ctx, &adminpb.WatchRequest{})
			if err == nil {
				_, err = stream.Recv()
			}
			return err
		},
		"Nominate": func() error { _, err := client.Nominate(ctx, &adminpb.NominateRequest{}); return err },
		"Tokens":   func() error { _, err := client.Tokens(ctx, &adminpb.TokensRequest{}); return err },
		"RevokeToken": func() error {
			_, err := client.RevokeToken(ctx, &adminpb.RevokeTokenRequest{TokenId: "0a"})
			return err
		},
		"Join":  func() error { _, err := client.Join(ctx, &adminpb.JoinRequest{Token: token.Reveal()}); return err },
		"Leave": func() error { _, err := client.Leave(ctx, &adminpb.LeaveRequest{}); return err },
	}
}

func TestErrorCodes(t *testing.T) {
	token := newWorld(t).serverToken
	for _, c := range []struct {
		err  error
		want codes.Code
	}{
		{ErrNoNetwork, codes.FailedPrecondition},
		{ErrHasNetwork, codes.FailedPrecondition},
		{ErrRefused, codes.PermissionDenied},
		{ErrUnreachable, codes.Unavailable},
		{ErrInvalid, codes.InvalidArgument},
		{ErrBusy, codes.ResourceExhausted},
		{fanout.ErrQuery, codes.InvalidArgument},
		{fanout.ErrBusy, codes.ResourceExhausted},
		{gossip.ErrNoToken, codes.NotFound},
		{context.Canceled, codes.Canceled},
		{context.DeadlineExceeded, codes.DeadlineExceeded},
		{errors.New("anything else"), codes.Unknown},
		{status.Error(codes.Unavailable, "of another call"), codes.Unknown},
		{fmt.Errorf("%w: %w", ErrUnreachable, context.DeadlineExceeded), codes.Unavailable},
		{errors.Join(ErrUnreachable, ErrRefused), codes.PermissionDenied},
	} {
		t.Run(strings.ReplaceAll(c.err.Error(), "\n", " and "), func(t *testing.T) {
			err := fmt.Errorf("do it: %w", c.err)
			client, _ := serve(t, &fakeNode{err: err})
			for name, call := range calls(t.Context(), client, token) {
				t.Run(name, func(t *testing.T) { wantStatus(t, call(), c.want, err.Error()) })
			}
		})
	}
}

func TestRequestsAreJudged(t *testing.T) {
	node := &fakeNode{}
	client, _ := serve(t, node)
	_, err := client.Nominate(t.Context(), &adminpb.NominateRequest{Uses: 10_001})
	wantStatus(t, err, codes.InvalidArgument, "nominate: 10001 uses where 1 to 10000 are allowed")
	_, err = client.Join(t.Context(), &adminpb.JoinRequest{Token: "x"})
	wantStatus(t, err, codes.InvalidArgument, `join: parse token: it begins neither with "g2gs1_" nor with "g2gc1_"`)
	stream, err := client.Events(t.Context(), &adminpb.EventsRequest{SinceMs: -5})
	must(t, err)
	_, err = stream.Recv()
	wantStatus(t, err, codes.InvalidArgument, "events: an age of -5 ms is negative")
	if node.asked.Uses != 0 || node.text != "" {
		t.Errorf("the node was asked for %+v, %q", node.asked, node.text)
	}
	_, err = client.Join(t.Context(), &adminpb.JoinRequest{Token: strings.Repeat("x", MaxMessage)})
	if status.Code(err) != codes.ResourceExhausted {
		t.Errorf("a message over the bound: %v", err)
	}
}

func TestPanicsCostOneCall(t *testing.T) {
	client, _ := serve(t, &fakeNode{panics: true})
	for name, call := range calls(t.Context(), client, newWorld(t).serverToken) {
		t.Run(name, func(t *testing.T) {
			wantStatus(t, call(), codes.Internal, "the node failed inside: its log tells where")
		})
	}
}

func TestNamesMayFail(t *testing.T) {
	w := newWorld(t)
	node := &nameless{&fakeNode{token: w.serverToken, result: w.nomination(w.serverToken)}}
	client, _ := serve(t, node)
	got, err := client.Nominate(t.Context(), &adminpb.NominateRequest{})
	must(t, err)
	if got.GetToken() == "" || got.GetNomination().GetNominatorName() != "" {
		t.Errorf("got %v", got.GetNomination())
	}
}

// A nameless node has no pictures.
type nameless struct{ *fakeNode }

func (nameless) Picture(context.Context) (Picture, error) { return Picture{}, ErrBusy }

func TestCounters(t *testing.T) {
	client, _ := serve(t, &fakeNode{picture: newWorld(t).picture(t)})
	got, err := client.Counters(t.Context(), &adminpb.CountersRequest{})
	must(t, err)
	if c := got.GetCounters(); len(c) != 2 || c[1].GetName() != "asked" || c[1].GetMethod() != "/g2g.v1.Gossip/Ping" || c[1].GetValue() != 5 {
		t.Errorf("%v", c)
	}
}
