package cmd

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/g2g-net/g2g/pki"
)

const (
	maxPinged   = 16               // peers that doctor calls, all at once
	doctorPing  = 3 * time.Second  // for one of them to answer
	resolveTime = 3 * time.Second  // for a name
	eventsSince = time.Hour        // how far back warnings are told
	tooEarly    = pki.LeafBackdate // a leaf begins so long before its making
)

// addresses looks at what the node tells others of where it is.
func (d *doctor) addresses(ctx context.Context, s statusView) {
	const hint = "set gossip.advertise to an address that the others can reach, and send the node SIGHUP"
	if s.Mode == modeClient {
		return
	}
	kinds := map[string]int{}
	for _, address := range s.Advertised {
		kind, err := kindOf(ctx, address)
		if err != nil {
			d.problem("addresses", "correct the name, or gossip.advertise", "%s is told to others: %v", address, err)
		}
		kinds[kind]++
	}
	switch all := list(s.Advertised); len(s.Advertised) {
	case 0:
		d.problem("addresses", hint, "the node tells no address")
	case kinds["loopback"]:
		d.warn("addresses", hint, "only nodes on this machine can reach %s", all)
	case kinds["private"] + kinds["loopback"]:
		d.found = append(d.found, finding{levelOK, "addresses", all + " (private)", "if nodes elsewhere are to reach it: " + hint})
	default:
		d.ok("addresses", "%s", all)
	}
	for _, host := range s.Observed {
		if seenElsewhere(host, s.Advertised) {
			d.warn("addresses", "if the gossip port can be reached there, set gossip.advertise to it; behind address translation forward the port first",
				"peers see this node at %s, which it does not tell", host)
		}
	}
}

// kindOf tells loopback and private addresses from others; a name must resolve.
func kindOf(ctx context.Context, address string) (string, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return "", err
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		ctx, cancel := context.WithTimeout(ctx, resolveTime)
		defer cancel()
		_, err := net.DefaultResolver.LookupHost(ctx, host)
		return "name", err
	}
	switch {
	case ip.IsLoopback():
		return "loopback", nil
	case ip.IsPrivate(), ip.IsLinkLocalUnicast():
		return "private", nil
	}
	return "public", nil
}

// seenElsewhere says whether a host is none of those that are told. Names may stand for it.
func seenElsewhere(host string, told []string) bool {
	ip, err := netip.ParseAddr(host)
	if err != nil || ip.IsLoopback() {
		return false
	}
	return !slices.ContainsFunc(told, func(address string) bool {
		h, _, _ := net.SplitHostPort(address)
		other, err := netip.ParseAddr(h)
		return err != nil || other.Unmap() == ip.Unmap()
	})
}

// peers looks whether the others can be reached from here.
func (d *doctor) peers(ctx context.Context, node *client, p picture) {
	servers := matching(p.peers, func(q peerView) bool { return q.Mode != modeClient && q.State != stateLeft && q.State != stateEvicted })
	alive := matching(servers, func(q peerView) bool { return q.State == stateAlive })
	switch {
	case p.self.status.Isolated, len(alive) == 0 && len(servers) > 0:
		d.problem("peers", "is this machine's network up, and the others' gossip ports open to it? with log.level debug the log has the reason of each failed call",
			"the node hears nobody: %s listed, %d alive", count(len(servers), "other"), len(alive))
	case len(servers) == 0:
		d.ok("peers", "the node knows no others: it is the only one, or the others have left")
	}
	for _, q := range servers[:min(len(servers), maxPinged)] {
		if q.State != stateAlive || q.Unreachable {
			d.warn("peers", "is it up, and can this machine connect to "+list(q.Addresses)+"?", "%s is %s", q.Name, describe(q))
		}
	}
	d.call(ctx, node, alive[:min(len(alive), maxPinged)])
}

// call pings some peers at once.
func (d *doctor) call(ctx context.Context, node *client, peers []peerView) {
	ctx, cancel := context.WithTimeout(ctx, doctorPing)
	defer cancel()
	failed := make([]error, len(peers))
	var wait sync.WaitGroup
	for i, q := range peers {
		wait.Go(func() {
			failed[i] = node.Ping(ctx, q.ID, 1, func(t tripView) error {
				if t.Error != "" {
					return fmt.Errorf("%s", t.Error)
				}
				return nil
			})
		})
	}
	wait.Wait()
	answered := 0
	for i, err := range failed {
		if err == nil {
			answered++
			continue
		}
		d.warn("peers", "can this machine connect to "+list(peers[i].Addresses)+"?", "%s does not answer: %s", peers[i].Name, reason(err))
	}
	if answered > 0 {
		d.ok("peers", "%d of %s called answered", answered, count(len(peers), "peer"))
	}
}

// clocks holds the making of the peers' leaves against this clock.
func (d *doctor) clocks(p picture) {
	for _, q := range p.peers {
		if q.leaf.NotBefore == nil {
			continue
		}
		if ahead := q.leaf.NotBefore.Add(tooEarly).Sub(p.taken); ahead > pki.Tolerance {
			d.warn("clock", clockHint, "the leaf of %s was made %s from now: its clock or this one is wrong", q.Name, span(ahead))
		}
	}
}

// services looks at what became of the visits to shared addresses.
func (d *doctor) services(ctx context.Context, node *client) {
	services, err := node.Services(ctx)
	if err != nil {
		d.warn("services", "", "%s", reason(err))
	}
	for _, s := range services {
		if s.Error != "" {
			d.warn("services", "does some member listen behind it? it can be removed with g2g services remove, or from the configuration",
				"nobody answered at %s: %s", s.Address, s.Error)
		}
	}
}

// ordinary are the kinds of events that the other checks have the present state of.
var ordinary = []string{stateAlive, stateLate, stateDead, stateLeft, "reachable", unreachable, "gap"}

// events tells of what the node has warned of lately, the last of each kind.
func (d *doctor) events(ctx context.Context, node *client) {
	last, times := map[string]eventView{}, map[string]int{}
	err := node.Events(ctx, eventsSince, false, func(e eventView) error {
		if e.Severity != "info" && !slices.Contains(ordinary, e.Kind) {
			last[e.Kind] = e
			times[e.Kind]++
		}
		return nil
	})
	if err != nil {
		d.warn("events", "", "%s", reason(err))
		return
	}
	for _, kind := range keysOf(last) {
		e := last[kind]
		what := fmt.Sprintf("%s in the last hour (%s): %s", kind, count(times[kind], "time"), strings.TrimSpace(e.Name+" "+e.Detail))
		if kind == "clone" && e.Severity == "error" {
			d.problem("events", "two nodes use one identity: stop one, and give it a folder and a token of its own", "%s", what)
			continue
		}
		d.warn("events", "see g2g events"+d.a.atDir(d.dir), "%s", what)
	}
}
