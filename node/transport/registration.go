package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"syscall"

	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials"

	"github.com/g2g-net/g2g/pki"
)

var (
	// ErrUnreachable says that nobody answered at the address, or that the connection broke. Nothing was changed; trying
	// again, or another address, may help.
	ErrUnreachable = errors.New("unreachable")
	// ErrCrowded says that the node at the address takes no registration for the moment: it refuses more of them, dropped this one
	// for others, or is slow to greet after it has shown itself. Such an error is an ErrUnreachable, too. Nothing was changed; trying again in a second
	// helps.
	ErrCrowded = errors.New("no registration for the moment")
	// ErrOtherNetwork says that the node at the address is of another network than the token. Nothing was changed.
	ErrOtherNetwork = errors.New("is a member of another network")

	errOnce = errors.New("the connection of the registration has ended")
)

// DialRegistration connects to a Registration port for one registration and tells who answered. This end shows nothing of
// itself. The other one's leaf is verified and is of the network; whether its chain makes it a member is the caller's to judge.
// The connection never reconnects, so that what was said of it stays true. A nil dialer takes TCP; the context, and
// greetTimeout, bound the handshake only.
func DialRegistration(ctx context.Context, dial Dialer, address string, network pki.Pin) (*grpc.ClientConn, pki.LeafClaims, error) {
	if dial == nil {
		dial = dialTCP
	}
	ctx, cancel := context.WithTimeout(ctx, greetTimeout)
	defer cancel()
	raw, err := dial(ctx, address)
	if err != nil {
		return nil, pki.LeafClaims{}, fmt.Errorf("register at %s: %w: %w", address, ErrUnreachable, err)
	}
	conn, claims, err := shakeRegistration(ctx, raw, network)
	if err != nil {
		_ = raw.Close()
		return nil, pki.LeafClaims{}, fmt.Errorf("register at %s: %w", address, err)
	}
	client, err := overOne(ctx, conn)
	if err != nil {
		_ = raw.Close()
		return nil, pki.LeafClaims{}, fmt.Errorf("register at %s: %w", address, err)
	}
	return client, claims, nil
}

// overOne makes a client of one connection, once the other end has answered in HTTP/2 over it.
func overOne(ctx context.Context, conn net.Conn) (*grpc.ClientConn, error) {
	client, err := grpc.NewClient("passthrough:///"+authority, append(dialOptions(),
		grpc.WithTransportCredentials(shaken{}),
		grpc.WithContextDialer(once(conn)),
	)...)
	if err != nil {
		return nil, err
	}
	client.Connect()
	for state := client.GetState(); state != connectivity.Ready; state = client.GetState() {
		if state == connectivity.TransientFailure || !client.WaitForStateChange(ctx, state) {
			_ = client.Close()
			return nil, crowded(fmt.Errorf("%w: no answer to the handshake", ErrUnreachable))
		}
	}
	return client, nil
}

func shakeRegistration(ctx context.Context, raw net.Conn, network pki.Pin) (*tls.Conn, pki.LeafClaims, error) {
	var claims pki.LeafClaims
	var refused error
	config := tlsConfig()
	config.VerifyConnection = func(s tls.ConnectionState) error {
		claims, refused = verifyLeaf(s)
		if refused == nil && claims.Network.Pin() != network {
			refused = fmt.Errorf("node %s %w", claims.ID, ErrOtherNetwork)
		}
		return refused
	}
	conn := tls.Client(raw, config)
	err := conn.HandshakeContext(ctx)
	if refused != nil {
		return nil, pki.LeafClaims{}, refused
	}
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrUnreachable, err)
		if errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) {
			err = crowded(err) // a full gate drops whom it took in
		}
		return nil, pki.LeafClaims{}, err
	}
	return conn, claims, nil
}

// once dials by giving a connection away.
func once(conn net.Conn) Dialer {
	var given atomic.Bool
	return func(context.Context, string) (net.Conn, error) {
		if given.Swap(true) {
			return nil, errOnce
		}
		return conn, nil
	}
}

// shaken are the credentials of a connection whose handshake is over.
type shaken struct{ neither }

func (s shaken) Clone() credentials.TransportCredentials { return s }

func (shaken) ClientHandshake(_ context.Context, _ string, conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	t, ok := conn.(*tls.Conn)
	if !ok {
		return nil, nil, errors.New("a connection without its handshake")
	}
	return t, tlsInfo(t), nil
}
