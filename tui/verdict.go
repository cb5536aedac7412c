package tui

import (
	"fmt"
	"math"
	"strings"
)

// A word is text in one style.
type word struct {
	s    style
	text string
}

// A phrase is the answer to one question, in ever fewer words. The last is what is always said.
type phrase []saying

// A saying is one way to say it. What has the lowest rank gets room first.
type saying struct {
	rank  int
	words []word
}

func say(rank int, words ...word) saying { return saying{rank, words} }

func wordsWidth(words []word) int {
	n := 0
	for _, w := range words {
		n += width(w.text)
	}
	return n
}

func (a area) words(x, y int, words []word) int {
	for _, w := range words {
		x = a.put(x, y, w.s, w.text)
	}
	return x
}

// verdict answers the five questions of an operator in one line: is anyone late or dead, who is far, in which order would a
// query go, do signatures converge, whose certificate ends soon. It says as much as there is room for.
func verdict(a area, s *scene) {
	if s.pic == nil {
		return
	}
	if s.pic.GetSelf().GetNetwork() == "" && len(s.pic.GetPeers()) == 0 {
		a.put(1, 0, bold|warn, fit("this node has no network yet: g2g join TOKEN", a.w-1))
		return
	}
	phrases := []phrase{stateVerdict(s), farVerdict(s), orderVerdict(s), signatureVerdict(s), endVerdict(s)}
	between := " │ "
	chosen, fits := fitPhrases(phrases, a.w-1, width(between))
	if !fits {
		between = "│"
		chosen, _ = fitPhrases(phrases, a.w-1, width(between))
	}
	x := 1
	for i, words := range chosen {
		if i > 0 {
			x = a.put(x, 0, faint, between)
		}
		x = a.words(x, 0, words)
	}
}

// fitPhrases begins with the shortest sayings and takes longer ones by rank, as long as all fit.
func fitPhrases(phrases []phrase, room, between int) (chosen [][]word, fits bool) {
	at := make([]int, len(phrases))
	room -= between * (len(phrases) - 1)
	for i, p := range phrases {
		at[i] = len(p) - 1
		room -= wordsWidth(p[at[i]].words)
	}
	fits = room >= 0
	for {
		next, rank := -1, math.MaxInt
		for i, p := range phrases {
			if at[i] > 0 && p[at[i]-1].rank < rank && wordsWidth(p[at[i]-1].words)-wordsWidth(p[at[i]].words) <= room {
				next, rank = i, p[at[i]-1].rank
			}
		}
		if next < 0 {
			break
		}
		room -= wordsWidth(phrases[next][at[next]-1].words) - wordsWidth(phrases[next][at[next]].words)
		at[next]--
	}
	for i, p := range phrases {
		chosen = append(chosen, p[at[i]].words)
	}
	return chosen, fits
}

func stateVerdict(s *scene) phrase {
	c := s.pic.counts
	if s.pic.GetSelf().GetIsolated() {
		return phrase{
			say(9, word{bold | bad, "◐ isolated: hears nobody, so it convicts nobody"}), say(1, word{bold | bad, "◐ isolated: hears nobody"}),
			say(0, word{bold | bad, "◐ isolated"}),
		}
	}
	var long, middle, brief []word
	all := func(w word, briefly string) {
		long, middle, brief = append(long, w), append(middle, w), append(brief, word{w.s, briefly})
	}
	all(word{bold | good, fmt.Sprintf("● %d alive", c.alive)}, fmt.Sprintf("● %d", c.alive))
	trouble := func(n int, state, glyph string, st style) {
		if n == 0 {
			return
		}
		names, reasons := s.pic.inState(state)
		count := fmt.Sprintf(" %s %d %s", glyph, n, state)
		who := ""
		if len(names) <= 2 {
			who = " " + strings.Join(names, ",")
		}
		why := ""
		if len(reasons) > 0 {
			why = " (" + strings.Join(reasons, ", ") + ")"
		}
		long = append(long, word{bold | st, count + who + why})
		middle = append(middle, word{bold | st, count + who})
		brief = append(brief, word{bold | st, count})
	}
	trouble(c.late, "late", "▲", warn)
	trouble(c.dead, "dead", "✗", bad)
	rank := 6
	if c.late+c.dead == 0 {
		long, middle = append(long, word{plain, ", none late or dead"}), append(middle, word{plain, ", none late"})
		brief[0].text, rank = long[0].text, 2
	}
	if n := s.pic.unlinked(); n > 0 { // of a dead one it is no news
		all(word{warn, fmt.Sprintf(" ◐ %d without a link", n)}, fmt.Sprintf(" ◐ %d", n))
	}
	if c.left > 0 {
		long = append(long, word{dim, fmt.Sprintf(" ○ %d left", c.left)})
	}
	if c.evicted > 0 {
		long = append(long, word{dim, fmt.Sprintf(" ⊘ %d evicted", c.evicted)})
	}
	tiny := []word{{bold | good, fmt.Sprintf("●%d", c.alive)}}
	if c.late > 0 {
		tiny = append(tiny, word{bold | warn, fmt.Sprintf(" ▲%d", c.late)})
	}
	if c.dead > 0 {
		tiny = append(tiny, word{bold | bad, fmt.Sprintf(" ✗%d", c.dead)})
	}
	return phrase{say(9, long...), say(rank, middle...), say(1, brief...), say(0, tiny...)}
}

func farVerdict(s *scene) phrase {
	far := s.pic.far
	if far == nil {
		return phrase{say(3, word{dim, "no latency yet"}), say(0, word{dim, "far -"})}
	}
	who := name(far) + " " + latency(far.GetLatencyMs())
	return phrase{
		say(11, word{plain, "farthest "}, word{bold, who + " (" + orDash(far.GetGroup()) + ")"}), say(10, word{plain, "farthest "}, word{bold, who}),
		say(4, word{plain, "far "}, word{bold, who}), say(0, word{plain, "far "}, word{bold, name(far)}),
	}
}

func orderVerdict(s *scene) phrase {
	letters := s.pic.sweep()
	if len(letters) == 0 {
		return phrase{say(3, word{dim, "no order yet"}), say(0, word{dim, "order -"})}
	}
	if len(letters) > 8 {
		letters = append(letters[:8:8], "…")
	}
	order := word{bold, strings.Join(letters, "›")}
	first := ""
	for i, place := range s.pic.GetSelf().GetOrder()[:min(2, len(s.pic.GetSelf().GetOrder()))] {
		if i > 0 {
			first += ", "
		}
		first += s.pic.named(place.GetId())
	}
	return phrase{
		say(13, word{plain, "order "}, order, word{plain, " from " + first}), say(7, word{plain, "order "}, order),
		say(2, order), say(0, word{bold, strings.Join(letters, "")}),
	}
}

func signatureVerdict(s *scene) phrase {
	mean := meanDistance(s.pic.Snapshot)
	if math.IsNaN(mean) {
		return phrase{say(8, word{dim, "signatures: none to compare"}), say(4, word{dim, "signatures -"}), say(0, word{dim, "sig. -"})}
	}
	how, arrow, st := s.converging()
	moving := word{bold | st, how + " " + arrow}
	valued := word{bold | st, how + " " + distance(mean) + " " + arrow}
	return phrase{
		say(12, word{plain, "signatures "}, valued), say(8, word{plain, "signatures "}, moving), say(6, word{plain, "sig. "}, moving),
		say(3, moving), say(0, word{bold | st, distance(mean) + arrow}),
	}
}

// alike is the mean distance below which signatures count as equal, whatever they do.
const alike = 0.02

// converging says what the mean distance does.
func (s *scene) converging() (word, arrow string, st style) {
	switch s.past.trend(s.slot()) {
	case falling:
		return "converging", "↓", good
	case rising:
		if meanDistance(s.pic.Snapshot) >= alike {
			return "diverging", "↑", bad
		}
	case steady, unknown:
	}
	if meanDistance(s.pic.Snapshot) < alike {
		return "alike", "=", good
	}
	return "steady", "→", plain
}

func endVerdict(s *scene) phrase {
	end := s.pic.end
	if !end.ok {
		return phrase{say(8, word{dim, "no certificate known"}), say(0, word{dim, "cert -"})}
	}
	st := bold | end.s
	in := " in "
	if end.left <= 0 || end.s != plain {
		in = " "
	}
	return phrase{
		say(8, word{plain, "next cert "}, word{st, end.name + in + end.text()}),
		say(2, word{plain, "cert "}, word{st, end.name + " " + end.text()}), say(0, word{plain, "cert "}, word{st, end.text()}),
	}
}
