package transport

import (
	"context"
	"fmt"

	"google.golang.org/grpc"

	"github.com/g2g-net/g2g/pki"
)

// Found tells whether the node is at the address: it makes a handshake there, expecting exactly that node, and goes away.
func Found(ctx context.Context, c PoolConfig, address string, node pki.ID) error {
	raw, err := c.Dial(ctx, address)
	if err != nil {
		return err
	}
	defer func() { _ = raw.Close() }()
	conn, _, err := peerCredentials{source: c.Source, registry: c.Registry, expected: node}.greet(ctx, raw)
	if err != nil {
		return err
	}
	return conn.Close()
}

// Visit connects to an address that many members may share, and tells who answered: any server-mode member, this very node
// among them. The connection is new and never reconnects, so that what was said of it stays true.
func Visit(ctx context.Context, c PoolConfig, address string) (*grpc.ClientConn, pki.ID, error) {
	if c.Dial == nil {
		c.Dial = dialTCP
	}
	ctx, cancel := context.WithTimeout(ctx, greetTimeout)
	defer cancel()
	raw, err := c.Dial(ctx, address)
	if err != nil {
		return nil, pki.ID{}, fmt.Errorf("visit %s: %w: %w", address, ErrUnreachable, err)
	}
	conn, claims, err := peerCredentials{source: c.Source, registry: c.Registry}.greet(ctx, raw)
	if err != nil {
		_ = raw.Close()
		return nil, pki.ID{}, fmt.Errorf("visit %s: %w", address, err)
	}
	client, err := overOne(ctx, conn)
	if err != nil {
		_ = conn.Close()
		return nil, pki.ID{}, fmt.Errorf("visit %s: %w", address, err)
	}
	return client, claims.ID, nil
}
