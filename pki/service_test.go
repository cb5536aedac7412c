package pki

import (
	"strings"
	"testing"
)

func TestServiceNames(t *testing.T) {
	longest := strings.Repeat("a", MaxServiceName)
	for _, good := range []string{"Echo", "grpc.health.v1.Health", "a.b_2.C", "_a", "g2gs.Echo", longest} {
		if err := CheckServiceName(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for bad, want := range map[string]string{
		"":            "service name of 0 characters: 1 to 128 are needed",
		longest + "a": "service name of 129 characters: 1 to 128 are needed",
		"g2g":         `service name "g2g": the packages g2g and g2g.* are the node's own`,
		"g2g.x.Y":     `service name "g2g.x.Y": the packages g2g and g2g.* are the node's own`,
		"a..B":        `service name "a..B": a part of it is empty`,
		".a":          `service name ".a": a part of it is empty`,
		"a.1b":        `service name "a.1b": its parts are letters, digits and _, no digit first`,
		"a/B":         `service name "a/B": its parts are letters, digits and _, no digit first`,
		"a\n":         `service name "a\n": its parts are letters, digits and _, no digit first`,
		"\u00e4.Echo": `service name "ä.Echo": its parts are letters, digits and _, no digit first`,
	} {
		if err := CheckServiceName(bad); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", bad, err, want)
		}
	}
}
