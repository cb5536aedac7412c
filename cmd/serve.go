package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/g2g-net/g2g/cmd/lean"
)

func (a *app) serveCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "serve",
		Short: "Run the node",
		Long: `Runs the node in the folder until a signal; then it says goodbye to its peers and ends with 0. A second signal does
not wait for that.

Once its ports are up it prints one line to stdout, with the addresses as bound and - for what it has not:

  ready name=NAME id=ID gossip=ADDRESS register=ADDRESS admin=SOCKET

and then logs to stderr. A node without a network opens only its admin socket and waits for g2g join. With --join it
joins first, unless it is a member of that network already.

SIGHUP makes it read its configuration again. Most settings count at once, services and addresses among them; what counts
only after a restart ("g2g help config" says which) is named in a warning. A configuration that is wrong is logged and
changes nothing. Under systemd it says when it is ready, reloads and stops, and answers the watchdog.`,
		Example: `  g2g serve
  g2g serve --dir /var/lib/g2g --log-format json
  g2g serve --join @/run/secrets/g2g-token --advertise 192.0.2.7:7401`,
		Args: exactly(0),
	}
	token := c.Flags().String("join", "", "first join with a token: TOKEN, - or @FILE")
	at := c.Flags().String("at", "", "with --join: Registration address of another member than the token's")
	flags := withNodeFlags(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		o := joinOptions{at: *at, flags: flags.values()}
		var err error
		if o.dir, err = a.dir(); err != nil {
			return err
		}
		if err := checkAt(*at); err != nil {
			return err
		}
		if c.Flags().Changed("join") {
			if o.token, err = a.joinToken(c.Context(), *token); err != nil {
				return err
			}
		}
		return a.serve(c.Context(), o)
	}
	return c
}

// serve runs the node until ctx ends, which is how it is meant to end.
func (a *app) serve(ctx context.Context, o joinOptions) error {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP) // from here on it is a wish, not the end
	defer signal.Stop(hangups)
	loaded, err := a.load(o.dir, o.flags)
	if err != nil {
		return err
	}
	log, err := newNodeLog(a.err, loaded.Config.Log)
	if err != nil {
		return err
	}
	if len(loaded.Config.Routes)+len(loaded.Config.Forwards) == 0 {
		lean.Start()
	} else {
		lean.Stop()
	}
	defer spareGarbage()()
	r, err := start(ctx, o.dir, loaded.Config, log.Logger)
	if err != nil {
		return asked(ctx, err)
	}
	if o.token != "" {
		if err := a.joinFirst(ctx, r, o); err != nil {
			return asked(ctx, errors.Join(joinFailure(err), r.Stop()))
		}
	}
	if _, err := fmt.Fprintln(a.out, readyLine(r.info())); err != nil {
		return errors.Join(fmt.Errorf("write the ready line: %w", err), r.Stop())
	}
	a.notifySystemd("READY=1")
	defer a.watchdog(r)()
	reload := &reloading{a: a, dir: o.dir, flags: o.flags, log: log, node: r, current: loaded.Config}
	for {
		select {
		case <-r.done:
			a.notifySystemd("STOPPING=1")
			return r.err
		case <-ctx.Done():
			a.notifySystemd("STOPPING=1")
			return r.Stop()
		case <-hangups:
			reload.run(ctx)
		}
	}
}

const (
	startGarbage = 200              // percent of what is in use, as GOGC has it: with the 100 of Go the first collection falls into the start
	spareTime    = 20 * time.Second // a node that starts has settled by then
)

// spareGarbage has a node that starts, perhaps with many others on its machine, leave garbage where it is for so long. What GOGC in the
// environment says counts.
func spareGarbage() (end func()) {
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	usual := debug.SetGCPercent(startGarbage)
	back := func() { debug.SetGCPercent(usual) }
	timer := time.AfterFunc(spareTime, back)
	return func() {
		if timer.Stop() {
			back()
		}
	}
}

// asked turns an interruption into the plain end that it is for a node.
func asked(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), errInterrupted) {
		return nil
	}
	return err
}

// joinFirst lets a fresh node join; a member of the token's network is left as it is.
func (a *app) joinFirst(ctx context.Context, r *running, o joinOptions) error {
	if r.info().member {
		return a.sameNetwork(ctx, o)
	}
	progress := a.Progress("joining")
	defer progress.End()
	joined, err := r.join(ctx, o.token, o.at)
	if err != nil {
		return err
	}
	progress.End()
	a.tellWarning(joined)
	a.Note("joined as %s", joined.Mode)
	return nil
}

// sameNetwork refuses a token of another network than the node's.
func (a *app) sameNetwork(ctx context.Context, o joinOptions) error {
	token, err := parseToken(o.token)
	if err != nil {
		return err
	}
	p, err := a.picture(ctx)
	if err != nil {
		return err
	}
	if token.fits(p.self.Network) {
		return nil
	}
	return &failure{
		why:  fmt.Errorf("the node is a member of %s, the token is for another network", named(p.self.Network, p.self.NetworkName)),
		hint: "to give that network up for good: g2g join --leave-network, with the node stopped", code: exitFailed,
	}
}

// A nodeInfo is where a node in this process can be reached; empty what it has not.
type nodeInfo struct {
	name, id, gossip, register, admin string
	member                            bool
}

// readyLine is a contract with scripts: they take the addresses from it.
func readyLine(i nodeInfo) string {
	return fmt.Sprintf("ready name=%s id=%s gossip=%s register=%s admin=%s",
		shown(i.name), shown(i.id), shown(i.gossip), shown(i.register), shown(i.admin))
}
