package sim

import (
	"testing"

	"github.com/g2g-net/g2g/node/view"
)

// A network that begins joined is whole from its first second on, of whatever size.
func TestJoinedNetworkIsWhole(t *testing.T) {
	for _, size := range []string{"1", "2", "60"} {
		r := play(t, plan("nodes "+size+"\nlength 12s\njoined\nat 3s measure"), 1)
		settled(t, r)
		if o := r.Overlay[0]; o.Reach < 0.9 || o.ActiveComponents != 1 || o.InMean > view.MaxServers {
			t.Errorf("%s nodes: %+v", size, o)
		}
	}
}

// Who comes later joins as ever, and a node that is killed at once comes back.
func TestJoinedNetworkGrows(t *testing.T) {
	r := play(t, plan("nodes 20\nlength 80s\njoined\nat 10s join 3\nat 20s kill 2\nat 40s restart all"), 1)
	settled(t, r)
	if o := r.Overlay[len(r.Overlay)-1]; o.Nodes != 23 || o.Reach != 1 {
		t.Errorf("%+v", o)
	}
}

// While nobody's pace is known yet, a node takes that of news in general for it, and does not ask everybody whose beats take longer than a
// period to come. In a network that just fits into a view nearly all do. Crashes are found as soon as ever: calls that fail tell of them.
func TestNewNetworkAsksNobodyInVain(t *testing.T) {
	r := play(t, plan("nodes 130\nlength 21s\njoined\nat 16s kill 4"), 1)
	for _, k := range r.Cost[0].Kinds {
		if k.Kind == "probe" && k.MessagesS > 0.5 {
			t.Errorf("%.1f probes and answers a node and second", k.MessagesS)
		}
	}
	if d := r.Detection[0]; d.Dead.Never > 0 || *d.Dead.P99 > 2 {
		t.Errorf("%+v", d)
	}
}
