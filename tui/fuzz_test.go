package tui

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/g2g-net/g2g/proto/adminpb"
)

// hostile makes pictures that no node of ours sends: a dashboard must bear those too.
type hostile struct{ *rand.Rand }

func (h hostile) text() string {
	texts := []string{"", "a", "node-7", "ams-1", strings.Repeat("long-", 30), "日本語のノード", "a\nb", "\x1b[31mred\x1b[0m", "e\u0301\u200d\u202e", "👩‍👩‍👧", "\xff\xfe", "🇩🇪", "\t"}
	return strings.ToValidUTF8(texts[h.IntN(len(texts))], "\uFFFD")
}

func (h hostile) number() float64 {
	numbers := []float64{0, 0.3, 12, 287, 1e4, -1, 1e300, math.NaN(), math.Inf(1), math.Inf(-1), 1e-9, h.Float64() * 1000}
	return numbers[h.IntN(len(numbers))]
}

func (h hostile) whole() int64 {
	numbers := []int64{0, 1, 500, 3200, 143_000, -5, math.MaxInt64, math.MinInt64, 1_795_000_000, start.UnixMilli(), h.Int64N(100_000)}
	return numbers[h.IntN(len(numbers))]
}

func (h hostile) maybe() *float64 {
	if h.IntN(3) == 0 {
		return nil
	}
	v := h.number()
	return &v
}

func (h hostile) leaf() *adminpb.Leaf {
	if h.IntN(4) == 0 {
		return nil
	}
	return &adminpb.Leaf{Epoch: uint64(h.whole()), NotBefore: h.whole(), NotAfter: h.whole()}
}

func (h hostile) peer() *adminpb.Peer {
	states := []string{"alive", "late", "dead", "left", "evicted", "", "odd"}
	p := &adminpb.Peer{
		Id: h.text(), Name: h.text(), Mode: []string{"server", "client", ""}[h.IntN(3)], State: states[h.IntN(len(states))], Reason: h.text(),
		Unreachable: h.IntN(4) == 0, AgeMs: h.whole(), LimitMs: h.whole(), Leaf: h.leaf(), LatencyMs: h.maybe(), MedianMs: h.maybe(), P99Ms: h.maybe(),
		Distance: h.maybe(), OwnMs: h.whole(), Group: []string{"", "A", "B", "ZZ", "日"}[h.IntN(5)], Position: uint32(h.IntN(5)),
		Witnesses: uint32(h.IntN(4)), FirstSeenMs: h.whole(), LastExchangeMs: h.whole(),
	}
	for range h.IntN(4) {
		p.Addresses, p.Services = append(p.Addresses, h.text()), append(p.Services, h.text())
		p.Chain = append(p.Chain, &adminpb.ChainLink{Subject: h.text(), Nominator: h.text(), IssuedAt: h.whole()})
	}
	return p
}

func (h hostile) snapshot(at int64) *adminpb.Snapshot {
	s := &adminpb.Snapshot{TimeMs: at, Self: &adminpb.Self{
		Id: h.text(), Name: h.text(), Network: h.text(), NetworkName: h.text(), UptimeMs: h.whole(), GossipAddress: h.text(), LimitMs: h.whole(),
		LimitN: uint32(h.IntN(20)), MeanMs: h.number(), SdMs: h.number(), Isolated: h.IntN(9) == 0, Leaf: h.leaf(),
		Signature: &adminpb.Signature{Count: uint64(h.whole()), MeanDistance: h.maybe()},
	}}
	if h.IntN(9) == 0 {
		s.Self = nil
	}
	for range h.IntN(40) {
		s.Peers = append(s.Peers, h.peer())
	}
	if s.Self != nil {
		for range h.IntN(12) {
			g := &adminpb.Group{Letter: h.text(), LabelMs: h.number()}
			for range h.IntN(15) {
				g.Members = append(g.Members, &adminpb.Member{Id: h.text(), Name: h.text(), LatencyMs: h.number()})
			}
			s.Self.Groups = append(s.Self.Groups, g)
			s.Self.Order = append(s.Self.Order, &adminpb.Place{Position: uint32(h.IntN(99)), Id: h.text(), Group: h.text(), GroupLabelMs: h.number()})
		}
	}
	if h.IntN(3) == 0 {
		s.History = &adminpb.History{StepMs: h.whole()}
		for range h.IntN(80) {
			s.History.MeanDistance = append(s.History.MeanDistance, float32(h.number()))
		}
		for _, p := range s.Peers {
			s.History.Peers = append(s.History.Peers, &adminpb.Series{Id: p.Id, LatencyMs: s.History.MeanDistance, AgeMs: s.History.MeanDistance})
		}
	}
	return s
}

func (h hostile) event() *adminpb.Event {
	return &adminpb.Event{
		Seq: uint64(h.whole()), TimeMs: h.whole(), Kind: h.text(), Severity: []string{"info", "warning", "error", ""}[h.IntN(4)],
		Peer: h.text(), Name: h.text(), Detail: h.text(),
	}
}

var allKeys = strings.Fields("up down k j pgup pgdown g G enter l esc h [ ] 1 2 3 space r / s S c z + - v t ? m a x y backspace p R N")

// FuzzScreen lets a dashboard bear random pictures, keys and sizes: no line is wider than the screen, there are no more lines
// than it has, nothing from outside reaches the terminal as a command, and nothing panics.
func FuzzScreen(f *testing.F) {
	for seed := range uint64(12) {
		f.Add(seed, uint16(40+13*seed), uint16(10+4*seed))
	}
	f.Fuzz(func(t *testing.T, seed uint64, w, h uint16) {
		from := hostile{rand.New(rand.NewPCG(seed, 1))}
		m := newModel(Options{Interval: time.Second, AllowActions: from.IntN(2) == 0}, &look{ascii: from.IntN(4) == 0})
		now := start
		m.clockOf, m.now, m.mouse = func() time.Time { return now }, now, true
		if from.IntN(2) == 0 {
			m.look = coloured(t)
		}
		m.w, m.h = int(w%240), int(h%80)
		for range 30 {
			switch from.IntN(6) {
			case 0:
				now = now.Add(time.Duration(from.IntN(8000)) * time.Millisecond)
				m.Update(pictureMsg{from.snapshot(now.UnixMilli())})
			case 1:
				m.Update(eventsMsg{[]*adminpb.Event{from.event(), from.event()}})
			case 2:
				m.Update(lostMsg{why: from.text(), try: from.IntN(9), next: now.Add(time.Duration(from.IntN(9)) * time.Second)})
			case 3:
				m.w, m.h = 40+from.IntN(161), 10+from.IntN(51)
			default:
				m.Update(keyOf(allKeys[from.IntN(len(allKeys))]))
			}
			bounded(t, m)
		}
	})
}

// bounded holds a screen to its size.
func bounded(t *testing.T, m *model) {
	t.Helper()
	screen := m.View()
	lines := strings.Split(screen, "\n")
	if len(lines) > max(m.h, 1) {
		t.Fatalf("%d lines on a screen of %d", len(lines), m.h)
	}
	for i, l := range lines {
		if n := ansi.StringWidth(l); n > m.w {
			t.Fatalf("line %d is %d wide on a screen of %d: %q", i, n, m.w, l)
		}
	}
	if strings.ContainsAny(ansi.Strip(screen), "\x1b\t\r\x7f\u202e\u200d") || strings.Contains(screen, "\x1b[31mred") {
		t.Fatalf("something from outside reaches the terminal: %q", screen)
	}
}
