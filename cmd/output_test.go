package cmd

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/g2g-net/g2g/proto/adminpb"
)

var update = flag.Bool("update", false, "write the golden files and scripts anew")

// golden holds text against a file of testdata/golden.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s:\n%s\nwant:\n%s", name, got, want)
	}
}

// What each format prints, read as a diff when it changes.
func TestFormats(t *testing.T) {
	p := pictureOf(fakePicture())
	now := p.taken
	nominations := []nominationView{nominationOf(fakeNomination())}
	events := []eventView{
		eventOf(&adminpb.Event{Seq: 1, TimeMs: 1_700_000_000_123, Kind: "state", Severity: "warning", Peer: fakeID(3), Name: "node-c", Detail: "alive to dead\x1b[31m"}),
		eventOf(&adminpb.Event{Seq: 2, TimeMs: 1_700_000_001_000, Kind: "refused", Severity: "info", Peer: fakeID(9), Detail: "no <member> & stranger"}),
	}
	rotated := rotatedView{Epoch: 8, NotBefore: atSecond(1_700_000_000), NotAfter: atSecond(1_700_086_400), Fingerprint: "aabb", Revoked: true, MinEpoch: 8, Shown: 2}
	findings := []finding{
		{levelOK, "folder", "/var/lib/g2g", ""},
		{levelProblem, "files", "identity.key has mode 0644", "chmod 600 /var/lib/g2g/identity.key"},
		{levelWarning, "peers", "node-\x1bc is dead", "is it up?"},
	}
	measured := benchView{
		Version: "v1", Nodes: 32, CompleteMS: 1500, HalfMS: 900, SettleS: 5, WindowS: 60, SentBytesS: 1830.5, SentPacketsS: 7.25,
		CPUMSS: 1.75, WakeupsS: 51.2, PSSKiB: 9000, PSSMaxKiB: 9900,
	}
	for _, f := range []string{asTable, asJSON, asLines, asName} {
		var b bytes.Buffer
		for _, err := range []error{
			peerListing.write(&b, f, p.peers),
			writeObject(&b, f, p.self.status, p.self.Name, statusFields(p.self.status, now)),
			nominationListing(now).write(&b, f, nominations),
			eventListing.write(&b, f, events),
			writeObject(&b, f, certsOf(p)[2], "node-c", certFields(certsOf(p)[2], p)),
			peerListing.write(&b, f, nil),
			serviceListing(now).write(&b, f, servicesOf(&adminpb.ServicesResponse{Services: fakeServices()})),
			dueListing(now).write(&b, f, dueOf(certsOf(p), now, 30*time.Hour)),
			writeObject(&b, f, rotated, "8", rotatedFields(rotated, now)),
			(&doctor{a: &app{terminal: &terminal{out: &b}}, found: findings}).tell(f),
			writeObject(&b, f, measured, "", benchFields(measured)),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		golden(t, "formats."+f, b.String())
	}
}

// The field names of cli.md that have a source so far. Renaming one breaks scripts.
func TestJSONFieldsAreTheContract(t *testing.T) {
	for _, c := range []struct {
		name  string
		value any
		want  string
	}{
		{"staleness", stalenessView{}, "limit_ms mean_ms sd_ms n stretch floor_ms isolated peers"},
		{"staleness peers", ageView{}, "id name age_ms own_ms trusted state witnesses"},
		{"status", statusView{}, "id name network mode version uptime_s gossip_address register_address advertised observed peers clients limit_ms limit_n mean_ms sd_ms signature leaf isolated"},
		{"status.peers", peerCounts{}, "alive late dead left evicted unreachable"},
		{"status.signature", signatureView{}, "sequence age_ms"},
		{"status.leaf", leafView{}, "epoch not_before not_after"},
		{"peers", peerView{}, "id name mode state reason unreachable addresses age_ms limit_ms sequence epoch leaf_not_after services depth nominated_by first_seen last_exchange"},
		{"events", eventView{}, "seq time kind severity peer name detail"},
		{"version", versionView{}, "version commit go protocol_min protocol_max"},
		{"services", serviceView{}, "address origin last_visit last_id last_name self error visits told_by"},
		{"ping", pingView{}, "id name sent answered min_ms median_ms max_ms round_trips"},
		{"ping.round_trips", tripView{}, "seq rtt_ms error"},
		{"query", answerView{}, "id name hops elapsed_ms answer answer_base64 error unknown component"},
		{"query --map", queryView{}, "answers links components left_out"},
		{"query --map links", graphLink{}, "from from_name to to_name to_begins latency_ms"},
		{"query --map components", componentView{}, "component size members"},
		{"cert rotate", rotatedView{}, "epoch not_before not_after fingerprint revoked min_epoch peers_shown"},
		{"cert check", dueView{}, "id name self epoch not_after left_s"},
		{"doctor", finding{}, "level check what hint"},
		{"bench", benchView{}, "version nodes complete_ms complete_median_ms settle_s window_s sent_bytes_s sent_packets_s cpu_ms_s wakeups_s pss_kib pss_max_kib"},
		{"error", errorView{}, "error hint code"},
	} {
		var fields []string
		for i := range reflect.TypeOf(c.value).NumField() {
			name, options, _ := strings.Cut(reflect.TypeOf(c.value).Field(i).Tag.Get("json"), ",")
			if options != "" {
				t.Errorf("%s: %s is left out at times: a script must always find it", c.name, name)
			}
			fields = append(fields, name)
		}
		for _, name := range strings.Fields(c.want) {
			if !slices.Contains(fields, name) {
				t.Errorf("%s has no field %q", c.name, name)
			}
		}
	}
}

func TestEmptyListsAreNotNull(t *testing.T) {
	b, err := json.Marshal(pictureOf(&adminpb.Snapshot{Self: &adminpb.Self{}, Peers: []*adminpb.Peer{{}}}).peers[0])
	if err != nil || strings.Contains(string(b), `"addresses":null`) || !strings.Contains(string(b), `"last_exchange":null`) {
		t.Errorf("%s, %v", b, err)
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                               "0ms",
		999 * time.Millisecond:          "999ms",
		1500 * time.Millisecond:         "1.5s",
		9999 * time.Millisecond:         "9.9s",
		59 * time.Second:                "59s",
		61 * time.Second:                "1m01s",
		23*time.Hour + 59*time.Minute:   "23h59m",
		50 * time.Hour:                  "2d02h",
		-1500 * time.Millisecond:        "-1.5s",
		47*time.Hour + 59*time.Minute:   "47h59m",
		59*time.Minute + 59*time.Second: "59m59s",
	} {
		if got := span(d); got != want {
			t.Errorf("span(%d) = %q, want %q", d, got, want)
		}
	}
}

func TestPlainShowsWhatATerminalWouldObey(t *testing.T) {
	for text, want := range map[string]string{
		"node-b":       "node-b",
		"a\x1b[2Jb":    `a\x1b[2Jb`,
		"a\rb\nc":      `a\rb\nc`,
		"\u009b31m":    `\u009b31m`,
		"\u202eabc":    `\u202eabc`,
		"bad\xffutf":   `bad\ufffdutf`,
		"größe '1' \\": "größe '1' \\",
	} {
		if got := plain(text); got != want {
			t.Errorf("plain(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestShellWord(t *testing.T) {
	for word, want := range map[string]string{"/tmp/a-b_c": "/tmp/a-b_c", "": "''", "a b": "'a b'", "it's": `'it'\''s'`, "$x": "'$x'"} {
		if got := shellWord(word); got != want {
			t.Errorf("shellWord(%q) = %s, want %s", word, got, want)
		}
	}
}
