package transport

import (
	"context"
	"net/netip"
	"sync"

	"golang.org/x/time/rate"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

// Limits on registrations. An address is one IPv4 address or IPv6 /64, as at the gate.
const (
	// RegistrationRate and RegistrationBurst are how many an address may begin: a second on average, and at once.
	RegistrationRate  = 5
	RegistrationBurst = 20
	// RegistrationRateInAll is how many may begin in a second, and at once, from all addresses together.
	RegistrationRateInAll = 50
	// MaxRegistrations is how many may run at once.
	MaxRegistrations = 64

	// maxBuckets bounds each generation of addresses that are remembered.
	maxBuckets = 512
)

// A limiter decides who may begin a registration now. It remembers at least the last maxBuckets addresses; one that is
// forgotten has its burst again, and is still held by the limit on all.
//
//  1. young holds at most maxBuckets addresses. When it is full it becomes old, and what was old is forgotten.
//  2. An address stands in one of the two.
type limiter struct {
	mu    sync.Mutex
	all   *rate.Limiter
	young map[netip.Prefix]*rate.Limiter
	old   map[netip.Prefix]*rate.Limiter
}

func newLimiter() *limiter {
	return &limiter{
		all:   rate.NewLimiter(RegistrationRateInAll, RegistrationRateInAll),
		young: make(map[netip.Prefix]*rate.Limiter),
	}
}

// allow takes from the address's own bucket first, so that one address alone cannot empty that of all.
func (l *limiter) allow(source netip.Prefix) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.bucket(source).Allow() && l.all.Allow()
}

func (l *limiter) bucket(source netip.Prefix) *rate.Limiter {
	if b, ok := l.young[source]; ok {
		return b
	}
	b, ok := l.old[source]
	if !ok {
		b = rate.NewLimiter(RegistrationRate, RegistrationBurst)
	}
	delete(l.old, source)
	if len(l.young) >= maxBuckets {
		l.old, l.young = l.young, make(map[netip.Prefix]*rate.Limiter)
	}
	l.young[source] = b
	return b
}

// admitStranger is the Registration door: rate limits come before every other check.
func (l *limiter) admitStranger(ctx context.Context, rule Rule, open *connection) (context.Context, error) {
	if !rule.Stranger {
		return nil, refuse(rule.Method, "not allowed on this port")
	}
	p, ok := peer.FromContext(ctx)
	if !ok || !l.allow(sourceOf(hostOf(p.Addr))) {
		return nil, status.Error(codes.ResourceExhausted, "refused "+rule.Method+": too many registrations, try again in a second")
	}
	return withConnection(ctx, open), nil
}

// atMost bounds how many streams run at once; one more is refused, it does not wait.
func atMost(n int) grpc.StreamServerInterceptor {
	places := make(chan struct{}, n)
	return func(server any, s grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		select {
		case places <- struct{}{}:
		default:
			return status.Error(codes.ResourceExhausted, "refused "+info.FullMethod+": too many run at once, try again in a second")
		}
		defer func() { <-places }()
		return handler(server, s)
	}
}
