package node_test

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/g2g-net/g2g/node"
	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/pki"
)

// A program calls a service without naming a node: whoever serves it, in the query order. When the node that was called goes, the next
// one is.
func ExampleNode_NewClient() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	dirs, remove := folders("alder", "birch", "cherry")
	defer remove()

	if _, err := node.Found(dirs[0], loopback("alder"), "forest"); err != nil {
		panic(err)
	}
	alder, stopAlder := run(dirs[0], loopback("alder"), serving)
	defer stopAlder()
	token, _, err := alder.Nominate(ctx, gossip.NominateRequest{Mode: pki.Server, Life: 10 * time.Minute, Uses: 2})
	if err != nil {
		panic(err)
	}
	birch, stopBirch := run(dirs[1], loopback("birch"), serving)
	if _, err := birch.Join(ctx, token, ""); err != nil {
		panic(err)
	}
	cherry, stopCherry := run(dirs[2], loopback("cherry"), node.Options{})
	defer stopCherry()
	if _, err := cherry.Join(ctx, token, ""); err != nil {
		panic(err)
	}

	conn, err := cherry.NewClient("g2g:///grpc.health.v1.Health")
	if err != nil {
		panic(err)
	}
	defer func() { _ = conn.Close() }()
	ask := func() {
		question := &healthpb.HealthCheckRequest{Service: "the forest"}
		answer, err := healthpb.NewHealthClient(conn).Check(ctx, question, grpc.WaitForReady(true))
		if err != nil {
			panic(err)
		}
		fmt.Println(answer.GetStatus())
	}
	ask()
	stopBirch()
	ask()
	// Output:
	// a server-mode member asks about the forest
	// SERVING
	// a server-mode member asks about the forest
	// SERVING
}
