package sim

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// MaxScenario bounds a scenario file, in bytes.
const MaxScenario = 64 << 10

// maxRuns bounds how many runs one scenario has.
const maxRuns = 32

// Language explains the scenario files, for people.
const Language = `A scenario is lines of words; # begins a comment. Settings come first, in any order:

  nodes 1000               how many members (1 to 100000)
  length 5m                simulated time
  start 30s                the nodes start spread over this time, and join by the node that admitted them
  joined                   nobody joins at the start, which takes a second: the nodes are a network that came together before,
                           each with a random view and active links
  interval 1s              gossip.interval
  period 1s                signature.period
  strict                   stale.strict: the plain rule for ages
  region a 0.5             a region and its share of the nodes; the first line replaces the regions a, b and c
  rtt a b 30ms             the round trip between two regions, or within one (1ms)
  jitter 10%               added to a latency, on average (exponential)
  loss 0.1%                of all messages
  each P 10% 50% 90%       the scenario is run once for each value, in place of the word $P

Then what happens, each line with the time since the beginning:

  at 1m kill WHO           the processes end; what calls them is refused
  at 1m stop WHO           the processes halt, as by SIGSTOP; what comes in waits
  at 1m stop WHO for 3s every 4s    halted for three seconds of every four
  at 1m block WHO          what they send does not leave, what comes in waits; they go on thinking. for and every as with stop
  at 1m stall WHO          their signature loops end; they answer what they are asked
  at 2m continue WHO       of those stopped, blocked or stalled, as by SIGCONT; it ends every, too
  at 2m restart WHO        of those killed or gone, from what they had saved
  at 2m leave WHO          they say goodbye and end
  at 1m join 10            new members start
  at 1m split WHO          nothing passes between these and the rest
  at 1m cut WHO            nothing passes to or from each of these
  at 2m heal               ends every split, cut and loss
  at 1m loss 30% [WHO]     of messages, everywhere or of what these send and get
  at 0s skew WHO 90s [1%]  from their next start on their clocks are so much ahead (-90s: behind), and so much too fast
  at 1m measure            the overlay is measured

WHO is a share (10%), a count (5), all, or region NAME: of those that the line can be about, drawn by the seed.`

// Parse reads a scenario: its plan, or several where it says each. File is its name for errors, which are
// "file:line:column: what"; all lines with one are reported at once.
func Parse(file, text string) ([]Plan, error) {
	if len(text) > MaxScenario {
		return nil, fmt.Errorf("%s: more than %d bytes", file, MaxScenario)
	}
	lines := split(text)
	name, values, err := variants(file, lines)
	if err != nil {
		return nil, err
	}
	plans := make([]Plan, 0, len(values))
	for _, v := range values {
		p := parser{file: file, plan: quietPlan(), name: name, value: v, seen: map[string]bool{}}
		if err := p.read(lines); err != nil {
			return nil, err
		}
		if name != "" {
			p.plan.Label = name + "=" + v
		}
		plans = append(plans, p.plan)
	}
	return plans, nil
}

// A word stands at a place, both counted from one.
type word struct {
	text         string
	line, column int
}

// split takes a text apart into lines of words, without comments and empty lines.
func split(text string) (lines [][]word) {
	for i, line := range strings.Split(text, "\n") {
		line, _, _ = strings.Cut(line, "#")
		var words []word
		for at := 0; at < len(line); {
			if strings.ContainsRune(" \t\r", rune(line[at])) {
				at++
				continue
			}
			end := at
			for end < len(line) && !strings.ContainsRune(" \t\r", rune(line[end])) {
				end++
			}
			words = append(words, word{line[at:end], i + 1, at + 1})
			at = end
		}
		if words != nil {
			lines = append(lines, words)
		}
	}
	return lines
}

// variants finds the line that says each. Without one there is one value, of no name.
func variants(file string, lines [][]word) (name string, values []string, err error) {
	for _, words := range lines {
		if words[0].text != "each" {
			continue
		}
		switch {
		case name != "":
			return "", nil, fault(file, words[0], "a second each")
		case len(words) < 3 || len(words) > 2+maxRuns:
			return "", nil, fault(file, words[0], "each needs a name and 1 to %d values", maxRuns)
		}
		name = words[1].text
		for _, w := range words[2:] {
			values = append(values, w.text)
		}
	}
	if name == "" {
		values = []string{""}
	}
	return name, values, nil
}

func fault(file string, at word, format string, args ...any) error {
	return fmt.Errorf("%s:%d:%d: %s", file, at.line, at.column, fmt.Sprintf(format, args...))
}

// A parser reads one plan. The line being read loses its words from the front.
type parser struct {
	file        string
	plan        Plan
	name, value string // of each
	seen        map[string]bool
	line        []word
	last        word // the one taken last
	regions     bool // the file has its own
}

// broken is how reading a line ends at a fault.
type broken struct{ err error }

func (p *parser) read(lines [][]word) error {
	var errs []error
	for _, line := range lines {
		if err := p.readLine(line); err != nil && len(errs) < 10 {
			errs = append(errs, err)
		}
	}
	if errs == nil {
		errs = p.check()
	}
	return errors.Join(errs...)
}

func (p *parser) readLine(line []word) (err error) {
	defer func() {
		if b, ok := recover().(broken); ok {
			err = b.err
		}
	}()
	p.line = slices.Clone(line)
	for i, w := range p.line {
		if p.line[i].text = w.text; w.text == "$"+p.name && p.name != "" {
			p.line[i].text = p.value
		}
	}
	p.statement()
	if len(p.line) > 0 {
		p.fail(p.line[0], "%q is one word too many", p.line[0].text)
	}
	return nil
}

func (p *parser) fail(at word, format string, args ...any) {
	panic(broken{fault(p.file, at, format, args...)})
}

// take is the next word, which must be there.
func (p *parser) take(what string) word {
	if len(p.line) == 0 {
		end := p.last
		end.column += len(end.text) + 1
		p.fail(end, "%s is missing", what)
	}
	p.last = p.line[0]
	p.line = p.line[1:]
	return p.last
}

// has takes the next word if it is this one.
func (p *parser) has(text string) bool {
	if len(p.line) == 0 || p.line[0].text != text {
		return false
	}
	p.take(text)
	return true
}

func (p *parser) statement() {
	w := p.take("a word")
	if w.text != "at" && len(p.plan.Actions) > 0 {
		p.fail(w, "settings come before what happens")
	}
	if set := p.settings()[w.text]; set != nil {
		if p.seen[w.text] {
			p.fail(w, "%s stands twice", w.text)
		}
		p.seen[w.text] = true
		set()
		return
	}
	switch w.text {
	case "each":
		p.line = nil // read before
	case "region":
		p.region()
	case "rtt":
		p.rtt()
	case "at":
		p.action()
	default:
		p.fail(w, "%q is no setting and not at", w.text)
	}
}

// settings are those that stand at most once, with what takes their value.
func (p *parser) settings() map[string]func() {
	s := &p.plan
	return map[string]func(){
		"nodes":    func() { s.Nodes = p.number(1, MaxNodes) },
		"length":   func() { s.Length = p.span(time.Second, MaxLength) },
		"start":    func() { s.Join = p.span(0, MaxLength) },
		"interval": func() { s.Interval = p.span(10*time.Millisecond, time.Hour) },
		"period":   func() { s.Period = p.span(10*time.Millisecond, time.Hour) },
		"strict":   func() { s.Strict = true },
		"joined":   p.joined,
		"jitter":   func() { s.Jitter = p.share() },
		"loss":     func() { s.Loss = p.share() },
	}
}

func (p *parser) joined() {
	p.plan.Joined = true
	if !p.seen["start"] {
		p.plan.Join = time.Second
	}
}

func (p *parser) number(least, most int) int {
	w := p.take("a number")
	n, err := strconv.Atoi(w.text)
	if err != nil || n < least || n > most {
		p.fail(w, "%q is no number from %d to %d", w.text, least, most)
	}
	return n
}

func (p *parser) span(least, most time.Duration) time.Duration {
	w := p.take("a duration")
	d, err := time.ParseDuration(w.text)
	if err != nil || d < least || d > most {
		p.fail(w, "%q is no duration from %s to %s", w.text, least, most)
	}
	return d
}

// percent reads a word as a share, if it is one.
func percent(text string) (float64, bool) {
	digits, ok := strings.CutSuffix(text, "%")
	f, err := strconv.ParseFloat(digits, 64)
	return f / 100, ok && err == nil && f >= 0 && f <= 100
}

func (p *parser) share() float64 {
	w := p.take("a share")
	f, ok := percent(w.text)
	if !ok {
		p.fail(w, "%q is no share from 0%% to 100%%", w.text)
	}
	return f
}

func (p *parser) region() {
	if !p.regions {
		p.regions, p.plan.Regions, p.plan.RTT = true, nil, nil
	}
	s := &p.plan
	w := p.take("a name")
	if slices.ContainsFunc(s.Regions, func(r Region) bool { return r.Name == w.text }) || len(s.Regions) == maxRegions {
		p.fail(w, "%q is one region too many", w.text)
	}
	share := p.take("a weight")
	weight, err := strconv.ParseFloat(share.text, 64)
	if err != nil || !(weight > 0 && weight <= 1e6) {
		p.fail(share, "%q is no weight above 0", share.text)
	}
	s.Regions = append(s.Regions, Region{w.text, weight})
	for i := range s.RTT {
		s.RTT[i] = append(s.RTT[i], 0)
	}
	s.RTT = append(s.RTT, make([]time.Duration, len(s.Regions)))
	s.RTT[len(s.RTT)-1][len(s.RTT)-1] = time.Millisecond
}

func (p *parser) place() int {
	w := p.take("a region")
	i := slices.IndexFunc(p.plan.Regions, func(r Region) bool { return r.Name == w.text })
	if i < 0 {
		p.fail(w, "there is no region %q", w.text)
	}
	return i
}

func (p *parser) rtt() {
	a, b := p.place(), p.place()
	d := p.span(time.Microsecond, time.Minute)
	p.plan.RTT[a][b], p.plan.RTT[b][a] = d, d
}

// check finds what no line is to blame for alone.
func (p *parser) check() (errs []error) {
	for i, row := range p.plan.RTT {
		for j, d := range row {
			if d == 0 && j > i {
				errs = append(errs, fmt.Errorf("%s: there is no rtt between %s and %s", p.file, p.plan.Regions[i].Name, p.plan.Regions[j].Name))
			}
		}
	}
	if err := p.plan.Check(); err != nil {
		errs = append(errs, fmt.Errorf("%s: %w", p.file, err))
	}
	return errs
}

// Check reports settings that do not go together. Whoever changes a plan that Parse made calls it.
func (p *Plan) Check() error {
	last := p.Join
	for _, a := range p.Actions {
		last = a.At
	}
	if last >= p.Length {
		return fmt.Errorf("the length of %s is over before all that happens at %s", p.Length, last)
	}
	return nil
}
