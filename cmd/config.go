package cmd

import (
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/g2g-net/g2g/node/config"
)

// nodeFlags are the flags of a command that stand for keys of the configuration.
type nodeFlags struct {
	set  *pflag.FlagSet
	keys []config.Key
}

// withNodeFlags gives a command the flags that the table of keys has for it, except some.
func withNodeFlags(c *cobra.Command, except ...string) nodeFlags {
	flags := nodeFlags{set: c.Flags()}
	for _, key := range config.Keys() {
		if key.Flag == "" || slices.Contains(except, key.Flag) {
			continue
		}
		flags.keys = append(flags.keys, key)
		usage := flagUsage[key.Flag]
		if usage == "" {
			usage = "sets " + key.Path
		}
		if key.Type == config.Addresses {
			flags.set.StringSlice(key.Flag, nil, usage+" (repeatable)")
		} else {
			flags.set.String(key.Flag, "", usage+" (default "+key.Default+")")
		}
		mustComplete(c, key.Flag, cobra.FixedCompletions(flagChoices[key.Flag], cobra.ShellCompDirectiveNoFileComp))
	}
	return flags
}

// flagUsage is a line for each flag; the long text is in `g2g help config`.
var flagUsage = map[string]string{
	"name":       "name of the node",
	"listen":     "address that members reach it at",
	"register":   "address that strangers with a token reach it at",
	"advertise":  "address to tell members, where it differs",
	"service":    "shared address behind which some member answers",
	"log-format": "text or json",
}

var flagChoices = map[string][]string{"log-format": {"text", "json"}}

// values are the flags that were given.
func (f nodeFlags) values() config.Values {
	values := config.Values{}
	for _, key := range f.keys {
		flag := f.set.Lookup(key.Flag)
		if !flag.Changed {
			continue
		}
		if many, ok := flag.Value.(pflag.SliceValue); ok {
			values[key.Path] = many.GetSlice()
			continue
		}
		values[key.Path] = []string{flag.Value.String()}
	}
	return values
}

// load settles the configuration of the node in a folder.
func (a *app) load(dir string, flags config.Values) (config.Loaded, error) {
	if err := config.CheckEnvironment(a.environ); err != nil {
		return config.Loaded{}, &failure{why: err, hint: "see the variables: g2g help environment", code: exitUsage}
	}
	loaded, err := config.Load(dir, a.getenv, flags)
	if err == nil {
		return loaded, nil
	}
	f := &failure{what: "configuration", why: err, hint: "see the settings: g2g help config", code: exitFailed}
	if _, without := config.Load(dir, a.getenv, nil); without == nil {
		f.code = exitUsage // the flags are to blame
	}
	return config.Loaded{}, f
}

func (a *app) configCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:   "config",
		Short: "Show and check settings",
		Long:  configHelp(),
	}, a.configViewCommand(), a.configCheckCommand())
}

type settingView struct {
	Key    string `json:"key"`
	Value  string `json:"value"`
	Origin string `json:"origin"`
}

func (a *app) configViewCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "view",
		Short:   "Show the settings in force",
		Long:    "Shows every setting of the node in the folder as flags, environment, g2g.toml and defaults make it.",
		Example: "  g2g config view --origin\n  g2g config view -o json | jq -r '.[] | select(.origin != \"default\") | .key'",
		Args:    exactly(0),
	}
	origin := c.Flags().Bool("origin", false, "also where each value comes from")
	f := output(c)
	flags := withNodeFlags(c)
	c.RunE = func(*cobra.Command, []string) error {
		dir, err := a.dir()
		if err != nil {
			return err
		}
		loaded, err := a.load(dir, flags.values())
		if err != nil {
			return err
		}
		views := make([]settingView, 0, len(flags.keys))
		for _, e := range loaded.Entries() {
			views = append(views, settingView{e.Key, e.Value, e.Origin})
		}
		return settingListing(*origin).write(a.out, f.value, views)
	}
	return c
}

func settingListing(origin bool) listing[settingView] {
	l := listing[settingView]{
		columns: []column[settingView]{
			{"KEY", func(s settingView) string { return s.Key }},
			{"VALUE", func(s settingView) string { return s.Value }},
		},
		name: func(s settingView) string { return s.Key },
	}
	if origin {
		l.columns = append(l.columns, column[settingView]{"ORIGIN", func(s settingView) string { return s.Origin }})
	}
	return l
}

func (a *app) configCheckCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "check [FILE]",
		Short:   "Check a configuration file",
		Long:    "Checks a configuration file (default: the one in the folder) and says everything that is wrong, with line and column.",
		Example: "  g2g config check ./g2g.toml",
		Args:    exactly(0, "FILE"),
	}
	c.RunE = func(_ *cobra.Command, args []string) error {
		file, err := a.configFile(args)
		if err != nil {
			return err
		}
		if _, err := config.LoadFile(file); err != nil {
			return &failure{why: err, hint: "see the settings: g2g help config", code: exitFailed}
		}
		a.Note("%s is fine", file)
		return nil
	}
	return c
}

func (a *app) configFile(args []string) (string, error) {
	if len(args) == 1 {
		return args[0], nil
	}
	dir, err := a.dir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, config.FileName), nil
}
