package transport

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/gossippb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
)

var update = flag.Bool("update", false, "write the table into docs/security.md")

// call calls any method with an empty message, which every message of ours can be read from.
func call(conn grpc.ClientConnInterface, method string) error {
	return conn.Invoke(context.Background(), method, &emptypb.Empty{}, &emptypb.Empty{})
}

// expect compares an error with a status; an empty message means success.
func expect(t *testing.T, err error, code codes.Code, message string) {
	t.Helper()
	if message == "" {
		code = codes.OK
	}
	if got := status.Convert(err); got.Code() != code || got.Message() != message {
		t.Errorf("got %s: %s\nwant %s: %s", got.Code(), got.Message(), code, message)
	}
}

// extra is a service of a program.
var extra = grpc.ServiceDesc{
	ServiceName: "test.Extra", HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{{MethodName: "Unary", Handler: func(_ any, ctx context.Context, _ func(any) error, wrap grpc.UnaryServerInterceptor) (any, error) {
		info := &grpc.UnaryServerInfo{FullMethod: "/test.Extra/Unary"}
		return wrap(ctx, nil, info, func(context.Context, any) (any, error) { return &emptypb.Empty{}, nil })
	}}},
	Streams: []grpc.StreamDesc{{StreamName: "Stream", ServerStreams: true, Handler: func(any, grpc.ServerStream) error { return nil }}},
}

func TestOnlyWhatTheTableAllows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		server := NewGossipServer(ServerConfig{Source: w.root, Registry: w.root.registry})
		gossippb.RegisterGossipServer(server, gossipServer{})
		gossippb.RegisterRegistrationServer(server, gossippb.UnimplementedRegistrationServer{})
		server.RegisterService(&extra, nil)
		w.root.serve(server)
		revoked := w.member("10.0.0.6", pki.Server)
		w.root.revoke(revoked.ID(), 2)
		const notMember = "not a member of this network: its leaf is for another network"
		const g, push = "/g2g.gossip.v1.Gossip/", "/g2g.gossip.v1.Gossip/Push"
		for _, c := range []struct {
			who    string
			caller *node
			method string
			why    string
		}{
			{"server", w.member("10.0.0.2", pki.Server), g + "Join", ""},
			{"server", w.member("10.0.0.2", pki.Server), g + "Exchange", ""},
			{"server", w.member("10.0.0.2", pki.Server), push, ""},
			{"server", w.member("10.0.0.2", pki.Server), g + "Nominations", ""},
			{"server", w.member("10.0.0.2", pki.Server), g + "Claim", ""},
			{"server", w.member("10.0.0.2", pki.Server), "/g2g.gossip.v1.Registration/Register", "not allowed in server mode"},
			{"server", w.member("10.0.0.2", pki.Server), "/test.Extra/Unary", ""},
			{"server", w.member("10.0.0.2", pki.Server), "/g2g.gossip.v1.Gossip/Other", "not allowed in server mode"},
			{"server", w.member("10.0.0.2", pki.Server), "/g2g.other.Extra/Unary", "not allowed in server mode"},
			{"server", w.member("10.0.0.2", pki.Server), "/g2g/Unary", "not allowed in server mode"},
			{"client", w.member("10.0.0.3", pki.Client), g + "Join", ""},
			{"client", w.member("10.0.0.3", pki.Client), g + "Exchange", ""},
			{"client", w.member("10.0.0.3", pki.Client), push, "not allowed in client mode"},
			{"client", w.member("10.0.0.3", pki.Client), g + "Nominations", "not allowed in client mode"},
			{"client", w.member("10.0.0.3", pki.Client), g + "Claim", "not allowed in client mode"},
			{"client", w.member("10.0.0.3", pki.Client), "/g2g.gossip.v1.Registration/Register", "not allowed in client mode"},
			{"client", w.member("10.0.0.3", pki.Client), "/test.Extra/Unary", ""},
			{"client", w.member("10.0.0.3", pki.Client), "/g2g.other.Extra/Unary", "not allowed in client mode"},
			{"stranger", w.node("10.0.0.4"), g + "Join", notMember},
			{"stranger", w.node("10.0.0.4"), "/g2g.gossip.v1.Registration/Register", notMember},
			{"stranger", w.node("10.0.0.4"), "/test.Extra/Unary", notMember},
			{"stranger", w.node("10.0.0.4"), "/test.Extra/Stream", notMember},
			{"stranger", w.node("10.0.0.4"), "/test.Other/Unary", notMember},
			{"stranger", w.node("10.0.0.4"), "/g2g.other.Extra/Unary", notMember},
			{"foreign", w.other().member("10.0.0.5", pki.Server), g + "Join", notMember},
			{"foreign", w.other().member("10.0.0.5", pki.Server), "/test.Extra/Unary", notMember},
			{"revoked", revoked, "/test.Extra/Unary", "not a member of this network: leaf epoch 1 is revoked, 2 is the lowest accepted"},
			{"revoked", revoked, g + "Join", "not a member of this network: leaf epoch 1 is revoked, 2 is the lowest accepted"},
		} {
			want := ""
			if c.why != "" {
				want = "refused " + c.method + ": " + c.why
			}
			t.Log(c.who, c.method)
			conn := c.caller.attack(w.root)
			code := codes.PermissionDenied
			if c.who == "revoked" {
				code = codes.Unauthenticated
			}
			expect(t, call(conn, c.method), code, want)
			later()
			if open := conn.GetState() == connectivity.Ready; open != (want == "") {
				t.Errorf("a second later the connection is %s", conn.GetState())
			}
			_ = conn.Close()
		}
		if counts := w.root.registry.Counts(); counts.Refused != 19 {
			t.Errorf("%d refusals counted", counts.Refused)
		}
	})
}

func TestHandlersKnowTheirCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		n := w.member("10.0.0.2", pki.Client)
		var caller pki.Member
		var known bool
		var host string
		w.root.gossip(gossipServer{join: func(ctx context.Context) (*gossippb.JoinResponse, error) {
			caller, known = MemberFrom(ctx)
			host = ObservedHost(ctx)
			return &gossippb.JoinResponse{}, nil
		}})
		if err := join(n.to(w.root)); err != nil {
			t.Fatal(err)
		}
		if !known || caller.ID != n.ID() || caller.Mode() != pki.Client || host != "10.0.0.2" {
			t.Errorf("%t, %s in %s mode from %q", known, caller.ID, caller.Mode(), host)
		}
		if _, ok := MemberFrom(t.Context()); ok || ObservedHost(t.Context()) != "" {
			t.Error("a context of no call has a caller")
		}
	})
}

// What became of a caller since its handshake counts at its next call.
func TestOpenConnectionsAreJudgedAtEveryCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		n := w.member("10.0.0.2", pki.Server)
		w.root.gossip(gossipServer{})
		conn := n.attack(w.root)
		const method = "/g2g.gossip.v1.Gossip/Join"
		expect(t, call(conn, method), codes.OK, "")
		w.root.revoke(n.ID(), 1)
		expect(t, call(conn, method), codes.OK, "")
		w.root.revoke(n.ID(), 2)
		expect(t, call(conn, method), codes.Unauthenticated, "refused "+method+": not a member of this network: leaf epoch 1 is revoked, 2 is the lowest accepted")
		later()
		if conn.GetState() == connectivity.Ready {
			t.Error("the connection is still open")
		}
		n.mint(2, time.Hour)
		expect(t, join(n.to(w.root)), codes.OK, "")
	})
}

func TestLeafExpiresOnAnOpenConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		n := w.member("10.0.0.2", pki.Server)
		w.root.mint(1, 24*time.Hour)
		w.root.gossip(gossipServer{})
		client := n.to(w.root)
		ends := n.Leaf().Claims.NotAfter
		expect(t, join(client), codes.OK, "")
		time.Sleep(time.Until(ends.Add(pki.Tolerance - time.Second)))
		expect(t, join(client), codes.OK, "")
		time.Sleep(time.Second)
		later()
		expect(t, join(client), codes.PermissionDenied,
			"refused /g2g.gossip.v1.Gossip/Join: the connection's leaf expired at 2000-01-01 01:00:00 UTC: connect anew")
		n.mint(2, time.Hour)
		later()
		expect(t, join(client), codes.OK, "")
	})
}

// markers stand around the table in docs/security.md.
const markersBegin, markersEnd = "<!-- authorisation -->\n", "<!-- end of authorisation -->\n"

func TestTableIsTheDocumented(t *testing.T) {
	file := filepath.Join("..", "..", "docs", "security.md")
	doc, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(doc), markersBegin)
	got, after, ends := strings.Cut(rest, markersEnd)
	if !begins || !ends {
		t.Fatalf("docs/security.md has no %q and %q", markersBegin, markersEnd)
	}
	want := documented()
	if *update {
		if err := os.WriteFile(file, []byte(before+markersBegin+want+markersEnd+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != want {
		t.Errorf("docs/security.md has\n%swhere the code has\n%s(-update writes it)", got, want)
	}
}

func documented() string {
	yes := map[bool]string{true: "yes", false: "no"}
	var b strings.Builder
	b.WriteString("| method | stranger | client | server |\n| --- | --- | --- | --- |\n")
	for _, r := range Table() {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", r.Method, yes[r.Stranger], yes[r.Client], yes[r.Server])
	}
	b.WriteString("| every method outside of the packages `g2g` and `g2g.*` | no | yes | yes |\n")
	return b.String()
}

// Every method that exists has a rule, and every rule a method.
func TestTableIsComplete(t *testing.T) {
	rules := make(map[string]bool)
	for _, r := range Table() {
		rules[r.Method] = true
	}
	methods := 0
	for _, service := range []grpc.ServiceDesc{gossippb.Gossip_ServiceDesc, gossippb.Registration_ServiceDesc} {
		var names []string
		for _, m := range service.Methods {
			names = append(names, m.MethodName)
		}
		for _, s := range service.Streams {
			names = append(names, s.StreamName)
		}
		for _, name := range names {
			methods++
			if method := "/" + service.ServiceName + "/" + name; !rules[method] {
				t.Errorf("%s has no rule", method)
			}
		}
	}
	if methods != len(rules) {
		t.Errorf("%d rules for %d methods", len(rules), methods)
	}
}
