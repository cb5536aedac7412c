package cmd

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/g2g-net/g2g/proto/adminpb"
	"github.com/g2g-net/g2g/tui/ptytest"
)

// A busyNode shows many peers, of which every figure is another each time.
type busyNode struct {
	fakeNode
	picture *adminpb.Snapshot
	sent    chan struct{}
}

// crowd makes a picture of many peers from that of few.
func crowd(few *adminpb.Snapshot, peers int) *adminpb.Snapshot {
	s := proto.Clone(few).(*adminpb.Snapshot)
	s.History, s.Peers, s.Self.Order = nil, nil, nil
	for _, g := range s.Self.Groups {
		g.Members = nil
	}
	for i := range peers {
		p := proto.Clone(few.Peers[i%len(few.Peers)]).(*adminpb.Peer)
		p.Id, p.Name, p.Position = fmt.Sprintf("%s%04d", p.Id[:len(p.Id)-4], i), fmt.Sprintf("node-%d", i), uint32(i+1)
		g := s.Self.Groups[i%len(s.Self.Groups)]
		p.Group = g.Letter
		g.Members = append(g.Members, &adminpb.Member{Id: p.Id, Name: p.Name, LatencyMs: g.LabelMs})
		s.Peers = append(s.Peers, p)
		s.Self.Order = append(s.Self.Order, &adminpb.Place{Position: p.Position, Id: p.Id, Name: p.Name, Group: g.Letter, GroupLabelMs: g.LabelMs, LatencyMs: g.LabelMs})
	}
	return s
}

func (n *busyNode) Watch(r *adminpb.WatchRequest, stream grpc.ServerStreamingServer[adminpb.Snapshot]) error {
	random := rand.New(rand.NewPCG(1, 2))
	tick := time.NewTicker(time.Duration(r.GetIntervalMs()) * time.Millisecond)
	defer tick.Stop()
	for {
		n.picture.TimeMs += r.GetIntervalMs()
		for _, p := range n.picture.Peers {
			p.AgeMs = random.Int64N(3000)
			latency := p.GetLatencyMs() * (0.9 + 0.2*random.Float64())
			p.LatencyMs = &latency
			p.Sequence++
		}
		if err := stream.Send(n.picture); err != nil {
			return err
		}
		select {
		case <-tick.C:
			n.sent <- struct{}{}
		case <-stream.Context().Done():
			return nil
		}
	}
}

// BenchmarkTop is what `g2g top` of a node with 200 peers costs while it shows a new picture each second, on a terminal of
// 120x36: the share of one core, and the memory of the process at its highest. Each round is one picture.
func BenchmarkTop(b *testing.B) {
	g2g := filepath.Join(b.TempDir(), "g2g")
	if out, err := exec.Command("go", "build", "-o", g2g, "..").CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	n := &busyNode{picture: crowd(recorded(b, "well"), 200), sent: make(chan struct{})}
	n.shows = []*adminpb.Snapshot{n.picture}
	serveAdmin(b, &n.fakeNode, n)
	term := ptytest.Open(b, 120, 36)
	top := exec.Command(g2g, "top", "--dir", n.dir)
	top.Stdin, top.Stdout, top.Stderr = term.Inner, term.Inner, term.Inner
	top.SysProcAttr = term.Attach()
	if err := top.Start(); err != nil {
		b.Fatal(err)
	}
	for range 3 { // what its start costs is not counted
		<-n.sent
	}
	before := cpuTime(b, top.Process.Pid)
	for b.Loop() {
		<-n.sent
	}
	used := cpuTime(b, top.Process.Pid) - before
	b.ReportMetric(100*used.Seconds()/b.Elapsed().Seconds(), "%core")
	b.ReportMetric(peakMemory(b, top.Process.Pid), "MB")
	_ = top.Process.Kill()
	_ = top.Wait()
}

// cpuTime is what a process has used so far.
func cpuTime(b *testing.B, pid int) time.Duration {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Fatal(err)
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	user, err1 := strconv.Atoi(fields[11])
	system, err2 := strconv.Atoi(fields[12])
	if err1 != nil || err2 != nil {
		b.Fatalf("no times in %q", text)
	}
	const tick = 10 * time.Millisecond // Linux says so to programs on every machine of today
	return time.Duration(user+system) * tick
}

// peakMemory is the most that a process had in memory, in millions of bytes.
func peakMemory(b *testing.B, pid int) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, is := strings.CutPrefix(line, "VmHWM:"); is {
			kib, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")))
			if err != nil {
				b.Fatal(err)
			}
			return float64(kib) * 1024 / 1e6
		}
	}
	b.Fatal("no VmHWM")
	return 0
}
