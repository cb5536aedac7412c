package config

import (
	"math/rand"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"
)

func TestParse(t *testing.T) {
	text := `
name = "alpha" # a comment
services = [
  "a:1", # with comments
  'b:2',
]
gossip.interval = "1m30s"
[register]
listen = """:0"""
["stale"]
"strict" = true
`
	want := Default()
	want.Name = "alpha"
	want.Services = []string{"a:1", "b:2"}
	want.Gossip.Interval = 90 * time.Second
	want.Register.Listen = ":0"
	want.Stale = Stale{Strict: true}
	layer, err := Parse([]byte(text), "f")
	if err != nil {
		t.Fatal(err)
	}
	if got := layer.Apply(Default()); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	for path, origin := range map[string]string{
		"name": "file f:2", "services": "file f:3", "gossip.interval": "file f:7",
		"register.listen": "file f:9", "stale.strict": "file f:11",
	} {
		if got := layer.settings[path].origin; got != origin {
			t.Errorf("%s from %q, want %q", path, got, origin)
		}
	}
	if len(layer.settings) != 5 {
		t.Errorf("%d settings, want 5", len(layer.settings))
	}
}

func TestParseSameTwoWays(t *testing.T) {
	for _, text := range []string{
		"[gossip]\nlisten = \":1\"\nadvertise = []\n",
		"gossip = {listen = \":1\", advertise = []}",
		"gossip.listen = \":1\"\r\ngossip.advertise = []\r\n",
		"\n[ gossip ]\n  'listen' = ':1'\n\"advertise\"=[]",
	} {
		layer, err := Parse([]byte(text), "f")
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		want := Default()
		want.Gossip.Listen = ":1"
		if got := layer.Apply(Default()); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %+v", text, got)
		}
	}
}

func TestParsePassages(t *testing.T) {
	for _, text := range []string{
		"[[route]]\nservice = 'a.B'\nbackend = 'h:1'\n[[forward]]\nlisten = '127.0.0.1:1'\nservice = 'c.D'\n[[route]]\nservice = 'a.C'\nbackend = 'h:2'\n[log]\nlevel = 'warn'",
		"route = [{service = 'a.B', backend = 'h:1'}, {backend = 'h:2', service = 'a.C'}]\nforward = [{service = 'c.D', listen = '127.0.0.1:1'}]\nlog.level = 'warn'",
	} {
		layer, err := Parse([]byte(text), "f")
		if err != nil {
			t.Fatal(err)
		}
		want := Default()
		want.Routes, want.Forwards = []Passage{{"a.B", "h:1"}, {"a.C", "h:2"}}, []Passage{{"c.D", "127.0.0.1:1"}}
		want.Log.Level = "warn"
		if got := layer.Apply(Default()); !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", text, got, want)
		}
		if got := layer.settings["route"].origin; got != "file f:1" {
			t.Errorf("from %s", got)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"unknown", "zzz = 1", `f:1:1: unknown key "zzz"`},
		{"unknown in table", "[gossip]\n  zzz = 1", `f:2:3: unknown key "gossip.zzz"`},
		{"unknown table", "# head\n\n[zzz]\nname = 1\nlisten = 2\n[gossip]\nlisten = 3", `f:3:2: unknown key "zzz"` + "\n" +
			`f:7:1: gossip.listen: found an integer; want a string`},
		{"unknown list of tables", "[[zzz]]\na = 1", `f:1:3: unknown key "zzz"`},
		{"unknown deep table", "[gossip.zzz]\na = 1", `f:1:2: unknown key "gossip.zzz"`},
		{"unknown inline", "gossip = { zzz = 1 }", `f:1:12: unknown key "gossip.zzz"`},
		{"unknown dotted", "gossip.zzz.listen = 1", `f:1:1: unknown key "gossip.zzz.listen"`},
		{"typing error", "[gossip]\nlisen = \":1\"", `f:2:1: unknown key "gossip.lisen", did you mean "gossip.listen"?`},
		{"outside its table", "advertise = []", `f:1:1: unknown key "advertise", did you mean "gossip.advertise"?`},
		{"outside two tables", "listen = ':1'", `f:1:1: unknown key "listen"`},
		{"wrong case", "Name = 'a'", `f:1:1: unknown key "Name", did you mean "name"?`},
		{"dot in a name", `"gossip.listen" = ":1"`, `f:1:1: unknown key "\"gossip.listen\"", did you mean "gossip.listen"?`},
		{"control in a name", `"a\u001b[2J\n" = 1`, `f:1:1: unknown key "a\x1b[2J\n"`},
		{"empty name", `"" = 1`, `f:1:1: unknown key ""`},
		{"empty table", "[\"\"]\nname = 'a'", `f:1:2: unknown key ""`},
		{"integer", "name = 5", "f:1:1: name: found an integer; want a string"},
		{"float", "name = 5.0", "f:1:1: name: found a float; want a string"},
		{"boolean", "name = true", "f:1:1: name: found a boolean; want a string"},
		{"date", "name = 2020-01-01", "f:1:1: name: found a date or time; want a string"},
		{"list", "name = ['a']", "f:1:1: name: found a list; want a string"},
		{"inline table", "name = {a = 1}", "f:1:1: name: found a table; want a string"},
		{"dotted below a key", "name.a = 1", "f:1:1: name: found a table; want a string"},
		{"table below a key", "[gossip.listen.a]", "f:1:2: gossip.listen: found a table; want a string"},
		{"table as key", "[name]\na = 1", "f:1:2: name: found a table; want a string"},
		{"list of tables as key", "[[services]]\na = 1", `f:1:3: services: found a list of tables; want a list of strings such as ["192.0.2.1:7401"]`},
		{"key as table", "gossip = 5", "f:1:1: gossip: found an integer; want a table"},
		{"list as table", "gossip = []", "f:1:1: gossip: found a list; want a table"},
		{"list of tables as table", "[[gossip]]\nlisten = ':1'", "f:1:3: gossip: found a list of tables; want a table"},
		{"string for list", "services = 'a:1'", `f:1:1: services: found a string; want a list of strings such as ["192.0.2.1:7401"]`},
		{"wrong entry", "services = ['a:1', 2]", `f:1:1: services: found a list; want a list of strings such as ["192.0.2.1:7401"]`},
		{"nested list", "services = [['a:1']]", `f:1:1: services: found a list; want a list of strings such as ["192.0.2.1:7401"]`},
		{"number for duration", "[leaf]\nlife = 86400", `f:2:1: leaf.life: found an integer; want a string such as "10s"`},
		{"duration without unit", "[leaf]\nlife = '86400'", `f:2:1: leaf.life = "86400": no duration; want one such as "500ms", "10s" or "1h30m"`},
		{"duration too big", "[leaf]\nlife = '9999999h'", `f:2:1: leaf.life = "9999999h": no duration; want one such as "500ms", "10s" or "1h30m"`},
		{"route as table", "[route]\nservice = 'a'", "f:1:2: route: found a table; want tables [[route]], each with service and backend"},
		{"route as text", "forward = 'a'", "f:1:1: forward: found a string; want tables [[forward]], each with service and listen"},
		{"route of texts", "route = ['a']", "f:1:1: route: found a list; want tables [[route]], each with service and backend"},
		{"route without", "\n[[route]]\nservice = 'a'\n[[forward]]\nlisten = 'a:1'\n[[route]]", "f:2:3: route: it has no backend; want tables [[route]], each with service and backend" + "\n" +
			"f:4:3: forward: it has no service; want tables [[forward]], each with service and listen" + "\n" +
			"f:6:3: route: it has no service; want tables [[route]], each with service and backend"},
		{"route of another kind", "[[route]]\nservice = 5\nbacken = 'a:1'\n", "f:2:1: route.service: found an integer; want a string" + "\n" +
			`f:3:1: unknown key "route.backen", did you mean "route.backend"?`},
		{"several", "name = 5\nzzz = 1\n[leaf]\nlife = 'x'\n", "f:1:1: name: found an integer; want a string\n" +
			"f:2:1: unknown key \"zzz\"\n" +
			`f:4:1: leaf.life = "x": no duration; want one such as "500ms", "10s" or "1h30m"`},
		{"too long", strings.Repeat("#", MaxFileSize+1), "f: more than 65536 bytes"},
		{"longest", strings.Repeat("#", MaxFileSize-7) + "\nzzz=12", `f:2:1: unknown key "zzz"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			layer, err := Parse([]byte(c.text), "f")
			if got := errorText(err); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if layer.settings != nil {
				t.Error("an error with a layer")
			}
		})
	}
}

// What go-toml refuses: the place is ours to keep, the words are its own.
func TestParseSyntaxErrors(t *testing.T) {
	for _, c := range []struct{ name, text, place string }{
		{"no value", "name = \n", "f:1:8: "},
		{"no key", "= 1", "f:1:1: "},
		{"open string", "\nname = \"a", "f:2:9: "},
		{"key twice", "name = 'a'\nname = 'b'", "f:2:1: "},
		{"table twice", "[gossip]\n[gossip]", "f:2:2: "},
		{"not utf-8", "name = '\xff'", "f:1:9: "},
		{"zero byte", "name = 'a'\n\x00", "f:2:1: "},
		{"deep", "a = " + strings.Repeat("[", 60_000), "f:1:"},
	} {
		_, err := Parse([]byte(c.text), "f")
		if got := errorText(err); !strings.HasPrefix(got, c.place) || strings.Contains(got, "toml:") {
			t.Errorf("%s: got %q, want it to begin with %q", c.name, got, c.place)
		}
	}
}

func TestParseListsAtMost(t *testing.T) {
	var b strings.Builder
	for i := range 5000 {
		b.WriteString("x" + strings.Repeat("y", i%3) + "_" + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676)) + "=1\n")
	}
	_, err := Parse([]byte(b.String()), "f")
	lines := strings.Split(errorText(err), "\n")
	if len(lines) != maxFaults+1 || lines[maxFaults] != "and 4968 more faults" {
		t.Errorf("%d lines, the last %q", len(lines), lines[len(lines)-1])
	}
}

func TestTemplateRoundTrip(t *testing.T) {
	random := rand.New(rand.NewSource(1))
	configs := []Config{Default(), {}, {Name: "quote\"back\\slash\tnew\nline\x00\x7fé日", Services: []string{"", "\"", ","}}}
	for range 200 {
		configs = append(configs, randomConfig(random))
	}
	for _, c := range configs {
		checkRoundTrip(t, c)
	}
}

func checkRoundTrip(t *testing.T, c Config) {
	t.Helper()
	text := Template(c)
	layer, err := Parse(text, "f")
	if err != nil {
		if len(text) > MaxFileSize {
			return // escapes and comments make a file longer; such a config is not valid
		}
		t.Fatalf("%v in\n%s", err, text)
	}
	if got := layer.Apply(Default()); !reflect.DeepEqual(got, c) {
		t.Errorf("got  %+v\nwant %+v\nfrom\n%s", got, c, text)
	}
}

// randomConfig changes some of the keys, to values of the right type that need not be valid.
func randomConfig(random *rand.Rand) Config {
	c := Default()
	for _, k := range table {
		if random.Intn(2) == 0 {
			continue
		}
		switch field := k.field(&c).(type) {
		case *string:
			*field = randomText(random)
		case *time.Duration:
			*field = time.Duration(random.Int63()) >> random.Intn(63)
		case *[]string:
			for range random.Intn(5) {
				*field = append(*field, randomText(random))
			}
		case *[]Passage:
			for range random.Intn(3) {
				*field = append(*field, Passage{strings.ReplaceAll(randomText(random), "=", ""), randomText(random)})
			}
		}
	}
	return c
}

func randomText(random *rand.Rand) string {
	const runes = "abc019-.:[]\"'\\#=,\n\r\té\x00\x7f"
	var text []rune
	for range random.Intn(12) {
		text = append(text, []rune(runes)[random.Intn(len([]rune(runes)))])
	}
	return string(text)
}

func TestTemplate(t *testing.T) {
	c := Default()
	c.Name = "alpha"
	c.Register.Listen = "127.0.0.1:0"
	c.Gossip.Advertise = []string{"a:1", "[::1]:2"}
	text := string(Template(c))
	lines := strings.Split(text, "\n")
	for _, want := range []string{
		`name = "alpha"`, `#services = []`, `[gossip]`, `#listen = ":7401"`, `advertise = ["a:1", "[::1]:2"]`, `#interval = "1s"`,
		`[register]`, `listen = "127.0.0.1:0"`, `#rebuild = "30s"`, `#life = "24h"`, `#format = "text"`,
		`# Also G2G_GOSSIP_LISTEN and --listen. Counts after restart.`, `# Also G2G_NAME and --name. Counts after reload.`,
	} {
		found := 0
		for _, line := range lines {
			if line == want {
				found++
			}
		}
		if found != 1 {
			t.Errorf("%d times %q in\n%s", found, want, text)
		}
	}
	for _, line := range lines {
		if strings.HasPrefix(line, "# ") && len(line) > 120 {
			t.Errorf("comment of %d bytes: %s", len(line), line)
		}
	}
}

// Removing the # of every key gives the same configuration: what the comments show is what holds.
func TestTemplateShowsDefaults(t *testing.T) {
	c := Default()
	var lines []string
	for line := range strings.Lines(string(Template(c))) {
		if strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "# ") {
			line = line[1:]
		}
		lines = append(lines, line)
	}
	layer, err := Parse([]byte(strings.Join(lines, "")), "f")
	if err != nil {
		t.Fatal(err)
	}
	if want := len(table) - 2; len(layer.settings) != want { // routes and forwards have no default to show
		t.Errorf("%d settings, want %d", len(layer.settings), want)
	}
	if got := layer.Apply(Config{}); !reflect.DeepEqual(got, c) {
		t.Errorf("got  %+v\nwant %+v", got, c)
	}
}

func TestFormatDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 10 * time.Second: "10s", time.Minute: "1m", 10 * time.Minute: "10m", time.Hour: "1h", 100 * time.Hour: "100h",
		time.Hour + time.Second: "1h0m1s", 90 * time.Minute: "1h30m", -time.Hour: "-1h", 1500 * time.Microsecond: "1.5ms", 70 * time.Second: "1m10s",
	} {
		got := formatDuration(d)
		if back, err := time.ParseDuration(got); got != want || err != nil || back != d {
			t.Errorf("formatDuration(%d) = %q, want %q", d, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("name = 'a'\nservices = ['a:1', \"b:2\"]\n[gossip]\ninterval = '1s'\n"))
	f.Add([]byte("gossip = { listen = ':0', advertise = [] }\nstale.strict = true"))
	f.Add([]byte("[[gossip]]\n[zzz.\"a.b\"]\n\"\\u001b\" = 1979-05-27T07:32:00Z"))
	f.Add([]byte("name = \"\"\"\\\n  a\"\"\"\n# c\r\nx = [1, [2.5, {a = true}]]"))
	f.Add(Template(Default()))
	f.Fuzz(func(t *testing.T, data []byte) {
		layer, err := Parse(data, "f")
		if err != nil {
			if layer.settings != nil {
				t.Fatal("an error with a layer")
			}
			checkErrorText(t, err.Error())
			return
		}
		c := layer.Apply(Default())
		checkRoundTrip(t, c)
		if err := c.Validate(); err != nil {
			checkErrorText(t, err.Error())
		}
	})
}

// An error goes to a terminal: nothing of the input may reach it unquoted, and its length is bounded.
func checkErrorText(t *testing.T, text string) {
	t.Helper()
	if len(text) > 64*(maxFaults+1)*100 {
		t.Fatalf("error of %d bytes", len(text))
	}
	for _, r := range text {
		if r != '\n' && !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			t.Fatalf("%q in the error %q", r, text)
		}
	}
	if strings.Count(text, "\n") > maxFaults {
		t.Fatalf("error of %d lines", strings.Count(text, "\n"))
	}
}
