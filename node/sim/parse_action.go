package sim

import (
	"strconv"
	"strings"
	"time"
)

// action reads what stands after at.
func (p *parser) action() {
	when := p.line[:min(1, len(p.line))]
	a := Action{At: p.span(0, MaxLength)}
	if n := len(p.plan.Actions); n > 0 && a.At < p.plan.Actions[n-1].At {
		p.fail(when[0], "%s comes after %s", when[0].text, p.plan.Actions[n-1].At)
	}
	a.Text = joined(p.line)
	verb := p.take("what happens")
	a.Verb = verb.text
	read := p.verbs(&a)[verb.text]
	if read == nil {
		p.fail(verb, "nothing is called %q", verb.text)
	}
	read()
	p.plan.Actions = append(p.plan.Actions, a)
}

func joined(words []word) string {
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = w.text
	}
	return strings.Join(texts, " ")
}

// verbs are what can happen, with what reads the rest of the line.
func (p *parser) verbs(a *Action) map[string]func() {
	who := func() { a.Who = p.who() }
	return map[string]func(){
		"kill": who, "stall": who, "continue": who, "restart": who, "leave": who, "split": who, "cut": who,
		"heal": func() {}, "measure": func() {},
		"join":  func() { a.Count = p.number(1, MaxNodes) },
		"stop":  func() { who(); p.whilst(a) },
		"block": func() { who(); p.whilst(a) },
		"loss": func() {
			a.Amount = p.share()
			if len(p.line) > 0 {
				who()
				return
			}
			a.Who.All = true
		},
		"skew": func() {
			who()
			a.Offset = p.span(-MaxLength, MaxLength)
			if len(p.line) > 0 {
				a.Amount = p.share()
			}
		},
	}
}

// whilst reads for how long something lasts, and how often it comes.
func (p *parser) whilst(a *Action) {
	if p.has("for") {
		a.For = p.span(time.Millisecond, time.Hour)
	}
	if p.has("every") {
		if a.Every = p.span(time.Millisecond, time.Hour); a.For == 0 || a.Every <= a.For {
			p.fail(p.last, "every needs a shorter for before it")
		}
	}
}

// who reads a selection.
func (p *parser) who() Selection {
	w := p.take("who")
	s := Selection{Region: -1}
	share, isShare := percent(w.text)
	count, err := strconv.Atoi(w.text)
	switch {
	case w.text == "all":
		s.All = true
	case w.text == "region":
		s.Region = p.place()
	case isShare:
		s.Share = share
	case err == nil && count > 0:
		s.Count = count
	default:
		p.fail(w, "%q is no share, no count, not all and no region", w.text)
	}
	return s
}
