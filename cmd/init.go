package cmd

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/g2g-net/g2g/node/config"
)

func (a *app) initCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "init",
		Short: "Found a network of one",
		Long: `Makes the folder of a node and founds a network of which it is the only member: an identity, the founder key, a
commented g2g.toml, and where the node's addresses are known a first server token and client token, which are shown this
once and kept nowhere.

The founder key is not needed to run the node: move it to a safe place.

A folder that belongs to a network is refused. --force gives that network up: its founder key, state and g2g.toml are
put away under other names, its tokens are void; only the identity stays.`,
		Example: `  g2g init
  g2g init --dir a --name node-a --listen 127.0.0.1:0 --register 127.0.0.1:0
  g2g init --dry-run`,
		Args: exactly(0),
	}
	var o foundOptions
	c.Flags().StringVar(&o.network, "network", "", "a name for the network, shown to people")
	c.Flags().BoolVar(&o.dryRun, "dry-run", false, "only say what would be made")
	c.Flags().BoolVar(&o.force, "force", false, "give up the network that the folder belongs to; needs --yes")
	sure := c.Flags().Bool("yes", false, "yes, give it up")
	f := output(c)
	flags := withNodeFlags(c, "log-format")
	mustComplete(c, "network", cobra.NoFileCompletions)
	c.RunE = func(*cobra.Command, []string) error {
		if o.force && !*sure && !o.dryRun {
			return wrongUsage("--force gives up the network in the folder for good, with its founder key and tokens", "if that is meant, add --yes")
		}
		dir, err := a.dir()
		if err != nil {
			return err
		}
		loaded, err := a.load(dir, flags.values())
		if err != nil {
			return err
		}
		_, before := os.Lstat(filepath.Join(dir, config.FileName))
		made, err := found(dir, loaded.Config, o)
		if err != nil {
			return foundFailure(err, dir)
		}
		made.Dir, made.DryRun = dir, o.dryRun
		if before == nil && !o.force && len(flags.values()) > 0 {
			a.Hint("%s was there and stays as it is: put what the flags say into it, the node will not know them", config.FileName)
		}
		return a.tellFounded(made, f.value, loaded.Config)
	}
	return c
}

// A foundOptions is what a person asked of init beside the node's settings.
type foundOptions struct {
	network       string
	force, dryRun bool
}

type foundedView struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Network     string   `json:"network"`
	NetworkName string   `json:"network_name"`
	Dir         string   `json:"dir"`
	Files       []string `json:"files"`
	ServerToken string   `json:"server_token"` // empty where the node's addresses are not known yet
	ClientToken string   `json:"client_token"`
	TokenTTLS   int64    `json:"token_ttl_s"`
	DryRun      bool     `json:"dry_run"`
}

// foundFailure says what stands in the way.
func foundFailure(err error, dir string) error {
	if !hasNetwork(err) {
		return err
	}
	there := folderContents(dir)
	if there == "" {
		return err
	}
	return &failure{
		why:  fmt.Errorf("%w; in %s: %s", err, dir, there),
		hint: "run it: g2g serve --dir " + shellWord(dir) + "; or take another folder: --dir DIR", code: exitFailed,
	}
}

// folderContents names the files that a node keeps and that are in a folder.
func folderContents(dir string) string {
	var there []string
	for _, name := range []string{identityFile, founderFile, config.FileName, stateFile} {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			there = append(there, name)
		}
	}
	return list(there)
}

func (a *app) tellFounded(m foundedView, f string, c config.Config) error {
	fields := []field{{"name", m.Name}, {"id", m.ID}, {"network", named(m.Network, m.NetworkName)}}
	for _, file := range m.Files {
		fields = append(fields, field{"file", file})
	}
	if m.ServerToken != "" {
		fields = append(fields, field{"server token", m.ServerToken}, field{"client token", m.ClientToken})
	}
	if m.DryRun {
		fields = fields[3:] // keys are made by chance: there are none yet
	}
	if err := writeObject(a.out, f, m, m.Name, fields); err != nil {
		return err
	}
	if m.DryRun {
		a.Note("nothing was made: this was a dry run")
		return nil
	}
	if m.ServerToken == "" {
		a.Note("no tokens yet: with %s the addresses are known only once the node runs; mint them then: g2g nominate%s",
			c.Register.Listen, a.atDir(m.Dir))
	} else {
		a.Note("the tokens hold for %s, for one node each, and are shown only now", span(time.Duration(m.TokenTTLS)*time.Second))
	}
	a.Note("founded a network; move founder.key to a safe place; next: g2g serve%s", a.atDir(m.Dir))
	return nil
}
