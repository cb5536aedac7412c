package cmd

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/g2g-net/g2g/node/config"
)

func (a *app) joinCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "join [TOKEN|-|@FILE]",
		Short: "Join a network with a token",
		Long: `Joins the network of a token: given as - on standard input, as @FILE, in G2G_TOKEN, or as itself, which other users
of the machine can see.

A node that runs in the folder and has no network joins. Without one, this command brings its ports up for as long as
the join takes, stores its admission, says goodbye and ends; the next "g2g serve" is a member. A new folder gets an
identity and a g2g.toml with the flags that were given.

A folder that belongs to a network refuses, unless --leave-network gives it up for good: its founder key is put away and
its tokens are void.`,
		Example: `  g2g join @token.txt
  ssh member g2g nominate | g2g join - --name node-b
  g2g join - --at 192.0.2.7:7402 < token.txt`,
		Args: exactly(0, "TOKEN"),
	}
	var o joinOptions
	c.Flags().StringVar(&o.at, "at", "", "Registration address of another member than the token's")
	c.Flags().BoolVar(&o.leaveNetwork, "leave-network", false, "give up the network that the folder belongs to")
	f := output(c)
	flags := withNodeFlags(c, "log-format")
	mustComplete(c, "at", cobra.NoFileCompletions)
	c.RunE = func(c *cobra.Command, args []string) error {
		var err error
		if o.dir, err = a.dir(); err != nil {
			return err
		}
		if o.token, err = a.joinToken(c.Context(), first(args)); err != nil {
			return err
		}
		if err := checkAt(o.at); err != nil {
			return err
		}
		o.flags = flags.values()
		joined, err := a.join(c.Context(), o)
		if err != nil {
			return joinFailure(err)
		}
		return a.tellJoined(joined, o, f.value)
	}
	return c
}

// A joinOptions is what a person asked of join.
type joinOptions struct {
	dir, token, at string
	leaveNetwork   bool
	flags          config.Values
}

type joinedView struct {
	Network   string `json:"network"`
	Acceptor  string `json:"acceptor"`
	Nominator string `json:"nominator"`
	Mode      string `json:"mode"`
	Depth     int    `json:"depth"`
	Observed  string `json:"observed"` // this node's host as the acceptor saw it
	Warning   string `json:"warning"`  // why the acceptor could not call back; empty when it could

	running bool // a node that goes on running has joined
}

func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

// joinToken finds a token and refuses what is none, before anybody is asked.
func (a *app) joinToken(ctx context.Context, given string) (string, error) {
	text, err := a.tokenText(ctx, given)
	if err != nil {
		return "", err
	}
	if _, err := parseToken(text); err != nil {
		return "", err
	}
	return text, nil
}

// join lets the node that runs in the folder join; without one it runs a node for as long as that takes.
func (a *app) join(ctx context.Context, o joinOptions) (joinedView, error) {
	progress := a.Progress("joining")
	defer progress.End()
	running, err := dial(ctx, o.dir)
	switch {
	case err == nil:
		defer running.Close()
		return a.joinRunning(ctx, running, o)
	case !errors.Is(err, errNoNode):
		return joinedView{}, err
	}
	if o.leaveNetwork {
		progress.Step("giving up the old network")
		if err := giveUpNetwork(o.dir); err != nil {
			return joinedView{}, err
		}
	}
	return a.joinAlone(ctx, o, progress)
}

func (a *app) joinRunning(ctx context.Context, running *client, o joinOptions) (joinedView, error) {
	if o.leaveNetwork {
		return joinedView{}, &failure{
			why:  fmt.Errorf("a node runs in %s: it cannot give up its network while it does", o.dir),
			hint: "stop it first: g2g leave" + a.atDir(o.dir), code: exitFailed,
		}
	}
	if len(o.flags) > 0 {
		return joinedView{}, wrongUsage("a node runs in "+o.dir+": its settings are those it was started with", "leave out the node's flags, or stop it first")
	}
	joined, err := running.Join(ctx, o.token, o.at)
	joined.running = true
	return joined, err
}

// joinAlone brings a node up, joins, and takes it down again.
func (a *app) joinAlone(ctx context.Context, o joinOptions, progress *progress) (joinedView, error) {
	loaded, err := a.load(o.dir, o.flags)
	if err != nil {
		return joinedView{}, err
	}
	progress.Step("starting a node in %s", o.dir)
	r, err := start(ctx, o.dir, loaded.Config, quietLog())
	if err != nil {
		return joinedView{}, err
	}
	progress.Step("joining")
	joined, err := a.joinKept(ctx, r, o, loaded.Config)
	if stopErr := r.Stop(); err == nil {
		err = stopErr
	}
	return joined, err
}

// joinKept joins with the settings kept in the folder, so that the next serve is the same node. They are there before the
// join: a node that is killed in the middle comes back as it was. A join that is refused leaves none behind.
func (a *app) joinKept(ctx context.Context, r *running, o joinOptions, c config.Config) (joinedView, error) {
	made, err := keepConfig(o.dir, c)
	if err != nil {
		return joinedView{}, err
	}
	joined, err := r.join(ctx, o.token, o.at)
	switch {
	case made && err != nil && !r.info().member:
		err = errors.Join(err, os.Remove(filepath.Join(o.dir, config.FileName)))
	case !made && err == nil && len(o.flags) > 0:
		a.Hint("%s was there and stays as it is: put what the flags say into it, they held for this join only", config.FileName)
	}
	return joined, err
}

// keepConfig writes the settings of a new folder, whole or not at all. A file that is there stays.
func keepConfig(dir string, c config.Config) (made bool, err error) {
	path := filepath.Join(dir, config.FileName)
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	if err := writeWhole(path, config.Template(c)); err != nil {
		return false, fmt.Errorf("write the configuration: %w", err)
	}
	return true, nil
}

// writeWhole makes a file under another name, and gives it its own once it is on disk. The folder is this process's. The
// other name is of the kind that the next one to open the folder sweeps away.
func writeWhole(path string, data []byte) error {
	file, err := os.OpenFile(path+"."+rand.Text()+".new", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		_ = os.Remove(file.Name())
	}
	return err
}

// joinFailure adds what a person can do about it.
func joinFailure(err error) error {
	f := explain(err)
	if f.hint != "" {
		return err
	}
	switch {
	case f.code == exitUnreachable:
		f.hint = "is that member up, and its Registration port open? another one may do: --at HOST:PORT"
	case f.code == exitRefused:
		f.hint = "mint a new token on a member: g2g nominate"
	case hasNetwork(err):
		f.hint = "to give that network up for good: --leave-network, with the node stopped"
	}
	return &f
}

// tellWarning says that a join stands though the acceptor could not reach the node.
func (a *app) tellWarning(j joinedView) {
	if j.Warning != "" {
		a.Hint("the acceptor could not call back (%s): are the gossip port and --advertise right?", j.Warning)
	}
}

func (a *app) tellJoined(j joinedView, o joinOptions, f string) error {
	a.tellWarning(j)
	next := "next: g2g serve" + a.atDir(o.dir)
	if j.running {
		next = "next: g2g peers" + a.atDir(o.dir)
	}
	a.Note("joined as %s; %s", j.Mode, next)
	return writeObject(a.out, f, j, j.Network, []field{
		{"network", j.Network},
		{"mode", j.Mode},
		{"depth", fmt.Sprint(j.Depth)},
		{"nominator", j.Nominator},
		{"acceptor", j.Acceptor},
		{"observed", j.Observed},
	})
}
