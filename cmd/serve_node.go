package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/g2g-net/g2g/node"
	"github.com/g2g-net/g2g/node/admin"
	"github.com/g2g-net/g2g/node/config"
	"github.com/g2g-net/g2g/node/store"
	"github.com/g2g-net/g2g/pki"
)

// The files of a folder, for the commands that do not run a node.
const (
	identityFile = store.IdentityFile
	founderFile  = store.FounderFile
	stateFile    = store.StateFile
)

func init() { node.Version = buildVersion().Version }

// running is a node in this process.
type running struct {
	node *node.Node
	stop context.CancelFunc
	done chan struct{} // closed when the node has ended
	err  error         // why, once done is closed
}

// start opens the folder and runs its node until Stop, or until it ends by itself. It returns once the ports are up; ctx
// bounds only that.
func start(ctx context.Context, dir string, c config.Config, log *slog.Logger) (*running, error) {
	return startWith(ctx, dir, c, node.Options{Log: log})
}

func startWith(ctx context.Context, dir string, c config.Config, o node.Options) (*running, error) {
	n, err := node.OpenWith(dir, c, o)
	if err != nil {
		return nil, busyHint(err)
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
	case <-ctx.Done():
		_ = r.Stop() // nothing has begun that its error could be about
		return nil, context.Cause(ctx)
	}
}

// Stop says goodbye and waits for the node's end.
func (r *running) Stop() error {
	r.stop()
	<-r.done
	return r.err
}

// info says where the node can be reached.
func (r *running) info() nodeInfo {
	i := r.node.Info()
	return nodeInfo{name: i.Name, id: i.ID, gossip: i.Gossip, register: i.Register, admin: i.Admin, member: i.Member}
}

// join registers with the network of a token, at the address if one is given.
func (r *running) join(ctx context.Context, text, at string) (joinedView, error) {
	token, err := pki.ParseToken(text)
	if err != nil {
		return joinedView{}, err
	}
	j, err := r.node.Join(ctx, token, at)
	if err != nil && ctx.Err() != nil {
		return joinedView{}, context.Cause(ctx)
	}
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
	if o.dryRun {
		return foundDry(dir, c, o)
	}
	if o.force {
		if err := giveUpNetwork(dir); err != nil {
			return foundedView{}, err
		}
		if err := dropConfig(dir); err != nil {
			return foundedView{}, err
		}
	}
	f, err := node.Found(dir, c, o.network)
	if err != nil {
		return foundedView{}, busyHint(err)
	}
	return foundedView{
		ID: f.ID, Name: f.Name, Network: f.Network, NetworkName: cmp.Or(o.network, f.Name), Files: f.Files,
		ServerToken: f.ServerToken, ClientToken: f.ClientToken, TokenTTLS: int64(f.TokenLife / time.Second),
	}, nil
}

// foundDry refuses as found would, and makes nothing.
func foundDry(dir string, c config.Config, o foundOptions) (foundedView, error) {
	v := foundedView{Name: c.Name, NetworkName: cmp.Or(o.network, c.Name), TokenTTLS: int64(node.FirstTokenLife / time.Second)}
	for _, name := range []string{store.IdentityFile, store.FounderFile, store.ConfigFile, store.StateFile} {
		v.Files = append(v.Files, filepath.Join(dir, name))
	}
	if _, err := os.Lstat(filepath.Join(dir, store.StateFile)); o.force || errors.Is(err, fs.ErrNotExist) {
		return v, nil
	}
	d, err := store.Open(dir)
	if err != nil {
		return foundedView{}, busyHint(err)
	}
	_, _, member, err := d.Membership()
	if err == nil && member {
		err = fmt.Errorf("found network: %w", store.ErrHasNetwork)
	}
	return v, errors.Join(err, d.Close())
}

// dropConfig makes room for the settings of a new node, keeping the old ones under another name.
func dropConfig(dir string) error {
	file := filepath.Join(dir, config.FileName)
	if err := os.Rename(file, file+".old"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("put the old configuration away: %w", err)
	}
	return nil
}

// giveUpNetwork archives the membership of a node that does not run. A folder without one is as it should be.
func giveUpNetwork(dir string) error {
	_, err := node.LeaveNetwork(dir)
	if err == nil || errors.Is(err, node.ErrNoNetwork) || errors.Is(err, store.ErrNoNetwork) || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return busyHint(err)
}

// hasNetwork says whether something failed because the folder belongs to a network.
func hasNetwork(err error) bool {
	return errors.Is(err, node.ErrHasNetwork) || errors.Is(err, store.ErrHasNetwork)
}

// busyHint explains a folder that another process has.
func busyHint(err error) error {
	if errors.Is(err, node.ErrFolderBusy) {
		return &failure{why: err, hint: "another g2g runs in this folder; give each node its own --dir", code: exitFailed}
	}
	return err
}

// nodeCode is the exit code for what a node in this process answered.
func nodeCode(err error) (int, bool) {
	switch {
	case errors.Is(err, node.ErrRefused):
		return exitRefused, true
	case errors.Is(err, node.ErrUnreachable):
		return exitUnreachable, true
	case errors.Is(err, admin.ErrInvalid):
		return exitUsage, true
	case hasNetwork(err), errors.Is(err, node.ErrNoNetwork), errors.Is(err, node.ErrFolderBusy):
		return exitFailed, true
	}
	return 0, false
}

// reload makes the settings count that can change while the node runs.
func (r *running) reload(ctx context.Context, c config.Config) error { return r.node.Reload(ctx, c) }

// alive asks the node's loop for a sign of life.
func (r *running) alive(ctx context.Context) error {
	_, err := r.node.Picture(ctx)
	return err
}

func quietLog() *slog.Logger { return slog.New(slog.DiscardHandler) }

func socketPath(dir string) string { return admin.SocketPath(dir) }

// keyID is the ID of a key file that a node would accept.
func keyID(path string) (string, error) {
	key, err := store.ReadKey(path)
	if err != nil {
		return "", err
	}
	return key.ID().String(), nil
}

// membershipIn reads what the state of a stopped node says.
func membershipIn(dir string) (membership, error) {
	d, err := store.Open(dir)
	if err != nil {
		return membership{}, err
	}
	genesis, chain, member, err := d.Membership()
	err = errors.Join(err, d.Close())
	if err != nil || !member {
		return membership{}, err
	}
	return membership{network: named(genesis.Network().String(), genesis.Name), mode: chain.Mode().String()}, nil
}

// isBusy says whether something failed because another process has the folder.
func isBusy(err error) bool { return errors.Is(err, store.ErrBusy) }
