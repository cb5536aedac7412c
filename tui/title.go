package tui

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/bubbles/key"
)

// drawTitle says what is looked at, and whether it is the present.
func drawTitle(a area, s *scene) {
	x := a.put(1, 0, bold, "g2g top")
	x = a.words(x+1, 0, titleWords(s, a.w))
	x = a.words(x+2, 0, s.liveness(a.w >= 100))
	right := s.titleRight(a.w)
	for len(right) > 0 && x+2+wordsWidth(right) > a.w-1 {
		right = right[1:]
	}
	a.words(a.w-1-wordsWidth(right), 0, right)
}

func titleWords(s *scene, w int) []word {
	if s.pic == nil {
		return []word{{plain, " " + fit(s.link.name, w/3)}}
	}
	self := s.pic.GetSelf()
	network := orDash(self.GetNetworkName())
	if w < 100 {
		return []word{{plain, fit(network+"/"+self.GetName(), w/3)}}
	}
	return []word{
		{dim, " net "}, {bold, fit(network, 20)}, {dim, "  node "}, {bold, fit(self.GetName(), 24)},
		{dim, " " + fit(self.GetGossipAddress(), 24)},
	}
}

// liveness is whether the picture is of now; loud where it is not.
func (s *scene) liveness(roomy bool) []word {
	switch {
	case !s.ui.paused.IsZero():
		text := "▮▮ PAUSED " + s.ui.paused.In(s.now.Location()).Format("15:04:05")
		if s.ui.waiting > 0 && roomy {
			text += fmt.Sprintf(" (+%s of data waiting)", seconds(s.link.at.Sub(s.ui.paused)))
		}
		return []word{{reverse | bold | warn, " " + text + " "}}
	case s.link.replay && s.link.ended:
		return []word{{bold, "▶ recording, at its end"}}
	case s.link.replay:
		return []word{{bold, "▶ recording"}}
	case s.link.down != "":
		return []word{{bold | bad, s.downText(roomy)}}
	case s.pic == nil:
		return []word{{dim, "connecting"}}
	case s.stale():
		return []word{{bold | bad, "✗ NODE SILENT, last data " + seconds(s.now.Sub(s.link.at)) + " old"}}
	}
	return []word{{good, "● live "}, {dim, span2(s.ui.every)}}
}

// downText says how old what is shown is, and when the node is tried again.
func (s *scene) downText(roomy bool) string {
	text := "✗ NODE UNREACHABLE"
	if !roomy {
		text = "✗ UNREACHABLE"
	}
	if s.pic != nil {
		text += ", data " + seconds(s.now.Sub(s.link.at)) + " old"
	}
	if roomy {
		text += fmt.Sprintf(", try %d", s.link.try)
	}
	if wait := s.link.next.Sub(s.now); wait > 0 {
		return text + " in " + seconds(wait+time.Second-1)
	}
	return text + " now"
}

// span2 is an interval without needless digits.
func span2(d time.Duration) string {
	return strings.TrimSuffix(strings.TrimSuffix(d.String(), "0s"), "m0")
}

func (s *scene) titleRight(w int) []word {
	mode := "read-only"
	if s.ui.actions {
		mode = "actions allowed"
	}
	var words []word
	if s.pic != nil && w >= 100 {
		words = append(words, word{dim, "up " + uptime(millis(s.pic.GetSelf().GetUptimeMs())) + "  "})
	}
	return append(words, word{dim, mode + "  "}, word{plain, s.now.Format("15:04:05")})
}

// drawFooter is the keys that do something here, or what was just done, or a question.
func drawFooter(a area, s *scene) {
	if s.ui.prompt != nil {
		s.ui.prompt.draw(a)
		return
	}
	if s.ui.note != "" {
		st := bold
		if s.ui.noteBad {
			st |= bad
		}
		a.put(1, 0, st, fit(s.ui.note, a.w-1))
		return
	}
	drawKeys(a, s.ui.keys.shortHelp(s))
}

// drawKeys writes as many keys as there is room for. The last but one, for the help, always has room: it leads to all others.
func drawKeys(a area, keys []key.Binding) {
	wide := func(b key.Binding) int { return width(b.Help().Key) + 1 + width(b.Help().Desc) }
	const between = 3
	x, help := 1, len(keys)-2
	cut := false
	for i, b := range keys {
		room := a.w - 2
		if i < help {
			room -= between + wide(keys[help])
		}
		if cut && i != help || x+wide(b) > room {
			if !cut {
				x = a.put(x-between+1, 0, dim, "…") + 1
			}
			cut = true
			continue
		}
		if i > 0 && !cut {
			x = a.put(x-between, 0, faint, " • ")
		}
		x = a.put(x, 0, bold, b.Help().Key)
		x = a.put(x+1, 0, dim, b.Help().Desc) + between
	}
}

// drawWaiting is the body before there is anything to show.
func drawWaiting(a area, s *scene) {
	a.put(2, 1, plain, "waiting for the node in "+fit(s.link.name, a.w-30))
	if s.link.down != "" {
		a.put(2, 2, bad, fit(s.link.down, a.w-4))
	}
	a.put(2, 4, dim, "It is tried again until it answers; r tries now, q quits.")
}

// drawSmall is for screens that are too small for more: five lines of plain text.
func drawSmall(a area, s *scene) {
	need := fmt.Sprintf("(has %dx%d, needs %dx%d)", s.w, s.h, minWidth, minHeight)
	var lines []string
	if s.pic == nil {
		lines = []string{"g2g top " + need, s.link.name, orDash(s.link.down), "", "q quits"}
	} else {
		lines = smallLines(s, need)
	}
	for y, line := range lines {
		a.put(0, y, plain, fit(line, a.w))
	}
	if s.stale() {
		a.mute()
	}
}

func smallLines(s *scene, need string) []string {
	p, c := s.pic, s.pic.counts
	state := fmt.Sprintf("%d alive", c.alive)
	for _, of := range []struct {
		n     int
		state string
	}{{c.late, "late"}, {c.dead, "dead"}} {
		names, reasons := p.inState(of.state)
		state += fmt.Sprintf(", %d %s", of.n, of.state)
		if of.n > 0 && of.n <= 3 {
			state += " " + strings.Join(append(names, reasons...), " ")
		}
	}
	if p.GetSelf().GetIsolated() {
		state = "isolated: hears nobody"
	}
	far := "no latency yet"
	if f := p.far; f != nil {
		far = "farthest " + name(f) + " " + latency(f.GetLatencyMs())
	}
	word, _, _ := s.converging()
	end := p.end
	title := "g2g top " + orDash(p.GetSelf().GetNetworkName()) + "/" + p.GetSelf().GetName() + " "
	if s.stale() {
		title = "OLD by " + seconds(s.now.Sub(s.link.at)) + ": " + title
	}
	return []string{
		title + need, state, far + ", order " + strings.Join(p.sweep(), " "),
		"signatures " + word + " " + distance(meanDistance(p.Snapshot)) + ", next cert " + end.name + " " + end.text(), "q quits",
	}
}
