package cmd

import (
	"slices"
	"strings"
	"testing"
)

func TestResolve(t *testing.T) {
	a, b, twin := peerView{ID: fakeID(1), Name: "a"}, peerView{ID: fakeID(2), Name: "b"}, peerView{ID: fakeID(3), Name: "b"}
	// A name may look like an ID's beginning: the name goes first.
	sly := peerView{ID: fakeID(4), Name: fakeID(1)[:14]}
	peers := []peerView{a, b, twin, sly}
	for text, want := range map[string]string{
		"a":             a.ID,
		b.ID:            b.ID,
		b.ID[:12]:       b.ID,
		fakeID(1)[:14]:  sly.ID,
		fakeID(1)[:15]:  a.ID,
		fakeID(1) + "x": "",
	} {
		got, err := resolve(peers, text)
		if got.ID != want || (err == nil) != (want != "") {
			t.Errorf("resolve(%q) = %q, %v; want %q", text, got.ID, err, want)
		}
	}
}

func TestResolveAmbiguousNamesEveryID(t *testing.T) {
	_, err := resolve([]peerView{{ID: fakeID(1), Name: "b"}, {ID: fakeID(2), Name: "b"}}, "b")
	f := explain(err)
	if f.code != exitUsage || !strings.Contains(f.Error(), fakeID(1)) || !strings.Contains(f.Error(), fakeID(2)) {
		t.Errorf("code %d, %q; want %d and both IDs", f.code, f.Error(), exitUsage)
	}
}

func TestResolveAmbiguousIsBounded(t *testing.T) {
	var peers []peerView
	for n := range byte(200) {
		peers = append(peers, peerView{ID: fakeID(n), Name: "same"})
	}
	_, err := resolve(peers, "same")
	if f := explain(err); !strings.HasSuffix(f.Error(), "192 more") || len(f.Error()) > 1000 {
		t.Errorf("error of %d bytes: %s", len(f.Error()), f.Error())
	}
}

func TestResolveNobody(t *testing.T) {
	peers := []peerView{{ID: fakeID(1), Name: "node-a"}, {ID: fakeID(2), Name: "other"}}
	for text, hint := range map[string]string{
		"node-b": "did you mean node-a?",
		"zzz":    "see who is known: g2g peers",
		"g2gn1_": "see who is known: g2g peers", // what all IDs begin with means nobody
	} {
		_, err := resolve(peers, text)
		if f := explain(err); f.code != exitNobody || f.hint != hint {
			t.Errorf("resolve(%q): code %d, hint %q; want %d, %q", text, f.code, f.hint, exitNobody, hint)
		}
	}
}

func TestFilter(t *testing.T) {
	peers := pictureOf(fakePicture()).peers
	peers[0].Serves, peers[1].Serves = []string{"a.B", "pkg.Search"}, []string{"pkg.Other"}
	for text, want := range map[string][]string{
		"serves:pkg.Search": {"node-b"},
		"serves:pkg.*":      {"node-b", "node-c"},
		"serves:Search":     nil,
		"state:alive":       {"node-b"},
		"state:dead":        {"node-c"},
		"state:left":        nil,
		"mode:server":       {"node-b", "node-c", "node-d"},
		"mode:client":       nil,
		"reason:silent":     {"node-c"},
		"unreachable:true":  {"node-d"},
		"unreachable:false": {"node-b", "node-c"},
		"name:node-c":       {"node-c"},
		"name:*-[cd]":       {"node-c", "node-d"},
	} {
		f, err := parseFilter(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := names(choose(peers, []filter{f})); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	both := []filter{{"mode", modeServer}, {unreachable, "true"}}
	if got := names(choose(peers, both)); !slices.Equal(got, []string{"node-d"}) {
		t.Errorf("two filters: %q", got)
	}
}

func names(peers []peerView) []string {
	var all []string
	for _, p := range peers {
		all = append(all, p.Name)
	}
	return all
}

func TestFilterRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"alive":        `filter "alive" is not KEY:VALUE; try --filter state:alive`,
		"state:":       `filter "state:" is not KEY:VALUE; try --filter state:alive`,
		"stat:alive":   `unknown filter key "stat"; did you mean state?`,
		"state:deaf":   `unknown value of state "deaf"; did you mean dead?`,
		"mode:x":       `unknown value of mode "x"; one of server, client`,
		"name:[":       `filter "name:[": malformed pattern; `,
		"reason:quiet": `unknown value of reason "quiet"; one of stalled, silent`,
	} {
		_, err := parseFilter(text)
		if f := explain(err); err == nil || f.Error()+"; "+f.hint != want || f.code != exitUsage {
			t.Errorf("%s: %q, code %d; want %q", text, f.Error()+"; "+f.hint, f.code, want)
		}
	}
}

func TestSort(t *testing.T) {
	for text, want := range map[string][]string{
		"name":            {"node-b", "node-c", "node-d"},
		"-name":           {"node-d", "node-c", "node-b"},
		"age":             {"node-b", "node-d", "node-c"},
		"-age":            {"node-c", "node-d", "node-b"},
		"state":           {"node-b", "node-d", "node-c"},
		"depth,-sequence": {"node-d", "node-c", "node-b"},
		"last_exchange":   {"node-d", "node-b", "node-c"},
		"-last-exchange":  {"node-b", "node-c", "node-d"},
	} {
		choice, err := parseChoice(nil, text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := names(choice.of(pictureOf(fakePicture()).peers)); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	for _, text := range []string{"", "agee", "name,", "--age"} {
		if _, err := parseSort(text); err == nil || codeOf(err) != exitUsage {
			t.Errorf("sort %q: %v, want a usage error", text, err)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"", "ab", 2}, {"peers", "peers", 0}, {"peer", "peers", 1}, {"shwo", "show", 1}, {"abc", "xyz", 3}, {"kitten", "sitting", 3}} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("distance(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
