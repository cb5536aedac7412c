package config

import (
	"strings"
	"testing"
)

func TestDefaultIsValid(t *testing.T) {
	if err := Default().Validate(); err != nil {
		t.Error(err)
	}
}

func TestCleanName(t *testing.T) {
	long := strings.Repeat("a", 62)
	for _, c := range []struct{ host, want string }{
		{"alpha", "alpha"},
		{"Alpha.Example.ORG", "alpha.example.org"},
		{"my_host  1", "my-host-1"},
		{"Zoë's Mac", "zo-s-mac"},
		{"--a--", "a"},
		{"_a_", "a"},
		{"", "node"},
		{"...", "node"},
		{"日本", "node"},
		{long + "bcd", long + "b"},
		{long + "-d", long},
	} {
		got := cleanName(c.host)
		if got != c.want {
			t.Errorf("cleanName(%q) = %q, want %q", c.host, got, c.want)
		}
		if reason := checkName(got); reason != "" {
			t.Errorf("cleanName(%q) = %q: %s", c.host, got, reason)
		}
	}
}

func TestKeys(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range Keys() {
		for _, id := range []string{k.Path, k.Env, "--" + k.Flag} {
			if seen[id] && id != "--" {
				t.Errorf("%s: %s is used twice", k.Path, id)
			}
			seen[id] = true
		}
		if k.Rule == "" || k.Doc == "" || k.Type == "" || k.field == nil || k.check == nil {
			t.Errorf("%s: the table lacks something", k.Path)
		}
		if (k.Type == Duration) != (k.Unit != "") || k.isList() != (k.most > 0) || k.isPassage() != (k.second != "") {
			t.Errorf("%s: unit %q, most %d do not fit type %q", k.Path, k.Unit, k.most, k.Type)
		}
	}
	for path, want := range map[string][3]string{
		"name":             {"G2G_NAME", "name", "the host's name, cleaned"},
		"services":         {"G2G_SERVICES", "service", ""},
		"gossip.listen":    {"G2G_GOSSIP_LISTEN", "listen", ":7401"},
		"gossip.advertise": {"G2G_GOSSIP_ADVERTISE", "advertise", ""},
		"gossip.interval":  {"G2G_GOSSIP_INTERVAL", "", "1s"},
		"register.listen":  {"G2G_REGISTER_LISTEN", "register", ":7402"},
		"signature.period": {"G2G_SIGNATURE_PERIOD", "", "1s"},
		"signature.source": {"G2G_SIGNATURE_SOURCE", "", "data"},
		"stale.strict":     {"G2G_STALE_STRICT", "", "false"},
		"order.rebuild":    {"G2G_ORDER_REBUILD", "", "30s"},
		"order.strict":     {"G2G_ORDER_STRICT", "", "false"},
		"leaf.life":        {"G2G_LEAF_LIFE", "", "24h"},
		"log.format":       {"G2G_LOG_FORMAT", "log-format", "text"},
		"log.level":        {"G2G_LOG_LEVEL", "", "info"},
		"route":            {"G2G_ROUTE", "", ""},
		"forward":          {"G2G_FORWARD", "", ""},
	} {
		found := false
		for _, k := range Keys() {
			if k.Path == path {
				found = true
				if got := [3]string{k.Env, k.Flag, k.Default}; got != want {
					t.Errorf("%s: %q, want %q", path, got, want)
				}
			}
		}
		if !found {
			t.Errorf("no key %s", path)
		}
	}
	if len(Keys()) != 16 {
		t.Errorf("%d keys; this test and the acceptance know 16", len(Keys()))
	}
}
