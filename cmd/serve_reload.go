package cmd

import (
	"context"
	"strings"
	"time"

	"github.com/g2g-net/g2g/node/config"
)

// reloadTime bounds how long a node that is busy is waited for.
const reloadTime = 10 * time.Second

// A reloading reads the configuration of a running node again.
type reloading struct {
	a       *app
	dir     string
	flags   config.Values // as serve was given them: they still go before the file
	log     nodeLog
	node    configurable
	current config.Config // what counts now
}

// A configurable is a node whose settings can change while it runs.
type configurable interface {
	reload(context.Context, config.Config) error
}

// run reads the configuration and applies what it can. One that is wrong changes nothing.
func (r *reloading) run(ctx context.Context) {
	r.a.notifySystemd("RELOADING=1" + monotonicLine())
	defer r.a.notifySystemd("READY=1")
	next, err := r.a.load(r.dir, r.flags)
	if err == nil {
		err = r.apply(ctx, next.Config)
	}
	if err != nil {
		r.log.Error("configuration not reloaded: nothing was changed", "error", reason(err))
		return
	}
	live, waiting := differences(r.current, next)
	for _, d := range live {
		r.log.Info("a setting has changed", "key", d.Key, "was", d.Running, "is", d.Wanted, "origin", d.Origin)
	}
	if len(waiting) > 0 {
		r.log.Warn("settings count only after a restart", "keys", namesOf(waiting))
	}
	for _, d := range waiting {
		r.log.Info("a setting waits for a restart", "key", d.Key, "running", d.Running, "wanted", d.Wanted, "origin", d.Origin)
	}
	r.current = r.current.WithLive(next.Config)
	r.log.Info("configuration reloaded", "changed", len(live), "waiting", len(waiting))
}

// apply makes what can change count: the node's settings first, which may be refused, then the log's, which cannot.
func (r *reloading) apply(ctx context.Context, next config.Config) error {
	ctx, cancel := context.WithTimeout(ctx, reloadTime)
	defer cancel()
	if err := r.node.reload(ctx, next); err != nil {
		return err
	}
	return r.log.set(next.Log)
}

// A difference is a setting that counts one way and is wanted another way.
type difference struct{ Key, Running, Wanted, Origin string }

// differences are in the order of the file: those that a reload settles, and those that wait for a restart.
func differences(running config.Config, wanted config.Loaded) (live, waiting []difference) {
	before := config.Loaded{Config: running}.Entries() // the same keys in the same order, whatever the values
	for i, e := range wanted.Entries() {
		if e.Value == before[i].Value {
			continue
		}
		d := difference{e.Key, before[i].Value, e.Value, e.Origin}
		if config.Keys()[i].Live {
			live = append(live, d)
		} else {
			waiting = append(waiting, d)
		}
	}
	return live, waiting
}

func namesOf(all []difference) string {
	keys := make([]string, 0, len(all))
	for _, d := range all {
		keys = append(keys, d.Key)
	}
	return strings.Join(keys, ", ")
}
