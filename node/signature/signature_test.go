package signature

import (
	"bytes"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func chance(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 7)) }

// samples draws n samples around a centre, of which some values are large, tiny or zero.
func samples(r *rand.Rand, n, dimension int, centre float64) [][]float32 {
	all := make([][]float32, n)
	for i := range all {
		v := make([]float32, dimension)
		for k := range v {
			v[k] = float32(centre + r.NormFloat64()*math.Exp(2*r.NormFloat64()))
		}
		v[r.IntN(dimension)] = 0
		all[i] = v
	}
	return all
}

func sumOf(t *testing.T, all [][]float32) (s Sum) {
	t.Helper()
	for _, v := range all {
		if err := s.Add(v); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// near tells whether two signatures are one but for the rounding of their means.
func near(a, b Signature) bool {
	same := a.Dimension == b.Dimension && a.Count == b.Count && slices.Equal(a.Histogram, b.Histogram) && len(a.Mean) == len(b.Mean)
	for i := range a.Mean {
		x, y := float64(a.Mean[i]), float64(b.Mean[i])
		same = same && math.Abs(x-y) <= 1e-6*max(math.Abs(x), math.Abs(y), 1e-6)
	}
	return same
}

// TestMergeIsRecomputation: however samples are split, ordered and merged, the signature is that of all of them.
func TestMergeIsRecomputation(t *testing.T) {
	r := chance(1)
	for range 200 {
		all := samples(r, 1+r.IntN(60), 1+r.IntN(20), r.NormFloat64()*10)
		whole := sumOf(t, all)
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		var merged Sum
		for rest := all; len(rest) > 0; {
			n := 1 + r.IntN(len(rest))
			part := sumOf(t, rest[:n])
			if err := merged.Merge(part); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if err := merged.Merge(Sum{}); err != nil {
			t.Fatal(err)
		}
		if !near(merged.Signature(), whole.Signature()) || !merged.SameSamples(whole) {
			t.Fatalf("merged %+v\nwhole  %+v", merged.Signature(), whole.Signature())
		}
		if err := whole.Signature().Check(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSignatureIsMeanAndHistogram: against an obvious computation.
func TestSignatureIsMeanAndHistogram(t *testing.T) {
	s := sumOf(t, [][]float32{{1, -2, 0}, {3, -4, 0.5}, {5, 0.001, 1000}}).Signature()
	if want := []float32{3, -1.9996667, 333.5}; !slices.Equal(s.Mean, want) || s.Count != 3 || s.Dimension != 3 {
		t.Errorf("got %+v, want the mean %v", s, want)
	}
	edge := func(k int) float64 { return math.Pow(2, float64(k)/2-8) }
	for _, x := range []float32{0, 1e-9, 0.0039, 0.00390625, 0.0055, 0.0056, 0.5, 0.7, 0.71, 1, 1.5, 127.9, 128, 1e30} {
		want := Bins / 2
		for k := range Bins/2 - 1 {
			if float64(x) >= edge(k) {
				want++
			}
		}
		if got := bin(x); got != want {
			t.Errorf("%v is counted in bin %d, not %d", x, got, want)
		}
		if got := bin(-x); x != 0 && got != Bins-1-want {
			t.Errorf("%v is counted in bin %d, not %d", -x, got, Bins-1-want)
		}
	}
}

func TestSamplesAreRefused(t *testing.T) {
	base := sumOf(t, [][]float32{{1, 2}})
	for want, v := range map[string][]float32{
		"no values":                               {},
		"3 values where the set has 2":            {1, 2, 3},
		"value 2 is NaN: it must be finite":       {1, float32(math.NaN())},
		"value 1 is +Inf: it must be finite":      {float32(math.Inf(1)), 1},
		"10000 values are over the bound of 1024": make([]float32, 10_000),
	} {
		s := base.Clone()
		if err := s.Add(v); err == nil || err.Error() != want {
			t.Errorf("got %v, want %q", err, want)
		}
		if !reflect.DeepEqual(s, base) {
			t.Errorf("%s: the sum has changed", want)
		}
	}
	s := base.Clone()
	if err := s.Merge(sumOf(t, [][]float32{{1}})); err == nil || !reflect.DeepEqual(s, base) {
		t.Errorf("a sum of another dimension: %v", err)
	}
}

func TestSignaturesAreRefused(t *testing.T) {
	one := []float64{1}
	for want, f := range map[string]func() (Signature, error){
		"mean of 10000 numbers is over the bound of 1024":                       func() (Signature, error) { return Of(make([]float64, 10_000), one, 1) },
		"mean[0] is NaN: it must be finite, and no larger than a float32":       func() (Signature, error) { return Of([]float64{math.NaN()}, one, 1) },
		"mean[1] is 1e+300: it must be finite, and no larger than a float32":    func() (Signature, error) { return Of([]float64{1, 1e300}, one, 1) },
		"histogram[0] is -Inf: it must be finite, and no larger than a float32": func() (Signature, error) { return Of(one, []float64{math.Inf(-1)}, 1) },
		"histogram[1] is -1: it must be finite and not negative":                func() (Signature, error) { return Of(one, []float64{1, -1}, 1) },
		"histogram of 129 numbers is over the bound of 128":                     func() (Signature, error) { return Of(one, make([]float64, 129), 1) },
		"samples without a histogram":                                           func() (Signature, error) { return Of(one, []float64{0, 0}, 1) },
		"samples without a mean":                                                func() (Signature, error) { return Of(nil, one, 1) },
		"a mean or a histogram of no samples":                                   func() (Signature, error) { return Of(one, one, 0) },
		"a count of 9007199254740993 is over the bound of 9007199254740992":     func() (Signature, error) { return Of(one, one, MaxCount+1) },
		"a mean of 3 coordinates where 2 are needed": func() (Signature, error) {
			return Signature{}, Signature{2, make([]float32, 3), []float32{1}, 1}.Check()
		},
		"10000 dimensions are over the bound of 1024": func() (Signature, error) { return Signature{}, Signature{10_000, nil, nil, 1}.Check() },
	} {
		s, err := f()
		if err == nil || err.Error() != want || !reflect.DeepEqual(s, Signature{}) {
			t.Errorf("got %v with %+v, want %q", err, s, want)
		}
	}
	if s, err := Of(nil, nil, 0); err != nil || !s.Equal(Signature{}) {
		t.Errorf("without samples: %+v, %v", s, err)
	}
}

// some draws a signature of a dimension, often one that is close to another.
func some(r *rand.Rand, dimension, bins int) Signature {
	s := Signature{Dimension: dimension, Mean: make([]float32, dimension), Histogram: make([]float32, bins), Count: 1 + r.Uint64N(1000)}
	scale := math.Exp(6 * r.NormFloat64())
	for i := range s.Mean {
		s.Mean[i] = float32(scale * r.NormFloat64())
	}
	for i := range s.Histogram {
		s.Histogram[i] = float32(r.IntN(5)) * float32(math.Exp(10*r.NormFloat64()))
	}
	s.Histogram[r.IntN(bins)]++
	return s
}

// TestDistanceIsAMetric: never negative, at most 1, none to itself, the same both ways, and no way round is shorter.
func TestDistanceIsAMetric(t *testing.T) {
	r := chance(2)
	const rounding = 1e-12
	distance := func(a, b Signature) float64 {
		d, ok := Distance(a, b)
		if !ok || d < 0 || d > 1 || math.IsNaN(d) {
			t.Fatalf("distance %v, %t of\n%+v\n%+v", d, ok, a, b)
		}
		return d
	}
	for range 3000 {
		dimension, bins := 1+r.IntN(300), 1+r.IntN(MaxBins)
		a, b, c := some(r, dimension, bins), some(r, dimension, bins), some(r, dimension, bins)
		if r.IntN(2) == 0 {
			a, b, c = a.Short(), b.Short(), c.Short()
		}
		ab, bc, ac := distance(a, b), distance(b, c), distance(a, c)
		if distance(a, a) != 0 || ab != distance(b, a) || ac > ab+bc+rounding {
			t.Fatalf("ab %v, bc %v, ac %v", ab, bc, ac)
		}
		scaled := a
		scaled.Histogram, scaled.Count = slices.Clone(a.Histogram), a.Count+1
		for i := range scaled.Histogram {
			scaled.Histogram[i] *= 2
		}
		if d := distance(a, scaled); d > rounding {
			t.Fatalf("the same shares of other counts are %v apart", d)
		}
		moved := a
		moved.Mean = slices.Clone(a.Mean)
		moved.Mean[0] = moved.Mean[0]*1.5 + 1
		if distance(a, moved) == 0 {
			t.Fatal("different means are not apart")
		}
	}
	one := func(mean, a, b float32) Signature { return Signature{1, []float32{mean}, []float32{a, b}, 1} }
	if d := distance(one(0, 1, 0), one(1, 1, 0)); d != 0.25 {
		t.Errorf("a difference of 1 in the mean is %v", d)
	}
	if d := distance(one(-math.MaxFloat32, 1, 0), one(math.MaxFloat32, 0, 1)); d != 1 {
		t.Errorf("nothing in common is %v", d)
	}
}

func TestIncomparable(t *testing.T) {
	a := some(chance(3), 200, 4)
	for name, b := range map[string]Signature{
		"dimensions": some(chance(3), 201, 4),
		"bins":       some(chance(3), 200, 5),
		"no samples": {},
		"forms":      a.Short(),
	} {
		if d, ok := Distance(a, b); ok || d != 0 {
			t.Errorf("%s: %v, %t", name, d, ok)
		}
	}
	if _, ok := Distance(Signature{}, Signature{}); ok {
		t.Error("two without samples can be compared")
	}
}

// TestShortKeepsDistances: a mean that fits stays, a longer one is projected so that differences stay about as they are.
func TestShortKeepsDistances(t *testing.T) {
	r := chance(4)
	if a := some(r, ShortMean, 3); !a.Short().Equal(a) || a.Short().IsShort() {
		t.Error("a mean that fits was changed")
	}
	var ratios []float64
	for range 300 {
		a, b := some(r, MaxDimension, 3), some(r, MaxDimension, 3)
		x, y := a.Short(), b.Short()
		if len(x.Mean) != ShortMean || !x.IsShort() || !x.Short().Equal(x) || x.check(ShortMean) != nil {
			t.Fatalf("%d coordinates", len(x.Mean))
		}
		ratios = append(ratios, meanDifference(x, y)/meanDifference(a, b))
	}
	slices.Sort(ratios)
	if low, high := ratios[len(ratios)/20], ratios[len(ratios)*19/20]; low < 0.8 || high > 1.2 {
		t.Errorf("nine in ten differences are kept to %.2f to %.2f of themselves", low, high)
	}
	huge := some(r, MaxDimension, 3)
	for i := range huge.Mean {
		huge.Mean[i] = math.MaxFloat32
	}
	if err := huge.Short().check(ShortMean); err != nil {
		t.Error(err)
	}
}

func TestStatementsRoundTrip(t *testing.T) {
	r := chance(5)
	for _, s := range []Statement{
		{1, 1, Signature{}},
		{1, 2, some(r, 1, 1)},
		{math.MaxUint64, math.MaxUint64, some(r, MaxDimension, MaxBins)},
	} {
		b := s.AppendBinary(nil)
		got, err := Parse(b)
		if err != nil || !reflect.DeepEqual(got, s) || len(b) > MaxStatement {
			t.Errorf("%v, %d bytes\ngot  %+v\nwant %+v", err, len(b), got, s)
		}
		s.Signature = s.Short()
		b = s.AppendBinary(nil)
		got, err = ParseShort(b)
		if err != nil || !reflect.DeepEqual(got, s) || len(b) > MaxShortStatement {
			t.Errorf("short: %v, %d bytes\ngot  %+v\nwant %+v", err, len(b), got, s)
		}
	}
	full := Statement{1, 1, some(r, MaxDimension, 2)}
	if _, err := ParseShort(full.AppendBinary(nil)); err == nil {
		t.Error("a full mean was taken for a short one")
	}
	full.Signature = full.Short()
	if _, err := Parse(full.AppendBinary(nil)); err == nil {
		t.Error("a short mean was taken for a full one")
	}
}

func TestStatementsOrder(t *testing.T) {
	a, b, c := Statement{Incarnation: 1, Version: 9}, Statement{Incarnation: 2, Version: 1}, Statement{Incarnation: 2, Version: 2}
	if !b.Newer(a) || !c.Newer(b) || a.Newer(b) || b.Newer(b) || b.Newer(c) {
		t.Error("the later incarnation goes first, then the higher version")
	}
}

func TestStatementsAreRefused(t *testing.T) {
	good := Statement{1, 1, Signature{1, []float32{1}, []float32{1}, 1}}.AppendBinary(nil)
	change := func(f func(b []byte) []byte) []byte { return f(bytes.Clone(good)) }
	at := func(i int, x byte) []byte { return change(func(b []byte) []byte { b[i] = x; return b }) }
	for want, b := range map[string][]byte{
		"cut short":                                  good[:headSize-1],
		"version 2 where 1 is known":                 at(0, 2),
		"7 bytes of numbers where 8 are needed":      good[:len(good)-1],
		"9 bytes of numbers where 8 are needed":      append(bytes.Clone(good), 0),
		"incarnation or version 0":                   at(8, 0),
		"a mean of 1 coordinates where 2 are needed": at(26, 2),
		"mean[0] is NaN":                             change(func(b []byte) []byte { copy(b[headSize:], []byte{0x7f, 0xc0, 0, 0}); return b }),
		"histogram[0] is -1":                         change(func(b []byte) []byte { b[headSize+4] |= 0x80; return b }),
		"a mean or a histogram of no samples":        at(24, 0),
		"over the bounds of 1024 and 128": change(func(b []byte) []byte {
			b[27], b[28] = 0x27, 0x10 // 10,000
			return append(b[:headSize], make([]byte, 4*(10_000+1))...)
		}),
	} {
		s, err := Parse(b)
		if err == nil || !strings.Contains(err.Error(), want) || !reflect.DeepEqual(s, Statement{}) {
			t.Errorf("got %v with %+v, want %q", err, s, want)
		}
	}
}

func TestSumsRoundTrip(t *testing.T) {
	for _, s := range []Sum{{}, sumOf(t, samples(chance(6), 20, 30, 1))} {
		b := s.AppendBinary(nil)
		got, err := ParseSum(b)
		if err != nil || !reflect.DeepEqual(got, s) {
			t.Errorf("%v\ngot  %+v\nwant %+v", err, got, s)
		}
		for n := range b {
			if _, err := ParseSum(b[:n]); err == nil {
				t.Errorf("%d of %d bytes are a sum", n, len(b))
			}
		}
	}
}

func FuzzStatement(f *testing.F) {
	r := chance(8)
	f.Add(Statement{1, 1, Signature{}}.AppendBinary(nil))
	f.Add(Statement{3, 4, some(r, 200, 64)}.AppendBinary(nil))
	f.Add(Statement{3, 4, some(r, 200, 64).Short()}.AppendBinary(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, read := range []func([]byte) (Statement, error){Parse, ParseShort} {
			s, err := read(b)
			if err != nil {
				if !reflect.DeepEqual(s, Statement{}) {
					t.Fatalf("the error comes with %+v", s)
				}
				continue
			}
			if again := s.AppendBinary(nil); !bytes.Equal(again, b) {
				t.Fatalf("got  %x\nwant %x", again, b)
			}
			if d, ok := Distance(s.Signature, s.Signature); ok && d != 0 || ok != (s.Count > 0) {
				t.Fatalf("distance %v, %t to itself", d, ok)
			}
		}
	})
}

func FuzzSum(f *testing.F) {
	f.Add(Sum{}.AppendBinary(nil))
	s := Sum{}
	_ = s.Add([]float32{1, -2})
	f.Add(s.AppendBinary(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ParseSum(b)
		if err == nil && !bytes.Equal(s.AppendBinary(nil), b) {
			t.Fatalf("it encodes to other bytes than %x", b)
		}
	})
}
