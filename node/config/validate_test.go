package config

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

const (
	wantListen   = "; want host:port, the host empty (all interfaces), an IPv4, [IPv6] or DNS name, the port 0 (any) to 65535"
	wantRegister = wantListen + ", not the address of gossip.listen"
	wantAddress  = ", each host:port, the host an IPv4, [IPv6] or DNS name, the port 1 to 65535"
	wantName     = "; want 1 to 63 of a-z, 0-9, - and ., the first and last a letter or digit"
)

func TestValidate(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Config)
		want   string
	}{
		{"default", func(*Config) {}, ""},
		{"name empty", func(c *Config) { c.Name = "" }, `name = "": empty` + wantName},
		{"name long", func(c *Config) { c.Name = strings.Repeat("a", 64) }, `name = "` + strings.Repeat("a", 64) + `": 64 bytes` + wantName},
		{"name longest", func(c *Config) { c.Name = strings.Repeat("a", 63) }, ""},
		{"name upper case", func(c *Config) { c.Name = "Alpha" }, `name = "Alpha": other characters` + wantName},
		{"name control", func(c *Config) { c.Name = "a\x1b[2J\n" }, `name = "a\x1b[2J\n": other characters` + wantName},
		{"name like a flag", func(c *Config) { c.Name = "-a" }, `name = "-a": - or . at an end` + wantName},
		{"name every kind", func(c *Config) { c.Name = "a-1.b" }, ""},
		{"name huge", func(c *Config) { c.Name = strings.Repeat("a", 1000) },
			`name = "` + strings.Repeat("a", 300) + `"...: 1000 bytes` + wantName},
		{"listen", func(c *Config) { c.Gossip.Listen = "7401" }, `gossip.listen = "7401": no host:port` + wantListen},
		{"register", func(c *Config) { c.Register.Listen = "" }, `register.listen = "": no host:port` + wantRegister},
		{"both any port", func(c *Config) { c.Gossip.Listen, c.Register.Listen = ":0", ":0" }, ""},
		{"same port", func(c *Config) { c.Register.Listen = "127.0.0.1:7401" },
			`register.listen = "127.0.0.1:7401": gossip.listen ":7401" has the same port` + wantRegister},
		{"same address", func(c *Config) { c.Gossip.Listen, c.Register.Listen = "a:1", "a:1" },
			`register.listen = "a:1": gossip.listen "a:1" has the same port` + wantRegister},
		{"same port, other host", func(c *Config) { c.Gossip.Listen, c.Register.Listen = "127.0.0.1:1", "127.0.0.2:1" }, ""},
		{"advertise", func(c *Config) { c.Gossip.Advertise = []string{"a:1", "b"} },
			`gossip.advertise[1] = "b": no host:port; want at most 16` + wantAddress},
		{"advertise most", func(c *Config) { c.Gossip.Advertise = hosts(16) }, ""},
		{"advertise many", func(c *Config) { c.Gossip.Advertise = hosts(17) }, `gossip.advertise: 17 addresses; want at most 16` + wantAddress},
		{"services most", func(c *Config) { c.Services = hosts(64) }, ""},
		{"services many", func(c *Config) { c.Services = hosts(65) }, `services: 65 addresses; want at most 64` + wantAddress},
		{"services twice", func(c *Config) { c.Services = []string{"a:1", "b:1", "a:1"} }, `services[2] = "a:1": given twice; want at most 64` + wantAddress},
		{"interval short", func(c *Config) { c.Gossip.Interval = 99 * time.Millisecond }, `gossip.interval = "99ms": too short; want 100ms to 1h`},
		{"interval shortest", func(c *Config) { c.Gossip.Interval = 100 * time.Millisecond }, ""},
		{"interval longest", func(c *Config) { c.Gossip.Interval = time.Hour }, ""},
		{"interval long", func(c *Config) { c.Gossip.Interval = time.Hour + 1 }, `gossip.interval = "1h0m0.000000001s": too long; want 100ms to 1h`},
		{"period negative", func(c *Config) { c.Signature.Period = -time.Second }, `signature.period = "-1s": too short; want 100ms to 1h`},
		{"life short", func(c *Config) { c.Leaf.Life = 59 * time.Second }, `leaf.life = "59s": too short; want 1m to 720h`},
		{"life long", func(c *Config) { c.Leaf.Life = 721 * time.Hour }, `leaf.life = "721h": too long; want 1m to 720h`},
		{"format", func(c *Config) { c.Log.Format = "xml" }, `log.format = "xml": not known; want text or json`},
		{"level", func(c *Config) { c.Log.Level = "INFO" }, `log.level = "INFO": not known; want debug, info, warn or error`},
		{"route", func(c *Config) { c.Routes = passages("a.B=127.0.0.1:1", "C=app:2", "a.b_2.C=[::1]:3") }, ""},
		{"route of the node's own", func(c *Config) {
			c.Routes = passages("g2g.gossip.v1.Gossip=127.0.0.1:1", "g2g=h:1")
		}, `route[0] = "g2g.gossip.v1.Gossip=127.0.0.1:1": service name "g2g.gossip.v1.Gossip": the packages g2g and g2g.* are the node's own` + wantRoute + "\n" +
			`route[1] = "g2g=h:1": service name "g2g": the packages g2g and g2g.* are the node's own` + wantRoute},
		{"route of no name", func(c *Config) { c.Routes = passages("a/B=h:1", "=h:1", "a..B=h:1") },
			`route[0] = "a/B=h:1": service name "a/B": its parts are letters, digits and _, no digit first` + wantRoute + "\n" +
				`route[1] = "=h:1": service name of 0 characters: 1 to 128 are needed` + wantRoute + "\n" +
				`route[2] = "a..B=h:1": service name "a..B": a part of it is empty` + wantRoute},
		{"route to nowhere", func(c *Config) { c.Routes = passages("a.B=h", "a.C=h:0") },
			`route[0] = "a.B=h": no host:port` + wantRoute + "\n" + `route[1] = "a.C=h:0": port 0 cannot be dialled` + wantRoute},
		{"route twice", func(c *Config) { c.Routes = passages("a.B=h:1", "a.B=h:2") },
			`route[1] = "a.B=h:2": the service has another backend already` + wantRoute},
		{"route in a circle", func(c *Config) {
			c.Routes, c.Forwards = passages("a.B=localhost:1"), passages("a.B=127.0.0.1:1")
		}, `route[0] = "a.B=localhost:1": the backend is the port of a forward of this node` + wantRoute},
		{"routes many", func(c *Config) {
			for i := range 65 {
				c.Routes = append(c.Routes, Passage{fmt.Sprintf("a.B%d", i), "h:1"})
			}
		}, "route: 65 tables" + wantRoute},
		{"forward", func(c *Config) {
			c.Forwards = passages("a.B=127.0.0.1:0", "a.C=127.0.0.1:0", "a.D=[::1]:1", "a.D=127.9.9.9:1")
		}, ""},
		{"forward for everybody", func(c *Config) {
			c.Forwards = passages("a.B=:1", "a.B=0.0.0.0:1", "a.B=10.0.0.1:1", "a.B=example.org:1")
		},
			strings.Join([]string{
				`forward[0] = "a.B=:1"` + wantForward, `forward[1] = "a.B=0.0.0.0:1"` + wantForward, `forward[2] = "a.B=10.0.0.1:1"` + wantForward,
				`forward[3] = "a.B=example.org:1"` + wantForward,
			}, "\n")},
		{"forward of the node's own", func(c *Config) { c.Forwards = passages("g2g.admin.v1.Admin=127.0.0.1:1") },
			`forward[0] = "g2g.admin.v1.Admin=127.0.0.1:1": service name "g2g.admin.v1.Admin": the packages g2g and g2g.* are the node's own; want ` + forwardRule},
		{"forward twice", func(c *Config) { c.Forwards = passages("a.B=127.0.0.1:1", "a.C=127.0.0.1:1") },
			`forward[1] = "a.C=127.0.0.1:1": the port has another service already; want ` + forwardRule},
		{"everything", func(c *Config) { *c = Config{} }, strings.Join([]string{
			`name = "": empty` + wantName,
			`gossip.listen = "": no host:port` + wantListen,
			`gossip.interval = "0s": too short; want 100ms to 1h`,
			`register.listen = "": no host:port` + wantRegister,
			`signature.period = "0s": too short; want 100ms to 1h`,
			`signature.source = "": not known; want data or application`,
			`order.rebuild = "0s": too short; want 1s to 1h`,
			`leaf.life = "0s": too short; want 1m to 720h`,
			`log.format = "": not known; want text or json`,
			`log.level = "": not known; want debug, info, warn or error`,
		}, "\n")},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := Default()
			config.Name = "alpha"
			c.change(&config)
			if got := errorText(config.Validate()); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

const (
	wantRoute   = "; want " + routeRule
	wantForward = ": not a loopback address: whoever could reach it would call as this node; want " + forwardRule
)

func passages(texts ...string) (list []Passage) {
	for _, text := range texts {
		p, _ := parsePassage(text)
		list = append(list, p)
	}
	return list
}

func TestValidateListsAtMost(t *testing.T) {
	c := Default()
	c.Services = make([]string, 40)
	lines := strings.Split(errorText(c.Validate()), "\n")
	if len(lines) != maxFaults+1 || lines[maxFaults] != "and 8 more faults" {
		t.Errorf("%d lines, the last %q", len(lines), lines[len(lines)-1])
	}
}

func hosts(n int) []string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf("h%d:1", i))
	}
	return list
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
