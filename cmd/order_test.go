package cmd

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/g2g-net/g2g/proto/adminpb"
)

// nearAndFar is the picture of a node with two near and two far peers, one that was never measured, and node-c, which is dead.
func nearAndFar() *adminpb.Snapshot {
	s := fakePicture()
	s.Peers[2].State, s.Peers[2].Unreachable = stateAlive, false
	for n, name := range map[byte]string{5: "node-e", 6: "node-f", 7: "node-g"} {
		s.Peers = append(s.Peers, &adminpb.Peer{Id: fakeID(n), Name: name, Mode: modeServer, State: stateAlive, Services: []string{"s.example:1"}, Serves: []string{"pkg." + name[5:]}})
	}
	slices.SortFunc(s.Peers, func(a, b *adminpb.Peer) int { return strings.Compare(a.GetName(), b.GetName()) })
	group := func(letter string, label float64, members ...string) *adminpb.Group {
		g := &adminpb.Group{Letter: letter, LabelMs: label}
		for i, name := range members {
			at := slices.IndexFunc(s.Peers, func(p *adminpb.Peer) bool { return p.GetName() == name })
			ms := label + float64(i)/10
			s.Peers[at].Group, s.Peers[at].LatencyMs, s.Peers[at].MedianMs, s.Peers[at].P99Ms = letter, &ms, &ms, &ms
			g.Members = append(g.Members, &adminpb.Member{Id: s.Peers[at].GetId(), Name: name, LatencyMs: ms})
		}
		return g
	}
	s.Self.Groups = []*adminpb.Group{group("B", 80, "node-b", "node-d"), group("A", 0.3, "node-e", "node-f")}
	for i, name := range []string{"node-b", "node-e", "node-d", "node-f", "node-g"} {
		at := slices.IndexFunc(s.Peers, func(p *adminpb.Peer) bool { return p.GetName() == name })
		p := s.Peers[at]
		p.Position = uint32(i + 1)
		label := map[string]float64{"B": 80, "A": 0.3}[p.GetGroup()]
		s.Self.Order = append(s.Self.Order, &adminpb.Place{
			Position: p.Position, Id: p.GetId(), Name: name, Group: p.GetGroup(), GroupLabelMs: label, LatencyMs: p.GetLatencyMs(), Address: "192.0.2.9:1",
		})
	}
	return s
}

func TestOrderCommand(t *testing.T) {
	f := serveFake(t, &fakeNode{shows: []*adminpb.Snapshot{nearAndFar()}})
	for _, c := range []struct {
		args string
		want string
		code int
	}{
		{"order -o name", "node-b node-e node-d node-f node-g", 0},
		{"order -o name --limit 2", "node-b node-e", 0},
		{"order -o name --service s.example:1", "node-e node-f node-g", 0},
		{"order -o name --service g2g.example:7401", "node-b", 0},
		{"order -o name --service pkg.f", "node-f", 0},
		{"order -o name --service none.example:1", "", exitNobody},
		{"order --limit -1", "", exitUsage},
		{"groups -o name", "B A", 0},
		{"peers -o name --sort position", "node-b node-e node-d node-f node-g node-c", 0},
		{"peers -o name --sort latency", "node-e node-f node-b node-d node-c node-g", 0},
		{"peers -o name --filter group:A", "node-e node-f", 0},
		{"wait --for order>=5 --timeout 5s", "", 0},
		{"wait --for groups==2 --timeout 5s", "", 0},
		{"why node-z", "", exitNobody},
	} {
		got := run(t, "", nil, append(strings.Fields(c.args), "--dir", f.dir)...)
		if got.code != c.code || c.want != "" && strings.Join(strings.Fields(got.out), " ") != c.want {
			t.Errorf("%s: exit %d, %q %q; want %d, %q", c.args, got.code, got.out, got.err, c.code, c.want)
		}
	}
	var places []map[string]any
	got := run(t, "", nil, "order", "-o", "json", "--dir", f.dir)
	if err := json.Unmarshal([]byte(got.out), &places); err != nil || len(places) != 5 {
		t.Fatalf("%v: %s", err, got.out)
	}
	if p := places[0]; p["position"] != 1.0 || p["group"] != "B" || p["group_label_ms"] != 80.0 || p["latency_ms"] != 80.0 || p["address"] != "192.0.2.9:1" {
		t.Errorf("first place: %v", p)
	}
	if p := places[4]; p["group"] != "" || p["latency_ms"] != nil {
		t.Errorf("the place of a peer that was never measured: %v", p)
	}
}

func TestWhy(t *testing.T) {
	f := serveFake(t, &fakeNode{shows: []*adminpb.Snapshot{nearAndFar()}})
	for peer, want := range map[string][]string{
		"node-d": {"80.1ms", "3 samples", "80ms 80.1ms 90ms", "A ends at 0.4ms", "3 of 5", "number 2 of its group", "B A B"},
		"node-e": {"2 of 5", "number 1 of its group", "B begins at 80ms"},
		"node-g": {"5 of 5", "at the end", "never measured"},
		"node-c": {"none of 5", "out of the order: it is dead (silent)"},
	} {
		got := run(t, "", nil, "why", peer, "--dir", f.dir)
		for _, text := range want {
			if got.code != 0 || !strings.Contains(got.out, text) {
				t.Errorf("%s: exit %d %s, no %q in\n%s", peer, got.code, got.err, text, got.out)
			}
		}
	}
}
