package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Type says how a key's value is written.
type Type string

// The types of keys. In an environment variable the entries of Addresses stand behind one another with commas between.
const (
	Text      Type = "text"
	Address   Type = "host:port"
	Addresses Type = "list of host:port"
	Duration  Type = "duration"
	Choice    Type = "choice"
	Switch    Type = "true or false"
	Passages  Type = "list of tables" // in an environment variable service=host:port, with commas between
)

// A Key is one setting: every way to give it, its bounds and its cost. File, environment, flags, help topics
// and docs/config.md are all made from the one table of keys.
type Key struct {
	Path    string // in g2g.toml, the table's name before the dot
	Env     string // environment variable
	Flag    string // of cmd, without dashes; empty: it has none
	Type    Type
	Unit    string // empty where the type has none
	Default string // as Entry.Value; for name a description, since it is the host's
	Rule    string // what must hold, to be read after "want"
	Doc     string // what it does; what more or less of it costs
	Live    bool   // counts for a node that runs as soon as it reloads; the others from its next start

	field func(*Config) any   // *string, *[]string, *[]Passage, *bool or *time.Duration
	check func(string) string // why one value breaks Rule; empty when it does not
	most  int                 // entries of a list
	// second is the key beside service in each table of Passages.
	second string
	cross  func(Key, Config) []fault // a rule that needs other keys; called only when every key alone is right
}

const durationUnit = "ms, s, m or h, behind the number"

// Keys returns the table of every setting, in the order of the file.
func Keys() []Key {
	defaults := Default()
	keys := slices.Clone(table)
	for i := range keys {
		k := &keys[i]
		k.Env = envName(k.Path)
		if k.Type == Duration {
			k.Unit = durationUnit
		}
		k.Default = strings.Join(k.texts(defaults), ",")
		if k.Path == "name" {
			k.Default = "the host's name, cleaned"
		}
	}
	return keys
}

// table is never changed; Keys fills in what follows from it.
var table = []Key{
	{
		Path: "name", Flag: "name", Type: Text, Live: true,
		Rule: "1 to 63 of a-z, 0-9, - and ., the first and last a letter or digit",
		Doc: "How people call this node. Names need not be unique, but a command that is given a name of two peers refuses, " +
			"so unique ones save typing IDs.",
		field: func(c *Config) any { return &c.Name }, check: checkName,
	},
	{
		Path: "services", Flag: "service", Type: Addresses, Live: true, most: MaxServices,
		Rule: "at most 64, each " + addressRule,
		Doc: "Shared addresses behind which some member always answers (a DNS name, a load balancer). They stand in this node's " +
			"contact, so that every peer lists them; each costs its length in every copy of the contact.",
		field: func(c *Config) any { return &c.Services }, check: checkAddress,
	},
	{
		Path: "gossip.listen", Flag: "listen", Type: Address, Rule: listenRule,
		Doc: "Where members reach this node. Without a host: on all interfaces. Port 0 takes any free port, which firewalls " +
			"and tokens then cannot know beforehand.",
		field: func(c *Config) any { return &c.Gossip.Listen }, check: checkListen,
	},
	{
		Path: "gossip.advertise", Flag: "advertise", Type: Addresses, Live: true, most: MaxAdvertise,
		Rule: "at most 16, each " + addressRule,
		Doc: "Where others are told to reach this node's gossip port; needed behind NAT or a port mapping. Each makes the " +
			"contact that everybody keeps longer, and a wrong one costs every dialler a time-out. None: what the node finds out by itself.",
		field: func(c *Config) any { return &c.Gossip.Advertise }, check: checkAddress,
	},
	{
		Path: "gossip.interval", Type: Duration, Live: true, Rule: "100ms to 1h",
		Doc: "Time between two exchanges that this node begins; in a network larger than a view six times as long, up to 10s, while nothing happens. Shorter: " +
			"news travels faster; traffic and processor time grow in proportion. Longer: changes are seen later.",
		field: func(c *Config) any { return &c.Gossip.Interval }, check: within(100*time.Millisecond, time.Hour),
	},
	{
		Path: "register.listen", Flag: "register", Type: Address, Rule: listenRule + ", not the address of gossip.listen",
		Doc: "Where strangers with a token ask to be let in; the only port that has to be open to them. Port 0 takes any free port, " +
			"so that tokens hold only until the port changes.",
		field: func(c *Config) any { return &c.Register.Listen }, check: checkListen, cross: crossRegister,
	},
	{
		Path: "signature.period", Type: Duration, Rule: "100ms to 1h",
		Doc: "Time between two publications of the summary of this node's data, which are also its signs of life. Shorter: failures are noticed " +
			"faster, every peer has more to pass on. Longer: the reverse.",
		field: func(c *Config) any { return &c.Signature.Period }, check: within(100*time.Millisecond, time.Hour),
	},
	{
		Path: "signature.source", Type: Choice, Rule: "data or application",
		Doc: "Whose data the signature is of. data: the samples in the folder (g2g data load), published by the node after each look at them. application: " +
			"a program's, and only when it publishes, at least each signature.period: without that this node makes no progress that peers can see.",
		field: func(c *Config) any { return &c.Signature.Source }, check: oneOf(SourceData, SourceApplication),
	},
	{
		Path: "stale.strict", Type: Switch, Rule: "true or false",
		Doc: "Judges peers by the plain rule alone: late above mean + 2 standard deviations of all their ages. It finds nobody among five or fewer, " +
			"nor where a fifth of all stop at once, and calls healthy peers late now and then. For comparison only.",
		field: func(c *Config) any { return &c.Stale.Strict }, check: oneOf("true", "false"),
	},
	{
		Path: "order.rebuild", Type: Duration, Rule: "1s to 1h",
		Doc: "Time between two rounds in which peers are grouped by their distance (where there are many, in some) and the query order is made " +
			"anew; when the peers change it is made within 200 ms. Shorter: who is asked first varies faster, and a peer that moved is noticed sooner. Longer: less work.",
		field: func(c *Config) any { return &c.Order.Rebuild }, check: within(time.Second, time.Hour),
	},
	{
		Path: "order.strict", Type: Switch, Rule: "true or false",
		Doc: "Keeps the members of a group as a stack in the order in which they came, the newest first, instead of shuffling them. Then all nodes " +
			"ask the same peers first.",
		field: func(c *Config) any { return &c.Order.Strict }, check: oneOf("true", "false"),
	},
	{
		Path: "leaf.life", Type: Duration, Rule: "1m to 720h",
		Doc: "How long one TLS certificate is valid; it is renewed at two thirds of that. Shorter: a stolen key is worth less, connections are " +
			"made anew more often, clocks must agree better. Longer: the reverse.",
		field: func(c *Config) any { return &c.Leaf.Life }, check: within(time.Minute, 720*time.Hour),
	},
	{
		Path: "log.format", Flag: "log-format", Type: Choice, Live: true, Rule: "text or json",
		Doc:   "How log lines on stderr are written: text for people, json for programs, with longer lines.",
		field: func(c *Config) any { return &c.Log.Format }, check: oneOf("text", "json"),
	},
	{
		Path: "log.level", Type: Choice, Live: true, Rule: "debug, info, warn or error",
		Doc:   "The least important kind of line that is still logged. debug costs many lines, error hides what leads up to a failure.",
		field: func(c *Config) any { return &c.Log.Level }, check: oneOf("debug", "info", "warn", "error"),
	},
	{
		Path: "route", Type: Passages, most: MaxRoutes, second: "backend", Rule: routeRule,
		Doc: "gRPC services of programs in any language that members call at this node's gossip port: each call is carried to the plaintext port " +
			"that backend names, with the caller's ID in its metadata. The way there is not protected, so it should not leave this host. The names " +
			"stand in this node's contact. In the environment: pkg.Service=127.0.0.1:9000, with commas between. See docs/services.md.",
		field: func(c *Config) any { return &c.Routes }, check: checkPassage(checkAddress), cross: crossRoutes,
	},
	{
		Path: "forward", Type: Passages, most: MaxForwards, second: "listen", Rule: forwardRule,
		Doc: "gRPC services of peers that programs here call at a plaintext port of this host: each call goes to the first peer of the query order " +
			"that serves it, or to the next where it cannot have reached that one. Every user of this host can call there, as this node. In the environment: " +
			"pkg.Service=127.0.0.1:9100, with commas between. See docs/services.md.",
		field: func(c *Config) any { return &c.Forwards }, check: checkPassage(checkLoopback), cross: crossForwards,
	},
}

// WithLive is c with the settings of next that can change while a node runs.
func (c Config) WithLive(next Config) Config {
	for _, k := range table {
		if !k.Live {
			continue
		}
		if err := k.assign(&c, k.texts(next)); err != nil {
			panic(fmt.Sprintf("config: a value cannot be written and read: %v", err))
		}
	}
	return c
}

func lookUp(path string) (Key, bool) {
	for _, k := range table {
		if k.Path == path {
			return k, true
		}
	}
	return Key{}, false
}

// isTable tells whether some key stands in a table of that name.
func isTable(name string) bool {
	for _, k := range table {
		if strings.HasPrefix(k.Path, name+".") {
			return true
		}
	}
	return false
}

func paths() []string {
	var list []string
	for _, k := range table {
		list = append(list, k.Path)
	}
	return list
}

func envName(path string) string {
	return "G2G_" + strings.ToUpper(strings.ReplaceAll(path, ".", "_"))
}

func (k Key) isList() bool { return k.Type == Addresses || k.Type == Passages }

// texts returns the key's value in c as it is written in a flag, one text for each entry of a list.
func (k Key) texts(c Config) []string {
	switch field := k.field(&c).(type) {
	case *string:
		return []string{*field}
	case *time.Duration:
		return []string{formatDuration(*field)}
	case *[]string:
		return slices.Clone(*field)
	case *bool:
		return []string{strconv.FormatBool(*field)}
	case *[]Passage:
		var texts []string
		for _, p := range *field {
			texts = append(texts, p.text())
		}
		return texts
	default:
		panic("config: key " + k.Path + " has a field of no known type")
	}
}

// assign sets the key's field in c from texts; it fails, changing nothing, when they cannot be of its type.
// Whether the value keeps the rules is for Validate.
func (k Key) assign(c *Config, texts []string) error {
	switch list := k.field(c).(type) {
	case *[]string:
		*list = append([]string(nil), texts...)
		return nil
	case *[]Passage:
		return k.assignPassages(list, texts)
	}
	if len(texts) != 1 {
		return fmt.Errorf("%s: given %d times; want one value", k.Path, len(texts))
	}
	switch field := k.field(c).(type) {
	case *string:
		*field = texts[0]
	case *time.Duration:
		d, err := time.ParseDuration(texts[0])
		if err != nil {
			return fmt.Errorf("%s = %s: no duration; want one such as \"500ms\", \"10s\" or \"1h30m\"", k.Path, quoted(texts[0]))
		}
		*field = d
	case *bool:
		if texts[0] != "true" && texts[0] != "false" {
			return fmt.Errorf("%s = %s: want true or false", k.Path, quoted(texts[0]))
		}
		*field = texts[0] == "true"
	}
	return nil
}

func (k Key) assignPassages(list *[]Passage, texts []string) error {
	var passages []Passage
	for _, text := range texts {
		p, ok := parsePassage(text)
		if !ok {
			return fmt.Errorf("%s = %s: no service=host:port", k.Path, quoted(text))
		}
		passages = append(passages, p)
	}
	*list = passages
	return nil
}

// formatDuration writes d as time.Duration does, without parts that are zero at the end: 24h, not 24h0m0s.
func formatDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
