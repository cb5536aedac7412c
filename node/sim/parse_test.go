package sim

import (
	"strings"
	"testing"
	"time"
)

func TestScenarioErrors(t *testing.T) {
	for text, want := range map[string]string{
		"nodes":                            "f:1:7: a number is missing",
		"nodes 0":                          `f:1:7: "0" is no number from 1 to 100000`,
		"nodes 5 6":                        `f:1:9: "6" is one word too many`,
		"nodes 5\nnodes 6":                 "f:2:1: nodes stands twice",
		"  length forever":                 `f:1:10: "forever" is no duration from 1s to 48h0m0s`,
		"loss 101%":                        `f:1:6: "101%" is no share from 0% to 100%`,
		"loss 3":                           `f:1:6: "3" is no share from 0% to 100%`,
		"loss nan%":                        `f:1:6: "nan%" is no share from 0% to 100%`,
		"speed 3":                          `f:1:1: "speed" is no setting and not at`,
		"region a 1\nregion a 2":           `f:2:8: "a" is one region too many`,
		"region a 0":                       `f:1:10: "0" is no weight above 0`,
		"rtt a x 1ms":                      `f:1:7: there is no region "x"`,
		"region x 1\nregion y 1":           "f: there is no rtt between x and y",
		"at 1m":                            "f:1:7: what happens is missing",
		"at 1m sing all":                   `f:1:7: nothing is called "sing"`,
		"at 1m kill":                       "f:1:12: who is missing",
		"at 1m kill -3":                    `f:1:12: "-3" is no share, no count, not all and no region`,
		"at 1m kill region x":              `f:1:19: there is no region "x"`,
		"at 1m stop all every 3s":          "f:1:22: every needs a shorter for before it",
		"at 1m stop all for 4s every 3s":   "f:1:29: every needs a shorter for before it",
		"at 2m heal\nat 1m heal":           "f:2:4: 1m comes after 2m0s",
		"at 1m heal\nnodes 3":              "f:2:1: settings come before what happens",
		"length 1m\nat 1m heal":            "f: the length of 1m0s is over before all that happens at 1m0s",
		"each P":                           "f:1:1: each needs a name and 1 to 32 values",
		"each P 1\neach Q 2":               "f:2:1: a second each",
		"each P 1 x\nnodes $P":             `f:2:7: "x" is no number from 1 to 100000`,
		"nodes $P":                         `f:1:7: "$P" is no number from 1 to 100000`,
		"nodes x # y\n\nloss x":            `f:1:7: "x" is no number from 1 to 100000` + "\n" + `f:3:6: "x" is no share from 0% to 100%`,
		strings.Repeat("#", MaxScenario+1): "f: more than 65536 bytes",
	} {
		plans, err := Parse("f", text)
		if err == nil || plans != nil || err.Error() != want {
			t.Errorf("%.40q: %v\nwant %s", text, err, want)
		}
	}
}

func TestScenarioIsRead(t *testing.T) {
	plans := value(Parse("f", `
# one run for each
each P 10% 3
nodes 50   # few
region x 2
region y 1
rtt x y 80ms
rtt y y 2ms
at 1m stop $P for 3s every 4s
at 90s skew region y -5s 1%
`))
	if len(plans) != 2 || plans[0].Label != "P=10%" || plans[1].Label != "P=3" {
		t.Fatalf("%+v", plans)
	}
	p := plans[1]
	if p.Nodes != 50 || p.RTT[0][1] != 80*time.Millisecond || p.RTT[1][0] != 80*time.Millisecond || p.RTT[1][1] != 2*time.Millisecond || p.RTT[0][0] != time.Millisecond {
		t.Errorf("%+v", p)
	}
	stop := Action{At: time.Minute, Verb: "stop", Who: Selection{Count: 3, Region: -1}, Text: "stop 3 for 3s every 4s", For: 3 * time.Second, Every: 4 * time.Second}
	skew := Action{At: 90 * time.Second, Verb: "skew", Who: Selection{Region: 1}, Text: "skew region y -5s 1%", Offset: -5 * time.Second, Amount: 0.01}
	if p.Actions[0] != stop || p.Actions[1] != skew {
		t.Errorf("%+v", p.Actions)
	}
	if share := plans[0].Actions[0].Who.Share; share != 0.1 {
		t.Errorf("share %v", share)
	}
}

func TestBuiltinScenariosAreValid(t *testing.T) {
	for _, s := range Builtin() {
		if _, err := Parse(s.Name, s.Text); err != nil || s.About == "" {
			t.Errorf("%s: %v", s.Name, err)
		}
	}
}

func FuzzScenario(f *testing.F) {
	for _, s := range Builtin() {
		f.Add(s.Text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		plans, err := Parse("f", text)
		if (err == nil) != (len(plans) > 0) {
			t.Errorf("%d plans, %v", len(plans), err)
		}
	})
}
