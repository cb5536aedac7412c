package tui

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/g2g-net/g2g/proto/adminpb"
)

// spans are how much of the past the charts of a peer show, in samples.
var spans = []int{minute, 3 * minute, kept}

// drawPeer is the page of one peer.
func drawPeer(a area, s *scene, p *adminpb.Peer, framed bool) {
	m := markOf(p)
	title := "peer " + name(p)
	right := []word{{m.s | bold, m.glyph + " " + m.word}}
	if !framed {
		drawPeerStacked(a, s, p, title, right)
		return
	}
	left := a.w / 2
	identity := min(13+len(p.GetChain()), max(13, a.h-18))
	drawIdentity(panel(a.at(0, 0, left, identity), true, title, right), s, p)
	drawChart(panel(a.at(left, 0, a.w-left, identity), true, "round trips", spanWords(s)), s, p, latencies)
	middle := 9
	drawAge(panel(a.at(0, identity, left, middle), true, "signature age", ageWords(s, p)), s, p)
	drawChart(panel(a.at(left, identity, a.w-left, middle), true, "signature distance", spanWords(s)), s, p, distances)
	drawEvents(a.at(0, identity+middle, a.w, a.h-identity-middle), s, true, "events of "+name(p), p.GetId())
}

// drawPeerStacked is for small screens: one above the other, as far as there is room.
func drawPeerStacked(a area, s *scene, p *adminpb.Peer, title string, right []word) {
	identity := min(12, a.h-3)
	drawIdentity(panel(a.at(0, 0, a.w, identity), false, title, right), s, p)
	drawAge(panel(a.at(0, identity, a.w, 3), false, "signature age", ageWords(s, p)), s, p)
	y := identity + 3
	rest := a.h - y
	if rest >= 7 {
		chart := min(rest-3, 6)
		drawChart(panel(a.at(0, y, a.w, chart), false, "round trips", spanWords(s)), s, p, latencies)
		y += chart
	}
	drawEvents(a.at(0, y, a.w, a.h-y), s, false, "events of "+name(p), p.GetId())
}

func spanWords(s *scene) []word {
	return []word{{dim, span(time.Duration(spans[s.ui.back])*step) + ", + - time"}}
}

// A line of the identity panel.
type labelled struct {
	label string
	words []word
}

func drawIdentity(a area, s *scene, p *adminpb.Peer) {
	var lines []labelled
	add := func(label string, words ...word) { lines = append(lines, labelled{label, words}) }
	addresses := strings.Join(p.GetAddresses(), ", ")
	link := word{plain, "connected"}
	switch {
	case p.GetUnreachable():
		link = word{warn, "no working connection from here"}
	case !p.GetActive():
		link = word{dim, "no warm connection"}
	}
	add("id", word{plain, p.GetId()})
	add("address", word{plain, orDash(addresses)}, word{plain, "  "}, link)
	where := word{plain, fmt.Sprintf("place %d of %d, group %s", p.GetPosition(), len(s.pic.GetSelf().GetOrder()), p.GetGroup())}
	switch {
	case p.GetGroup() == "":
		where = word{dim, "out of it, and in no group" + map[bool]string{true: ": no latency yet"}[p.LatencyMs == nil]}
	case p.GetPosition() == 0:
		where = word{plain, "out of it, group " + p.GetGroup()}
	}
	add("distance", word{bold, latency(latencyOf(p))}, word{dim, "  median " + latency(orNaN(p.MedianMs)) + "  p99 " + latency(orNaN(p.P99Ms))})
	add("order", where)
	add("member", word{plain, fmt.Sprintf("%s mode, depth %d, since %s", orDash(p.GetMode()), p.GetDepth(), s.clock(admittedMs(p), "2006-01-02 15:04"))})
	add("seen", word{plain, fmt.Sprintf("first %s, last exchange %s", s.clock(p.GetFirstSeenMs(), "2006-01-02 15:04"), s.ago(p.GetLastExchangeMs()))})
	add("signature", word{plain, fmt.Sprintf("sequence %d, distance %s", p.GetSequence(), distance(distanceOf(p)))})
	add("services", word{plain, orDash(strings.Join(p.GetServices(), ", "))})
	y := 0
	for _, l := range lines {
		a.put(0, y, dim, l.label)
		a.words(11, y, l.words)
		y++
	}
	y = drawLeaf(a, y, s, p.GetLeaf())
	drawChain(a, y, s, p)
}

// admittedMs is when it became a member.
func admittedMs(p *adminpb.Peer) int64 {
	if len(p.GetChain()) == 0 {
		return 0
	}
	return seconds64(p.GetChain()[0].GetIssuedAt())
}

// seconds64 is Unix seconds as Unix milliseconds, as far as there are such.
func seconds64(s int64) int64 { return min(max(s, 0), maxMillis/1000) * 1000 }

// ago is how long before the picture something was.
func (s *scene) ago(ms int64) string {
	if ms == 0 {
		return "never"
	}
	return seconds(millis(s.pic.GetTimeMs()-ms)) + " ago"
}

// drawLeaf shows the life of a certificate as a bar that fills.
func drawLeaf(a area, y int, s *scene, l *adminpb.Leaf) int {
	end := endOf("", l, s.pic.GetTimeMs())
	a.put(0, y, dim, "leaf")
	if !end.ok {
		a.put(11, y, dim, fmt.Sprintf("epoch %d; its end shows on a connection", l.GetEpoch()))
		return y + 1
	}
	bar := max(8, min(24, a.w-60))
	x := 11
	if life := l.GetNotAfter() - l.GetNotBefore(); l.GetNotBefore() > 0 && life > 0 {
		gone := float64(s.pic.GetTimeMs()/1000-l.GetNotBefore()) / float64(life)
		full := int(min(max(gone, 0), 1) * float64(bar))
		x = a.put(x, y, end.s, strings.Repeat("█", full))
		x = a.put(x, y, dim, strings.Repeat("░", bar-full)) + 1
	}
	x = a.put(x, y, end.s|bold, end.text()+" left")
	a.put(x, y, dim, "  until "+s.clock(seconds64(l.GetNotAfter()), "01-02 15:04"))
	a.put(0, y+1, dim, "epoch")
	a.put(11, y+1, plain, fmt.Sprint(l.GetEpoch()))
	return y + 2
}

// drawChain is who let whom in, from the peer back to the founder; in one line where there is no room for one each.
func drawChain(a area, y int, s *scene, p *adminpb.Peer) {
	chain := p.GetChain()
	a.put(0, y, dim, "chain")
	if len(chain) == 0 {
		a.put(11, y, dim, "not shown by the node")
		return
	}
	if len(chain) > a.h-y {
		names := []string{name(p)}
		for i, link := range chain {
			if i == len(chain)-1 {
				names = append(names, "founder")
				break
			}
			names = append(names, s.pic.named(link.GetNominator()))
		}
		a.put(11, y, plain, fit(strings.Join(names, " ← "), a.w-11))
		return
	}
	for i, link := range chain {
		by := s.pic.named(link.GetNominator())
		if i == len(chain)-1 {
			by = "the founder key"
		}
		x := a.put(11, y+i, plain, s.pic.named(link.GetSubject()))
		x = a.put(x, y+i, dim, " admitted by ")
		x = a.put(x, y+i, plain, by)
		a.put(x, y+i, dim, "  "+s.clock(seconds64(link.GetIssuedAt()), "2006-01-02 15:04"))
	}
}

func ageWords(s *scene, p *adminpb.Peer) []word {
	self := s.pic.GetSelf()
	text := fmt.Sprintf("n %d  mean %s  sd %s", self.GetLimitN(), span(number(self.GetMeanMs())), span(number(self.GetSdMs())))
	if p.GetOwnMs() > 0 {
		text = "own pace " + span(millis(p.GetOwnMs())) + "  " + text
	}
	return []word{{dim, text}}
}

// number is milliseconds with a fraction as a duration.
func number(ms float64) time.Duration {
	if math.IsNaN(ms) {
		return 0
	}
	return time.Duration(min(max(ms, -1e12), 1e12) * float64(time.Millisecond))
}

// drawAge is the age against its limit now, and over time as far as there is room: each tooth is one update.
func drawAge(a area, s *scene, p *adminpb.Peer) {
	if a.h == 0 {
		return
	}
	limit := p.GetLimitMs()
	x := a.put(0, 0, ageStyle(p)|bold, pad(span(millis(p.GetAgeMs())), 7))
	if limit <= 0 {
		a.put(x, 0, dim, fmt.Sprintf("no limit yet (n %d)", s.pic.GetSelf().GetLimitN()))
	} else {
		text := "limit " + span(millis(limit))
		if p.GetWitnesses() > 0 {
			text += fmt.Sprintf(", %d witnesses", p.GetWitnesses())
		}
		if !p.GetTrusted() && p.GetState() == "alive" {
			text += ", not in the list"
		}
		drawBar(a.at(x, 0, a.w-x-width(text)-2, 1), s, p)
		a.right(a.w, 0, dim, text)
	}
	if a.h >= 4 {
		plot(a.at(0, 1, a.w, a.h-1), s.past.window(p.GetId(), ages, s.slot(), spans[s.ui.back]), float64(limit),
			func(ms float64) string { return span(number(ms)) })
	}
}

// drawChart is one metric of a peer over time.
func drawChart(a area, s *scene, p *adminpb.Peer, m metric) {
	w := s.past.window(p.GetId(), m, s.slot(), spans[s.ui.back])
	label, now := latency, latencyOf(p)
	if m == distances {
		label, now = distance, distanceOf(p)
	}
	lo, hi := bounds(w)
	x := a.put(0, 0, plain, "now ")
	x = a.put(x, 0, bold, label(now))
	a.put(x, 0, dim, "  least "+label(lo)+"  most "+label(hi))
	plot(a.at(0, 1, a.w, a.h-1), w, 0, label)
}
