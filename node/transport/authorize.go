package transport

import (
	"context"
	"errors"
	"time"

	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/gossippb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// A Rule says who may call a method. What no rule allows is refused.
type Rule struct {
	Method   string // full name
	Stranger bool   // anybody; only behind the Registration door
	Client   bool   // a client-mode member, behind the Gossip door
	Server   bool   // a server-mode member, behind the Gossip door
}

// Table is the one list of what may be called in the node's own packages, g2g and g2g.*, in the order of docs/security.md.
// What is outside of them is a program's, and every member may call it on the Gossip port.
func Table() []Rule {
	return []Rule{
		{Method: gossippb.Registration_Register_FullMethodName, Stranger: true},
		{Method: gossippb.Gossip_Join_FullMethodName, Client: true, Server: true},
		{Method: gossippb.Gossip_Exchange_FullMethodName, Client: true, Server: true},
		{Method: gossippb.Gossip_Ping_FullMethodName, Client: true, Server: true},
		{Method: gossippb.Gossip_Probe_FullMethodName, Client: true, Server: true},
		{Method: gossippb.Gossip_Hint_FullMethodName, Server: true},
		{Method: gossippb.Gossip_Signature_FullMethodName, Client: true, Server: true},
		{Method: gossippb.Gossip_Query_FullMethodName, Client: true, Server: true},
		{Method: gossippb.Gossip_Push_FullMethodName, Server: true},
		{Method: gossippb.Gossip_Nominations_FullMethodName, Server: true},
		{Method: gossippb.Gossip_Claim_FullMethodName, Server: true},
		{Method: gossippb.Gossip_Reach_FullMethodName, Server: true},
	}
}

func (r Rule) allows(m pki.Mode) bool {
	return r.Client && m == pki.Client || r.Server && m == pki.Server
}

// authorizer stands before the handlers of one door.
type authorizer struct {
	source   Source
	registry *Registry
	rules    map[string]Rule
	admit    func(ctx context.Context, rule Rule, open *connection) (context.Context, error)
}

func newAuthorizer(c ServerConfig) *authorizer {
	a := &authorizer{source: c.Source, registry: c.Registry, rules: make(map[string]Rule)}
	for _, rule := range Table() {
		a.rules[rule.Method] = rule
	}
	a.admit = a.admitMember
	return a
}

// unary refuses the call, or lets the handler know its caller.
func (a *authorizer) unary(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	ctx, err := a.authorize(ctx, info.FullMethod)
	if err != nil {
		return nil, err
	}
	return handler(ctx, request)
}

func (a *authorizer) stream(server any, s grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	ctx, err := a.authorize(s.Context(), info.FullMethod)
	if err != nil {
		return err
	}
	return handler(server, streamWith{ServerStream: s, ctx: ctx})
}

// streamWith is a stream whose context knows the caller.
type streamWith struct {
	grpc.ServerStream
	ctx context.Context
}

func (s streamWith) Context() context.Context { return s.ctx }

// authorize judges a call by the Trust of now. A refused caller learns the reason, then its connection is closed.
func (a *authorizer) authorize(ctx context.Context, method string) (context.Context, error) {
	open, err := a.registry.find(ctx)
	if err != nil {
		if errors.Is(err, errClosed) { // nobody is refused, and the call was not carried out
			return nil, status.Error(codes.Unavailable, err.Error())
		}
		a.registry.refused()
		return nil, refuse(method, err.Error())
	}
	rule := a.rule(method)
	ctx, err = a.admit(ctx, rule, open)
	if err != nil {
		a.registry.refused()
		open.endSoon()
		return nil, err
	}
	return ctx, nil
}

// rule is who may call a method: every member, if it is in none of the node's own packages; nobody, if it is in one and the
// table does not have it.
func (a *authorizer) rule(method string) Rule {
	rule, listed := a.rules[method]
	rule.Method = method
	if !listed && !reserved(method) {
		rule.Client, rule.Server = true, true
	}
	return rule
}

// admitMember is the Gossip door.
func (a *authorizer) admitMember(ctx context.Context, rule Rule, open *connection) (context.Context, error) {
	member, err := open.judge(a.source.Trust(), time.Now())
	if _, revoked := errors.AsType[*pki.RevokedLeaf](err); revoked {
		return nil, status.Error(codes.Unauthenticated, "refused "+rule.Method+": "+err.Error()) // another leaf would do
	}
	if err != nil {
		return nil, refuse(rule.Method, err.Error())
	}
	if !rule.allows(member.Mode()) {
		return nil, refuse(rule.Method, "not allowed in "+member.Mode().String()+" mode")
	}
	return context.WithValue(withConnection(ctx, open), memberKey{}, member), nil
}

func refuse(method, why string) error {
	return status.Error(codes.PermissionDenied, "refused "+method+": "+why)
}

type memberKey struct{}

// MemberFrom is the caller of a Gossip call, as judged for this very call.
func MemberFrom(ctx context.Context) (pki.Member, bool) {
	member, ok := ctx.Value(memberKey{}).(pki.Member)
	return member, ok
}
