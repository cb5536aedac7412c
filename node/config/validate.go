package config

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"
)

// maxFaults bounds how many faults one error lists; a file of 64 KiB could hold thousands.
const maxFaults = 32

// A fault is one rule that one key breaks.
type fault struct {
	path string
	text string // begins with the path
}

// Validate reports every rule that c breaks, one line each: the key, its value, the reason and what is wanted.
// Rules between keys are checked once each key alone is right.
func (c Config) Validate() error {
	faults := c.faults()
	errs := make([]error, len(faults))
	for i, f := range faults {
		errs[i] = errors.New(f.text)
	}
	return errors.Join(atMost(errs)...)
}

func (c Config) faults() []fault {
	var faults []fault
	for _, k := range table {
		faults = append(faults, k.faults(c)...)
	}
	if len(faults) > 0 {
		return faults
	}
	for _, k := range table {
		if k.cross != nil {
			faults = append(faults, k.cross(k, c)...)
		}
	}
	return faults
}

func (k Key) faults(c Config) []fault {
	texts := k.texts(c)
	if k.isList() && len(texts) > k.most {
		what := "addresses"
		if k.isPassage() {
			what = "tables"
		}
		return []fault{{k.Path, fmt.Sprintf("%s: %d %s; want %s", k.Path, len(texts), what, k.Rule)}}
	}
	var faults []fault
	for i, text := range texts {
		reason := k.check(text)
		if reason == "" && slices.Contains(texts[:i], text) {
			reason = "given twice"
		}
		if reason == "" {
			continue
		}
		name := k.Path
		if k.isList() {
			name = fmt.Sprintf("%s[%d]", k.Path, i)
		}
		faults = append(faults, k.fault(name, text, reason))
	}
	return faults
}

func (k Key) fault(name, text, reason string) fault {
	return fault{k.Path, fmt.Sprintf("%s = %s: %s; want %s", name, quoted(text), reason, k.Rule)}
}

func checkName(text string) string {
	switch {
	case text == "":
		return "empty"
	case len(text) > MaxNameLength:
		return fmt.Sprintf("%d bytes", len(text))
	case strings.ContainsFunc(text, func(r rune) bool { return !isNameRune(r) }):
		return "other characters"
	case strings.Trim(text, "-.") != text:
		return "- or . at an end" // a leading dash would be taken for a flag
	}
	return ""
}

func within(low, high time.Duration) func(string) string {
	return func(text string) string {
		d, err := time.ParseDuration(text)
		switch {
		case err != nil:
			return "no duration" // cannot happen: texts come from time.Duration
		case d < low:
			return "too short"
		case d > high:
			return "too long"
		}
		return ""
	}
}

func oneOf(words ...string) func(string) string {
	return func(text string) string {
		if slices.Contains(words, text) {
			return ""
		}
		return "not known"
	}
}

// crossRegister refuses one port for both doors, which would fail at start with a message of the system's.
// Port 0 is a new port each time. Two hosts that are not the same text may still be one; the system decides then.
func crossRegister(k Key, c Config) []fault {
	ours, port, err := net.SplitHostPort(c.Register.Listen)
	theirs, other, otherErr := net.SplitHostPort(c.Gossip.Listen)
	if err != nil || otherErr != nil || port != other || port == "0" {
		return nil
	}
	if ours != theirs && ours != "" && theirs != "" {
		return nil
	}
	reason := fmt.Sprintf("gossip.listen %q has the same port", c.Gossip.Listen)
	return []fault{k.fault(k.Path, c.Register.Listen, reason)}
}

// quoted quotes a value for an error; what is longer than any valid value is cut.
func quoted(text string) string {
	const most = 300
	if len(text) > most {
		return fmt.Sprintf("%q...", text[:most])
	}
	return fmt.Sprintf("%q", text)
}

// atMost cuts a list of faults to maxFaults and says how many are left out.
func atMost(errs []error) []error {
	if len(errs) <= maxFaults {
		return errs
	}
	return append(errs[:maxFaults:maxFaults], fmt.Errorf("and %d more faults", len(errs)-maxFaults))
}
