package latency

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/g2g-net/g2g/pki"
)

// cells are what the number of groups is tried on: milliseconds of the true groups.
var cells = []struct {
	name   string
	groups []float64
}{
	{"one site", []float64{0.3}},
	{"rack and zone", []float64{0.2, 0.8}},
	{"two regions", []float64{0.5, 40}},
	{"four groups", []float64{0.3, 15, 80, 200}},
}

const (
	draws  = 300
	within = 0.10 // log deviation between the members of a group
)

func peerID(i int) pki.ID { return pki.ID{1, byte(i >> 8), byte(i)} }

// drawn is n peers that are spread evenly over the groups, each measured Kept times; noise is the log deviation of a round trip.
func drawn(r *rand.Rand, n int, groups []float64, noise float64) []Peer {
	peers := make([]Peer, n)
	for i := range peers {
		path := math.Log(groups[i*len(groups)/n]) + within*r.NormFloat64()
		var s Samples
		for range Kept {
			s.Add(epoch, time.Duration(math.Exp(path+noise*r.NormFloat64())*float64(ms)))
		}
		peers[i] = Peer{peerID(i), s.Estimate(epoch)}
	}
	return peers
}

func TestNumberOfGroups(t *testing.T) {
	for _, c := range cells {
		for _, n := range []int{8, 20, 60} {
			for _, noise := range []float64{.10, .25} {
				right := 0
				r := rand.New(rand.NewPCG(4, uint64(n)))
				for range draws {
					if groups, _ := NewGrouping(nil).Update(drawn(r, n, c.groups, noise)); len(groups) == len(c.groups) {
						right++
					}
				}
				t.Logf("%-13s %2d peers, noise %2.0f %%: %5.1f %% of %d draws", c.name, n, 100*noise, 100*float64(right)/draws, draws)
				if right*100 < 93*draws {
					t.Errorf("%s: %d peers, noise %g: the right number in %d of %d draws", c.name, n, noise, right, draws)
				}
			}
		}
	}
}

// Two looks at the same peers must give the same groups, or the screen would flicker.
func TestNoiseRegroupsNobody(t *testing.T) {
	for _, c := range cells {
		r := rand.New(rand.NewPCG(5, 1))
		g := NewGrouping(nil)
		path := drawn(r, 24, c.groups, 0)
		samples := make([]Samples, len(path))
		regrouped := 0
		for range 400 {
			peers := make([]Peer, len(path))
			for i := range path {
				for range 5 {
					samples[i].Add(epoch, time.Duration(float64(path[i].Distance)*math.Exp(.10*r.NormFloat64())))
				}
				peers[i] = Peer{path[i].ID, samples[i].Estimate(epoch)}
			}
			groups, change := g.Update(peers)
			if change.Regrouped {
				regrouped++
			}
			if len(groups) != len(c.groups) {
				t.Fatalf("%s: %d groups", c.name, len(groups))
			}
		}
		if regrouped > 0 {
			t.Errorf("%s: regrouped in %d of 400 rounds", c.name, regrouped)
		}
	}
}
