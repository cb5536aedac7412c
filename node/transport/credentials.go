package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/g2g-net/g2g/pki"
	"google.golang.org/grpc/credentials"
)

// http2 is the protocol that every connection agrees on (RFC 7301, RFC 9113).
const http2 = "h2"

var errNoLeaf = errors.New("this node has no leaf")

// door is one of the two services that stand on ports of their own.
type door uint8

const (
	gossipDoor door = iota
	registrationDoor
)

// tlsConfig is what every connection has: TLS 1.3, no tickets, and checks of our own in VerifyConnection, which runs on
// every kind of handshake. Nobody's certificate is signed by an authority, so the stack's own checks would refuse all.
func tlsConfig() *tls.Config {
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		NextProtos:             []string{http2},
		SessionTicketsDisabled: true,
		InsecureSkipVerify:     true, //nolint:gosec // VerifyConnection does it
	}
}

// checkState refuses a handshake that is not of the one kind used here.
func checkState(s tls.ConnectionState) error {
	switch {
	case s.DidResume:
		return errors.New("a resumed session where a fresh handshake is needed")
	case s.Version != tls.VersionTLS13:
		return fmt.Errorf("%s where TLS 1.3 is needed", tls.VersionName(s.Version))
	case s.NegotiatedProtocol != http2:
		return fmt.Errorf("application protocol %q where %q is needed", s.NegotiatedProtocol, http2)
	}
	return nil
}

// verifyLeaf checks the handshake and the leaf shown in it. It does not judge membership.
func verifyLeaf(s tls.ConnectionState) (pki.LeafClaims, error) {
	if err := checkState(s); err != nil {
		return pki.LeafClaims{}, err
	}
	certificates := make([][]byte, len(s.PeerCertificates))
	for i, c := range s.PeerCertificates {
		certificates[i] = c.Raw
	}
	return pki.VerifyLeaf(time.Now(), certificates)
}

// verifyLeaf is the same, but for a leaf that was verified and judged a member's before: then the clock alone can have changed
// the verdict. A peer shows the same leaf on each of its connections, and on those to it.
func (r *Registry) verifyLeaf(s tls.ConnectionState) (pki.LeafClaims, error) {
	if err := checkState(s); err != nil {
		return pki.LeafClaims{}, err
	}
	if len(s.PeerCertificates) == 1 {
		if claims, ok := r.verified(s.PeerCertificates[0].Raw); ok && claims.VerifyLife(time.Now()) == nil {
			return claims, nil
		}
	}
	return verifyLeaf(s)
}

// showLeaf is the leaf of now, asked for at every handshake.
func showLeaf(source Source) (*tls.Certificate, error) {
	leaf := source.Leaf()
	if leaf == nil {
		return nil, errNoLeaf
	}
	return &leaf.Certificate, nil
}

// tlsInfo is exactly what gRPC's own credentials would give: third-party services may look for it.
func tlsInfo(conn *tls.Conn) credentials.TLSInfo {
	info := credentials.TLSInfo{State: conn.ConnectionState()}
	info.State.PeerCertificates = ownCertificate(info.State.PeerCertificates)
	info.SecurityLevel = credentials.PrivacyAndIntegrity
	return info
}

// neither is the half of TransportCredentials that does not depend on the direction.
type neither struct{}

func (neither) Info() credentials.ProtocolInfo {
	return credentials.ProtocolInfo{SecurityProtocol: "tls"}
}

// OverrideServerName does nothing: no name is ever believed.
func (neither) OverrideServerName(string) error { return nil }

func (neither) ServerHandshake(net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return nil, nil, errors.New("these credentials are a client's")
}

func (neither) ClientHandshake(context.Context, string, net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return nil, nil, errors.New("these credentials are a server's")
}

// serverCredentials are those of one door.
type serverCredentials struct {
	neither
	source   Source
	registry *Registry
	door     door
}

func (c serverCredentials) Clone() credentials.TransportCredentials { return c }

// ServerHandshake proves both ends to each other (Gossip) or this one (Registration). Who is no member passes, to be told
// so at its first call; its connection stays in the gate.
func (c serverCredentials) ServerHandshake(accepted net.Conn) (net.Conn, credentials.AuthInfo, error) {
	open := &connection{raw: hook(accepted), inbound: true, verify: c.registry.VerifyChain}
	counted := c.registry.traffic.count(open.raw, &c.registry.traffic.accepted)
	conn := tls.Server(counted, c.config(open))
	info, err := c.shake(conn, open)
	if err != nil {
		c.registry.traffic.failed.Add(1)
		open.end()
		return nil, nil, err
	}
	counted.over()
	return conn, info, nil
}

func (c serverCredentials) shake(conn *tls.Conn, open *connection) (credentials.AuthInfo, error) {
	if err := conn.Handshake(); err != nil { // gRPC has set its ConnectionTimeout as the deadline
		return nil, err
	}
	info := tlsInfo(conn)
	key, err := keyOf(info)
	if err != nil {
		return nil, err
	}
	open.key = key
	c.registry.add(open)
	return info, c.welcome(open)
}

func (c serverCredentials) config(open *connection) *tls.Config {
	config := tlsConfig()
	config.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return showLeaf(c.source) }
	if c.door == registrationDoor {
		config.ClientAuth = tls.NoClientCert
		config.VerifyConnection = checkState
		return config
	}
	config.ClientAuth = tls.RequireAnyClientCert
	config.VerifyConnection = func(s tls.ConnectionState) (err error) {
		open.claims, err = c.registry.verifyLeaf(s)
		return err
	}
	return config
}

// welcome lets a member out of the gate.
func (c serverCredentials) welcome(open *connection) error {
	if c.door == registrationDoor {
		return nil
	}
	if _, err := open.judge(c.source.Trust(), time.Now()); err != nil {
		return nil //nolint:nilerr // it is told at its first call
	}
	c.registry.remember(open.claims)
	return prove(open.raw, false)
}

// peerCredentials are those of the connections to one peer.
type peerCredentials struct {
	neither
	source   Source
	registry *Registry
	expected pki.ID // zero for any member: a service is visited, whoever answers
}

func (c peerCredentials) Clone() credentials.TransportCredentials { return c }

// ClientHandshake refuses everybody but the expected node, before this node has shown its own leaf.
func (c peerCredentials) ClientHandshake(ctx context.Context, _ string, dialled net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, _, err := c.greet(ctx, dialled)
	if err != nil {
		return nil, nil, err
	}
	return conn, tlsInfo(conn), nil
}

func (c peerCredentials) greet(ctx context.Context, dialled net.Conn) (*tls.Conn, pki.LeafClaims, error) {
	open := &connection{raw: hook(dialled), verify: c.registry.VerifyChain}
	counted := c.registry.traffic.count(open.raw, &c.registry.traffic.dialled)
	conn := tls.Client(counted, c.config(open))
	if err := c.shake(ctx, conn, open); err != nil {
		c.registry.traffic.failed.Add(1)
		open.end()
		return nil, pki.LeafClaims{}, err
	}
	counted.over()
	return conn, open.claims, nil
}

func (c peerCredentials) config(open *connection) *tls.Config {
	config := tlsConfig()
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return showLeaf(c.source) }
	config.VerifyConnection = func(s tls.ConnectionState) (err error) {
		if open.claims, err = c.registry.verifyLeaf(s); err != nil {
			return err
		}
		return c.judge(open)
	}
	return config
}

func (c peerCredentials) shake(ctx context.Context, conn *tls.Conn, open *connection) error {
	if err := conn.HandshakeContext(ctx); err != nil {
		return err
	}
	c.registry.add(open)
	// Once more, for a Trust that came between the judgement and the registry.
	if err := c.judge(open); err != nil {
		return err
	}
	c.registry.remember(open.claims)
	return nil
}

// judge wants the expected node, if one is, and it to be a server-mode member.
func (c peerCredentials) judge(open *connection) error {
	found := open.claims.ID
	if !c.expected.IsZero() && found != c.expected {
		return fmt.Errorf("expected node %s, found %s", c.expected, found)
	}
	member, err := open.judge(c.source.Trust(), time.Now())
	if err != nil {
		return fmt.Errorf("node %s: %w", found, err)
	}
	if member.Mode() != pki.Server {
		return fmt.Errorf("node %s: a %s-mode member where a %s-mode one is needed", found, member.Mode(), pki.Server)
	}
	return nil
}
