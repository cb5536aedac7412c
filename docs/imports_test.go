package docs_test

import (
	"path"
	"slices"
	"strings"
	"testing"
)

// floors gives each room its height: a package may import only packages that stand lower, or its own sub-packages. So
// the imports point one way. A room under node that is not named here is an edge room, beside transport.
var floors = map[string]int{
	"pki":            0,
	"proto/gossippb": 0,
	"proto/adminpb":  0,
	"node/config":    1,
	"node/signature": 1,
	"node/latency":   1,
	"node/stale":     1,
	"node/view":      2,
	"node/order":     2,
	"node/gossip":    3,
	"node/wire":      4,
	"node/client":    4,
	"node/fanout":    3,
	"node/transport": edge,
	"node/admin":     edge,
	"node/store":     edge,
	"node/sim":       edge,
	"node":           edge + 1,
	"tui":            edge + 1,
	"cmd":            edge + 2,
	"":               edge + 3, // main
}

const (
	edge     = 5
	protobuf = "google.golang.org/protobuf"
)

// readers names the only rooms that may import a package, for packages that not every higher room may. A name ending
// in a slash stands for all rooms below it.
var readers = map[string][]string{
	// Protobuf types stop at the gate and at the admin socket, whose clients are tui and cmd.
	protobuf:         {"proto/", "node/wire", "node/transport", "node/admin", "tui", "tui/", "cmd"},
	"proto/gossippb": {"node/wire", "node/transport"},
	"proto/adminpb":  {"node/admin", "tui", "tui/", "cmd"},
	// The simulator is no part of a node, and only some files of cmd run one.
	"node/sim": {"cmd"},
	"node":     {"cmd"},
}

// runners are the files of cmd that run a node or work on a stopped node's folder; the others talk to the admin socket.
var runners = []string{"init", "serve", "join", "leave", "demo"}

// floor is the height of a room; a sub-package stands where its nearest named parent does.
func floor(room string) int {
	for r := room; r != "."; r = path.Dir(r) {
		if height, named := floors[r]; named && (r != "node" || room == "node") {
			return height
		}
	}
	return edge
}

func mayRead(readers []string, room string) bool {
	return slices.ContainsFunc(readers, func(r string) bool {
		return r == room || strings.HasSuffix(r, "/") && strings.HasPrefix(room, r)
	})
}

// inside says whether a room is another one or lies below it.
func inside(room, other string) bool {
	return room == other || other != "" && strings.HasPrefix(room, other+"/")
}

// imports holds a file to the import graph. Tests may look anywhere that the compiler lets them, except out of pki.
func imports(s source) []string {
	var complaints []string
	for _, spec := range s.file.Imports {
		if why := refuse(s, importPath(spec)); why != "" {
			complaints = append(complaints, s.complain(spec, "%s imports %s: %s", place(s.room()), importPath(spec), why))
		}
	}
	return complaints
}

func place(room string) string {
	if room == "" {
		return "main"
	}
	return room
}

// refuse says why a file may not import a package, or nothing.
func refuse(s source, target string) string {
	room := s.room()
	ours, isOurs := strings.CutPrefix(target, module+"/")
	switch {
	case isOurs && inside(room, "pki") && !inside(ours, "pki"):
		return "pki imports nothing of ours"
	case s.test():
		return ""
	case inside(target, protobuf) && !mayRead(readers[protobuf], room):
		return "protobuf types stop at wire, transport, admin and tui"
	case !isOurs:
		return ""
	case inside(room, "tui") && (inside(ours, "node") || inside(ours, "pki")):
		return "tui imports neither node nor pki"
	case readers[ours] != nil && !mayRead(readers[ours], room):
		return "only these may: " + strings.Join(readers[ours], ", ")
	case ours == "node" && !runner(s.path):
		return "only the files of " + strings.Join(runners, ", ") + " may"
	case inside(ours, room) || inside(room, ours):
		return ""
	case floor(ours) >= floor(room):
		return "imports point from cmd down to pki"
	}
	return ""
}

// runner says whether a file belongs to one of the subcommands that run a node: serve.go, serve_linux.go.
func runner(file string) bool {
	name, _, _ := strings.Cut(strings.TrimSuffix(path.Base(file), ".go"), "_")
	return slices.Contains(runners, name)
}

func TestImportsPointOneWay(t *testing.T) { keep(t, imports) }

func TestImportsRuleBites(t *testing.T) {
	file := func(pkg string, imports ...string) string {
		return "package " + pkg + "\nimport \"" + strings.Join(imports, "\"\nimport \"") + "\"\n"
	}
	ours := module + "/"
	bites(t, imports, []sample{
		{"pki/id.go", file("pki", "crypto/sha256"), nil},
		{"pki/id.go", file("pki", ours+"proto/gossippb"), []string{"pki/id.go:2: pki imports " + ours + "proto/gossippb: pki imports nothing of ours"}},
		{"pki/id_test.go", file("pki", ours+"node/view"), []string{"pki/id_test.go:2: pki imports " + ours + "node/view: pki imports nothing of ours"}},
		{"node/view/view.go", file("view", ours+"pki", ours+"node/gossip"), []string{"node/view/view.go:3: node/view imports " + ours + "node/gossip: imports point from cmd down to pki"}},
		{"node/gossip/m.go", file("gossip", ours+"proto/gossippb"), []string{"node/gossip/m.go:2: node/gossip imports " + ours + "proto/gossippb: only these may: node/wire, node/transport"}},
		{"node/gossip/m.go", file("gossip", "google.golang.org/protobuf/proto"), []string{"node/gossip/m.go:2: node/gossip imports google.golang.org/protobuf/proto: protobuf types stop at wire, transport, admin and tui"}},
		{"node/transport/t.go", file("transport", ours+"node/wire", ours+"proto/gossippb"), nil},
		{"node/transport/t.go", file("transport", ours+"node/store"), []string{"node/transport/t.go:2: node/transport imports " + ours + "node/store: imports point from cmd down to pki"}},
		{"node/metrics/m.go", file("metrics", ours+"node/transport"), []string{"node/metrics/m.go:2: node/metrics imports " + ours + "node/transport: imports point from cmd down to pki"}},
		{"node/admin/a.go", file("admin", ours+"node"), []string{"node/admin/a.go:2: node/admin imports " + ours + "node: only these may: cmd"}},
		{"node/node.go", file("node", ours+"node/transport", ours+"node/admin", ours+"node/store"), nil},
		{"node/node.go", file("node", ours+"node/sim"), []string{"node/node.go:2: node imports " + ours + "node/sim: only these may: cmd"}},
		{"node/node_test.go", file("node", ours+"node/sim"), nil},
		{"tui/peers.go", file("tui", ours+"proto/adminpb"), nil},
		{"tui/peers.go", file("tui", ours+"node/admin"), []string{"tui/peers.go:2: tui imports " + ours + "node/admin: tui imports neither node nor pki"}},
		{"cmd/serve.go", file("cmd", ours+"node", ours+"node/config"), nil},
		{"cmd/serve_unix.go", file("cmd", ours+"node"), nil},
		{"cmd/peers.go", file("cmd", ours+"node", ours+"tui"), []string{"cmd/peers.go:2: cmd imports " + ours + "node: only the files of init, serve, join, leave, demo may"}},
		{"main.go", file("main", ours+"cmd"), nil},
		{"main.go", file("main", ours+"node"), []string{"main.go:2: main imports " + ours + "node: only these may: cmd"}},
		{"node/order/o.go", file("order", ours+"node/latency", ours+"node/order/internal/ring"), nil},
	})
}
