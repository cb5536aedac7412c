package node_test

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/g2g-net/g2g/node"
	"github.com/g2g-net/g2g/node/fanout"
	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/pki"
)

// Each program knows its own stock. Whoever asks the network gets the answers of all, also of nodes that only others know.
func ExampleNode_Query() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	stock := map[string]string{"alder": "3 apples", "birch": "no apples", "cherry": "12 apples", "dogwood": "1 apple"}
	names := []string{"alder", "birch", "cherry", "dogwood"}
	dirs, remove := folders(names...)
	defer remove()

	if _, err := node.Found(dirs[0], loopback("alder"), "forest"); err != nil {
		panic(err)
	}
	var nodes []*node.Node
	var stops []func()
	defer func() {
		for _, stop := range stops {
			stop()
		}
	}()
	var token pki.Token
	for i, name := range names {
		n, stop := run(dirs[i], loopback(name), node.Options{})
		stops = append(stops, stop)
		if err := n.HandleQuery("stock", func(_ context.Context, question []byte) ([]byte, error) {
			return fmt.Appendf(nil, "%s: %s", question, stock[name]), nil
		}); err != nil {
			panic(err)
		}
		if i == 0 {
			var err error
			if token, _, err = n.Nominate(ctx, gossip.NominateRequest{Mode: pki.Server, Life: 10 * time.Minute, Uses: 3}); err != nil {
				panic(err)
			}
		} else if _, err := n.Join(ctx, token, ""); err != nil {
			panic(err)
		}
		nodes = append(nodes, n)
	}

	var lines []string
	for len(lines) < len(names) && ctx.Err() == nil { // they hear of each other within moments
		lines = nil
		r, err := nodes[3].Query(ctx, fanout.Query{Name: "stock", Question: []byte("apples"), Fanout: 2, Budget: 5 * time.Second})
		if err != nil {
			panic(err)
		}
		for _, a := range r.Answers {
			lines = append(lines, fmt.Sprintf("%s has %s", a.Name, a.Body))
		}
	}
	slices.Sort(lines)
	for _, line := range lines {
		fmt.Println(line)
	}
	// Output:
	// alder has apples: 3 apples
	// birch has apples: no apples
	// cherry has apples: 12 apples
	// dogwood has apples: 1 apple
}
