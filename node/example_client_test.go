package node_test

import (
	"context"
	"fmt"
	"time"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/g2g-net/g2g/node"
	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/gossippb"
)

// A program that only calls joins in client mode: it opens no port, and serves, decides and passes on nothing.
func Example_clientMode() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	dirs, remove := folders("alder", "cherry")
	defer remove()

	if _, err := node.Found(dirs[0], loopback("alder"), "forest"); err != nil {
		panic(err)
	}
	alder, stopAlder := run(dirs[0], loopback("alder"), serving)
	defer stopAlder()
	token, _, err := alder.Nominate(ctx, gossip.NominateRequest{Mode: pki.Client, Life: 10 * time.Minute, Uses: 1})
	if err != nil {
		panic(err)
	}

	cherry, stopCherry := run(dirs[1], loopback("cherry"), node.Options{})
	defer stopCherry()
	if _, err := cherry.Join(ctx, token, ""); err != nil {
		panic(err)
	}
	fmt.Printf("cherry listens at %q\n", cherry.Info().Gossip)
	conn, err := dial(ctx, cherry, "alder")
	if err != nil {
		panic(err)
	}
	answer, err := healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{Service: "the forest"})
	if err != nil {
		panic(err)
	}
	fmt.Println("alder answers", answer.GetStatus())
	_, err = gossippb.NewGossipClient(conn).Push(ctx, &gossippb.PushRequest{})
	fmt.Println(status.Convert(err).Message())
	// Output:
	// cherry listens at ""
	// a client-mode member asks about the forest
	// alder answers SERVING
	// refused /g2g.gossip.v1.Gossip/Push: not allowed in client mode
}
