package cmd

import (
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"time"

	"github.com/g2g-net/g2g/node/config"
)

// answerTime is longer than a node that is well takes to show its picture, however busy.
const answerTime = 3 * time.Second

// node looks at the node in the folder: the one that runs, or the one that could.
func (d *doctor) node(ctx context.Context, c config.Loaded, known bool) {
	node, err := dial(ctx, d.dir)
	switch {
	case errors.Is(err, errNoNode):
		d.stopped(ctx, c, known)
		return
	case err != nil:
		d.problem("node", explain(err).hint, "%s", reason(err))
		return
	}
	defer node.Close()
	asking, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	p, err := node.Picture(asking)
	if err != nil {
		d.problem("node", "look at its log; end it and start it again", "it does not answer at its socket: %s", reason(err))
		return
	}
	d.running(p)
	if known {
		d.settings(ctx, node, c.Config, p.self.status)
	}
	if p.self.Network == "" {
		d.warn("network", "join one: g2g join"+d.a.atDir(d.dir), "the node belongs to no network yet")
		return
	}
	d.leaf(p)
	d.bound(ctx, p.self.status)
	d.addresses(ctx, p.self.status)
	d.peers(ctx, node, p)
	d.services(ctx, node)
	if known {
		d.passages(ctx, c.Config, p)
	}
	d.events(ctx, node)
}

func (d *doctor) running(p picture) {
	s := p.self.status
	d.ok("node", "%s answers, up for %s", s.Name, span(max(time.Duration(s.UptimeS)*time.Second, time.Second)))
	socket := socketPath(d.dir)
	if info, err := os.Stat(socket); err == nil && modes && info.Mode().Perm()&0o077 != 0 {
		d.problem("socket", "chmod 600 "+shellWord(socket), "%s has mode %04o: other users can command the node", socket, info.Mode().Perm())
	}
	if own := buildVersion().Version; own != s.Version {
		d.warn("version", "start the node again to run this one", "the node runs g2g %s, this is g2g %s", s.Version, own)
	}
}

// settings compares the configuration as it stands now with what the node runs with.
func (d *doctor) settings(ctx context.Context, node *client, c config.Config, s statusView) {
	fine := true
	other := func(how, format string, args ...any) {
		fine = false
		d.warn("config", how+" to make it count; flags given to serve go before the file", format, args...)
	}
	const reload, restart = "send the node SIGHUP", "start the node again"
	if c.Name != s.Name {
		other(reload, "name is %s, the node's is %s", c.Name, s.Name)
	}
	for _, l := range []struct{ key, wanted, bound string }{
		{"gossip.listen", c.Gossip.Listen, s.GossipAddress}, {"register.listen", c.Register.Listen, s.RegisterAddress},
	} {
		if l.bound != "" && !boundAs(l.wanted, l.bound) {
			other(restart, "%s is %s, the node listens at %s", l.key, l.wanted, l.bound)
		}
	}
	for _, address := range c.Gossip.Advertise {
		if s.Mode == modeServer && !slices.Contains(s.Advertised, address) {
			other(reload, "gossip.advertise has %s, the node does not tell it", address)
		}
	}
	services, err := node.Services(ctx)
	for _, address := range c.Services {
		if at, ok := serviceAt(services, address); err == nil && (!ok || at.Origin == originPeers) {
			other(reload, "services has %s, the node does not visit it", address)
		}
	}
	if fine {
		d.ok("config", "the node runs with it")
	}
}

// boundAs says whether an address as bound is one that was to be listened on.
func boundAs(wanted, bound string) bool {
	host, port, err := net.SplitHostPort(wanted)
	at, atPort, err2 := net.SplitHostPort(bound)
	if err != nil || err2 != nil || port != "0" && port != atPort {
		return false
	}
	ip, is := net.ParseIP(host), net.ParseIP(at)
	switch {
	case host == "":
		return is == nil || is.IsUnspecified()
	case ip == nil: // a name
		return true
	}
	return ip.Equal(is) || ip.IsUnspecified() && is.IsUnspecified()
}

// leaf looks at the node's own leaf, and at what the others' say of the clocks.
func (d *doctor) leaf(p picture) {
	l := p.self.Leaf
	switch {
	case l.NotAfter == nil || l.NotBefore == nil:
		d.problem("leaf", "look at the log of the node", "the node has no leaf")
		return
	case l.NotBefore.After(p.taken):
		d.problem("clock", clockHint+"; then g2g cert rotate"+d.a.atDir(d.dir), "the leaf begins %s from now: this machine's clock has gone back", span(l.NotBefore.Sub(p.taken)))
	case !l.NotAfter.After(p.taken):
		d.problem("leaf", "g2g cert rotate"+d.a.atDir(d.dir)+"; then look at the log for why it was not renewed", "the leaf ended %s ago", span(p.taken.Sub(*l.NotAfter)))
	case len(dueOf(certsOf(p)[:1], p.taken, 0)) > 0:
		d.warn("leaf", "g2g cert rotate"+d.a.atDir(d.dir)+"; then look at the log for why it was not renewed", "the leaf should have been renewed: it ends in %s", span(l.NotAfter.Sub(p.taken)))
	default:
		d.ok("leaf", "%s", leafText(l, p.taken))
	}
	d.clocks(p)
}

// bound connects to the node's own ports.
func (d *doctor) bound(ctx context.Context, s statusView) {
	if s.Mode == modeClient {
		d.ok("ports", "a client-mode node has none")
		return
	}
	for _, l := range []struct{ what, at string }{{"gossip", s.GossipAddress}, {"register", s.RegisterAddress}} {
		conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", l.at)
		if err != nil {
			d.problem("ports", "is there a firewall on this machine? look at the log of the node", "%s: %v", l.what, err)
			continue
		}
		_ = conn.Close()
		d.ok("ports", "%s %s is held by the node", l.what, l.at)
	}
}
