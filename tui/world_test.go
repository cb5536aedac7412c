package tui

import (
	"crypto/sha256"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/adminpb"
)

// A world makes the pictures that a node of a network would show: believable, and the same at each run.
type world struct {
	rand  *rand.Rand
	now   time.Time
	self  string
	nodes []*member
	drift float64 // of the mean distance, a second
	mean  float64
	past  []float64 // of mean
	seq   uint64
	told  []any
}

type member struct {
	name, mode         string
	ms                 float64 // away from the watching node
	state, reason      string
	since              time.Time // it stopped; zero while it runs
	unreachable        bool
	factor             float64 // of the mean distance
	leafEnd            time.Time
	latencies, ages, d []float32
}

// start is when all recordings end.
var start = time.Date(2026, 11, 22, 12, 4, 31, 0, time.UTC)

func idOf(name string) string { return pki.ID(sha256.Sum256([]byte(name))).String() }

// newWorld has four regions, as seen from ams-1.
func newWorld() *world {
	w := &world{rand: rand.New(rand.NewPCG(6, 22)), now: start.Add(-70 * time.Second), self: "ams-1", mean: 0.35, drift: -0.004}
	for _, of := range []struct {
		name string
		ms   float64
	}{
		{"ams-2", 0.42}, {"ams-3", 0.60}, {"ams-4", 0.31}, {"bru-1", 1.3}, {"fra-1", 9.9}, {"fra-2", 11}, {"lon-1", 14}, {"waw-1", 22},
		{"nyc-1", 82}, {"nyc-2", 85}, {"chi-1", 108}, {"akl-1", 305}, {"syd-1", 287}, {"syd-2", 267},
	} {
		w.nodes = append(w.nodes, &member{
			name: of.name, mode: "server", ms: of.ms, state: "alive", factor: 0.4 + 1.2*w.rand.Float64(),
			leafEnd: start.Add(8*time.Hour + time.Duration(w.rand.IntN(15*3600))*time.Second),
		})
	}
	return w
}

func (w *world) node(name string) *member {
	for _, m := range w.nodes {
		if m.name == name {
			return m
		}
	}
	panic("no " + name)
}

// stop lets a node's signature stand still from some time before the end.
func (w *world) stop(name string, ago time.Duration) { w.node(name).since = start.Add(-ago) }

// run goes on to a moment, a second at a time, and samples.
func (w *world) run(until time.Time) {
	for ; !w.now.After(until); w.now = w.now.Add(time.Second) {
		w.mean = max(0.008, w.mean+w.drift)
		w.past = append(w.past, w.mean*(1+w.rand.Float64()/40))
		for _, m := range w.nodes {
			latency := m.ms * (0.97 + 0.1*math.Pow(w.rand.Float64(), 3))
			if w.rand.IntN(25) == 0 {
				latency *= 1.25
			}
			age := 150 + w.rand.Float64()*1100 + m.ms
			if !m.since.IsZero() && w.now.After(m.since) {
				age += float64(w.now.Sub(m.since).Milliseconds())
			}
			if m.reason == "silent" && age > 3000 {
				latency = math.NaN()
			}
			m.latencies = append(m.latencies, float32(latency))
			m.ages = append(m.ages, float32(math.Round(age)))
			m.d = append(m.d, float32(w.mean*m.factor*(0.95+w.rand.Float64()/10)))
		}
	}
	w.now = until
}

func last[T any](s []T) T { return s[len(s)-1] }

// stateOf is how a node is: one that will be late is alive until its age passes the limit.
func (m *member) stateOf() string {
	if m.state == "late" && last(m.ages) <= limitMs {
		return "alive"
	}
	return m.state
}

const limitMs = 3200

// groups parts the living by region, farthest first.
func (w *world) groups() []*adminpb.Group {
	ends := []float64{2, 40, 150, math.Inf(1)}
	var groups []*adminpb.Group
	from := 0.0
	letter := 'A'
	for _, to := range ends {
		var g adminpb.Group
		var sum float64
		for _, m := range w.nodes {
			if m.ms >= from && m.ms < to && m.mode == "server" && m.state != "dead" && !m.unreachable {
				g.Members = append(g.Members, &adminpb.Member{Id: idOf(m.name), Name: m.name, LatencyMs: m.ms})
				sum += m.ms
			}
		}
		from = to
		if len(g.Members) == 0 {
			continue
		}
		slices.SortFunc(g.Members, func(a, b *adminpb.Member) int { return int(1e6 * (a.LatencyMs - b.LatencyMs)) })
		g.Letter, g.LabelMs = string(letter), sum/float64(len(g.Members))
		letter++
		groups = append([]*adminpb.Group{&g}, groups...)
	}
	return groups
}

// order pops from the groups as M17 says.
func (w *world) order(groups []*adminpb.Group) []*adminpb.Place {
	stacks := make([][]*adminpb.Member, len(groups))
	for i, g := range groups {
		for _, m := range g.Members {
			if w.node(m.Name).stateOf() == "alive" {
				stacks[i] = append(stacks[i], m)
			}
		}
	}
	var order []*adminpb.Place
	pop := func(i int) bool {
		if len(stacks[i]) == 0 {
			return false
		}
		m := last(stacks[i])
		stacks[i] = stacks[i][:len(stacks[i])-1]
		order = append(order, &adminpb.Place{
			Position: uint32(len(order) + 1), Id: m.Id, Name: m.Name, Group: groups[i].Letter, GroupLabelMs: groups[i].LabelMs,
			LatencyMs: m.LatencyMs, Address: "127.0.0.1:7401",
		})
		return true
	}
	for more := true; more; {
		more = false
		for i := 0; 2*i < len(groups); i++ {
			more = pop(i) || more
			if j := len(groups) - 1 - i; j != i {
				more = pop(j) || more
			}
		}
	}
	return order
}

// snapshot is the picture of now; with history for the first.
func (w *world) snapshot(history bool) *adminpb.Snapshot {
	groups := w.groups()
	order := w.order(groups)
	mean := w.past[len(w.past)-1]
	s := &adminpb.Snapshot{TimeMs: w.now.UnixMilli(), Self: &adminpb.Self{
		Id: idOf(w.self), Name: w.self, Network: "g2gnet", NetworkName: "demo", Mode: "server", Version: "0.1",
		UptimeMs: (76*time.Hour + w.now.Sub(start)).Milliseconds(), GossipAddress: "127.0.0.1:7401", RegisterAddress: "127.0.0.1:7402",
		LimitMs: limitMs, LimitN: uint32(len(order)), MeanMs: 780, SdMs: 390, Stretch: 1.4, FloorMs: 2500, Groups: groups, Order: order,
		Leaf:      &adminpb.Leaf{Epoch: 1780000000, NotBefore: start.Add(-5 * time.Hour).Unix(), NotAfter: start.Add(19 * time.Hour).Unix()},
		Signature: &adminpb.Signature{Sequence: 48211, AgeMs: 420, Count: 12000, MeanDistance: &mean}, Converged: true,
	}}
	for _, m := range w.nodes {
		s.Peers = append(s.Peers, w.peer(m, groups, order))
	}
	slices.SortFunc(s.Peers, func(a, b *adminpb.Peer) int { return strings.Compare(a.Name, b.Name) })
	if history {
		s.History = w.history()
	}
	return s
}

func (w *world) peer(m *member, groups []*adminpb.Group, order []*adminpb.Place) *adminpb.Peer {
	id := idOf(m.name)
	d := float64(last(m.d))
	p := &adminpb.Peer{
		Id: id, Name: m.name, Mode: m.mode, State: m.stateOf(), Reason: m.reason, Unreachable: m.unreachable, AgeMs: int64(last(m.ages)),
		LimitMs: limitMs, Sequence: 4800, Active: true, Trusted: m.stateOf() == "alive", OwnMs: 510, Depth: 2, Distance: &d,
		Addresses: []string{"127.0.0.1:" + fmt.Sprint(20000+int(m.ms*17)%9000)}, NominatedBy: idOf("ams-2"),
		FirstSeenMs: start.Add(-75 * time.Hour).UnixMilli(), LastExchangeMs: w.now.Add(-time.Second).UnixMilli(),
		Leaf: &adminpb.Leaf{Epoch: uint64(m.leafEnd.Unix() - 86400), NotBefore: m.leafEnd.Add(-24 * time.Hour).Unix(), NotAfter: m.leafEnd.Unix()},
		Chain: []*adminpb.ChainLink{
			{Subject: id, Nominator: idOf("ams-2"), Mode: "server", Depth: 2, IssuedAt: start.Add(-75 * time.Hour).Unix()},
			{Subject: idOf("ams-2"), Nominator: idOf("ams-1"), Mode: "server", Depth: 1, IssuedAt: start.Add(-76 * time.Hour).Unix()},
			{Subject: idOf("ams-1"), Nominator: idOf("founder"), Mode: "server", IssuedAt: start.Add(-77 * time.Hour).Unix()},
		},
	}
	ms, median, p99 := m.ms, m.ms*1.02, m.ms*1.3
	p.LatencyMs, p.MedianMs, p.P99Ms = &ms, &median, &p99
	if m.stateOf() != "alive" {
		p.Witnesses = 3
	}
	for _, g := range groups {
		if slices.ContainsFunc(g.Members, func(x *adminpb.Member) bool { return x.Id == id }) {
			p.Group = g.Letter
		}
	}
	for _, place := range order {
		if place.Id == id {
			p.Position = place.Position
		}
	}
	return p
}

func (w *world) history() *adminpb.History {
	tail := func(v []float32) []float32 { return v[max(0, len(v)-60):] }
	h := &adminpb.History{StepMs: 1000}
	for _, v := range w.past[max(0, len(w.past)-60):] {
		h.MeanDistance = append(h.MeanDistance, float32(v))
	}
	for _, m := range w.nodes {
		h.Peers = append(h.Peers, &adminpb.Series{Id: idOf(m.name), LatencyMs: tail(m.latencies), AgeMs: tail(m.ages), Distance: tail(m.d)})
	}
	return h
}

// event tells of something that happened some time before the end.
func (w *world) event(ago time.Duration, kind, severity, name, detail string) {
	w.seq++
	e := &adminpb.Event{Seq: w.seq, TimeMs: start.Add(-ago).UnixMilli(), Kind: kind, Severity: severity, Name: name, Detail: detail}
	if name != "" {
		e.Peer = idOf(name)
	}
	w.told = append(w.told, e)
}

// record runs the world to its end and keeps the last pictures.
func (w *world) record() *Recording {
	w.run(start.Add(-2 * time.Second))
	w.told = append(w.told, w.snapshot(true))
	for _, ago := range []time.Duration{time.Second, 0} {
		w.run(start.Add(-ago))
		w.told = append(w.told, w.snapshot(false))
	}
	return &Recording{told: w.told, name: "world"}
}

// made is a recording of a situation in which everything is known beforehand.
func made(name string) *Recording { return situations[name]() }

// situations by name, as those that were recorded.
var situations = map[string]func() *Recording{
	"well": func() *Recording {
		w := newWorld()
		w.event(46*time.Minute, "rotated", "info", "", "epoch 1780000000")
		w.event(12*time.Minute, "admitted", "info", "ams-4", "admitted in server mode by token 4f11aa02")
		return w.record()
	},
	"late-and-dead": func() *Recording {
		w := newWorld()
		w.stop("akl-1", 143*time.Second)
		w.stop("chi-1", 3*time.Second)
		akl, chi := w.node("akl-1"), w.node("chi-1")
		akl.state, akl.reason, chi.state = "dead", "stalled", "late"
		w.event(12*time.Minute, "admitted", "info", "ams-4", "admitted in server mode by token 4f11aa02")
		w.event(140*time.Second, "late", "warning", "akl-1", "its signature has not advanced for 3.3s (limit 3.2s)")
		w.event(138*time.Second, "dead", "error", "akl-1", "stalled: answers, but its signature has not advanced for 5.2s (limit 3.2s, 3 witnesses)")
		w.event(time.Second, "late", "warning", "chi-1", "its signature has not advanced for 3.4s (limit 3.2s)")
		return w.record()
	},
	"region-cut": func() *Recording {
		w := newWorld()
		for _, name := range []string{"akl-1", "syd-1", "syd-2"} {
			m := w.node(name)
			m.state, m.reason, m.unreachable = "dead", "silent", true
			w.stop(name, 25*time.Second)
			w.event(24*time.Second, "unreachable", "warning", name, "no connection from here: tried [127.0.0.1:20119]")
			w.event(22*time.Second, "dead", "error", name, "silent: two attempts failed, and a later exchange with ams-2 was answered")
		}
		return w.record()
	},
	"diverging": func() *Recording {
		w := newWorld()
		w.mean, w.drift = 0.12, 0.006
		w.node("nyc-1").factor, w.node("nyc-2").factor = 2.1, 2.3
		return w.record()
	},
	"certificate": func() *Recording {
		w := newWorld()
		w.node("fra-2").leafEnd = start.Add(47 * time.Minute)
		w.event(7*time.Hour, "rotated", "info", "", "epoch 1780000000")
		return w.record()
	},
}
