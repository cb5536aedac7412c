package node

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/g2g-net/g2g/node/config"
	"github.com/g2g-net/g2g/node/gossip"
)

// reloads are the settings that count at once: what each test changes, and how a peer or the operator sees that it did.
var reloads = map[string]struct {
	change func(*config.Config)
	seen   func(f, n *actor) bool
}{
	"name": {
		func(c *config.Config) { c.Name = "renamed" },
		func(f, n *actor) bool { return f.peer(n.ID()).Name == "renamed" && n.Info().Name == "renamed" },
	},
	"services": {
		func(c *config.Config) { c.Services = []string{"mesh.example:7401"} },
		func(f, n *actor) bool {
			list, err := n.Services(context.Background())
			return err == nil && len(list) == 1 && list[0].Origin == "config" && list[0].Visits > 0 && len(f.peer(n.ID()).Services) == 1
		},
	},
	"gossip.advertise": {
		func(c *config.Config) { c.Gossip.Advertise = []string{"outer.example:7401"} },
		func(f, n *actor) bool {
			token := n.token(gossip.NominateRequest{})
			return slices.Equal(f.peer(n.ID()).Addresses, []string{"outer.example:7401"}) && strings.HasPrefix(token.Addresses[0], "outer.example:")
		},
	},
	"gossip.interval": {
		func(c *config.Config) { c.Gossip.Interval = 200 * time.Millisecond },
		func(f, n *actor) bool { // five exchanges are begun where one was
			began := n.turns.Load()
			n.w.pass(10 * time.Second)
			return n.turns.Load()-began > 10*8
		},
	},
	"log.format": {}, // cmd's: TestReload there
	"log.level":  {},
}

// Every setting that is said to count after a reload does, and is undone by the next one.
func TestReloadedSettingsCount(t *testing.T) {
	for _, key := range config.Keys() {
		reload, ok := reloads[key.Path]
		if ok != key.Live {
			t.Errorf("%s: counts after a reload: %t, and there is a test for it: %t", key.Path, key.Live, ok)
		}
		if reload.change == nil {
			continue
		}
		t.Run(key.Path, func(t *testing.T) {
			inWorld(t, 5*time.Millisecond, func(w *world) {
				f := w.founder()
				n := w.joiner(1, f)
				w.allAlive(10*time.Second, []*actor{f, n}, 1)
				before := *n.contact.Load()
				cfg := n.cfg
				reload.change(&cfg)
				n.reload(cfg)
				w.until(30*time.Second, "it counts", func() bool { return reload.seen(f, n) })
				n.reload(n.cfg)
				w.pass(2 * time.Second)
				after := f.peer(n.ID()).Contact
				if after.Name != before.Name || !slices.Equal(after.Addresses, before.Addresses) || !slices.Equal(after.Services, before.Services) {
					t.Errorf("undone, it tells %+v, before %+v", after, before)
				}
				if f.alive() != 1 || n.alive() != 1 {
					t.Errorf("%d and %d are alive", f.alive(), n.alive())
				}
				haltAll([]*actor{f, n})
			})
		})
	}
}

func (a *actor) reload(cfg config.Config) {
	a.w.t.Helper()
	if err := a.Reload(context.Background(), cfg); err != nil {
		a.w.t.Fatal(err)
	}
}

// A configuration that is wrong, or that no contact can carry, changes nothing; what waits for a restart waits; a node without a
// network joins with what was reloaded.
func TestReloadRefusals(t *testing.T) {
	inWorld(t, 5*time.Millisecond, func(w *world) {
		f := w.founder()
		before := *f.contact.Load()
		wrong := f.cfg
		wrong.Name = "Not a name"
		contains(t, f.Reload(context.Background(), wrong), `reload: name = "Not a name"`)
		large := f.cfg
		large.Name = "large"
		for i := range config.MaxServices {
			large.Services = append(large.Services, fmt.Sprintf("%sn%d.example:7401", strings.Repeat("a-label-that-is-rather-long.", 7), i))
		}
		contains(t, f.Reload(context.Background(), large), "its 64 services take")
		w.pass(2 * time.Second)
		if now := f.contact.Load(); f.Info().Name != "n0" || now.Name != before.Name || len(now.Services) > 0 {
			t.Errorf("a refused configuration counts: %+v", now)
		}
		if err := f.AddService(context.Background(), "added.example:7401"); err != nil {
			t.Error(err)
		}
		waits := f.cfg
		waits.Register.Listen, waits.Leaf.Life, waits.Services = "10.0.0.1:0", time.Hour, []string{"mesh.example:7401"}
		f.reload(waits)
		if got := f.contact.Load().Services; !slices.Equal(got, []string{"added.example:7401", "mesh.example:7401"}) {
			t.Errorf("services %v", got)
		}
		if _, err := f.Rotate(context.Background(), false); err != nil {
			t.Error(err)
		}
		if leaf := f.leaf.Load().Claims; leaf.NotAfter.Sub(leaf.NotBefore) < 24*time.Hour {
			t.Errorf("leaf.life counts before the restart: %s", leaf.NotAfter.Sub(leaf.NotBefore))
		}
		n := w.outsider(1)
		cfg := n.cfg
		cfg.Name = "renamed"
		n.reload(cfg)
		if _, err := n.Join(context.Background(), f.token(gossip.NominateRequest{}), ""); err != nil {
			t.Fatal(err)
		}
		w.until(5*time.Second, "it has its new name", func() bool { p := f.peer(n.ID()); return p != nil && p.Name == "renamed" })
		haltAll([]*actor{f, n})
	})
}
