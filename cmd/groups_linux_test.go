package cmd

import (
	"context"
	"fmt"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestGroupsOfProcesses runs nodes as processes on hosts of four regions, whose packets a user-space delayer holds up, and tells
// after how long every node has the true groups and an order that alternates far and near. By default there are 4 nodes, and that
// is all. GROUPS_NODES and GROUPS_REGIONS set others. GROUPS_HOGS=60 then takes the processors away for so many seconds, and no
// node may regroup; GROUPS_MOVE=1 moves a node to another region, and all must regroup it within 6 minutes.
func TestGroupsOfProcesses(t *testing.T) {
	n, regions := envInt(t, "GROUPS_NODES", 4), envInt(t, "GROUPS_REGIONS", len(regionBands))
	hogs, move := envInt(t, "GROUPS_HOGS", 0), envInt(t, "GROUPS_MOVE", 0)
	if regions < 1 || regions > len(regionBands) {
		t.Fatalf("GROUPS_REGIONS=%d is not 1 to %d", regions, len(regionBands))
	}
	l := newLab(t, n)
	f := &farAndNear{lab: l, delayer: l.delay(func(i int) int { return i % regions }), sites: l.sites()}
	network(t, f.sites)
	t.Logf("%d nodes in %d regions: true groups everywhere %s after all listed all; load %.1f", n, regions, f.right(trueWithin), loadAverage())
	if hogs > 0 {
		f.hog(time.Duration(hogs) * time.Second)
	}
	if move > 0 {
		f.delayer.move(l.hosts[0], regions-1)
		t.Logf("a node that moved is regrouped by all after %s; load %.1f", f.right(movedWithin), loadAverage())
	}
}

const (
	trueWithin  = 5 * time.Minute // for a busy machine, on which nodes measure later
	movedWithin = 6 * time.Minute
	groupsLook  = time.Second // between two looks at all nodes
)

// farAndNear is nodes on hosts with a delayer between them.
type farAndNear struct {
	lab     *lab
	delayer *delayer
	sites   []*site
}

// right waits until all have the groups and the order that are true, and tells how long that took.
func (f *farAndNear) right(limit time.Duration) time.Duration {
	f.lab.t.Helper()
	began := time.Now()
	tick := time.NewTicker(groupsLook)
	defer tick.Stop()
	for {
		wrong := f.wrong()
		took := time.Since(began)
		switch {
		case wrong == "":
			return took.Round(time.Second)
		case took > limit:
			f.lab.t.Fatalf("not within %s: %s", limit, wrong)
		}
		<-tick.C
	}
}

// wrong says what is not true about the first node of which something is not, or nothing.
func (f *farAndNear) wrong() string {
	f.lab.t.Helper()
	for i, s := range f.sites {
		p := s.look()
		if wrong := f.wrongGroups(i, p); wrong != "" {
			return wrong
		}
		var letters []string
		for _, place := range p.order {
			letters = append(letters, place.Group)
		}
		if want := alternating(p.groups); !slices.Equal(letters, want) {
			return fmt.Sprintf("%s asks in the order %v, want %v", s.name, letters, want)
		}
	}
	return ""
}

func (f *farAndNear) wrongGroups(of int, p picture) string {
	var got []string
	for _, g := range p.groups {
		var names []string
		for _, m := range g.Members {
			names = append(names, m.Name)
		}
		slices.Sort(names)
		got = append(got, strings.Join(names, " "))
	}
	if want := f.truth(of); !slices.Equal(got, want) {
		return fmt.Sprintf("%s has the groups %q, want %q; it measured %s", f.sites[of].name, got, want, measured(p))
	}
	return ""
}

// measured tells how far away a node holds each peer, with the median and the 99th percentile of its round trips.
func measured(p picture) string {
	var texts []string
	for _, peer := range p.peers {
		if peer.LatencyMS != nil && peer.MedianMS != nil && peer.P99MS != nil {
			texts = append(texts, fmt.Sprintf("%s %s (%s, %s)", peer.Name, fractional(*peer.LatencyMS), fractional(*peer.MedianMS), fractional(*peer.P99MS)))
		}
	}
	slices.Sort(texts)
	return strings.Join(texts, ", ")
}

// truth is the groups that a node should have, farthest first.
func (f *farAndNear) truth(of int) (groups []string) {
	at := map[time.Duration][]string{}
	for i, s := range f.sites {
		if i != of {
			band := f.delayer.band(f.lab.hosts[of], f.lab.hosts[i])
			at[band] = append(at[band], s.name)
		}
	}
	for _, band := range slices.Backward(regionBands[:]) {
		if names := at[band]; len(names) > 0 {
			slices.Sort(names)
			groups = append(groups, strings.Join(names, " "))
		}
	}
	return groups
}

// alternating is the groups of the places of the order: one from the farthest, one from the nearest, and so on to the middle, until
// all are empty.
func alternating(groups []groupView) (letters []string) {
	left, total := make([]int, len(groups)), 0
	for i, g := range groups {
		left[i] = len(g.Members)
		total += left[i]
	}
	for len(letters) < total {
		for turn := range groups {
			i := turn / 2
			if turn%2 == 1 {
				i = len(groups) - 1 - i
			}
			if left[i] > 0 {
				left[i]--
				letters = append(letters, groups[i].Letter)
			}
		}
	}
	return letters
}

// hog has as many processes as there are processors take all that they get, and counts who regroups meanwhile and half a minute after.
func (f *farAndNear) hog(long time.Duration) {
	t := f.lab.t
	t.Helper()
	moved := f.watch("before the hogs", hogRest)
	var hogs []*exec.Cmd
	for range runtime.NumCPU() {
		c := exec.Command("sh", "-c", "while :; do :; done")
		tie(c)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		hogs = append(hogs, c)
	}
	moved += f.watch(fmt.Sprintf("while %d hogs run", len(hogs)), long)
	for _, c := range hogs {
		_ = c.Process.Kill()
		_ = c.Wait() // it was killed
	}
	if moved += f.watch("after the hogs", hogRest); moved > 0 {
		t.Errorf("%d regroupings, and nobody had moved", moved)
	}
}

// hogRest is how long is looked before and after.
const hogRest = 30 * time.Second

// watch looks at the groups of all nodes for a while, and counts how often one regrouped.
func (f *farAndNear) watch(when string, long time.Duration) (regroupings int) {
	t := f.lab.t
	t.Helper()
	began := time.Now()
	tick := time.NewTicker(groupsLook)
	defer tick.Stop()
	looks, wrongs, told := 0, 0, map[int]bool{}
	for time.Since(began) < long {
		for i, s := range f.sites {
			looks++
			if wrong := f.wrongGroups(i, s.look()); wrong != "" {
				if wrongs++; !told[i] {
					t.Errorf("%s: %s", when, wrong)
				}
				told[i] = true
			}
		}
		<-tick.C
	}
	regroupings = f.regroupings(began)
	t.Logf("%s: %d looks at the groups of %d nodes in %s, %d of them not true, %d regroupings; load %.1f", when, looks, len(f.sites),
		time.Since(began).Round(time.Second), wrongs, regroupings, loadAverage())
	return regroupings
}

// regroupings counts those of all nodes since a moment, and tells of each.
func (f *farAndNear) regroupings(since time.Time) (n int) {
	f.lab.t.Helper()
	for _, s := range f.sites {
		s.ask(func(ctx context.Context, c *client) error {
			return c.Events(ctx, time.Since(since)+time.Second, false, func(e eventView) error {
				if e.Kind == "regrouped" && e.Time.After(since) {
					n++
					f.lab.t.Logf("%s: %s", s.name, e.Detail)
				}
				return nil
			})
		})
	}
	return n
}
