package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestLoadPrecedence(t *testing.T) {
	dir := t.TempDir()
	file := write(t, dir, "name = 'from-file'\n\n[gossip]\nlisten = ':1'\ninterval = '2s'\n\n[register]\nlisten = ':2'\n[log]\nlevel='warn'\n")
	env := environment{
		"G2G_GOSSIP_LISTEN": ":11", "G2G_REGISTER_LISTEN": ":12", "G2G_SERVICES": "a:1, b:2", "G2G_LOG_LEVEL": "", // empty: unset
	}
	flags := Values{"register.listen": {"127.0.0.1:22"}, "gossip.advertise": {"a:1", "[::1]:2"}}

	loaded, err := Load(dir, env.get, flags)
	if err != nil {
		t.Fatal(err)
	}
	want := []Entry{
		{"name", "from-file", "file " + file + ":1"},
		{"services", "a:1,b:2", "environment G2G_SERVICES"},
		{"gossip.listen", ":11", "environment G2G_GOSSIP_LISTEN"},
		{"gossip.advertise", "a:1,[::1]:2", "flag --advertise"},
		{"gossip.interval", "2s", "file " + file + ":5"},
		{"register.listen", "127.0.0.1:22", "flag --register"},
		{"signature.period", "1s", "default"},
		{"signature.source", "data", "default"},
		{"stale.strict", "false", "default"},
		{"order.rebuild", "30s", "default"},
		{"order.strict", "false", "default"},
		{"leaf.life", "24h", "default"},
		{"log.format", "text", "default"},
		{"log.level", "warn", "file " + file + ":10"},
		{"route", "", "default"},
		{"forward", "", "default"},
	}
	if got := loaded.Entries(); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	config := Default()
	config.Name = "from-file"
	config.Services = []string{"a:1", "b:2"}
	config.Gossip = Gossip{":11", []string{"a:1", "[::1]:2"}, 2 * time.Second}
	config.Register.Listen = "127.0.0.1:22"
	config.Log.Level = "warn"
	if !reflect.DeepEqual(loaded.Config, config) {
		t.Errorf("got  %+v\nwant %+v", loaded.Config, config)
	}
}

// Every key obeys the same precedence: each source in turn is added below the one that decided before.
func TestLoadPrecedenceOfEveryKey(t *testing.T) {
	values := map[Type][3]string{
		Text: {"a", "b", "c"}, Address: {":1", ":2", ":3"}, Addresses: {"a:1", "b:1", "c:1"}, Duration: {"12s", "13s", "14s"},
		Passages: {"a.B=127.0.0.1:1", "a.C=127.0.0.1:2", ""},
	}
	for _, k := range Keys() {
		t.Run(k.Path, func(t *testing.T) {
			value, ok := values[k.Type]
			switch {
			case k.Path == "log.format":
				value = [3]string{"json", "json", "json"}
			case k.Type == Switch:
				value = [3]string{"true", "true", "true"}
			case k.Path == "signature.source":
				value = [3]string{"application", "application", "application"}
			case k.Type == Choice:
				value = [3]string{"debug", "warn", "error"}
			case k.Path == "leaf.life":
				value = [3]string{"2m", "3m", "4m"}
			case k.Path == "signature.period":
				value = [3]string{"2s", "2.5s", "3s"}
			case !ok:
				t.Fatalf("no values for type %q", k.Type)
			}
			dir := t.TempDir()
			env := environment{}
			flags := Values{}
			expect := func(text, origin string) {
				t.Helper()
				loaded, err := Load(dir, env.get, flags)
				if err != nil {
					t.Fatal(err)
				}
				if got := strings.Join(k.texts(loaded.Config), ","); got != text || loaded.Origin(k.Path) != origin {
					t.Errorf("%q from %q, want %q from %q", got, loaded.Origin(k.Path), text, origin)
				}
			}
			expect(strings.Join(k.texts(Default()), ","), "default")
			name, key := splitPath(k.Path)
			text := key + " = " + k.literal(value[:1])
			if k.isPassage() {
				text = "[[" + key + "]]\nservice = 'a.B'\n" + k.second + " = '127.0.0.1:1'"
			}
			file := write(t, dir, text)
			if name != "" {
				file = write(t, dir, "["+name+"]\n"+key+" = "+k.literal(value[:1]))
				expect(value[0], "file "+file+":2")
			} else {
				expect(value[0], "file "+file+":1")
			}
			env[k.Env] = value[1]
			expect(value[1], "environment "+k.Env)
			if k.Flag != "" {
				flags[k.Path] = value[2:]
				expect(value[2], "flag --"+k.Flag)
			}
		})
	}
}

func TestLoadWithoutAnything(t *testing.T) {
	for _, dir := range []string{t.TempDir(), filepath.Join(t.TempDir(), "none")} {
		loaded, err := Load(dir, environment{}.get, nil)
		if err != nil || !reflect.DeepEqual(loaded.Config, Default()) {
			t.Errorf("got %+v, %v", loaded.Config, err)
		}
	}
}

func TestLoadErrors(t *testing.T) {
	const noDuration = `: no duration; want one such as "500ms", "10s" or "1h30m"`
	for _, c := range []struct {
		name, file string
		env        environment
		flags      Values
		want       string // FILE stands for the file's path
	}{
		{"unknown key", "zzz = 1", nil, nil, `FILE:1:1: unknown key "zzz"`},
		{"type in each", "name = 1", environment{"G2G_LEAF_LIFE": "x", "G2G_STALE_STRICT": "yes"}, Values{"name": {"a", "b"}},
			"FILE:1:1: name: found an integer; want a string\n" +
				`environment G2G_STALE_STRICT: stale.strict = "yes": want true or false` + "\n" +
				`environment G2G_LEAF_LIFE: leaf.life = "x"` + noDuration + "\n" +
				`flag --name: name: given 2 times; want one value`},
		{"rule in each", "name = 'a'\n[gossip]\n\ninterval = '1ms'", environment{"G2G_LEAF_LIFE": "1s", "G2G_GOSSIP_ADVERTISE": "a:1,,b"},
			Values{"log.format": {"xml"}},
			`environment G2G_GOSSIP_ADVERTISE: gossip.advertise[1] = "": no host:port; want at most 16` + wantAddress + "\n" +
				`environment G2G_GOSSIP_ADVERTISE: gossip.advertise[2] = "b": no host:port; want at most 16` + wantAddress + "\n" +
				`FILE:4: gossip.interval = "1ms": too short; want 100ms to 1h` + "\n" +
				`environment G2G_LEAF_LIFE: leaf.life = "1s": too short; want 1m to 720h` + "\n" +
				`flag --log-format: log.format = "xml": not known; want text or json`},
		{"quoted switch", "stale.strict = 'true'", nil, nil, "FILE:1:1: stale.strict: found a string; want true or false, without quotes"},
		{"overridden", "signature.period = '2m'\nname = 'A'", environment{"G2G_SIGNATURE_PERIOD": "1s"}, Values{"name": {"a"}}, ""},
		{"flags", "", nil, Values{"zzz": {"a"}, "leaf.life": {"1h"}, "name": {}},
			`flags: no flag sets key "leaf.life"` + "\n" + `flag --name: name: given 0 times; want one value` + "\n" + `flags: no flag sets key "zzz"`},
		{"long", strings.Repeat("#", MaxFileSize+10), nil, nil, "FILE: more than 65536 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			file := write(t, dir, c.file)
			loaded, err := Load(dir, c.env.get, c.flags)
			if got, want := errorText(err), strings.ReplaceAll(c.want, "FILE", file); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if err != nil && !reflect.DeepEqual(loaded, Loaded{}) {
				t.Error("an error with a value")
			}
		})
	}
}

func TestLoadUnreadable(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, FileName), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(dir, environment{}.get, nil); err == nil || !strings.HasPrefix(err.Error(), "read configuration: ") {
		t.Errorf("got %v", err)
	}
}

func TestLoadFile(t *testing.T) {
	file := write(t, t.TempDir(), "name = 'a'\nleaf.life = '1h'")
	loaded, err := LoadFile(file)
	if err != nil || loaded.Config.Leaf.Life != time.Hour || loaded.Origin("leaf.life") != "file "+file+":2" {
		t.Errorf("got %+v, %v", loaded, err)
	}
	file = write(t, t.TempDir(), "\nname = 'A'\n")
	if _, err := LoadFile(file); errorText(err) != file+`:2: name = "A": other characters`+wantName {
		t.Errorf("got %v", err)
	}
	if _, err := LoadFile(file + ".none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestApplyCopiesLists(t *testing.T) {
	layer, err := Parse([]byte("services = ['a:1']"), "f")
	if err != nil {
		t.Fatal(err)
	}
	layer.Apply(Default()).Services[0] = "changed"
	if got := layer.Apply(Default()).Services[0]; got != "a:1" {
		t.Errorf("a change reached the layer: %q", got)
	}
}

func TestCheckEnvironment(t *testing.T) {
	for _, c := range []struct {
		environ []string
		want    string
	}{
		{nil, ""},
		{[]string{"PATH=/bin", "G2G_DIR=/x", "G2G_TOKEN=secret", "G2G_NAME=a", "G2G_LOG_LEVEL=", "g2g_zzz=1", "G2GX=1", "=C:=x"}, ""},
		{[]string{"G2G_TOKENS=secret", "G2G_ZZZ", "G2G_GOSIP_LISTEN=:1", "G2G_\x1b="},
			`environment: unknown variable "G2G_TOKENS", did you mean "G2G_TOKEN"?` + "\n" +
				`environment: unknown variable "G2G_ZZZ"` + "\n" +
				`environment: unknown variable "G2G_GOSIP_LISTEN", did you mean "G2G_GOSSIP_LISTEN"?` + "\n" +
				`environment: unknown variable "G2G_\x1b"`},
	} {
		if got := errorText(CheckEnvironment(c.environ)); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

// distance against the definition, on all pairs of short words.
func TestDistance(t *testing.T) {
	words := []string{""}
	for i := 0; len(words) < 121; i++ {
		words = append(words, words[i]+"a", words[i]+"b", words[i]+"c")
	}
	for _, a := range words {
		for _, b := range words {
			got, want := distance(a, b), slowDistance(a, b)
			if got != want && min(got, want) < 3 {
				t.Fatalf("distance(%q, %q) = %d, want %d", a, b, got, want)
			}
		}
	}
}

func slowDistance(a, b string) int {
	if a == "" || b == "" {
		return len(a) + len(b)
	}
	change := 1
	if a[0] == b[0] {
		change = 0
	}
	return min(slowDistance(a[1:], b)+1, slowDistance(a, b[1:])+1, slowDistance(a[1:], b[1:])+change)
}

type environment map[string]string

func (e environment) get(name string) string { return e[name] }

func write(t *testing.T, dir, text string) string {
	t.Helper()
	path := filepath.Join(dir, FileName)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
