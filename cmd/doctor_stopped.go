package cmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"

	"github.com/g2g-net/g2g/node/config"
)

// stopped looks whether a node could run in a folder where none does.
func (d *doctor) stopped(ctx context.Context, c config.Loaded, known bool) {
	d.warn("node", "start it: g2g serve"+d.a.atDir(d.dir), "no node runs in the folder")
	var m membership
	if !d.locked {
		var ok bool
		if m, ok = d.state(); !ok {
			return
		}
	}
	if !known {
		return
	}
	if m.mode == modeClient {
		d.ok("ports", "a client-mode node has none")
		return
	}
	d.free(ctx, "gossip.listen", c.Config.Gossip.Listen)
	d.free(ctx, "register.listen", c.Config.Register.Listen)
}

// A membership is what the state of a stopped node says.
type membership struct{ network, mode string }

// state reads the state file, if there is one, and says whether a node could use it.
func (d *doctor) state() (membership, bool) {
	if _, err := os.Lstat(filepath.Join(d.dir, stateFile)); errors.Is(err, fs.ErrNotExist) {
		d.ok("state", "there is no %s yet", stateFile)
		return membership{}, true
	}
	m, err := membershipIn(d.dir)
	switch {
	case isBusy(err):
		d.problem("node", "find the process that has "+stateFile+" open, and end it", "a process has the folder open, but does not answer at its socket")
	case err != nil:
		d.problem("state", "put the folder back from a backup: docs/operations.md says how", "%v", err)
	case m.network == "":
		d.warn("state", "join one: g2g join"+d.a.atDir(d.dir), "the folder belongs to no network yet")
	default:
		d.ok("state", "a member of %s in %s mode", m.network, m.mode)
	}
	return m, err == nil
}

// free tries to listen as a node would.
func (d *doctor) free(ctx context.Context, key, address string) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err == nil {
		_ = l.Close()
		d.ok("ports", "%s %s is free", key, address)
		return
	}
	hint := fmt.Sprintf("choose another address for %s: g2g help config", key)
	if errors.Is(err, syscall.EADDRINUSE) {
		hint = "another program or node listens there: end it, or choose another port for " + key
	}
	d.problem("ports", hint, "%s: %v", key, err)
}
