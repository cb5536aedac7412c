package cmd

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/g2g-net/g2g/proto/adminpb"
)

func TestCertRotate(t *testing.T) {
	f := serveFake(t, &fakeNode{})
	got := run(t, "", nil, "cert", "rotate", "--dir", f.dir)
	if got.code != exitDone || f.rotate.GetRevoke() || !strings.Contains(got.out, "\nrevoked      no\n") ||
		!strings.Contains(got.err, "rotated to epoch 8, valid until 2096-10-02T07:06:40Z; peers meet it as") {
		t.Errorf("exit %d, %q, %q", got.code, got.out, got.err)
	}
	got = run(t, "", nil, "cert", "rotate", "--revoke", "--dir", f.dir, "-o", "json")
	var view rotatedView
	if err := json.Unmarshal([]byte(got.out), &view); err != nil || !f.rotate.GetRevoke() || !view.Revoked || view.MinEpoch != 8 || view.Shown != 2 {
		t.Errorf("%v, %q", err, got.out)
	}
	if !strings.Contains(got.err, "it was shown to 2 peers before") {
		t.Errorf("%q", got.err)
	}
	f.refuse = status.Error(codes.FailedPrecondition, "rotate: this node has no network")
	if got := run(t, "", nil, "cert", "rotate", "--dir", f.dir); got.code != exitFailed || got.out != "" {
		t.Errorf("exit %d, %q", got.code, got.out)
	}
}

// The fake's own leaf, and node-b's, are valid for 23h 59m 58s; of node-c and node-d only the epoch is known.
func TestCertCheck(t *testing.T) {
	f := serveFake(t, &fakeNode{shows: []*adminpb.Snapshot{fakePicture()}})
	for args, want := range map[string]struct {
		code int
		out  string
	}{
		"":                      {exitDone, ""},
		"-o name":               {exitDone, ""},
		"-o json":               {exitDone, "[]\n"},
		"--within 23h":          {exitDone, ""},
		"--within 24h":          {exitUnhealthy, "node-a\n"},
		"--within 24h --peers":  {exitUnhealthy, "node-a\nnode-b\n"},
		"--within 0s":           {exitUsage, ""},
		"--within -1h":          {exitUsage, ""},
		"--peers --within 1ms":  {exitDone, ""},
		"--peers --within soon": {exitUsage, ""},
	} {
		words := append([]string{"cert", "check", "--dir", f.dir}, strings.Fields(args)...)
		if want.out != "" && !strings.Contains(args, "-o") {
			words = append(words, "-o", "name")
		}
		if got := run(t, "", nil, words...); got.code != want.code || got.out != want.out {
			t.Errorf("cert check %s: exit %d, %q, %s", args, got.code, got.out, got.err)
		}
	}
	got := run(t, "", nil, "cert", "check", "--dir", f.dir, "--peers")
	if got.err != "g2g: 2 leaves looked at, none ends soon; 2 peers not looked at, whose leaf no connection has shown yet\n" {
		t.Errorf("%q", got.err)
	}
	late := fakePicture()
	late.TimeMs = 1_700_086_400_000 - 6*3_600_000 // an eighth more than a quarter of its life before the end
	f.shows[0] = late
	if got := run(t, "", nil, "cert", "check", "--dir", f.dir); got.code != exitDone {
		t.Errorf("exit %d, %s", got.code, got.err)
	}
	late.TimeMs += 3_600_000
	if got := run(t, "", nil, "cert", "check", "--dir", f.dir); got.code != exitUnhealthy || !strings.Contains(got.err, "1 leaf of 1 end") {
		t.Errorf("exit %d, %s", got.code, got.err)
	}
	late.Self.Leaf, late.Self.Network = nil, ""
	if got := run(t, "", nil, "cert", "check", "--dir", f.dir); got.code != exitFailed || !strings.Contains(got.err, "no network") {
		t.Errorf("without a network: exit %d, %s", got.code, got.err)
	}
}

func TestServices(t *testing.T) {
	f := serveFake(t, &fakeNode{shared: fakeServices()})
	for line, want := range map[string]call{
		"services -o name":                 {exitDone, "a.example:1\nb.example:1\nc.example:1\nd.example:1\n", ""},
		"services list -o name":            {exitDone, "a.example:1\nb.example:1\nc.example:1\nd.example:1\n", ""},
		"services remove a.example:1":      {exitFailed, "", `service "a.example:1" is one of the configuration`},
		"services remove d.example:1":      {exitFailed, "", `service "d.example:1" is named by peers only: node-c`},
		"services remove e.example:1":      {exitNobody, "", `no service "e.example:1"`},
		"services remove nonsense":         {exitUsage, "", "nonsense"},
		"services add nonsense":            {exitUsage, "", "nonsense"},
		"services add a.example:0":         {exitUsage, "", "a.example:0"},
		"services add":                     {exitUsage, "", "ADDRESS is missing"},
		"services add a.example:1 b:2":     {exitUsage, "", `unexpected argument "b:2"`},
		"services list extra":              {exitUsage, "", `unexpected argument "extra"`},
		"services nonsense":                {exitUsage, "", `unknown command "nonsense"`},
		"services remove b.example:1 -o x": {exitUsage, "", "must be one of"},
	} {
		got := run(t, "", nil, append(strings.Fields(line), "--dir", f.dir)...)
		if got.code != want.code || got.out != want.out || !strings.Contains(got.err, want.err) {
			t.Errorf("%s: exit %d, %q, %q", line, got.code, got.out, got.err)
		}
	}
	got := run(t, "", nil, "services", "add", "z.example:1", "--dir", f.dir, "-o", "name")
	if got.code != exitDone || got.out != "z.example:1\n" || !strings.Contains(got.err, "z.example:1 is a service of this node (added)") {
		t.Errorf("exit %d, %q, %q", got.code, got.out, got.err)
	}
	got = run(t, "", nil, "services", "remove", "z.example:1", "--dir", f.dir)
	if got.code != exitDone || got.out != "" || len(f.shared) != 4 {
		t.Errorf("exit %d, %q, %q", got.code, got.out, got.err)
	}
	f.full = true
	for _, address := range []string{"z.example:1", "d.example:1"} { // the second one is listed, but not this node's
		if got := run(t, "", nil, "services", "add", address, "--dir", f.dir); got.code != exitFailed || !strings.Contains(got.err, "as many as it can have") {
			t.Errorf("%s: exit %d, %q", address, got.code, got.err)
		}
	}
}

func trips(answers ...int64) (all []*adminpb.PingResponse) {
	for i, us := range answers {
		trip := &adminpb.PingResponse{Seq: uint32(i + 1), RttUs: us}
		if us == 0 {
			trip.Error = "no answer"
		}
		all = append(all, trip)
	}
	return all
}

func TestPing(t *testing.T) {
	f := serveFake(t, &fakeNode{shows: []*adminpb.Snapshot{fakePicture()}, trips: trips(300, 0, 100, 250, 5000)})
	got := run(t, "", nil, "ping", "node-b", "-c", "4", "--dir", f.dir)
	want := "node-b seq=1 rtt=0.300ms\nnode-b seq=2 no answer\nnode-b seq=3 rtt=0.100ms\nnode-b seq=4 rtt=0.250ms\n" +
		"3 of 4 answered: min 0.100ms, median 0.250ms, max 0.300ms\n"
	if got.code != exitDone || got.out != want {
		t.Errorf("exit %d, %q, %s", got.code, got.out, got.err)
	}
	got = run(t, "", nil, "ping", fakeID(2), "-c", "2", "--dir", f.dir, "-o", "jsonl")
	if want := `{"seq":1,"rtt_ms":0.3,"error":""}` + "\n" + `{"seq":2,"rtt_ms":null,"error":"no answer"}` + "\n"; got.out != want {
		t.Errorf("%q", got.out)
	}
	got = run(t, "", nil, "ping", "node-b", "-c", "1", "--dir", f.dir, "-o", "json")
	var view pingView
	if err := json.Unmarshal([]byte(got.out), &view); err != nil || view.Name != "node-b" || view.Sent != 1 || *view.MedianMS != 0.3 {
		t.Errorf("%v, %q", err, got.out)
	}
	f.trips = trips(0, 0)
	got = run(t, "", nil, "ping", "node-d", "--dir", f.dir, "-o", "json")
	if got.code != exitUnreachable || !strings.Contains(got.out, `"min_ms": null`) || !strings.Contains(got.err, "last seen late, unreachable, at 192.0.2.4:7401") {
		t.Errorf("no answer: exit %d, %q, %q", got.code, got.out, got.err)
	}
	f.trips, f.unheard = nil, status.Error(codes.Unavailable, "nobody could be reached")
	if got = run(t, "", nil, "ping", "node-b", "--dir", f.dir); got.code != exitUnreachable || got.out != "" {
		t.Errorf("not reached: exit %d, %q, %q", got.code, got.out, got.err)
	}
	f.unheard = status.Error(codes.ResourceExhausted, "the node is busy")
	if got = run(t, "", nil, "ping", "node-b", "--dir", f.dir); got.code != exitFailed || strings.Contains(got.err, "last seen") {
		t.Errorf("busy: exit %d, %q", got.code, got.err)
	}
}

func TestPingRefuses(t *testing.T) {
	f := serveFake(t, &fakeNode{shows: []*adminpb.Snapshot{fakePicture()}})
	for line, code := range map[string]int{
		"":                      exitUsage,
		"node-a":                exitUsage,
		fakeID(1):               exitUsage,
		"node-x":                exitNobody,
		"node-b -c 0":           exitUsage,
		"node-b -c 1001":        exitUsage,
		"node-b -c -1":          exitUsage,
		"node-b -o name":        exitUsage,
		"node-b node-c":         exitUsage,
		"node-b --dir /nowhere": exitUnreachable,
	} {
		words := append([]string{"ping", "--dir", f.dir}, strings.Fields(line)...)
		if got := run(t, "", nil, words...); got.code != code {
			t.Errorf("ping %s: exit %d, %s", line, got.code, got.err)
		}
	}
}

func TestMedian(t *testing.T) {
	for want, sorted := range map[float64][]float64{3: {3}, 2.5: {2, 3}, 5: {1, 5, 100}, 2: {1, 1, 3, 9}} {
		if got := median(sorted); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("median of %v is %v, want %v", sorted, got, want)
		}
	}
}
