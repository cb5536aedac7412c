package transport

import (
	"context"
	"crypto/tls"
	"net"
	"time"

	"github.com/g2g-net/g2g/pki"
)

// tlsEnd is one end of a raw connection, of which a handshake is made.
type tlsEnd struct{ net.Conn }

func plainServer(config *tls.Config) func(*tlsEnd) error {
	return func(end *tlsEnd) error { return end.handshake(tls.Server(end.Conn, config)) }
}

func plainClient(config *tls.Config) func(*tlsEnd) error {
	return func(end *tlsEnd) error { return end.handshake(tls.Client(end.Conn, config)) }
}

func (end *tlsEnd) handshake(conn *tls.Conn) error {
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	return conn.Handshake()
}

// server makes the handshake of one of the node's doors.
func (n *node) server(d door) func(*tlsEnd) error {
	return func(end *tlsEnd) error {
		_, _, err := serverCredentials{source: n, registry: n.registry, door: d}.ServerHandshake(end.Conn)
		return err
	}
}

func (n *node) credentialsTo(expected pki.ID) peerCredentials {
	return peerCredentials{source: n, registry: n.registry, expected: expected}
}

// client makes the handshake of the node's connection to another.
func (n *node) client(expected pki.ID) func(*tlsEnd) error {
	return func(end *tlsEnd) error {
		_, _, err := n.credentialsTo(expected).ClientHandshake(context.Background(), "", end.Conn)
		return err
	}
}

// joiner makes the handshake of a registration.
func joiner(network pki.Pin) func(*tlsEnd) error {
	return func(end *tlsEnd) error {
		_, _, err := shakeRegistration(context.Background(), end.Conn, network)
		return err
	}
}
