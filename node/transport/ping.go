package transport

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/g2g-net/g2g/node/latency"
	"github.com/g2g-net/g2g/proto/gossippb"
)

// Ping answers one, and times the caller where it measures this node.
func (s *GossipService) Ping(ctx context.Context, pb *gossippb.PingRequest) (*gossippb.PingResponse, error) {
	now := time.Now()
	member, ok := MemberFrom(ctx)
	c, open := ctx.Value(openKey{}).(*connection)
	if !ok || !open {
		return nil, status.Error(codes.PermissionDenied, "members only")
	}
	var random [8]byte
	_, _ = rand.Read(random[:]) // it never fails
	number := binary.BigEndian.Uint64(random[:])
	if rtts := c.pings.next(now, pb.GetEcho(), number); rtts != nil {
		s.Handler.Timed(member.ID, rtts)
	}
	return &gossippb.PingResponse{Number: number}, nil
}

// Ping times one round trip over the connection, which makes it first if there is none.
func Ping(ctx context.Context, conn grpc.ClientConnInterface) (time.Duration, error) {
	began := time.Now()
	_, err := gossippb.NewGossipClient(conn).Ping(ctx, &gossippb.PingRequest{})
	return time.Since(began), err
}

// pings are what came of them, one after the other, over one connection. A caller that measures this node is measured too: what lies
// between an answer and the request that brings its number back is a round trip. Who asks sooner than that cannot know the number, so
// a peer can seem farther than it is, by waiting, as it can to its callers, but no nearer.
//
//  1. number is that of the last answer, made at sent; 0 before the first.
//  2. rtts are those of one measurement so far, fewer than latency.Enough.
type pings struct {
	mu     sync.Mutex
	number uint64
	sent   time.Time
	rtts   []time.Duration
}

// next takes a ping that came at a time with the number that it brings back, and the number of its answer. It tells latency.Enough round
// trips at a time.
func (p *pings) next(now time.Time, echo, number uint64) (rtts []time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if echo == 0 || echo != p.number { // the first of a measurement
		p.rtts = nil
	} else if p.rtts = append(p.rtts, now.Sub(p.sent)); len(p.rtts) == latency.Enough {
		rtts, p.rtts = p.rtts, nil
	}
	p.number, p.sent = number, time.Now()
	return rtts
}
