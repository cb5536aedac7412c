package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"testing"
	"time"
)

// TestDemoRegions: the same seed draws the same world, and regions are far enough from each other to be told apart from each.
func TestDemoRegions(t *testing.T) {
	for seed := range uint64(50) {
		for regions := 1; regions <= maxRegions; regions++ {
			n := newDemoNet(regions, seed)
			if again := newDemoNet(regions, seed); fmt.Sprint(n.rtt) != fmt.Sprint(again.rtt) {
				t.Fatalf("seed %d: two worlds", seed)
			}
			for i, row := range n.rtt {
				sorted := slices.Sorted(slices.Values(row))
				if len(row) != regions || row[i] != withinRegion || sorted[regions-1] > 250*time.Millisecond {
					t.Fatalf("seed %d: %v", seed, n.rtt)
				}
				for k := 2; k < regions && regions <= 4; k++ {
					if sorted[k] < sorted[k-1]*5/2 {
						t.Errorf("seed %d: %s and %s look like one region", seed, sorted[k-1], sorted[k])
					}
				}
			}
		}
	}
}

// TestDemoNet: what a node of a demo sends takes the time that lies between the regions, and is held while one of both is cut off.
func TestDemoNet(t *testing.T) {
	n := newDemoNet(2, 1)
	n.rtt = [][]time.Duration{{0, 20 * time.Millisecond}, {20 * time.Millisecond, 0}}
	d := &demo{net: n}
	l, err := d.options(&demoNode{index: 1}).Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(c, c); _ = c.Close() }()
		}
	}()
	c, err := d.options(&demoNode{index: 0}).Dial(t.Context(), l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	echo := func() time.Duration {
		t.Helper()
		began := time.Now()
		if _, err := c.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		return time.Since(began)
	}
	if took := echo(); took < 20*time.Millisecond {
		t.Errorf("a round trip over 20 ms took %s", took)
	}
	n.setCut(1, true)
	if _, err := c.Write([]byte("y")); err != nil { // it waits on the way
		t.Fatal(err)
	}
	if err := c.SetReadDeadline(time.Now().Add(60 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	var timeout net.Error
	if _, err := c.Read(make([]byte, 1)); !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("something came through a cut: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := n.dial(ctx, 0, l.Addr().String()); err == nil {
		t.Error("a node that is cut off was dialled")
	}
	n.setCut(1, false)
	if err := c.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 1)
	if _, err := io.ReadFull(c, b); err != nil || b[0] != 'y' {
		t.Errorf("after the cut came %q, %v", b, err)
	}
}
