package node

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"net"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/g2g-net/g2g/node/gossip"
	"github.com/g2g-net/g2g/node/view"
	"github.com/g2g-net/g2g/node/wire"
	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/gossippb"
)

// maxGrowth bounds by how much no flood may make a node's heap grow, in bytes.
const maxGrowth = 64 << 20

// flooded measures the heap, after a collection, whenever it is asked, and keeps the highest growth.
type flooded struct {
	t      *testing.T
	before uint64
	most   int64
}

func heapNow() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func measure(t *testing.T) *flooded { return &flooded{t: t, before: heapNow()} }

func (f *flooded) look() { f.most = max(f.most, int64(heapNow())-int64(f.before)) }

func (f *flooded) done(what string) {
	f.t.Helper()
	f.look()
	f.t.Logf("%s: the heap grew by %d KiB at most, the attacker's end included", what, f.most>>10)
	if f.most > maxGrowth {
		f.t.Errorf("the heap grew by %d MiB", f.most>>20)
	}
}

// invented are contacts, each newer than the one before, of a member that does not exist: the attacker may nominate, and so
// makes as many as it likes.
func (a *attacker) invented(n int) (contacts []*gossippb.Envelope) {
	identity, err := pki.NewIdentity(rand.Reader)
	if err != nil {
		panic(err)
	}
	chain, err := a.chain.Admit(a.identity, identity.Key(), pki.Nomination{Mode: pki.Server, MayNominate: true}, time.Now())
	if err != nil {
		panic(err)
	}
	now, key := time.Now(), identity.Key()
	for i := range n {
		c, err := wire.SealContact(identity, a.genesis.Network(), view.Contact{
			Name: "invented", Mode: pki.Server, Sequence: uint64(now.UnixMilli() + int64(i)), NotAfter: now.Add(time.Hour).Unix(),
			Epoch: 1, Incarnation: 1, Anchor: view.Link{1}, Period: time.Second, Chain: chain,
			Addresses: []string{fmt.Sprintf("10.7.%d.%d:7", key[0], key[1])},
		})
		if err != nil {
			panic(err)
		}
		contacts = append(contacts, wire.Envelope(c.Sealed))
	}
	return contacts
}

// The attack: a server-mode member that may nominate pushes 100,000 records of members that do not exist, with good seals, good
// chains and addresses. The node keeps as many as its bounds allow, no honest one makes place, and members still connect, both
// ways.
func TestMemberPushesInventedRecords(t *testing.T) {
	const rounds, workers, each = 10, 4, 16 // records of one member
	records := 100_000
	if slow {
		records /= 10
	}
	inWorld(t, 5*time.Millisecond, func(w *world) {
		f := w.founder()
		n1 := w.joiner(1, f)
		w.allAlive(10*time.Second, []*actor{f, n1}, 1)
		mallory := w.founded("10.0.9.1", f)
		heap := measure(t)
		for range rounds {
			var all sync.WaitGroup
			for range workers {
				all.Go(func() {
					for range records / rounds / workers / each {
						for contacts := range slices.Chunk(mallory.invented(each), gossip.MaxPushed) {
							if err := mallory.push(f, nil, contacts...); err != nil {
								t.Error(err)
							}
						}
					}
				})
			}
			all.Wait()
			heap.look()
		}
		heap.done(fmt.Sprintf("%d invented records", records))
		if n := len(f.picture().Peers); n > view.MaxServers+view.MaxClients+view.MaxFallen {
			t.Errorf("%d peers are listed", n)
		}
		n2 := w.joiner(2, n1)
		w.until(time.Minute, "the honest ones list each other", func() bool {
			return listed(f, n1, n2) && listed(n1, f, n2) && listed(n2, f, n1)
		})
		haltAll([]*actor{f, n1, n2})
	})
}

// listed tells whether a node lists all of the others as alive.
func listed(a *actor, others ...*actor) bool {
	for _, o := range others {
		if p := a.peer(o.ID()); p == nil || p.State != view.Alive {
			return false
		}
	}
	return true
}

// founded is a member that the founder key itself admitted.
func (w *world) founded(ip string, of *actor) *attacker {
	w.t.Helper()
	a := w.stranger(ip, of)
	var err error
	if a.chain, err = pki.AdmitRoot(of.founderKey(), a.genesis, a.identity.Key(), time.Now()); err != nil {
		w.t.Fatal(err)
	}
	a.mint(1, time.Hour)
	return a
}

// The attack: a member sends one message of 1 GB, to each method of the Gossip port. The node reads the length and no more.
func TestMemberSendsAHugeMessage(t *testing.T) {
	inWorld(t, 0, func(w *world) {
		f := w.founder()
		n1 := w.joiner(1, f)
		mallory := w.member("10.0.9.1", f, pki.Server)
		heap := measure(t)
		for _, method := range gossipMethods() {
			err := mallory.to(f).Invoke(context.Background(), method, huge(1<<30), &emptypb.Empty{}, grpc.ForceCodecV2(hugeCodec{}), grpc.MaxCallSendMsgSize(2<<30))
			if status.Code(err) != codes.ResourceExhausted {
				t.Errorf("%s: %v", method, err)
			}
			heap.look()
		}
		heap.done("5 messages of 1 GB")
		w.allAlive(10*time.Second, []*actor{f, n1}, 1)
		haltAll([]*actor{f, n1})
	})
}

// huge is a message of so many bytes, which the sender has in memory once a mebibyte.
type huge int

type hugeCodec struct{}

func (hugeCodec) Name() string { return "proto" }

func (hugeCodec) Marshal(v any) (out mem.BufferSlice, err error) {
	piece := mem.SliceBuffer(make([]byte, 1<<20))
	for range int(v.(huge)) / len(piece) {
		out = append(out, piece)
	}
	return out, nil
}

func (hugeCodec) Unmarshal(mem.BufferSlice, any) error { return nil }

// The attack: a stranger opens 5,000 connections to both ports from a thousand addresses: some never begin the handshake, some stop
// in its middle, some finish it and stay. The node drops them, stays small, and new members join all the same.
func TestStrangerOpensConnections(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		f := w.founder()
		n1 := w.joiner(1, f)
		w.allAlive(10*time.Second, []*actor{f, n1}, 1)
		heap := measure(t)
		var open []net.Conn
		defer func() {
			for _, c := range open {
				_ = c.Close()
			}
		}()
		info := f.Info()
		for i := range 5000 {
			host := w.net.Host(fmt.Sprintf("10.%d.%d.%d", 20+i%4, i/4%250, 1+i%100))
			conn, err := host.Dial(context.Background(), []string{info.Gossip, info.Register}[i%2])
			if err != nil {
				t.Fatal(err)
			}
			open = append(open, conn)
			switch {
			case i%25 == 0:
				_ = conn.SetDeadline(time.Now().Add(time.Second))
				_ = tls.Client(conn, &tls.Config{MinVersion: tls.VersionTLS13, NextProtos: []string{"h2"}, InsecureSkipVerify: true}).Handshake()
			case i%3 == 0:
				_, _ = conn.Write([]byte{22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3}) // the head of a handshake
			}
			if i%1000 == 999 {
				heap.look()
			}
		}
		n2 := w.joiner(2, f)
		heap.done("5,000 connections")
		w.allAlive(10*time.Second, []*actor{f, n1, n2}, 2)
		haltAll([]*actor{f, n1, n2})
	})
}

// The attack: a stranger leaves 200 connections half-open at each port and renews them for a minute. Members connect all the while.
func TestStrangerLeavesConnectionsHalfOpen(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		f := w.founder()
		n1 := w.joiner(1, f)
		w.allAlive(10*time.Second, []*actor{f, n1}, 1)
		heap := measure(t)
		info := f.Info()
		nodes := []*actor{f, n1}
		for round := range 6 {
			var open []net.Conn
			for i := range 400 {
				conn, err := w.net.Host(fmt.Sprintf("10.20.%d.1", i/2)).Dial(context.Background(), []string{info.Gossip, info.Register}[i%2])
				if err != nil {
					t.Fatal(err)
				}
				_, _ = conn.Write([]byte{22, 3, 1, 2, 0})
				open = append(open, conn)
			}
			heap.look()
			nodes = append(nodes, w.joiner(2+round, f))
			w.pass(10 * time.Second)
			for _, c := range open {
				_ = c.Close()
			}
		}
		heap.done("200 half-open connections a port")
		w.allAlive(10*time.Second, nodes, len(nodes)-1)
		haltAll(nodes)
	})
}
