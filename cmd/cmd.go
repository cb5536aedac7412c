// Package cmd is the command line of g2g: it turns words into calls of a node, and answers into words.
package cmd

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/g2g-net/g2g/cmd/lean"
)

// Main runs the command line of this process and returns its exit code. The first signal asks the command to stop, the
// second does not wait for it.
func Main() int {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)

	done := make(chan int, 1)
	a := newApp(os.Stdin, os.Stdout, os.Stderr, os.Environ())
	go func() { done <- a.run(ctx, os.Args[1:]) }()
	select {
	case code := <-done:
		return code
	case <-signals:
		cancel(errInterrupted)
	}
	select {
	case code := <-done:
		return code
	case <-signals:
		return exitInterrupted
	}
}

// An app is one call of g2g.
type app struct {
	*terminal
	environ []string
	dirFlag string
}

func newApp(in io.Reader, out, err io.Writer, environ []string) *app {
	a := &app{environ: environ}
	a.terminal = newTerminal(in, out, err, a.getenv)
	return a
}

// getenv finds a variable in what the process was given; the last one of a name counts.
func (a *app) getenv(name string) string {
	for _, entry := range slices.Backward(a.environ) {
		if key, value, _ := strings.Cut(entry, "="); key == name {
			return value
		}
	}
	return ""
}

// run executes one command line and returns the exit code.
func (a *app) run(ctx context.Context, args []string) int {
	root := a.rootFor(args)
	root.SetArgs(args)
	c, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitDone
	}
	f := explain(err)
	if !f.mute {
		if f.what == "" {
			f.what = strings.TrimPrefix(strings.TrimPrefix(c.CommandPath(), root.Name()), " ")
			if strings.HasPrefix(f.Error(), f.what+": "+f.what+": ") {
				f.what = "" // the node has said what was being done
			}
		}
		a.Failed(f, c.UseLine(), wantsJSON(c, args))
	}
	return f.code
}

// wantsJSON says whether -o asks for JSON, even if the command line broke off before it was parsed.
func wantsJSON(c *cobra.Command, args []string) bool {
	if f := c.Flags().Lookup("output"); f != nil && f.Changed {
		return f.Value.String() == asJSON || f.Value.String() == asLines
	}
	for i, arg := range args {
		value, joined := strings.CutPrefix(arg, "--output=")
		if !joined {
			value, joined = strings.CutPrefix(arg, "-o")
			value = strings.TrimPrefix(value, "=")
		}
		if (arg == "-o" || arg == "--output") && i+1 < len(args) {
			value, joined = args[i+1], true
		}
		if joined && (value == asJSON || value == asLines) {
			return true
		}
	}
	return false
}

// Groups of commands in the help text.
const (
	groupSetUp = "setup"
	groupLook  = "look"
	groupOther = "other"
)

// root is the tree of all commands.
func (a *app) root() *cobra.Command {
	root := a.bare()
	a.addCommands(root)
	return root
}

// rootFor is the tree as far as a command line needs it. Of a network of processes that start at once each would make all commands, and use one.
func (a *app) rootFor(args []string) *cobra.Command {
	if len(args) == 0 || args[0] != lean.Command {
		return a.root()
	}
	root, c := a.bare(), a.serveCommand()
	c.GroupID = groupSetUp
	root.AddCommand(c)
	return root
}

// bare is the tree without commands.
func (a *app) bare() *cobra.Command {
	root := &cobra.Command{
		Use:   "g2g COMMAND",
		Short: "Networks of nodes that trust each other without a certificate authority",
		Long: `g2g founds, joins and watches networks of nodes. Every node makes its own certificates; who is nominated by
a member with a token becomes one; each node lists the others and how they are.`,
		Example: `  g2g init                                               # found a network of one
  g2g serve                                              # run its node
  g2g nominate | ssh other g2g join -                    # let another machine in
  g2g peers                                              # who is there, and how`,
		SilenceUsage:          true,
		SilenceErrors:         true,
		DisableFlagsInUseLine: true,
		Version:               buildVersion().Version,
	}
	root.SetVersionTemplate("g2g {{.Version}}\n")
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetFlagErrorFunc(flagError)
	// Commands that only hold others can be run too, to say so; the template would show them twice.
	root.SetUsageTemplate(strings.Replace(root.UsageTemplate(),
		"{{if .Runnable}}\n  {{.UseLine}}{{end}}{{if .HasAvailableSubCommands}}\n  {{.CommandPath}} [command]{{end}}", "\n  {{.UseLine}}", 1))
	root.CompletionOptions.DisableDefaultCmd = true
	root.PersistentFlags().StringVar(&a.dirFlag, "dir", "", "folder of the node (default $G2G_DIR, else ~/.g2g)")
	root.PersistentFlags().BoolVarP(&a.quiet, "quiet", "q", false, "no success line and no progress on stderr")
	mustComplete(root, "dir", func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return nil, cobra.ShellCompDirectiveFilterDirs
	})
	root.AddGroup(&cobra.Group{ID: groupSetUp, Title: "Set up and join:"}, &cobra.Group{ID: groupLook, Title: "Look:"},
		&cobra.Group{ID: groupOther, Title: "More:"})
	return root
}

func (a *app) addCommands(root *cobra.Command) {
	add := func(group string, commands ...*cobra.Command) {
		for _, c := range commands {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	add(groupSetUp, a.initCommand(), a.serveCommand(), a.nominateCommand(), a.joinCommand(), a.tokenCommand(), a.leaveCommand(), a.certCommand(), a.dataCommand())
	add(groupLook, a.topCommand(), a.statusCommand(), a.peersCommand(), a.groupsCommand(), a.orderCommand(), a.whyCommand(), a.stalenessCommand(), a.eventsCommand(), a.waitCommand(), a.servicesCommand(), a.signatureCommand(), a.pingCommand(), a.queryCommand(), a.doctorCommand())
	add(groupOther, a.configCommand(), a.demoCommand(), a.benchCommand(), a.simCommand(), a.versionCommand(), a.completionCommand(), a.docsCommand())
	root.AddCommand(helpTopics()...)
	root.SetHelpCommand(helpCommand())
	root.SetHelpCommandGroupID(groupOther)
	root.Args = func(c *cobra.Command, args []string) error {
		if len(args) > 0 {
			return unknownCommand(c, c.CommandPath(), args[0])
		}
		return nil
	}
	root.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
}

// mustComplete sets the completion of a flag that exists.
func mustComplete(c *cobra.Command, flag string, f cobra.CompletionFunc) {
	if err := c.RegisterFlagCompletionFunc(flag, f); err != nil {
		panic(err) // no such flag, or done twice: our own mistake
	}
}

// dir is the node's folder, as an absolute path: how long it is decides where the socket stands.
func (a *app) dir() (string, error) {
	dir := a.dirFlag
	if dir == "" {
		dir = a.getenv("G2G_DIR")
	}
	if dir == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", &failure{why: fmt.Errorf("find the node's folder: %w", err), hint: "give it: --dir DIR", code: exitUsage}
		}
		dir = filepath.Join(home, ".g2g")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find the node's folder: %w", err)
	}
	return dir, nil
}

// ask reaches the node in the folder for the time of one call.
func (a *app) ask(ctx context.Context, call func(*client) error) error {
	dir, err := a.dir()
	if err != nil {
		return err
	}
	c, err := dial(ctx, dir)
	if err != nil {
		return err
	}
	defer c.Close()
	return call(c)
}

// picture asks the node what it shows now.
func (a *app) picture(ctx context.Context) (p picture, err error) {
	err = a.ask(ctx, func(c *client) error {
		p, err = c.Picture(ctx)
		return err
	})
	return p, err
}

// completionTime bounds what a completion may wait for: longer and the shell feels stuck.
const completionTime = 300 * time.Millisecond

// completionPicture is the picture, or an empty one when the node does not show it in time.
func (a *app) completionPicture(ctx context.Context) picture {
	ctx, cancel := context.WithTimeout(ctx, completionTime)
	defer cancel()
	p, err := a.picture(ctx)
	if err != nil {
		return picture{}
	}
	return p
}

// shellWord quotes a word so that a shell reads it back as one.
func shellWord(word string) string {
	safe := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+:@=,%", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !safe(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// atDir is the words that point another command at this node's folder; none when it is the default one.
func (a *app) atDir(dir string) string {
	if a.dirFlag == "" {
		return ""
	}
	return " --dir " + shellWord(dir)
}
