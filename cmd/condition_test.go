package cmd

import (
	"slices"
	"testing"
)

func TestParseConditionRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                      `unknown condition ""`,
		"join":                  `unknown condition "join"`,
		"aliv>=1":               `unknown condition "aliv"`,
		"alive":                 `unknown condition "alive"`,
		"alive=4":               `condition "alive=4": "=" compares nothing`,
		"alive=>4":              `condition "alive=>4": "=>" compares nothing`,
		"alive==-1":             `unknown condition "alive==-1"`,
		"alive==99999999999999": `condition "alive==99999999999999": the number is over 1000000`,
		"alive==1.5":            `unknown condition "alive==1.5"`,
		"ALIVE==1":              `unknown condition "ALIVE==1"`,
		"peer:":                 `condition "peer:" is not peer:NAME=STATE`,
		"peer:x":                `condition "peer:x" is not peer:NAME=STATE`,
		"peer:=alive":           `condition "peer:=alive" is not peer:NAME=STATE`,
		"peer:x=":               `condition "peer:x=" is not peer:NAME=STATE`,
		"peer:x=gone":           `unknown state "gone"`,
	} {
		_, err := parseCondition(text)
		if err == nil || err.Error() != want {
			t.Errorf("parseCondition(%q): error %v, want %q", text, err, want)
			continue
		}
		if f := explain(err); f.code != exitUsage || !f.usage {
			t.Errorf("parseCondition(%q): code %d, usage %v: want a usage error", text, f.code, f.usage)
		}
	}
}

func TestConditionsAgainstAPicture(t *testing.T) {
	p := pictureOf(fakePicture())
	fresh := p
	fresh.self.Network = ""
	agreed := p
	agreed.self.Converged = true
	apart := p
	apart.self.Disagree = []string{"node-d"}
	client := p
	client.peers = slices.Clone(p.peers)
	client.peers[0].Mode = modeClient
	client.self.status.Clients = 1
	for _, c := range []struct {
		text string
		of   picture
		met  bool
		seen string
		who  []string
	}{
		{"joined", p, true, "in network " + p.self.Network, nil},
		{"joined", fresh, false, "not in a network", nil},
		{"converged", agreed, true, "converged", nil},
		{"converged", apart, false, "others list another alive set", []string{"node-d"}},
		{"peers>=3", p, true, "3", nil},
		{"peers > 4", p, false, "3", nil},
		{"alive==1", p, true, "1", nil},
		{"alive==0", p, false, "1", []string{"node-b alive"}},
		{"alive==3", p, false, "1", []string{"node-c dead (silent)", "node-d late, unreachable"}},
		{"alive!=1", p, false, "1", []string{"node-b alive"}},
		{"late<=1", p, true, "1", nil},
		{"dead<1", p, false, "1", []string{"node-c dead (silent)"}},
		{"left==0", p, true, "0", nil},
		{"unreachable==1", p, true, "1", nil},
		{"alive==1", client, false, "0", []string{"node-c dead (silent)", "node-d late, unreachable"}},
		{"clients==1", client, true, "1", nil},
		{"clients>=1", p, false, "0", nil},
		{"peer:node-c=dead", p, true, "dead (silent)", nil},
		{"peer:node-d=unreachable", p, true, "late, unreachable", nil},
		{"peer:node-b=left", p, false, "alive", []string{"node-b"}},
		{"peer:node-x=alive", p, false, `no peer "node-x"`, nil},
		{"peer:" + fakeID(2)[:12] + "=alive", p, true, "alive", nil},
	} {
		cond, err := parseCondition(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		o := cond.judge(c.of)
		if o.Met != c.met || o.Seen != c.seen || !slices.Equal(o.Who, c.who) {
			t.Errorf("%s: met %v, seen %q, who %q; want %v, %q, %q", c.text, o.Met, o.Seen, o.Who, c.met, c.seen, c.who)
		}
	}
}

func FuzzParseCondition(f *testing.F) {
	for _, text := range []string{"joined", "alive==4", "peer:a=dead", "peer:a=b=left", "late<0"} {
		f.Add(text)
	}
	p := pictureOf(fakePicture())
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parseCondition(text)
		if err != nil {
			return
		}
		if again, err := parseCondition(c.text); err != nil || again != c {
			t.Errorf("%q parses to %+v, its text to %+v, %v", text, c, again, err)
		}
		_ = c.judge(p)
	})
}
