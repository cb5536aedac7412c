package dataset

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/g2g-net/g2g/node/signature"
)

func read(text string, dimension int) (samples [][]float32, r Report, err error) {
	r, err = Read(strings.NewReader(text), dimension, func(s []float32) error {
		samples = append(samples, s)
		return nil
	})
	return samples, r, err
}

func TestRead(t *testing.T) {
	two := [][]float32{{1, -2.5}, {0, 1e9}}
	for name, c := range map[string]struct {
		text           string
		header, labels bool
	}{
		"csv":               {"1,-2.5\n0,1e9\n", false, false},
		"no last newline":   {"1,-2.5\n0,1e9", false, false},
		"carriage returns":  {"1,-2.5\r\n0,1e9\r\n", false, false},
		"spaces and blanks": {"\n  1 , -2.5 \n\n0,1e9\n\n", false, false},
		"byte order mark":   {"\ufeff1,-2.5\n0,1e9\n", false, false},
		"header":            {"x,y\n1,-2.5\n0,1e9\n", true, false},
		"header and labels": {"word,x,y\nthe,1,-2.5\nnan,0,1e9\n", true, true},
		"labels":            {"the,1,-2.5\n7,0,1e9\n", false, true},
		"quotes":            {"\"the, quoted\",\"1\",-2.5\nand,0,1e9\n", false, true},
		"json lines":        {"[1,-2.5]\n\n [0, 1e9]\n", false, false},
	} {
		got, r, err := read(c.text, 0)
		want := Report{Samples: 2, Dimension: 2, Header: c.header, Labels: c.labels}
		if err != nil || !reflect.DeepEqual(got, two) || !reflect.DeepEqual(r, want) {
			t.Errorf("%s: %v, %+v, %v", name, got, r, err)
		}
	}
	if got, r, err := read("x,y\n", 0); err != nil || got != nil || !reflect.DeepEqual(r, Report{Header: true}) {
		t.Errorf("a header alone: %v, %+v, %v", got, r, err)
	}
}

func TestReadNamesEveryBadLine(t *testing.T) {
	text := "word,a,b\nthe,1,2\nof,1\nand,x,2\nto,1,2,3\nin,1,NaN\n\nwas,1,1e99\n\"a\"b,1,2\n" +
		strings.Repeat("9", MaxLine+5) + "\nis,+Inf,1\nok,3,4\n" + strings.Repeat("q", 60) + "," + strings.Repeat("z", 60) + ",1\nend,1,"
	got, r, err := read(text, 0)
	want := []string{
		"line 3: 1 values where the set has 2", `line 4: column 2: "x" is no number`, "line 5: 3 values where the set has 2",
		"line 6: value 2 is NaN: it must be finite", `line 8: column 3: "1e99" is too large for a float32`,
		"line 9: its quotes do not fit", "line 10: over 65536 bytes", "line 11: value 1 is +Inf: it must be finite",
		`line 13: column 2: "` + strings.Repeat("z", 40) + `"... is no number`, `line 14: column 3: "" is no number`,
	}
	var texts []string
	for _, f := range r.Faults {
		texts = append(texts, f.String())
	}
	if err != nil || !reflect.DeepEqual(texts, want) || r.Bad != len(want) || len(got) != 1 || r.Samples != 1 {
		t.Errorf("%v, %d bad, %v\ngot  %q\nwant %q", got, r.Bad, err, texts, want)
	}
	_, r, _ = read("[1,2]\n[1,null]\n[\n{}\n[[1],2]\nnull\n[]\n1,2\n[1,2]x\n", 0)
	texts = nil
	for _, f := range r.Faults {
		texts = append(texts, f.String())
	}
	want = []string{
		`line 2: value 2: "" is no number`, "line 3: no JSON array of numbers", "line 4: no JSON array of numbers", "line 5: no JSON array of numbers",
		"line 6: no JSON array of numbers", "line 7: no values", "line 8: no JSON array of numbers", "line 9: no JSON array of numbers",
	}
	if !reflect.DeepEqual(texts, want) {
		t.Errorf("got  %q\nwant %q", texts, want)
	}
	_, r, _ = read("1,2\n"+strings.Repeat("x\n", 1000), 0)
	if r.Bad != 1000 || len(r.Faults) != MaxFaults {
		t.Errorf("%d bad, %d named", r.Bad, len(r.Faults))
	}
	_, r, _ = read("1,2\n", 3)
	if r.Bad != 1 || r.Faults[0].Why != "2 values where the set has 3" {
		t.Errorf("%+v", r)
	}
	_, r, _ = read(strings.TrimSuffix(strings.Repeat("1,", 10_000), ","), 0)
	if r.Bad != 1 || r.Faults[0].Why != "10000 values are over the bound of 1024" {
		t.Errorf("%+v", r)
	}
}

func TestReadPassesErrorsOn(t *testing.T) {
	broken := errors.New("the disk is broken")
	if _, err := Read(io.MultiReader(strings.NewReader("1\n"), iotest.ErrReader(broken)), 0, func([]float32) error { return nil }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if _, err := Read(strings.NewReader("1\n2\n"), 0, func([]float32) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("word,a,b\nthe,1,2\n", 0)
	f.Add("[1,2]\n[3,4e5]\n", 2)
	f.Fuzz(func(t *testing.T, text string, dimension int) {
		n := 0
		r, err := Read(strings.NewReader(text), max(0, dimension), func(s []float32) error {
			n++
			if fault := signature.CheckSample(s, 0); fault != nil {
				return fault
			}
			if n > 1 && len(s) == 0 {
				return fmt.Errorf("an empty sample")
			}
			return nil
		})
		if err != nil || n != r.Samples || len(r.Faults) > MaxFaults || len(r.Faults) > r.Bad || (r.Bad > 0) != (len(r.Faults) > 0) {
			t.Fatalf("%d samples, %+v, %v", n, r, err)
		}
	})
}
