package config

import (
	"fmt"
	"strings"
)

// Help is the text of the help topic about the configuration file.
func Help() string {
	var b strings.Builder
	fmt.Fprintf(&b, "A node reads %s in its folder. A flag wins over the environment, that over the file,\n", FileName)
	b.WriteString("that over the default. Unknown keys are errors. Keys with a dot stand in a table: gossip.listen is\n")
	b.WriteString("listen below [gossip]. A node that runs reads the file again on SIGHUP.\n")
	for _, k := range Keys() {
		fmt.Fprintf(&b, "\n%s\n", k.Path)
		b.WriteString(wrap("    ", k.Doc, 100))
		b.WriteString(wrap("    ", "Want "+k.Rule+".", 100))
		fmt.Fprintf(&b, "    Default: %s\n    Environment: %s\n", k.shownDefault(), k.Env)
		if k.Flag != "" {
			fmt.Fprintf(&b, "    Flag: --%s\n", k.Flag)
		}
		if k.Unit != "" {
			fmt.Fprintf(&b, "    Unit: %s\n", k.Unit)
		}
		fmt.Fprintf(&b, "    Counts after: %s\n", k.countsAfter())
	}
	return b.String()
}

// HelpEnvironment is the text of the help topic about environment variables.
func HelpEnvironment() string {
	var b strings.Builder
	b.WriteString("An environment variable wins over g2g.toml and yields to a flag. An empty one counts as unset; lists\n")
	b.WriteString("are written with commas. A variable that begins with G2G_ and is not listed here is an error.\n\n")
	for _, v := range Variables() {
		fmt.Fprintf(&b, "%-24s%s\n", v.Name, v.Doc)
	}
	return b.String()
}

// countsAfter says what makes a change of the key count in a node that runs.
func (k Key) countsAfter() string {
	if k.Live {
		return "reload"
	}
	return "restart"
}

func (k Key) shownDefault() string {
	if k.Default == "" {
		return "none"
	}
	return k.Default
}
