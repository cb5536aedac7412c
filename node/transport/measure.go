package transport

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/peer"

	"github.com/g2g-net/g2g/node/latency"
	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/gossippb"
)

// Measure times round trips to a peer over gossip's connection, one after the other, and makes that first where there is none. A
// call counts only if the call before was over the very same connection: so no round trip includes a handshake, also where
// a connection gives way to another in between. Some round trips and an error may come together.
func (p *Pool) Measure(ctx context.Context, id pki.ID, addresses []string, count int) (rtts []time.Duration, err error) {
	conn, err := p.Conn(id, addresses)
	if err != nil {
		return nil, err
	}
	warm := p.warm(id, conn)
	var number uint64
	for calls := 0; len(rtts) < count && calls < 2*count+1; calls++ {
		rtt, over, answered, err := timed(ctx, conn, number)
		if err != nil {
			return rtts, fmt.Errorf("measure node %s: %w", id, err)
		}
		if over == warm {
			rtts = append(rtts, rtt)
		}
		warm, number = over, answered
	}
	p.warmed(id, conn, warm)
	return rtts, nil
}

// timed times one call, and tells over which connection it was: by the own end's address, since no two have the same at a time. It
// brings back the number of the answer before, by which the peer times the caller.
func timed(ctx context.Context, conn *grpc.ClientConn, echo uint64) (rtt time.Duration, over string, number uint64, err error) {
	var at peer.Peer
	client := gossippb.NewGossipClient(conn)
	began := time.Now()
	resp, err := client.Ping(ctx, &gossippb.PingRequest{Echo: echo}, grpc.Peer(&at))
	rtt = time.Since(began)
	if err == nil && at.LocalAddr != nil && at.Addr != nil {
		over = at.LocalAddr.String() + " " + at.Addr.String()
	}
	return rtt, over, resp.GetNumber(), err
}

// warm is the connection that the last call of a measurement was over; none that could be reused if it is not up any more.
func (p *Pool) warm(id pki.ID, conn *grpc.ClientConn) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	peer := p.peers[id]
	if peer == nil || peer.lines[forGossip].conn != conn || conn.GetState() != connectivity.Ready {
		return ""
	}
	return peer.lines[forGossip].warm
}

func (p *Pool) warmed(id pki.ID, conn *grpc.ClientConn, over string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if peer := p.peers[id]; peer != nil && peer.lines[forGossip].conn == conn {
		peer.lines[forGossip].warm = over
	}
}

// Note keeps what is known of how far away a peer is beside its connections.
func (p *Pool) Note(id pki.ID, e latency.Estimate) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if peer := p.peers[id]; peer != nil {
		peer.latency = e
	}
}
