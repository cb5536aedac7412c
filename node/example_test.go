package node_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/g2g-net/g2g/node"
	"github.com/g2g-net/g2g/node/config"
	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/pki"
)

// health is the program's service. Any generated one will do.
type health struct {
	healthpb.UnimplementedHealthServer
}

// Check answers a member. Who it is was proven by the connection.
func (health) Check(ctx context.Context, req *healthpb.HealthCheckRequest) (*healthpb.HealthCheckResponse, error) {
	caller, _ := node.CallerFrom(ctx)
	fmt.Printf("a %s-mode member asks about %s\n", caller.Mode, req.GetService())
	return &healthpb.HealthCheckResponse{Status: healthpb.HealthCheckResponse_SERVING}, nil
}

// serving registers the service with the node's Gossip port.
var serving = node.Options{Services: func(r grpc.ServiceRegistrar) { healthpb.RegisterHealthServer(r, health{}) }}

// loopback is the configuration of a node that nobody else can reach.
func loopback(name string) config.Config {
	c := config.Default()
	c.Name, c.Gossip.Listen, c.Register.Listen = name, "127.0.0.1:0", "127.0.0.1:0"
	return c
}

// folders are made for an example, and removed with the function that comes with them.
func folders(names ...string) (dirs []string, remove func()) {
	for _, name := range names {
		dir, err := os.MkdirTemp("", name)
		if err != nil {
			panic(err)
		}
		dirs = append(dirs, dir)
	}
	return dirs, func() {
		for _, dir := range dirs {
			_ = os.RemoveAll(dir)
		}
	}
}

// run opens the node in a folder and runs it until stop, which says goodbye.
func run(dir string, c config.Config, opt node.Options) (n *node.Node, stop func()) {
	n, err := node.OpenWith(dir, c, opt)
	if err != nil {
		panic(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	select {
	case <-n.Ready():
	case err := <-ended:
		panic(err)
	}
	return n, func() {
		cancel()
		if err := <-ended; err != nil {
			panic(err)
		}
	}
}

// dial waits for the peer to be heard of: a node that has just joined hears of the others within moments.
func dial(ctx context.Context, n *node.Node, peer string) (grpc.ClientConnInterface, error) {
	for {
		conn, err := n.Dial(ctx, peer)
		if !errors.Is(err, node.ErrNoPeer) {
			return conn, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// A program founds a network and serves a gRPC service of its own on its node's Gossip port. Another program joins with a token
// and calls the service, by the node's name.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	dirs, remove := folders("alder", "birch")
	defer remove()

	if _, err := node.Found(dirs[0], loopback("alder"), "forest"); err != nil {
		panic(err)
	}
	alder, stopAlder := run(dirs[0], loopback("alder"), serving)
	defer stopAlder()
	token, _, err := alder.Nominate(ctx, gossip.NominateRequest{Mode: pki.Server, Life: 10 * time.Minute, Uses: 1})
	if err != nil {
		panic(err)
	}

	birch, stopBirch := run(dirs[1], loopback("birch"), node.Options{})
	defer stopBirch()
	if _, err := birch.Join(ctx, token, ""); err != nil {
		panic(err)
	}
	conn, err := dial(ctx, birch, "alder")
	if err != nil {
		panic(err)
	}
	answer, err := healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{Service: "the forest"})
	if err != nil {
		panic(err)
	}
	fmt.Println("alder answers", answer.GetStatus())

	peers, err := birch.Peers(ctx)
	if err != nil {
		panic(err)
	}
	for _, p := range peers {
		fmt.Println("birch knows", p.Name, "as", p.State)
	}
	for _, c := range birch.Clients() {
		fmt.Println("its connections to", len(c.Addresses), "address:", c.State, "with", c.Failures, "failures")
	}
	// Output:
	// a server-mode member asks about the forest
	// alder answers SERVING
	// birch knows alder as alive
	// its connections to 1 address: READY with 0 failures
}
