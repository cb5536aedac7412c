package cmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestAddressTranslation puts a node with the default settings behind address translation: what it sends comes from the translator's
// address, port 7401 there is led to it, and what is sent to its own address is lost. It learns its external address from peers, has
// it dialled back, advertises it, and is reached at it from the other side. A second one, to which no port is led, advertises
// nothing that nobody can reach.
func TestAddressTranslation(t *testing.T) {
	l := newLab(t, 2)
	sites := l.sites()
	network(t, sites)
	l.swallow("192.168.0.0/16")

	outer := l.add()
	inner := outer.behind(1, true).site("inner")
	inner.join(sites[0])
	began := time.Now()
	inner.start()
	external := outer.ip + ":7401"
	awaitEvent(inner, "address", "a peer reached this node at "+external)
	t.Logf("it advertises %s %s after its start", external, time.Since(began).Round(time.Millisecond))
	await(t, append(slices.Clone(sites), inner), "alive==2")
	checkAdvertised(t, inner, "192.168.1.2:7401", external)
	sites[1].stop()
	sites[1].start() // it has no connection yet
	t.Logf("all list all %s after a peer's new start", await(t, append(slices.Clone(sites), inner), "alive==2"))
	t.Logf("it was pinged from the other side after %s", sites[1].reaches("inner"))

	hidden := l.add().behind(2, false).site("hidden")
	hidden.join(sites[0])
	hidden.start()
	await(t, append(slices.Clone(sites), hidden), "alive==3")
	await(t, sites, "peer:hidden=unreachable")
	checkAdvertised(t, hidden, "192.168.2.2:7401")
}

// behind adds a host behind this one, which translates its address, and with forwarded leads its own port 7401 there.
func (h *host) behind(i int, forwarded bool) *host {
	h.t.Helper()
	inner := newHost(h.t)
	inner.ip = fmt.Sprintf("192.168.%d.2", i)
	forward := ""
	if forwarded {
		forward = "iifname wan0 tcp dport 7401 dnat to " + inner.ip
	}
	h.sh(fmt.Sprintf(`
		echo 1 >/proc/sys/net/ipv4/ip_forward
		ip link add lan0 type veth peer name wan0 netns %[2]d
		ip addr add 192.168.%[1]d.1/24 dev lan0
		ip link set lan0 up
		nft -f - <<-END
			table ip lab {
				chain out { type nat hook postrouting priority srcnat; oifname wan0 masquerade; }
				chain in { type nat hook prerouting priority dstnat; %[3]s; }
			}
		END`, i, inner.id, forward))
	inner.sh(fmt.Sprintf(`
		ip addr add %[2]s/24 dev wan0
		ip link set wan0 up
		ip route add default via 192.168.%[1]d.1`, i, inner.ip))
	return inner
}

// awaitEvent returns when the node has told of something.
func awaitEvent(s *site, kind, detail string) {
	s.t.Helper()
	s.ask(func(ctx context.Context, c *client) error {
		err := c.Events(ctx, 10*time.Minute, true, func(e eventView) error {
			if e.Kind == kind && strings.Contains(e.Detail, detail) {
				return errMet
			}
			return nil
		})
		if errors.Is(err, errMet) {
			return nil
		}
		return fmt.Errorf("event %s %q: %w", kind, detail, err)
	})
}

func checkAdvertised(t *testing.T, s *site, want ...string) {
	t.Helper()
	if got := s.look().self.status.Advertised; !slices.Equal(got, want) {
		t.Errorf("%s advertises %v, want %v", s.name, got, want)
	}
}
