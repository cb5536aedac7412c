package node

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/g2g-net/g2g/node/config"
	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/pki"
)

const benchOwn, benchRouted = "test.Own", "test.Routed"

// benchService answers what it was sent.
func benchService(r grpc.ServiceRegistrar, name string) {
	r.RegisterService(&grpc.ServiceDesc{ServiceName: name, Methods: []grpc.MethodDesc{{
		MethodName: "Call",
		Handler: func(_ any, ctx context.Context, decode func(any) error, wrap grpc.UnaryServerInterceptor) (any, error) {
			in := &wrapperspb.BytesValue{}
			if err := decode(in); err != nil {
				return nil, err
			}
			answer := func(context.Context, any) (any, error) { return in, nil }
			if wrap == nil {
				return answer(ctx, in)
			}
			return wrap(ctx, in, &grpc.UnaryServerInfo{FullMethod: "/" + name + "/Call"}, answer)
		},
	}}}, nil)
}

// benchServer serves it on loopback, by gRPC alone.
func benchServer(b *testing.B, creds credentials.TransportCredentials) (at string) {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	s := grpc.NewServer(grpc.Creds(creds))
	benchService(s, benchRouted)
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	b.Cleanup(func() {
		s.Stop()
		<-served
	})
	return l.Addr().String()
}

func benchDial(b *testing.B, at string, creds credentials.TransportCredentials) *grpc.ClientConn {
	b.Helper()
	conn, err := grpc.NewClient(at, grpc.WithTransportCredentials(creds))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	return conn
}

// staticTLS is mutual TLS as it is without g2g: one certificate for both ends, which never changes.
func staticTLS(b *testing.B) *tls.Config {
	b.Helper()
	public, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"bench"},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, key)
	if err != nil {
		b.Fatal(err)
	}
	pool := x509.NewCertPool()
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		b.Fatal(err)
	}
	pool.AddCert(certificate)
	return &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, RootCAs: pool, ClientCAs: pool,
		ClientAuth: tls.RequireAndVerifyClientCert, ServerName: "bench", MinVersion: tls.VersionTLS13,
	}
}

// benchNode runs a node on loopback.
func benchNode(b *testing.B, name string, opt Options, change func(*config.Config)) *Node {
	b.Helper()
	dir := b.TempDir()
	c := config.Default()
	c.Name, c.Gossip.Listen, c.Register.Listen = name, "127.0.0.1:0", "127.0.0.1:0"
	change(&c)
	if name == "far" {
		if _, err := Found(dir, c, "bench"); err != nil {
			b.Fatal(err)
		}
	}
	opt.NoAdmin = true
	n, err := OpenWith(dir, c, opt)
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	b.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			b.Error(err)
		}
	})
	<-n.Ready()
	return n
}

// A benchWay is one way to call a service.
type benchWay struct {
	name   string
	conn   grpc.ClientConnInterface
	method string
}

// benchWays are the ways to call a service of another node's host, with both hosts on this machine: by gRPC alone over mutual TLS and
// in the clear, over the node's connection, and over that to a route, without and with a forward.
func benchWays(b *testing.B) []benchWay {
	b.Helper()
	static := credentials.NewTLS(staticTLS(b))
	clear := insecure.NewCredentials()
	backend := benchServer(b, clear)
	own := Options{Services: func(r grpc.ServiceRegistrar) { benchService(r, benchOwn) }}
	far := benchNode(b, "far", own, func(c *config.Config) {
		c.Routes = []config.Passage{{Service: benchRouted, Address: backend}}
	})
	near := benchNode(b, "near", Options{}, func(c *config.Config) {
		c.Forwards = []config.Passage{{Service: benchRouted, Address: "127.0.0.1:0"}}
	})
	token, _, err := far.Nominate(context.Background(), gossip.NominateRequest{Mode: pki.Server, Life: time.Minute, Uses: 1})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := near.Join(context.Background(), token, ""); err != nil {
		b.Fatal(err)
	}
	for replaced := near.OrderReplaced(); len(near.Serving(benchRouted)) == 0; replaced = near.OrderReplaced() {
		<-replaced
	}
	member, err := near.Dial(context.Background(), "far")
	if err != nil {
		b.Fatal(err)
	}
	return []benchWay{
		{"mTLS", benchDial(b, benchServer(b, static), static), benchRouted},
		{"secured", member, benchOwn},
		{"direct", benchDial(b, backend, clear), benchRouted},
		{"routed", member, benchRouted},
		{"proxied", benchDial(b, near.Info().Forwards[0], clear), benchRouted},
	}
}

func (w benchWay) call(b *testing.B, message *wrapperspb.BytesValue) {
	if err := w.conn.Invoke(context.Background(), "/"+w.method+"/Call", message, &wrapperspb.BytesValue{}); err != nil {
		b.Error(w.name, err)
	}
}

// BenchmarkCalls compares the ways by the time of a call, 100 bytes there and back, one call after the other: one of each way a
// round, so that a busy machine is busy for all.
func BenchmarkCalls(b *testing.B) {
	ways := benchWays(b)
	message := wrapperspb.Bytes(make([]byte, 100))
	for _, w := range ways {
		w.call(b, message) // connects
	}
	spent := map[string][]time.Duration{}
	for b.Loop() {
		for _, w := range ways {
			began := time.Now()
			w.call(b, message)
			spent[w.name] = append(spent[w.name], time.Since(began))
		}
	}
	report(b, spent)
}

// BenchmarkCallsAtOnce compares them by the time that 64 callers need for 256 calls, each way in turn.
func BenchmarkCallsAtOnce(b *testing.B) {
	ways := benchWays(b)
	message := wrapperspb.Bytes(make([]byte, 100))
	spent := map[string][]time.Duration{}
	for b.Loop() {
		for _, w := range ways {
			began := time.Now()
			var all sync.WaitGroup
			for range 64 {
				all.Go(func() {
					for range 4 {
						w.call(b, message)
					}
				})
			}
			all.Wait()
			spent[w.name] = append(spent[w.name], time.Since(began)/256)
		}
	}
	report(b, spent)
}

// report gives medians in microseconds, and their ratios.
func report(b *testing.B, spent map[string][]time.Duration) {
	of := func(way string) float64 {
		slices.Sort(spent[way])
		return float64(spent[way][len(spent[way])/2]) / float64(time.Microsecond)
	}
	for _, way := range []string{"mTLS", "secured", "direct", "routed", "proxied"} {
		b.ReportMetric(of(way), way+"-µs")
	}
	b.ReportMetric(of("secured")/of("mTLS"), "secured/mTLS")
	b.ReportMetric(of("routed")/of("direct"), "routed/direct")
	b.ReportMetric(of("proxied")/of("direct"), "proxied/direct")
	b.ReportMetric(0, "ns/op") // of a round of all ways: it says nothing
}
