package cmd

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/g2g-net/g2g/pki"
	"github.com/g2g-net/g2g/proto/adminpb"
)

// fakeAnswers are of two parts of a network: node-a and node-b, which know node-d, who does not answer; and node-c alone.
func fakeAnswers() *adminpb.QueryResponse {
	link := func(n byte, ms float64) *adminpb.QueryLink {
		id := pki.ID{n}
		return &adminpb.QueryLink{IdBegins: id[:8], LatencyMs: ms}
	}
	return &adminpb.QueryResponse{
		Answers: []*adminpb.QueryAnswer{
			{Id: fakeID(3), Name: "node-c", Hops: 0, Body: []byte("red \x1b[31m")},
			{Id: fakeID(1), Name: "node-a", Hops: 1, ElapsedUs: 15_250, Error: "no apples", Links: []*adminpb.QueryLink{link(2, 0.3), link(4, 0)}},
			{Id: fakeID(2), Name: "node-b", Hops: 2, ElapsedUs: 81_000, Body: []byte{0xff}, Unknown: false},
		},
		Asked: 3, Seen: 1, Failed: 1, Instead: 2, LeftOut: 1,
	}
}

func TestQueryCommand(t *testing.T) {
	f := serveFake(t, &fakeNode{answers: fakeAnswers()})
	got := run(t, "", nil, "query", "inventory", "--question", "apples", "--fanout", "5", "--timeout", "1500ms", "--dir", f.dir)
	want := []string{
		"NAME    HOPS  ELAPSED  ANSWER",
		`node-c  0     0ms      red \x1b[31m`,
		"node-a  1     15.2ms   error: no apples",
		"node-b  2     81ms     base64 /w==",
	}
	for _, line := range want {
		if got.code != 0 || !strings.Contains(got.out, line) {
			t.Errorf("exit %d, %q is not in\n%s%s", got.code, line, got.out, got.err)
		}
	}
	if q := f.query; q.GetName() != "inventory" || string(q.GetQuestion()) != "apples" || q.GetFanout() != 5 || q.GetTimeoutMs() != 1500 || q.GetLinks() {
		t.Errorf("asked %v", q)
	}
	const note = "g2g: 3 answers; asked 3 from here: 1 had it already, 1 brought nothing, 2 stood in for others; 1 answer found no room\n"
	if got.err != note {
		t.Errorf("stderr %q, want %q", got.err, note)
	}
	got = run(t, "", nil, "query", "-q", "-o", "name", "--dir", f.dir)
	if got.out != "node-c\nnode-a\nnode-b\n" || got.err != "" || f.query.GetFanout() != 3 || f.query.GetTimeoutMs() != 2000 {
		t.Errorf("%+v, asked %v", got, f.query)
	}
	var views []answerView
	got = run(t, "", nil, "query", "-o", "json", "--dir", f.dir)
	if err := json.Unmarshal([]byte(got.out), &views); err != nil || len(views) != 3 || views[1].ElapsedMS != 15.25 || views[2].Answer != nil || views[2].Base64 != "/w==" {
		t.Errorf("%v: %s", err, got.out)
	}
}

func TestQueryMap(t *testing.T) {
	f := serveFake(t, &fakeNode{answers: fakeAnswers()})
	got := run(t, "", nil, "query", "--map", "-o", "json", "--dir", f.dir)
	var v queryView
	if err := json.Unmarshal([]byte(got.out), &v); err != nil || got.code != 0 || !f.query.GetLinks() {
		t.Fatalf("%v, exit %d: %s%s", err, got.code, got.out, got.err)
	}
	if got, want := fmt.Sprint(v.Components), "[{1 2 [node-a node-b]} {2 1 [node-c]}]"; got != want {
		t.Errorf("components %s, want %s", got, want)
	}
	if l := v.Links; len(l) != 2 || l[0].FromName != "node-a" || l[0].To != fakeID(2) || *l[0].LatencyMS != 0.3 || l[1].To != "" || l[1].LatencyMS != nil || l[1].ToBegins != "0400000000000000" {
		t.Errorf("links %+v", l)
	}
	if v.Answers[0].Component != 2 || v.Answers[1].Component != 1 || v.LeftOut != 1 {
		t.Errorf("%+v", v)
	}
	got = run(t, "", nil, "query", "--map", "--dir", f.dir)
	if !strings.Contains(got.out, "LINKS  COMPONENT") || !strings.Contains(got.err, "; 2 links, 2 components") {
		t.Errorf("%s%s", got.out, got.err)
	}
}

func TestQueryRefusals(t *testing.T) {
	f := serveFake(t, &fakeNode{answers: &adminpb.QueryResponse{Answers: []*adminpb.QueryAnswer{{Id: fakeID(1), Name: "node-a", Unknown: true}}}})
	for line, want := range map[string]int{
		"--fanout 0": exitUsage, "--fanout 17": exitUsage, "--timeout 0s": exitUsage, "--timeout -1s": exitUsage, "--timeout 31s": exitUsage,
		"a b": exitUsage, "-o yaml": exitUsage, "nobody --map": exitNobody, "nobody": exitNobody,
	} {
		got := run(t, "", nil, append([]string{"query", "--dir", f.dir}, strings.Fields(line)...)...)
		if got.code != want || got.out != "" {
			t.Errorf("query %s: exit %d, want %d: %s%s", line, got.code, want, got.out, got.err)
		}
	}
	if got := run(t, "", nil, "query", "--dir", t.TempDir()); got.code != exitUnreachable {
		t.Errorf("without a node: exit %d", got.code)
	}
}
