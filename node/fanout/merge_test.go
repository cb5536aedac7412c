package fanout_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"testing"

	"github.com/g2g-net/g2g/node/fanout"
	"github.com/g2g-net/g2g/pki"
)

// Each node answers with the two of its own points that are nearest to the question. Merged, these are the two nearest of all.
func ExampleMerge() {
	type point struct {
		Name     string
		Distance float64
	}
	r := fanout.Result{Answers: []fanout.Answer{ // as Node.Query returns it
		{Name: "alder", Body: []byte(`[{"Name":"a1","Distance":0.5},{"Name":"a2","Distance":0.9}]`)},
		{Name: "birch", Body: []byte(`[{"Name":"b1","Distance":0.1},{"Name":"b2","Distance":0.7}]`)},
		{Name: "cherry", Body: []byte(`[{"Name":"c1","Distance":0.8}]`)},
		{Name: "dogwood", Error: "the index is being built"},
	}}
	read := func(a fanout.Answer) (points []point, err error) {
		err = json.Unmarshal(a.Body, &points)
		return points, err
	}
	nearest := func(before, next []point) []point {
		both := slices.Concat(before, next)
		slices.SortFunc(both, func(a, b point) int { return cmp.Compare(a.Distance, b.Distance) })
		return both[:min(len(both), 2)]
	}
	points, merged, err := fanout.Merge(r, read, nearest)
	fmt.Println(points, "of", merged, "nodes")
	fmt.Println(err != nil) // one node could not say
	// Output:
	// [{b1 0.1} {a1 0.5}] of 3 nodes
	// true
}

func TestMerge(t *testing.T) {
	read := func(a fanout.Answer) (string, error) {
		_, err := strconv.Atoi(string(a.Body))
		return string(a.Body), err
	}
	join := func(before, next string) string { return before + " " + next }
	say := func(bodies ...string) (r fanout.Result) {
		for i, body := range bodies {
			a := fanout.Answer{ID: pki.ID{byte(i + 1)}, Name: fmt.Sprint("n", i), Body: []byte(body)}
			switch body {
			case "unknown":
				a.Unknown = true
			case "error":
				a.Error = "no\x1b[2J"
			}
			r.Answers = append(r.Answers, a)
		}
		return r
	}
	for _, c := range []struct {
		r      fanout.Result
		value  string
		merged int
		err    string
	}{
		{say(), "", 0, ""},
		{say("1"), "1", 1, ""},
		{say("1", "2", "3"), "1 2 3", 3, ""},
		{say("unknown", "2"), "2", 1, ""},
		{say("x"), "", 0, fmt.Sprintf(`answer of "n0" (%s): strconv.Atoi: parsing "x": invalid syntax`, pki.ID{1}.Short())},
		{say("1", "error", "3"), "1 3", 2, fmt.Sprintf(`answer of "n1" (%s): "no\x1b[2J"`, pki.ID{2}.Short())},
	} {
		value, merged, err := fanout.Merge(c.r, read, join)
		said := ""
		if err != nil {
			said = err.Error()
		}
		if value != c.value || merged != c.merged || said != c.err {
			t.Errorf("%q of %d, %s; want %q of %d, %s", value, merged, said, c.value, c.merged, c.err)
		}
	}
}
