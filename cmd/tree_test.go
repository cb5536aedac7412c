package cmd

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/g2g-net/g2g/cmd/lean"
)

// walkTree visits every command, the ones inside groups too.
func walkTree(c *cobra.Command, visit func(*cobra.Command)) {
	visit(c)
	for _, sub := range c.Commands() {
		walkTree(sub, visit)
	}
}

func testRoot() *cobra.Command {
	return newApp(strings.NewReader(""), &strings.Builder{}, &strings.Builder{}, nil).root()
}

// dataless are the commands that print no data, or what other programs fix the form of.
var dataless = []string{
	"g2g serve", "g2g leave", "g2g demo", "g2g top", "g2g help", "g2g config check",
	"g2g demo stop", "g2g demo stall", "g2g demo cut", "g2g demo heal", "g2g demo restart", "g2g demo rotate",
	"g2g docs man",
	"g2g completion bash", "g2g completion zsh", "g2g completion fish", "g2g completion powershell",
}

func TestEveryCommandIsComplete(t *testing.T) {
	walkTree(testRoot(), func(c *cobra.Command) {
		path := c.CommandPath()
		topic := c.IsAdditionalHelpTopicCommand() && c.Name() != "help"
		if c.Short == "" || strings.HasSuffix(c.Short, ".") {
			t.Errorf("%s: Short is %q: want some words without a full stop", path, c.Short)
		}
		if topic || c.HasSubCommands() {
			return
		}
		if c.Example == "" || c.Long == "" {
			t.Errorf("%s has no Example or no Long", path)
		}
		if has := c.Flags().Lookup("output") != nil; has == slices.Contains(dataless, path) {
			t.Errorf("%s: has -o: %v, which is wrong", path, has)
		}
		if c.Args == nil && c.Name() != "help" {
			t.Errorf("%s does not judge its arguments", path)
		}
	})
}

func TestEveryFlagIsExplained(t *testing.T) {
	walkTree(testRoot(), func(c *cobra.Command) {
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("%s --%s has no words", c.CommandPath(), f.Name)
			}
		})
	})
}

func TestEveryCommandRefusesAWrongFormat(t *testing.T) {
	walkTree(testRoot(), func(c *cobra.Command) {
		if c.HasSubCommands() || c.Flags().Lookup("output") == nil {
			return
		}
		words := slices.Concat(strings.Fields(c.CommandPath())[1:], []string{"-o", "yaml"})
		got := run(t, "", nil, words...)
		if got.code != exitUsage || !strings.Contains(got.err, `invalid argument "yaml" for "-o, --output"`) {
			t.Errorf("%q: exit %d, %s", words, got.code, got.err)
		}
	})
}

func TestEveryHelpPagePrints(t *testing.T) {
	walkTree(testRoot(), func(c *cobra.Command) {
		if c.Name() == "help" {
			return
		}
		words := append([]string{"help"}, strings.Fields(c.CommandPath())[1:]...)
		got := run(t, "", nil, words...)
		if got.code != exitDone || got.err != "" || !strings.Contains(got.out, firstLine(cmp.Or(c.Long, c.Short))) {
			t.Errorf("%q: exit %d, stdout %q, stderr %q", words, got.code, got.out, got.err)
		}
	})
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// Every group, and the root, guesses what was meant; flags too. Usage stands only behind usage errors.
func TestDidYouMean(t *testing.T) {
	for line, want := range map[string]string{
		"peer":                  "g2g peers",
		"nominat":               "g2g nominate",
		"stauts":                "g2g status",
		"token lst":             "g2g token list",
		"token inspct":          "g2g token inspect",
		"cert shwo":             "g2g cert show",
		"config veiw":           "g2g config view",
		"completion bahs":       "g2g completion bash",
		"help exit-code":        "g2g help exit-codes",
		"help token revke":      "g2g help token revoke",
		"peers --filtr x":       "--filter",
		"token list --outptu x": "--output",
		"init --registr :0":     "--register",
		"peers --dri x":         "--dir",
		"peers --sort agee":     "age",
		"wait --for lte==0":     "late",
		"service":               "g2g services",
		"services lst":          "g2g services list",
		"services ad x:1":       "g2g services add",
		"cert rotat":            "g2g cert rotate",
		"docs mann":             "g2g docs man",
		"cert check --withn 1h": "--within",
	} {
		got := run(t, "", nil, strings.Fields(line)...)
		if got.code != exitUsage || !strings.Contains(got.err, "\ng2g: hint: did you mean "+want) || !strings.Contains(got.err, "\nusage: g2g") {
			t.Errorf("g2g %s: exit %d\n%s", line, got.code, got.err)
		}
		if got.out != "" {
			t.Errorf("g2g %s: stdout %q", line, got.out)
		}
	}
}

func TestGroupsWantASubcommand(t *testing.T) {
	for _, name := range []string{"token", "cert", "config", "completion", "docs"} {
		got := run(t, "", nil, name)
		if got.code != exitUsage || !strings.Contains(got.err, "g2g: error: "+name+": needs a subcommand: ") {
			t.Errorf("g2g %s: exit %d\n%s", name, got.code, got.err)
		}
	}
}

func TestCompletionScripts(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if got := run(t, "", nil, "completion", shell); got.code != exitDone || !strings.Contains(got.out, "__complete") || got.err != "" {
			t.Errorf("%s: exit %d, %d bytes, stderr %q", shell, got.code, len(got.out), got.err)
		}
	}
}

// A command line of serve gets the same from a tree that has no other command.
func TestServeAlone(t *testing.T) {
	a := newApp(strings.NewReader(""), &strings.Builder{}, &strings.Builder{}, nil)
	alone, _, err := a.rootFor([]string{lean.Command}).Find([]string{lean.Command})
	if err != nil {
		t.Fatal(err)
	}
	whole, _, err := testRoot().Find([]string{lean.Command})
	if err != nil {
		t.Fatal(err)
	}
	if alone.Name() != lean.Command || alone.UsageString() != whole.UsageString() || alone.CommandPath() != whole.CommandPath() {
		t.Errorf("%s:\n%s\nin the whole tree:\n%s", alone.CommandPath(), alone.UsageString(), whole.UsageString())
	}
}
