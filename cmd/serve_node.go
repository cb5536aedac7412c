package cmd

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/g2g-net/g2g/node"
	"github.com/g2g-net/g2g/node/admin"
	"github.com/g2g-net/g2g/node/config"
	"github.com/g2g-net/g2g/node/store"
	"github.com/g2g-net/g2g/pki"
)

// running is a node in this process.
type running struct {
	node *node.Node
	stop context.CancelFunc
	done chan struct{} // closed when the node has ended
	err  error         // why, once done is closed
}

// start opens the folder and runs its node until Stop, or until it ends by itself.
func start(ctx context.Context, dir string, c config.Config, log *slog.Logger) (*running, error) {
	n, err := node.Open(dir, c, log)
	if err != nil {
		return nil, err
	}
	inner, stop := context.WithCancel(context.WithoutCancel(ctx)) // a signal stops it with a goodbye, through Stop
	r := &running{node: n, stop: stop, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		r.err = n.Run(inner)
	}()
	select {
	case <-n.Ready():
		return r, nil
	case <-r.done:
		stop()
		return nil, r.err
	}
}

// Stop says goodbye and waits for the node's end.
func (r *running) Stop() error {
	r.stop()
	<-r.done
	return r.err
}

func (r *running) info() nodeInfo {
	i := r.node.Info()
	return nodeInfo{name: i.Name, id: i.ID, gossip: i.Gossip, register: i.Register, admin: i.Admin, member: i.Member}
}

func (r *running) join(ctx context.Context, text, at string) (joinedView, error) {
	token, err := pki.ParseToken(text)
	if err != nil {
		return joinedView{}, err
	}
	j, err := r.node.Join(ctx, token, at)
	if err != nil {
		return joinedView{}, err
	}
	return joinedView{
		Network: j.Network.String(), Acceptor: j.Acceptor.String(), Nominator: j.Nominator.String(),
		Mode: j.Mode.String(), Depth: j.Depth, Observed: j.Observed, Warning: j.Warning,
	}, nil
}

// found makes a network's first folder, or says what it would make.
func found(dir string, c config.Config, o foundOptions) (foundedView, error) {
	v := foundedView{Name: c.Name, NetworkName: o.network, Dir: dir, DryRun: o.dryRun, TokenTTLS: int64(node.FirstTokenLife / time.Second)}
	if o.dryRun {
		for _, name := range []string{store.IdentityFile, store.FounderFile, store.ConfigFile, store.StateFile} {
			v.Files = append(v.Files, filepath.Join(dir, name))
		}
		return v, nil
	}
	if o.force {
		if err := giveUpNetwork(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return foundedView{}, err
		}
	}
	f, err := node.Found(dir, c, o.network)
	if err != nil {
		return foundedView{}, err
	}
	v.ID, v.Network, v.Files, v.ServerToken, v.ClientToken = f.ID, f.Network, f.Files, f.ServerToken, f.ClientToken
	return v, nil
}

// giveUpNetwork archives the membership of a node that does not run.
func giveUpNetwork(dir string) error {
	_, err := node.LeaveNetwork(dir)
	return err
}

func hasNetwork(err error) bool { return errors.Is(err, node.ErrHasNetwork) }

// nodeCode is the exit code for what a node in this process answered.
func nodeCode(err error) (int, bool) {
	switch {
	case errors.Is(err, node.ErrRefused):
		return exitRefused, true
	case errors.Is(err, node.ErrUnreachable):
		return exitUnreachable, true
	case errors.Is(err, admin.ErrInvalid):
		return exitUsage, true
	case errors.Is(err, node.ErrHasNetwork), errors.Is(err, node.ErrNoNetwork), errors.Is(err, node.ErrFolderBusy):
		return exitFailed, true
	}
	return 0, false
}

// nodeLog is the log that the configuration asks for.
func nodeLog(w io.Writer, c config.Log) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Level)); err != nil {
		return nil, err
	}
	options := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options)), nil
	}
	return slog.New(slog.NewTextHandler(w, options)), nil
}

func quietLog() *slog.Logger { return slog.New(slog.DiscardHandler) }

func socketPath(dir string) string { return admin.SocketPath(dir) }
