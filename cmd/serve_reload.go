package cmd

import (
	"slices"

	"github.com/g2g-net/g2g/node/config"
)

// liveKeys are the settings that count at once when they change; all others count from the next start.
var liveKeys = []string{"log.format", "log.level"}

// A reloading reads the configuration of a running node again.
type reloading struct {
	a       *app
	dir     string
	flags   config.Values // as serve was given them: they still go before the file
	log     nodeLog
	current config.Loaded // what counts now
}

// run reads the configuration and applies what it can. One that is wrong changes nothing.
func (r *reloading) run() {
	r.a.notifySystemd("RELOADING=1" + monotonicLine())
	defer r.a.notifySystemd("READY=1")
	next, err := r.a.load(r.dir, r.flags)
	if err != nil {
		r.log.Error("configuration not reloaded: nothing was changed", "error", reason(err))
		return
	}
	changed := differences(r.current, next)
	for _, d := range changed {
		if !slices.Contains(liveKeys, d.Key) {
			r.log.Warn("a setting counts only after a restart", "key", d.Key, "running", d.Running, "wanted", d.Wanted, "origin", d.Origin)
		}
	}
	if err := r.log.set(next.Config.Log); err != nil {
		r.log.Error("configuration not reloaded: nothing was changed", "error", err)
		return
	}
	r.current.Config.Log = next.Config.Log
	for _, d := range changed {
		if slices.Contains(liveKeys, d.Key) {
			r.log.Info("a setting has changed", "key", d.Key, "was", d.Running, "is", d.Wanted, "origin", d.Origin)
		}
	}
	r.log.Info("configuration reloaded", "changes", len(changed))
}

// A difference is a setting that counts one way and is wanted another way.
type difference struct{ Key, Running, Wanted, Origin string }

// differences are in the order of the file.
func differences(running, wanted config.Loaded) []difference {
	var all []difference
	before := running.Entries() // the same keys in the same order, whatever the values
	for i, e := range wanted.Entries() {
		if e.Value != before[i].Value {
			all = append(all, difference{e.Key, before[i].Value, e.Value, e.Origin})
		}
	}
	return all
}
