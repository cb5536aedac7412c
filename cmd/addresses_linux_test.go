package cmd

import (
	"net"
	"testing"
	"time"
)

// TestTwoAddresses: a node advertises an address at which nobody answers before the one at which it is reached. Peers use the other:
// they list it, call it, and find it again after they started anew. At the dead address there is a listener that takes connections
// and says nothing, or a router that drops what is sent there.
func TestTwoAddresses(t *testing.T) {
	t.Run("nobody speaks there", func(t *testing.T) {
		silent, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer silent.Close()
		sites := []*site{newSite(t, "a"), newSite(t, "b"), newSite(t, "c")}
		twoAddresses(t, sites, silent.Addr().String())
	})
	t.Run("nothing comes back", func(t *testing.T) {
		l := newLab(t, 3)
		l.swallow("10.99.0.0/16")
		twoAddresses(t, l.sites(), "10.99.0.1:7401")
	})
}

// twoAddresses has the last site advertise a dead address before its own.
func twoAddresses(t *testing.T, sites []*site, dead string) {
	t.Helper()
	network(t, sites)
	peer, both := sites[0], sites[2]
	good := both.look().self.status.Advertised[0]
	both.stop()
	both.start("--advertise", dead, "--advertise", good)
	t.Logf("all list all %s after its start", await(t, sites, "alive==2").Round(time.Millisecond))
	checkAdvertised(t, both, dead, good)
	peer.stop()
	peer.start()
	t.Logf("all list all %s after a peer's start", await(t, sites, "alive==2").Round(time.Millisecond))
	for _, s := range sites[:2] {
		t.Logf("%s was answered on its own connection after %s", s.name, s.reaches(both.name))
	}
	await(t, sites[:2], "unreachable==0")
}
